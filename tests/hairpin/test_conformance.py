"""``hairpin conformance`` as who runs a server meets it."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import pathlib
import signal
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from conformance import Report, Survey, TargetUnusable, Verdict
from conformance.outcome import Mark, Outcome
from conformance.target import TokenKey
from hairpin.cli import cli
from hairpin.conforming.aim import Aim, find_targets, is_public, read_uri
from hairpin.conforming.progress import show_progress
from hairpin.conforming.repeating import Repeat
from hairpin.conforming.selecting import choose_rows
from hairpin.conforming.terminal import show
from hairpin.errors import HairpinError
from tests.conformance.loopback import hanging_up, relay, secured_at
from tests.conformance.reports.report_of_a_run import FAILED, HOSTILE, REPORT
from transport import TransportAddress, TransportProtocol
from turn.aio import ServerCertificate

from .certificates import write_certificate

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
    assert "--i-operate-this-server" in result.stderr
    assert len(result.stderr.splitlines()) == 1


async def test_with_that_word_a_public_address_is_a_target() -> None:
    aim = Aim(uri=read_uri("stun:8.8.8.8"), is_operated=True)

    assert [str(each) for each in await find_targets(aim)] == ["stun:8.8.8.8:3478"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("8.8.8.8", True),
        ("2600::1", True),
        ("::ffff:8.8.8.8", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("fd00::1", False),
        ("fe80::1", False),
        ("::ffff:10.0.0.1", False),
    ],
)
def test_an_address_is_public_or_not(text: str, answer: bool) -> None:
    assert is_public(TransportAddress.parse(text, 1).ip) is answer


async def test_a_name_is_resolved_and_kept_for_the_certificate() -> None:
    aim = Aim(uri=read_uri("turns:localhost"), users=(("ann", "secret"),), profile="coturn")

    targets = await find_targets(aim)

    assert {target.server_name for target in targets} == {"localhost"}
    assert {target.address.port for target in targets} == {5349}
    assert "127.0.0.1" in {target.address.host for target in targets}
    assert targets[0].hints


async def test_a_name_that_leads_nowhere_is_told() -> None:
    with pytest.raises(TargetUnusable, match=r"no-such-host\.invalid cannot be resolved"):
        await find_targets(Aim(uri=read_uri("stun:no-such-host.invalid")))


async def test_a_secret_makes_two_credentials_that_expire() -> None:
    (target,) = await find_targets(Aim(uri=read_uri("turn:127.0.0.1"), secret="s3"))

    assert [name.username.partition(":")[2] for name in target.credentials] == ["ann", "bob"]
    assert target.secret == "s3"


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
        pytest.param(["stun:x", "--only", "STUNC-UDP-01"], "not shown from outside", id="client"),
        pytest.param(["stun:x", "--peer-address", "192.0.2.9"], "no such address", id="peer"),
        pytest.param(
            ["stun:x", "--profile", "foo"], "not one of 'coturn', 'hairpin'", id="profile"
        ),
        pytest.param(["stun:x", "--json", "/nowhere/a.json"], "no such folder", id="folder"),
        pytest.param(["stun:x", "--html", "/"], "or it is one", id="is-folder"),
        pytest.param(["stun:x", "--rate", "0"], "is not in the range", id="rate"),
        pytest.param(["compare", "/nowhere", "/nowhere"], "No such file", id="no-file"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_told(arguments: Sequence[str], message: str) -> None:
    result = invoke(*arguments)

    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_trust_in_everything_and_in_some_certificates_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        Aim(uri=read_uri("stuns:localhost"), ca_file="ca.pem", is_insecure=True)


def test_a_file_without_certificates_is_told(tmp_path: pathlib.Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("")

    with pytest.raises(HairpinError, match=r"--ca-file .*ca\.pem"):
        Aim(uri=read_uri("stuns:localhost"), ca_file=str(empty)).trust()


def test_without_tls_no_certificate_is_looked_at() -> None:
    Aim(uri=read_uri("stun:localhost"), ca_file="/nowhere/ca.pem").trust()


def test_where_dtls_is_not_installed_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transport.dtls", None)

    with pytest.raises(HairpinError, match=r"pip install 'hairpin\[dtls\]'"):
        Aim(uri=read_uri("stuns:localhost?transport=udp")).trust()


@pytest.mark.parametrize("kind", ["udp", "tcp", "UDP"])
async def test_a_stuns_uri_may_name_its_transport(kind: str) -> None:
    uri = read_uri(f"stuns:localhost:5349?transport={kind}")
    targets = await find_targets(Aim(uri=uri))

    wanted = TransportProtocol.TLS if kind == "tcp" else TransportProtocol.DTLS
    assert {target.transport for target in targets} == {wanted}
    assert read_uri(str(uri)) == uri


def test_a_whole_id_stands_for_that_row_alone() -> None:
    rows = choose_rows(["STUNS-BASE-01", "cod-fp"], slow=False)

    assert {row.id.rpartition("-")[0] for row in rows} == {"COD-FP", "STUNS-BASE"}
    assert sum(row.id.startswith("STUNS-BASE") for row in rows) == 1


def test_list_has_every_row_of_the_catalogue() -> None:
    result = invoke("list")

    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert len(lines) == 413
    by_id = {line[0]: line[1:] for line in lines}
    assert by_id["STUNS-BASE-01"][:3] == ["RFC 8489 §12", "MUST", "yes"]
    assert by_id["STUNC-UDP-01"][2] == "of clients"
    assert "of 413 rows are run" in result.stderr


def test_list_is_for_programs_too() -> None:
    rows = json.loads(invoke("list", "--json").stdout)

    assert rows[0]["id"] == "COD-HDR-01"
    assert {"section", "level", "title", "is_run", "is_slow", "needs", "reason"} < set(rows[0])


def document(**verdicts: str) -> bytes:
    rows = [{"id": key.replace("_", "-"), "verdict": each, "section": "", "level": "",
             "detail": f"{each} \x1b[31m"} for key, each in verdicts.items()]  # fmt: skip
    return json.dumps({"target": "turn:x", "rows": rows, "summary": {}}).encode()


@pytest.mark.parametrize(
    ("before", "after", "status", "differing"),
    [
        pytest.param("PASS", "FAIL", 1, 1, id="worse"),
        pytest.param("FAIL", "PASS", 0, 1, id="better"),
        pytest.param("PASS", "SKIP", 0, 1, id="skipped"),
        pytest.param("SKIP", "FAIL", 0, 1, id="never-passed"),
        pytest.param("PASS", "PASS", 0, 0, id="same"),
    ],
)
def test_compare_shows_what_differs(
    tmp_path: pathlib.Path, before: str, after: str, status: int, differing: int
) -> None:
    for name, verdict in (("a", before), ("b", after)):
        content = document(TURN_ALLOC_07=verdict, COD_HDR_01="PASS")
        (tmp_path / f"{name}.json").write_bytes(content)

    result = invoke("compare", str(tmp_path / "a.json"), str(tmp_path / "b.json"))

    assert result.exit_code == status
    lines = result.stdout.splitlines()
    assert len(lines) == differing
    assert all(line.startswith("TURN-ALLOC-07\t") for line in lines)
    assert "\x1b" not in result.stdout


def test_compare_shows_rows_that_one_run_does_not_have(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.json").write_bytes(document(COD_HDR_01="PASS"))
    (tmp_path / "b.json").write_bytes(document(COD_HDR_02="FAIL"))

    result = invoke("compare", str(tmp_path / "a.json"), str(tmp_path / "b.json"))

    assert [line.split("\t")[2:4] for line in result.stdout.splitlines()] == [
        ["PASS", "-"],
        ["-", "FAIL"],
    ]


def test_compare_of_what_is_no_report_is_told(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.json").write_text("{}")

    result = invoke("compare", str(tmp_path / "a.json"), str(tmp_path / "a.json"))

    assert result.exit_code == 2
    assert "is no report of hairpin conformance" in result.output


def shown(report: Report, width: int = 120) -> str:
    printed = io.StringIO()
    console = Console(width=width, file=printed, highlight=False)
    show(report, console, lambda row_id: f"again --only {row_id}")
    return printed.getvalue()


def test_a_failure_is_shown_with_its_sentence_its_bytes_and_how_to_repeat_it() -> None:
    text = shown(REPORT)

    assert "FAIL TURN-ALLOC-01" in text
    assert "RFC 8656 §7.2(1), MUST: " in text
    (line,) = [line for line in text.splitlines() if ">>" in line]
    assert "LIFETIME: 600 s (10 minutes)" in line
    assert "again --only TURN-ALLOC-01" in text
    request, answer = text.index("Allocate request"), text.index("Allocate success response")
    assert "\n" not in text[request:answer]
    assert "1 PASS, 1 FAIL, 1 INFO, 1 SKIP" in text
    assert "SKIP not offered: mobility: COD-HDR-02" in text
    assert "INFO STUNS-BASE-06  SOFTWARE is not sent" in text


def test_on_a_narrow_terminal_messages_stand_below_each_other() -> None:
    text = shown(REPORT, width=80)

    request, answer = text.index("Allocate request"), text.index("Allocate success response")
    assert "\n" in text[request:answer]


def test_what_came_from_the_wire_moves_no_cursor() -> None:
    assert HOSTILE.partition("\x00")[0] in " ".join(shown(REPORT).split())
    assert "\x1b[31m" not in shown(REPORT)
    assert "\x00" not in shown(REPORT)


def test_a_failure_without_an_answer_says_so() -> None:
    outcome = Outcome(Verdict.FAIL, "no answer")
    silent = type(FAILED)(FAILED.row_id, outcome, FAILED.frames[:1] * 9)
    nothing = type(FAILED)("TURN-ALLOC-02", outcome)
    deaf = type(FAILED)(
        "TURN-ALLOC-03",
        Outcome(Verdict.FAIL, "", Mark(FAILED.frames[1].data, 0, 2)),
        FAILED.frames[1:],
    )

    text = shown(Report(REPORT.target, Survey(), (silent, nothing, deaf)))

    assert "nothing came back" in text
    assert "nothing was sent" in text
    assert "... 2 messages before these" in text


def test_a_row_is_repeated_with_the_options_that_it_needs() -> None:
    aim = Aim(
        uri=read_uri("turns:127.0.0.1?transport=tcp"),
        users=(("ann", "pass word"),),
        secret="s3",
        peer_ip=TransportAddress.parse("127.0.0.1", 1).ip,
        is_insecure=True,
        is_operated=True,
        token_key=TokenKey("north", b"k" * 16, "relay.example"),
    )
    repeat = Repeat(aim, {"TURN-PERM-08"})

    assert repeat.for_terminal("TURN-PERM-08") == (
        "hairpin conformance 'turns:127.0.0.1?transport=tcp' --user 'ann:pass word' --secret s3 "
        "--oauth-key north:a2tra2tra2tra2tra2traw== --oauth-server-name relay.example "
        "--peer-address 127.0.0.1 --insecure --i-operate-this-server --slow --only TURN-PERM-08"
    )
    assert "pass word" not in repeat.for_reports("TURN-PERM-07")
    assert "a2tra2" not in repeat.for_reports("TURN-PERM-07")
    assert "--slow" not in repeat.for_reports("TURN-PERM-07")


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


def test_rows_that_are_slow_have_to_be_asked_for() -> None:
    with pytest.raises(ValueError, match="are slow rows: add --slow"):
        choose_rows(["STUNS-LTC-17"], slow=False)

    assert [row.id for row in choose_rows(["STUNS-LTC-17"], slow=True)] == ["STUNS-LTC-17"]


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


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_a_bar_shows_how_far_a_run_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")

    with show_progress(2) as on_result:
        on_result(FAILED)

    assert "0 PASS, 1 FAIL, 0 INFO, 0 SKIP" in terminal.getvalue()
    assert "1/2" in terminal.getvalue()
