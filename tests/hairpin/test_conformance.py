"""``hairpin conformance`` as who runs a server meets it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import pathlib
import signal
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence

import click
import pytest
from click.testing import CliRunner

from hairpin.cli import cli
from hairpin.errors import HairpinError
from tests.conformance.loopback import answering, hanging_up, relay, secured_at, success
from transport import TransportAddress, TransportProtocol
from turn.aio import ServerCertificate

from .certificates import write_certificate

WITH_AN_EMPTY_ATTRIBUTE = 24
"""Bytes of a request that STUNS-BASE-08 sends, and no other of these rows."""

USERS = ("--user", "ann:secret", "--user", "bob:other")


@dataclasses.dataclass(frozen=True)
class Ran:
    """What a command has printed, and its exit status, as ``hairpin.cli.main`` has it."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


def invoke(*arguments: str) -> Ran:
    result = CliRunner().invoke(cli, ["conformance", *arguments], standalone_mode=False)
    if isinstance(result.exception, click.ClickException):
        problem = result.exception
        return Ran(problem.exit_code, result.stdout, result.stderr + problem.format_message())
    if result.exception is not None:
        raise result.exception
    return Ran(result.return_value or 0, result.stdout, result.stderr)


async def invoke_beside(*arguments: str) -> Ran:
    """In a thread, beside a server in this one."""
    return await asyncio.to_thread(invoke, *arguments)


def uri(server: TransportAddress, more: str = "") -> str:
    return f"turn:{server}{more}"


@pytest.mark.long
async def test_a_server_that_is_right_passes_and_every_report_says_so(
    tmp_path: pathlib.Path,
) -> None:
    files = {name: tmp_path / f"report.{name}" for name in ("json", "junit", "pcap", "html")}
    options = [word for name, path in files.items() for word in (f"--{name}", str(path))]

    async with relay() as server:
        target = uri(server.addresses[0])
        result = await invoke_beside(target, *USERS, "--only", "stuns-base-01", *options)

    assert result.exit_code == 0, result.output
    assert "1 row, at most 400 datagrams a second from 127.0.0.1" in result.stderr
    assert "1 PASS, 0 FAIL, 0 INFO, 0 SKIP" in result.stdout
    rows = json.loads(files["json"].read_bytes())["rows"]
    assert [(row["id"], row["verdict"]) for row in rows] == [("STUNS-BASE-01", "PASS")]
    assert ET.parse(files["junit"]).getroot()[0].attrib["tests"] == "1"
    assert files["pcap"].read_bytes().startswith(b"\x0a\x0d\x0d\x0a")
    page = files["html"].read_text()
    assert "--only STUNS-BASE-01" in page
    assert "secret" not in page


@pytest.mark.long
async def test_json_to_standard_output_stands_there_alone() -> None:
    async with relay() as server:
        target = uri(server.addresses[0])
        result = await invoke_beside(target, *USERS, "--only", "STUNS-BASE-06", "--json", "-")

    assert result.exit_code == 2  # INFO alone is no success
    assert json.loads(result.stdout)["summary"]["INFO"] == 1


@pytest.mark.parametrize(
    ("greeting", "problem"),
    [
        pytest.param(b"", "the server closes the connection at once", id="closes"),
        pytest.param(b"\x7f\x1b[2J", "5 bytes come back that are no STUN: 7f 1b 5b", id="garbage"),
    ],
)
@pytest.mark.long
async def test_what_cannot_be_tested_is_one_line(greeting: bytes, problem: str) -> None:
    async with hanging_up(greeting) as server:
        result = await invoke_beside(uri(server, "?transport=tcp"), *USERS)

    assert result.exit_code == 2
    assert result.stdout == ""
    announced, line = result.stderr.splitlines()
    assert announced.startswith("turn:")
    assert "cannot be tested: " in line
    assert problem in line


UNTRUSTED = {
    TransportProtocol.TLS: "its certificate is not trusted: self-signed certificate",
    TransportProtocol.DTLS: "the certificate is issued by itself, and not known here",
}


@pytest.mark.parametrize("transport", UNTRUSTED, ids=str)
@pytest.mark.parametrize(
    ("trust", "is_good"),
    [
        pytest.param(["--ca-file", "tls.pem"], True, id="ca-file"),
        pytest.param(["--insecure"], True, id="insecure"),
        pytest.param([], False, id="system"),
    ],
)
@pytest.mark.long
async def test_a_server_that_is_secured_is_tested_if_its_certificate_is_good(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    transport: TransportProtocol,
    trust: Sequence[str],
    is_good: bool,
) -> None:
    chain, key = write_certificate(tmp_path)
    monkeypatch.chdir(tmp_path)
    problem = None if is_good else UNTRUSTED[transport]

    async with relay(certificate=ServerCertificate(str(chain), str(key))) as server:
        kind = "tcp" if transport.is_reliable else "udp"
        target = f"turns:{secured_at(server, transport)}?transport={kind}"
        result = await invoke_beside(target, *USERS, "--only", "STUNS-BASE-01", *trust)

    assert result.exit_code == (0 if problem is None else 2)
    assert problem is None or problem in result.stderr


def test_a_public_address_needs_a_word_of_who_operates_it() -> None:
    result = invoke("stun:8.8.8.8")

    assert result.exit_code == 2
    assert "8.8.8.8 is a public address" in result.stderr
    assert "say so with --i-operate-this-server" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], "Missing argument 'TARGET'", id="nothing"),
        pytest.param(["lst"], "'lst' is no target", id="no-uri"),
        pytest.param(["turn:x?transport=sctp"], "'sctp' is not known", id="transport"),
        pytest.param(["turn:127.0.0.1"], "a TURN server wants credentials", id="no-user"),
        pytest.param(["turn:127.0.0.1", "--user", "ann"], "NAME:PASSWORD", id="no-password"),
        pytest.param(["stuns:x?transport=sctp"], "'sctp' is not known", id="stuns-transport"),
        pytest.param(["stun:x?transport=udp"], "is no target", id="stun-transport"),
        pytest.param(["stun:x", "--only", "FOO"], "no row begins so; there are COD-", id="prefix"),
        pytest.param(
            ["stun:x", "--only", "STUNC-UDP-01"], "client --script STUNC-UDP-01", id="client"
        ),
        pytest.param(["stun:x", "--only", "COD-TXT-02"], "not shown", id="not-shown"),
        pytest.param(["stun:x", "--peer-address", "192.0.2.9"], "no such address", id="peer"),
        pytest.param(
            ["stun:x", "--profile", "foo"], "not one of 'coturn', 'hairpin'", id="profile"
        ),
        pytest.param(["stun:x", "--json", "/nowhere/a.json"], "no folder /nowhere", id="folder"),
        pytest.param(["stun:x", "--html", "/"], "/ is a folder, not a file", id="is-folder"),
        pytest.param(["stun:x", "--json", "a", "--html", "./a"], "both write to", id="one-file"),
        pytest.param(
            ["stun:x", "--junit", "-", "--json", "-"], "both write to standard output", id="stdout"
        ),
        pytest.param(
            ["turn:x", "--user", "ann:a", "--user", "ann:b"], "a different user", id="same-user"
        ),
        pytest.param(
            ["turn:x", "--user", "a:a", "--user", "b:b", "--user", "c:c"],
            "--user: no row needs more than 2",
            id="three-users",
        ),
        pytest.param(
            ["turn:x", "--user", "a:a", "--secret", "s"], "--user and --secret exclude", id="secret"
        ),
        pytest.param(["stun:x", "--oauth-key", "nonsense"], "is KID:BASE64", id="no-key"),
        pytest.param(["stun:x", "--oauth-key", "kid:"], "is KID:BASE64", id="empty-key"),
        pytest.param(["stun:x", "--oauth-key", "kid:YQ=="], "16 or 32 bytes, not 1", id="short"),
        pytest.param(["stun:x", "--rate", "0"], "is not in the range", id="rate"),
        pytest.param(["compare", "/nowhere", "/nowhere"], "No such file", id="no-file"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_told(arguments: Sequence[str], message: str) -> None:
    result = invoke(*arguments)

    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


@pytest.mark.long
async def test_ctrl_c_stops_with_what_is_known_so_far() -> None:
    allocated = asyncio.Event()
    async with relay(lambda _: allocated.set()) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from hairpin.cli import main; main()"),
            *("conformance", uri(server.addresses[0]), *USERS),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        await process.stderr.readline()
        await allocated.wait()
        process.send_signal(signal.SIGINT)
        stdout, stderr = await process.communicate()

    assert process.returncode == 130
    assert b"stopped before its end" in stdout
    assert stderr == b""


@pytest.mark.long
async def test_ctrl_c_is_told_by_the_exit_status_also_where_a_row_has_failed() -> None:
    asked_in_vain: list[bytes] = []
    is_waiting = asyncio.Event()

    def answer(data: bytes) -> bytes | None:
        if len(data) != WITH_AN_EMPTY_ATTRIBUTE:
            return success(data)
        asked_in_vain.append(data)
        if len(asked_in_vain) == 3:
            is_waiting.set()
        return None

    async with answering(answer) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from hairpin.cli import main; main()"),
            *("conformance", f"stun:{server}"),
            *("--only", "STUNS-BASE-02", "--only", "STUNS-BASE-08"),
            stdout=asyncio.subprocess.PIPE,
        )
        await is_waiting.wait()
        process.send_signal(signal.SIGINT)
        stdout, _ = await process.communicate()

    assert process.returncode == 130
    assert b"0 PASS, 1 FAIL, 0 INFO, 0 SKIP; stopped before its end" in stdout


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", "speaks no TLS", id="web"),
        pytest.param(b"\x15\3\3\0\2\2\x28", "the TLS handshake fails: ", id="alert"),
    ],
)
@pytest.mark.long
async def test_where_no_handshake_is_made_the_reason_is_told(answer: bytes, problem: str) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        result = await invoke_beside(f"turns:127.0.0.1:{port}", *USERS, "--insecure")

    assert result.exit_code == 2
    assert problem in result.stderr
    assert "_ssl.c" not in result.stderr


@pytest.mark.parametrize(
    ("transport", "hint"),
    [
        pytest.param(TransportProtocol.TLS, "name it as turn:HOST", id="tls"),
        pytest.param(TransportProtocol.TCP, "name it without transport=tcp", id="tcp"),
    ],
)
@pytest.mark.long
async def test_a_row_about_datagrams_says_how_to_name_the_target(
    tmp_path: pathlib.Path, transport: TransportProtocol, hint: str
) -> None:
    chain, key = write_certificate(tmp_path)

    async with relay(certificate=ServerCertificate(str(chain), str(key))) as server:
        scheme = "turns" if transport is TransportProtocol.TLS else "turn"
        target = f"{scheme}:{secured_at(server, transport)}?transport=tcp"
        result = await invoke_beside(target, *USERS, "--insecure", "--only", "COD-HDR-01")

    assert hint in result.stdout


def test_trust_that_cannot_be_had_is_no_verdict_on_the_server(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("")
    monkeypatch.setitem(sys.modules, "transport.dtls", None)

    without_certificate = invoke("stuns:localhost", "--ca-file", str(empty))
    without_dtls = invoke("stuns:localhost?transport=udp")

    assert (without_certificate.exit_code, without_dtls.exit_code) == (2, 2)
    assert "ca.pem: there is no certificate in it" in without_certificate.stderr
    assert "pip install 'hairpin[dtls]'" in without_dtls.stderr


def test_a_name_for_tokens_without_their_key_is_a_usage_error() -> None:
    result = invoke("--oauth-server-name", "relay.example", "stun:127.0.0.1")

    assert result.exit_code == 2
    assert "--oauth-server-name needs --oauth-key" in result.stderr


def test_the_target_may_stand_behind_its_options() -> None:
    result = invoke("--only", "COD", "stun:8.8.8.8")

    assert "8.8.8.8 is a public address" in result.stderr


def test_help_shows_the_options_of_a_run() -> None:
    assert "--peer-address" in invoke("--help").output
    assert click.unstyle(invoke("compare", "--help").output).startswith("Usage: ")


@pytest.mark.parametrize("host", ["stun:[fe80::1]", "stun:no-such-host.invalid"])
def test_an_address_that_nothing_can_be_sent_to_is_one_line(host: str) -> None:
    result = invoke(host)

    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "cannot be tested" in result.stderr


@pytest.mark.long
async def test_a_report_that_cannot_be_written_is_told() -> None:
    async with relay() as server:
        target = uri(server.addresses[0])
        with pytest.raises(HairpinError, match="/dev/full cannot be written: No space"):
            await invoke_beside(target, *USERS, "--only", "STUNS-BASE-01", "--json", "/dev/full")
