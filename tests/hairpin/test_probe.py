"""``hairpin probe`` as a user meets it: what works, and the cause of what does not."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import pathlib
import pty
import re
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from ipaddress import ip_network

import pytest
from click.testing import CliRunner, Result

from hairpin.cli import cli
from hairpin.errors import HairpinError
from hairpin.probing import relaying
from tests.closed import closed_port
from transport import TransportAddress
from turn import CredentialVerifier, RelaySecret
from turn.aio import connect
from turn.credentials import make_credentials

from .certificates import write_certificate
from .probing.servers import (
    PASSWORD,
    USER,
    Refusing,
    relay,
    relay_config,
    serving,
    streaming,
)

ANN = ("--user", f"{USER}:{PASSWORD}")
SECRET = "a shared secret"
HAIRPIN = (sys.executable, "-c", "from hairpin.cli import main; main()")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No packet is lost here, and none is too late."""
    monkeypatch.setattr(relaying, "LAST_PATIENCE", 50.0)


async def probe(*arguments: str) -> Result:
    """Run the command beside the servers of this loop."""
    return await asyncio.to_thread(CliRunner().invoke, cli, ["probe", *arguments])


def findings(result: Result) -> dict[str, dict[str, object]]:
    """The last finding of each step."""
    return {each["step"]: each for each in json.loads(result.stdout)["findings"]}


@pytest.mark.long  # packets are 20 ms apart, and STUN requests 110 ms
async def test_a_relay_that_works_is_told_from_end_to_end(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "report.json"
    config = dataclasses.replace(
        relay_config(),
        nat_discovery=True,
        alternate_address=TransportAddress.parse("127.0.0.2", 0),
    )
    async with relay(config) as server:
        result = await probe(
            f"turn:{server.addresses[0]}?transport=udp",
            *(*ANN, "--packets", "5", "--peer", "8.8.8.8", "--json", str(file)),
        )

    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines if line and not line.startswith(" ")][:7] == [
        *("resolution", "transport", "nat", "allocation", "candidates", "relay", "peer")
    ]
    assert "no NAT, no filter" in result.stdout
    assert "5 of 5 packets there" in result.stdout
    assert "seen: SHA-256" in result.stdout
    assert lines[-1] == "All that was asked has worked."
    document = json.loads(file.read_text())
    assert document["worked"] is True
    (nat,) = (each for each in document["findings"] if each["step"] == "nat")
    assert nat["data"]["mapping"] == "no NAT"
    assert nat["data"]["filtering"] == "endpoint-independent"


async def test_a_stun_server_without_a_second_address_is_no_failure() -> None:
    async with relay() as server:
        result = await probe(f"stun:{server.addresses[0]}", "--json", "-")

    assert result.exit_code == 0, result.output
    found = findings(result)
    assert found["nat"]["status"] == "note"
    assert set(found) == {"resolution", "transport", "nat", "candidates"}


@pytest.mark.long  # two probes
async def test_a_secret_makes_credentials_that_work() -> None:
    config = dataclasses.replace(
        relay_config(), credentials=CredentialVerifier(secrets=[RelaySecret(SECRET.encode())])
    )
    async with relay(config) as server:
        uri = f"turn:{server.addresses[0]}?transport=udp"
        good = await probe(uri, "--secret", SECRET, "--packets", "1", "--json", "-")
        bad = await probe(uri, "--secret", "another", "--json", "-")

    assert good.exit_code == 0, good.output
    assert bad.exit_code == 1
    assert findings(bad)["allocation"]["cause"] == "wrong-secret"


async def test_without_a_second_allocation_a_socket_of_ours_is_the_peer() -> None:
    config = dataclasses.replace(
        relay_config(allow_peers=[ip_network("127.0.0.0/8")]),
        credentials=CredentialVerifier(secrets=[RelaySecret(SECRET.encode())]),
        quota_per_id=1,
    )
    async with relay(config) as server:
        uri = f"turn:{server.addresses[0]}?transport=udp"
        result = await probe(uri, "--secret", SECRET, "--packets", "2", "--json", "-")

    assert result.exit_code == 0, result.output
    assert "a socket of ours" in str(findings(result)["relay"]["more"])


@contextlib.asynccontextmanager
async def busy() -> AsyncIterator[str]:
    """A relay whose quota is used up."""
    secret = RelaySecret(SECRET.encode())
    config = dataclasses.replace(
        relay_config(), credentials=CredentialVerifier(secrets=[secret]), quota_per_id=1
    )
    user, password = make_credentials(secret, "probe", 4_000_000_000)
    async with relay(config) as server:
        uri = f"turn:{server.addresses[0]}?transport=udp"
        async with connect(uri, user, password):
            yield uri


@contextlib.asynccontextmanager
async def full() -> AsyncIterator[str]:
    """A relay that has as many allocations as it may."""
    async with relay(dataclasses.replace(relay_config(), max_allocations=1)) as server:
        uri = f"turn:{server.addresses[0]}?transport=udp"
        async with connect(uri, USER, PASSWORD):
            yield uri


@contextlib.asynccontextmanager
async def usual() -> AsyncIterator[str]:
    async with relay() as server:
        yield f"turn:{server.addresses[0]}?transport=udp"


@contextlib.asynccontextmanager
async def stern() -> AsyncIterator[str]:
    """A relay that has no address in common with us, and lets no private peer in."""
    config = dataclasses.replace(relay_config(relay_ip="127.0.0.2"), max_allocations=1)
    async with relay(config) as server:
        yield f"turn:{server.addresses[0]}?transport=udp"


@contextlib.asynccontextmanager
async def refusing(code: int) -> AsyncIterator[str]:
    async with serving(Refusing(code)) as address:
        yield f"turn:{address}?transport=udp"


@contextlib.asynccontextmanager
async def http() -> AsyncIterator[str]:
    with streaming(b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
        yield f"turn:{address}?transport=tcp"


@contextlib.asynccontextmanager
async def nobody() -> AsyncIterator[str]:
    with closed_port() as nobody:
        yield f"turn:{nobody}?transport=udp"


@contextlib.asynccontextmanager
async def nowhere() -> AsyncIterator[str]:
    """No name server is asked for a label that is too long."""
    yield f"turn:{'x' * 64}.invalid?transport=udp"


@pytest.mark.parametrize(
    ("server", "arguments", "step", "cause"),
    [
        pytest.param(usual(), ["--user", "ann:no"], "allocation", "wrong-password", id="password"),
        pytest.param(usual(), [*ANN, "--peer", "10.0.0.1"], "peer", "peer-denied", id="peer"),
        pytest.param(usual(), [*ANN, "--peer", "::1"], "peer", "family-missing", id="family"),
        pytest.param(stern(), ANN, "relay", "peer-denied", id="every-peer"),
        pytest.param(busy(), ["--secret", SECRET], "allocation", "quota-reached", id="quota"),
        pytest.param(full(), ANN, "allocation", "no-capacity", id="capacity"),
        pytest.param(refusing(403), ANN, "allocation", "forbidden", id="forbidden"),
        pytest.param(refusing(438), ANN, "allocation", "stale-nonce", id="nonce"),
        pytest.param(refusing(300), ANN, "allocation", "redirected", id="redirected"),
        pytest.param(http(), ANN, "transport", "not-stun", id="not-stun"),
        pytest.param(nobody(), ANN, "transport", "port-closed", id="closed"),
        pytest.param(nowhere(), ANN, "resolution", "name-not-found", id="name"),
    ],
)
async def test_what_fails_is_named(
    server: AbstractAsyncContextManager[str], arguments: Sequence[str], step: str, cause: str
) -> None:
    async with server as uri:
        result = await probe(uri, *arguments, "--packets", "2", "--json", "-")

    assert result.exit_code == 1, result.output
    document = json.loads(result.stdout)
    assert document["causes"] == [cause]
    failed = findings(result)[step]
    assert (failed["status"], failed["cause"]) == ("failed", cause)
    assert failed["advice"]


async def test_a_certificate_that_nobody_has_signed_is_named(tmp_path: pathlib.Path) -> None:
    certificate, key = write_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    with streaming(b"", tls=context) as address:
        result = await probe(f"turns:localhost:{address.port}?transport=tcp", *ANN)

    assert result.exit_code == 1
    assert "FAILED" in result.stdout
    assert "self-signed certificate" in result.stdout
    assert "- certificate-wrong: " in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["http://x"], "neither stun:host", id="uri"),
        pytest.param(["turn:x?transport=carrier-pigeon", *ANN], "is not known", id="transport"),
        pytest.param(["turn:x"], "wants credentials: --user", id="no-credentials"),
        pytest.param(["turn:x", *ANN, "--secret", "y"], "exclude each other", id="two"),
        pytest.param(["stun:x", *ANN], "are for a TURN server", id="stun-with-user"),
        pytest.param(["stun:x", "--peer", "8.8.8.8"], "is for a TURN server", id="stun-with-peer"),
        pytest.param(["turn:x", "--user", "ann"], "a user is NAME:PASSWORD", id="user"),
        pytest.param(["turn:x", "--secret", ""], "empty secret", id="empty-secret"),
        pytest.param(["turn:x", "--user", "ann:a\tb"], "control characters", id="password"),
        pytest.param(["turn:x", *ANN, "--peer", "x"], "--peer", id="peer"),
        pytest.param(["turns:192.0.2.1", *ANN], "checked against a name", id="address-for-tls"),
        pytest.param(["stun:x", "--packets", "0"], "--packets", id="packets"),
        pytest.param(["stun:x", "--ca", "/nowhere"], "does not exist", id="ca"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused(
    arguments: Sequence[str], message: str
) -> None:
    result = CliRunner().invoke(cli, ["probe", *arguments])

    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_a_file_of_no_authority_is_not_taken_for_the_servers_fault(tmp_path: pathlib.Path) -> None:
    _, key = write_certificate(tmp_path)

    result = CliRunner().invoke(cli, ["probe", "stuns:relay.example", "--ca", str(key)])

    assert isinstance(result.exception, HairpinError)
    assert f"--ca {key} holds no certificate" in str(result.exception)


@pytest.mark.long  # a process of its own, on a terminal
def test_on_a_terminal_it_is_told_in_colours_and_within_the_width() -> None:
    terminal, side = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "60"}
    environment.pop("NO_COLOR", None)
    with (
        closed_port() as nobody,
        subprocess.Popen(
            [*HAIRPIN, "probe", f"stun:{nobody}"],
            stdout=side,
            stderr=side,
            env=environment,
        ) as process,
    ):
        os.close(side)
        shown = b""
        with contextlib.suppress(OSError):  # how a terminal says that its other side is gone
            while part := os.read(terminal, 4096):
                shown += part
        os.close(terminal)

    assert process.returncode == 1
    assert b"\x1b[1;31mFAILED" in shown
    plain = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", shown).decode()
    assert "looking up 127.0.0.1" in plain
    assert max(map(len, plain.replace("\r", "\n").split("\n"))) <= 60


async def test_a_report_that_cannot_be_written_is_one_line() -> None:
    with closed_port() as nobody:
        result = await probe(f"stun:{nobody}", "--json", "/nowhere/report.json")

    assert result.exit_code == 1
    assert "/nowhere/report.json cannot be written" in str(result.exception)
