"""No user sees a traceback: whatever goes wrong is one line, and the exit status says so."""

from __future__ import annotations

import contextlib
import pathlib
import sys
from collections.abc import Iterator, Mapping, Sequence

import pytest

from hairpin.cli import main
from hairpin.http import bind, local_address
from tests.media.clips import h264_mp4
from transport import TransportAddress
from transport.aio import KernelSockets

ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
NOBODY = ("--endpoint", "http://127.0.0.1:9")
ANY = ("--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0")


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The working directory: a clip, a text, a folder."""
    h264_mp4(tmp_path / "clip.mp4", frames=5, audio=False)
    (tmp_path / "text").write_text("hello")
    (tmp_path / "config.toml").write_text('listen = "127.0.0.1:0"\ncolour = "red"\n')
    monkeypatch.chdir(tmp_path)
    for name in (*ENVIRONMENT, "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(
    arguments: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
    environment: Mapping[str, str] = ENVIRONMENT,
) -> int:
    monkeypatch.setattr(sys, "argv", ["hairpin", *arguments])
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as exited:
        main()
    assert isinstance(exited.value.code, int)
    return exited.value.code


WRONG = [
    pytest.param(["fly"], 2, "No such command 'fly'", id="command"),
    pytest.param(["--fly"], 2, "No such option", id="option"),
    pytest.param(["serve"], 2, "Missing option '--data'", id="serve-no-data"),
    pytest.param(["serve", "--data", "d", "--listen", "8080"], 2, "is not HOST:PORT", id="listen"),
    pytest.param(
        ["serve", "--data", "d", "--access-key", "hunter2"], 2, "is ID:SECRET", id="access-key"
    ),
    pytest.param(
        ["serve", "--data", "d", "--public-url", "kvs.example.org"], 2, "is not a URL", id="url"
    ),
    pytest.param(
        ["serve", "--data", "d", "--tls-cert", "text"], 2, "go together", id="tls-cert-alone"
    ),
    pytest.param(
        ["serve", "--data", "d", "--tls-cert", "none", "--tls-key", "none"],
        1,
        "--tls-cert none: No such file",
        id="tls-cert-missing",
    ),
    pytest.param(
        ["serve", "--data", "d", "--tls-cert", "text", "--tls-key", "text"],
        1,
        "--tls-cert text holds no certificate",
        id="tls-cert-text",
    ),
    pytest.param(
        ["serve", "--data", "d", "--no-relay"], 2, "must be told of a relay", id="no-relay"
    ),
    pytest.param(
        ["serve", "--data", "d", "--no-relay", "--turn", "turn:host:3478"],
        2,
        "--turn-secret",
        id="no-turn-secret",
    ),
    pytest.param(
        ["serve", "--data", "d", "--no-relay", "--turn", "host"], 2, "'--turn'", id="turn-uri"
    ),
    pytest.param(
        ["serve", "--data", "d", "--turn", "turn:host:3478"], 2, "--no-relay", id="turn-and-relay"
    ),
    pytest.param(
        [
            *("serve", "--data", "d", "--no-relay", "--turn", "turn:host", "--turn-secret", "s"),
            *("--allow-peer", "10.0.0.0/8"),
        ],
        2,
        "--no-relay leaves out",
        id="allow-peer-without-relay",
    ),
    pytest.param(["serve", "--data", "text", *ANY], 1, "text is not a directory", id="data-file"),
    pytest.param(
        ["serve", "--data", "d", "--listen", "192.0.2.7:0"], 1, "not an address of this", id="host"
    ),
    pytest.param(
        ["serve", "--config", "config.toml"], 1, "config.toml: Object contains unknown", id="key"
    ),
    pytest.param(["serve", "--config", "none"], 1, "none: No such file", id="no-config"),
    pytest.param(["relay", "--config", "text"], 1, "--config text: ", id="config-text"),
    pytest.param(["relay", "--listen", "127.0.0.1:1"], 2, "dtls://HOST:PORT", id="relay-listen"),
    pytest.param(["demo", "--source", "none"], 1, "none", id="demo-source"),
    pytest.param(["demo", "--source", "text", *ANY], 1, "text", id="demo-source-text"),
    pytest.param(
        ["demo", "--source", "clip.mp4", "--data", "text", *ANY], 1, "not a directory", id="demo"
    ),
    pytest.param(["master", "--channel", "c"], 2, "Missing option '--source'", id="master"),
    pytest.param(["master", "--channel", "c", "--source", "none", *NOBODY], 1, "none", id="source"),
    pytest.param(
        ["master", "--channel", "c", "--source", "clip.mp4", *NOBODY],
        1,
        "http://127.0.0.1:9 does not answer: Connect",
        id="master-unreachable",
    ),
    *(
        pytest.param([*command, *NOBODY], 1, "http://127.0.0.1:9 does not answer", id=str(command))
        for command in (
            ["channel", "create", "c"],
            ["channel", "list"],
            ["channel", "describe", "c"],
            ["channel", "delete", "c"],
            ["key", "create"],
            ["key", "list"],
            ["key", "revoke", "AKID"],
        )
    ),
    pytest.param(["channel", "create"], 2, "Missing argument 'NAME'", id="channel-no-name"),
    pytest.param(
        ["channel", "create", "c", "--message-ttl", "4"], 2, "not in the range", id="message-ttl"
    ),
    pytest.param(["channel", "list", "--endpoint", "x"], 2, "is not a URL", id="endpoint"),
]


@pytest.mark.parametrize(("arguments", "status", "message"), WRONG)
def test_bad_input_is_one_line(
    folder: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    arguments: list[str],
    status: int,
    message: str,
) -> None:
    assert run(arguments, monkeypatch) == status
    output = capsys.readouterr()

    last = output.err.splitlines()[-1]
    assert message in last
    assert last.startswith("hairpin")
    assert "Traceback" not in output.err
    assert "hunter2" not in output.err
    assert output.out == ""
    # A command may have said what it streams; what is wrong is one line.
    assert len([each for each in output.err.splitlines() if each.startswith("hairpin")]) == 1


@pytest.mark.parametrize("name", ENVIRONMENT)
@pytest.mark.parametrize("command", [["channel", "list"], ["key", "list"]])
def test_a_variable_that_is_missing_is_named(
    folder: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    command: list[str],
    name: str,
) -> None:
    rest = {key: value for key, value in ENVIRONMENT.items() if key != name}

    assert run(command, monkeypatch, rest) == 1
    assert capsys.readouterr().err.startswith(f"hairpin: {name} is not set")


@contextlib.contextmanager
def busy() -> Iterator[tuple[str, str]]:
    """A TCP and a UDP address that something else listens on."""
    any_port = TransportAddress.parse("127.0.0.1", 0)
    with bind(any_port) as tcp, KernelSockets().bind(any_port) as udp:
        yield str(local_address(tcp)), str(local_address(udp))


@pytest.mark.parametrize(
    "command", [["serve", "--data", "d"], ["demo", "--source", "clip.mp4"]], ids=["serve", "demo"]
)
def test_a_busy_port_is_named_with_the_flag_that_changes_it(
    folder: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
) -> None:
    with busy() as (tcp, udp):
        assert run([*command, "--listen", tcp], monkeypatch) == 1
        first = capsys.readouterr().err.splitlines()[-1]
        relay = ["--listen", "127.0.0.1:0", "--relay-listen", udp]
        assert run([*command, *relay], monkeypatch) == 1
        second = capsys.readouterr().err.splitlines()[-1]

    assert first == f"hairpin: {tcp} is in use: choose another with --listen HOST:PORT"
    assert second == f"hairpin: {udp} is in use: choose another with --relay-listen HOST:PORT"


def test_what_nobody_thought_of_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise LookupError("two\nlines \x1b[31m")

    monkeypatch.setattr("hairpin.ownership.check_packages", fail)

    assert run([], monkeypatch) == 1
    assert capsys.readouterr().err == (
        "hairpin: unexpected LookupError: two lines ?[31m (hairpin -v shows where)\n"
    )


def test_without_a_command_there_is_the_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([], monkeypatch) == 2
    assert "Commands:" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["serve", "--help"]])
def test_what_was_asked_for_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(arguments, monkeypatch) == 0
    assert "hairpin" in capsys.readouterr().out
