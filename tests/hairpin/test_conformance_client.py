"""``hairpin conformance client`` as who writes a client meets it."""

from __future__ import annotations

import json
import pathlib
import signal
import socket
import subprocess
import sys

import pytest

from conformance.clients import Action, Script, scripts
from hairpin.conforming.arguments import PROTOCOLS
from hairpin.conforming.scripting import NAMES, ClientPlan, check_command, fill
from transport import TransportAddress, TransportProtocol
from turn.aio import Endpoint

from .conforming import client_command, invoke

ANYWHERE = ("client", "--listen", "udp://127.0.0.1:0")


def plan_of(*chosen: Script, command: str | None = None) -> ClientPlan:
    address = TransportAddress.parse("127.0.0.1", 3478)
    return ClientPlan(
        scripts=chosen,
        listen=(Endpoint(TransportProtocol.UDP, address),),
        user=("ann", "a password"),
        realm="r",
        peer=address,
        other=address,
        command=command,
    )


@pytest.mark.long
def test_a_client_that_fails_is_shown_with_its_bytes(tmp_path: pathlib.Path) -> None:
    report, page = tmp_path / "report.json", tmp_path / "report.html"

    result = invoke(
        *ANYWHERE,
        *("--script", "stunc-rx-03", "--script", "STUNC-TCP-01"),
        *("--command", client_command(), "--status-tells"),
        *("--json", str(report), "--html", str(page)),
    )

    assert result.exit_code == 1, result.output
    assert "FAIL STUNC-RX-03" in result.stderr
    assert "nothing listens on TCP" in result.stdout
    rows = json.loads(report.read_bytes())["rows"]
    assert {row["id"]: row["verdict"] for row in rows} == {
        "STUNC-RX-03": "FAIL",
        "STUNC-TCP-01": "SKIP",
    }
    assert "unsupported address family" in page.read_text()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        pytest.param(("--script", "STUNC-XYZ"), "no script begins so", id="no-row"),
        pytest.param(("--script", "STUNC-DNS"), "there is no script for that row", id="no-script"),
        pytest.param(("--script", "TURNC-CHAN-05"), "add --slow", id="slow"),
        pytest.param(("--command", "x {prot}"), "there are {host}, {port}", id="unknown-name"),
        pytest.param(("--status-tells",), "are about --command", id="no-command"),
        pytest.param(("--jobs", "2"), "are about --command", id="jobs-of-a-person"),
        pytest.param(("--command", "sh 3478", "--jobs", "2"), "say {port}", id="one-port"),
        pytest.param(("--listen", "dtls://127.0.0.1:0"), "is not udp://, tcp:// or tls", id="dtls"),
        pytest.param(("--listen", "foo"), "'foo' is not udp://, tcp:// or tls://HOST", id="listen"),
        pytest.param(("--listen", "udp://foo"), "'foo' does not appear to be", id="listen-host"),
        pytest.param(("--command", ""), "--command is empty", id="empty"),
        pytest.param(("--command", " ''"), "--command is empty", id="empty-word"),
        pytest.param(("--command", "no-such-client {port}"), "no-such-client: there", id="missing"),
        pytest.param(("--json", "/nowhere/x"), "there is no folder /nowhere", id="json"),
        pytest.param(("--html", "/"), "/ is a folder", id="html"),
        pytest.param(("--pcap", "/nowhere/x"), "there is no folder /nowhere", id="pcap"),
        pytest.param(("--json", "-", "--pcap", "-"), "write to standard output", id="stdout"),
        pytest.param(("--json", "x", "--html", "./x"), "--json and --html both", id="one-file"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_played(
    options: tuple[str, ...], problem: str
) -> None:
    result = invoke(*ANYWHERE, *options)

    assert result.exit_code == 2
    assert problem in " ".join(result.output.split())
    assert "STUNC" not in result.stdout


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        where = f"udp://127.0.0.1:{taken.getsockname()[1]}"
        result = invoke("client", "--listen", where, "--script", "STUNC-UDP-01")

    assert result.exit_code == 2
    assert where in result.stderr


def test_a_command_that_is_not_there_is_named() -> None:
    command = "/nonexistent/client-of-{transport}"
    result = invoke(*ANYWHERE, "--script", "STUNC-UDP-01", "--command", command)

    assert result.exit_code == 2
    assert "--command: /nonexistent/client-of-udp: No such file" in result.stderr


def test_help_offers_no_transport_that_scripts_are_not_played_on() -> None:
    text = invoke("client", "--help").output

    assert "udp|tcp|tls://HOST:PORT" in text
    assert "dtls" not in text


@pytest.mark.long
def test_ctrl_c_is_told_by_the_exit_status_also_where_a_script_has_failed() -> None:
    with subprocess.Popen(
        [
            *(sys.executable, "-c", "from hairpin.cli import main; main()", "conformance"),
            *(*ANYWHERE, "--script", "STUNC-RX-03", "--script", "STUNC-RX-04"),
            *("--command", client_command("STUNC-RX-04"), "--status-tells", "--jobs", "1"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        failed = next(line for line in process.stderr if line.startswith(b"FAIL "))
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate()

    assert failed
    assert process.returncode == 130
    assert b"stopped before its end" in stdout
    assert b"Traceback" not in stderr


def test_words_of_a_command_are_filled_in_and_stay_words() -> None:
    check_command("sh {host} 'two words' {action}")
    check_command("client-{action}")

    words = fill("client {user} 'two words'", {**dict.fromkeys(NAMES, ""), "user": "a b; c"})

    assert words == ["client", "a b; c", "two words"]


def test_the_line_for_one_script_alone_has_no_password() -> None:
    slow = next(each for each in scripts() if each.slow)

    line = plan_of(slow, command="mine {password}").repeat(slow.id)

    assert "a password" not in line
    assert line.endswith("--command 'mine {password}' --slow")


def test_every_action_is_told_in_words_that_can_be_filled_in() -> None:
    told = [action.text.format(**dict.fromkeys(NAMES, "x")) for action in Action]

    assert len(set(told)) == len(told)
    assert TransportProtocol.DTLS not in PROTOCOLS
