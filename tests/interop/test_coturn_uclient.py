"""coturn's own clients against our relay, over UDP, TCP, TLS and DTLS."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import pathlib
import re
from collections.abc import AsyncIterator, Sequence

import pytest

from .answering import until_all_answer
from .certificate import Certificate
from .conftest import need
from .ports import free_port
from .process import Command, communicate, hairpin

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

SECRET = "shared"
MESSAGES = 20
WITHIN = 60.0
"""Seconds for a run: it takes four, and ten more when a message is lost."""
ATTEMPTS = 1000
"""uclient picks its channel numbers anew in each run, from the range of RFC 5766, of which
RFC 8656 section 12 has left a quarter, and gives up at the first that is refused. A run
that is refused ends within 20 ms."""


ATTEMPTS_OVER_DTLS = 25
"""With one relay: a run that is refused does not say goodbye, and its associations stay until
their allocations expire, up to what one address may have."""


class NeverSoFar(AssertionError):
    """Every run was refused a channel number."""


IPV4 = "127.0.0.1"
IPV6 = "::1"


@contextlib.asynccontextmanager
async def relay(host: str = IPV4, *options: str, transport: str = "udp") -> AsyncIterator[Command]:
    address = f"[{host}]" if ":" in host else host
    async with hairpin(
        *("relay", "--listen", f"{transport}://{address}:0", "--user", "ann:secret"),
        *("--allow-peer", host, *options),
    ) as command:
        yield command


@contextlib.asynccontextmanager
async def echo(port: int, host: str = IPV4) -> AsyncIterator[None]:
    """coturn's peer, which sends everything back."""
    process = await asyncio.create_subprocess_exec(
        *(need("turnutils_peer"), "-L", host, "-p", str(port)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await until_all_answer(f"udp://[{host}]:{port}" if ":" in host else f"udp://{host}:{port}")
        yield
    finally:
        process.kill()
        await process.wait()


async def run(program: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        need(program),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await communicate(process, within=WITHIN)
    return output.decode(errors="replace")


async def uclient(
    port: str, peer: int, options: Sequence[str], *, host: str = IPV4, attempts: int = ATTEMPTS
) -> str:
    """What a run says that was not refused a channel number."""
    output = ""
    for _ in range(attempts):
        output = await run(
            "turnutils_uclient",
            *("-u", "ann", "-w", "secret", "-p", port, "-e", host, "-r", str(peer)),
            *("-n", str(MESSAGES), "-l", "170", "-z", "5", *options, host),
        )
        if "Total lost packets" in output:
            return output
    raise NeverSoFar(f"never came so far:\n{output}")


@pytest.mark.parametrize(
    ("options", "clients"),
    [
        pytest.param(["-m", "2", "-s"], 2, id="even-ports-and-reservations"),
        pytest.param(["-c", "-m", "1"], 1, id="channel"),
        pytest.param(["-c", "-m", "1", "-D"], 1, id="padded-channel-data"),
        pytest.param(["-c", "-m", "1", "-G"], 1, id="more-permissions-and-channels"),
        pytest.param(["-c", "-m", "1", "-s", "-W", SECRET], 1, id="time-limited-credentials"),
        pytest.param(["-c", "-m", "3", "-s"], 3, id="indications"),
        pytest.param(["-c", "-y", "-m", "1"], 2, id="client-to-client-on-channels"),
        pytest.param(["-c", "-y", "-m", "1", "-s"], 2, id="client-to-client-by-indications"),
    ],
)
async def test_every_message_of_uclient_comes_back(options: Sequence[str], clients: int) -> None:
    peer = free_port()
    async with relay(IPV4, "--secret", SECRET) as command, echo(peer):
        port = command.address.rpartition(":")[2]

        output = await uclient(port, peer, options)

    counts = re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", output)
    assert counts, output
    assert counts[-1] == (str(clients * MESSAGES), str(clients * MESSAGES)), output
    assert "Total lost packets 0 " in output


@pytest.mark.parametrize(
    ("options", "clients"),
    [
        pytest.param(["-c", "-m", "2"], 2, id="channels"),
        pytest.param(["-c", "-m", "2", "-s"], 2, id="indications"),
        pytest.param(["-c", "-y", "-m", "1"], 2, id="client-to-client-on-channels"),
        pytest.param(["-c", "-y", "-m", "1", "-s"], 2, id="client-to-client-by-indications"),
    ],
)
@pytest.mark.parametrize("transport", ["tcp", "tls", "dtls"])
@pytest.mark.requirement("stun-turn:TURN-GEN-01")
async def test_every_message_of_uclient_comes_back_over(
    transport: str, options: Sequence[str], clients: int, tmp_path: pathlib.Path
) -> None:
    made = Certificate.generate(tmp_path)
    files = (str(made.certificate), str(made.key))
    secured = ["-E", files[0], "-i", files[0], "-k", files[1]]
    ways = {"tcp": ["-t"], "tls": ["-t", "-S", *secured], "dtls": ["-S", *secured]}
    server = () if transport == "tcp" else ("--tls-cert", files[0], "--tls-key", files[1])
    peer, output = free_port(), ""
    while not output:
        async with relay(IPV4, *server, transport=transport) as command, echo(peer):
            assert command.address.startswith(f"{transport}://127.0.0.1:")
            port = command.address.rpartition(":")[2]

            with contextlib.suppress(NeverSoFar):
                output = await uclient(
                    port, peer, [*ways[transport], *options], attempts=ATTEMPTS_OVER_DTLS
                )

    counts = re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", output)
    assert counts, output
    assert counts[-1] == (str(clients * MESSAGES), str(clients * MESSAGES)), output
    assert "Total lost packets 0 " in output


@pytest.mark.parametrize(
    "options", [["-c", "-m", "1", "-s"], ["-c", "-m", "1"]], ids=["indications", "channel"]
)
async def test_uclient_is_relayed_over_ipv6(options: Sequence[str]) -> None:
    peer = free_port(IPV6)
    async with relay(IPV6) as command, echo(peer, IPV6):
        port = command.address.rpartition(":")[2]

        output = await uclient(port, peer, ["-x", *options], host=IPV6)

    counts = re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", output)
    assert counts[-1:] == [(str(MESSAGES), str(MESSAGES))], output


async def test_stunclient_is_told_its_address() -> None:
    async with relay() as command:
        port = command.address.rpartition(":")[2]

        output = await run("turnutils_stunclient", "-p", port, "127.0.0.1")

    assert "UDP reflexive addr: 127.0.0.1:" in output


@pytest.mark.parametrize(
    ("options", "clients"),
    [
        pytest.param(["-c", "-m", "2", "-s"], 2, id="indications"),
        pytest.param(["-c", "-m", "1"], 1, id="channel"),
        pytest.param(["-m", "2", "-s"], 2, id="even-ports-and-reservations"),
    ],
)
async def test_uclient_takes_its_allocations_to_other_ports(
    options: Sequence[str], clients: int
) -> None:
    """-M: it moves right after the allocation, sometimes with its old port closed."""
    peer = free_port()
    async with relay(IPV4, "--enable", "mobility") as command, echo(peer):
        port = command.address.rpartition(":")[2]

        output = await uclient(port, peer, ["-M", *options])

    counts = re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", output)
    assert counts[-1:] == [(str(clients * MESSAGES), str(clients * MESSAGES))], output


COTURN_TOKEN_KEYS = {
    "north": b"01234567890123456789012345678901",
    "union": b"1234567890123456",
    "oldempire": b"12345678901234567890123456789012",
}
"""What uclient makes its own tokens with; it picks one of them each time."""


@pytest.mark.parametrize(
    ("options", "clients"),
    [(["-c", "-m", "2", "-s"], 2), (["-c", "-m", "1"], 1)],
    ids=["indications", "channel"],
)
async def test_uclient_is_let_in_by_its_access_tokens(options: Sequence[str], clients: int) -> None:
    """-J, with a password that is wrong."""
    encoded = {kid: base64.b64encode(key).decode() for kid, key in COTURN_TOKEN_KEYS.items()}
    keys = [word for kid, key in encoded.items() for word in ("--oauth-key", f"{kid}:{key}")]
    peer = free_port()
    async with (
        relay(
            IPV4,
            *("--enable", "third-party-auth"),
            *("--oauth-server-name", "turn.example"),
            *keys,
        ) as command,
        echo(peer),
    ):
        port = command.address.rpartition(":")[2]

        output = await uclient(port, peer, ["-J", "-w", "wrong", *options])

    counts = re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", output)
    assert counts[-1:] == [(str(clients * MESSAGES), str(clients * MESSAGES))], output


@pytest.mark.parametrize("transport", ["tcp", "tls"])
@pytest.mark.requirement("stun-turn:TURN-TCP-16")
async def test_clients_of_tcp_allocations_connect_to_each_other(
    transport: str, tmp_path: pathlib.Path
) -> None:
    made = Certificate.generate(tmp_path)
    files = ["--tls-cert", str(made.certificate), "--tls-key", str(made.key)]
    secured = ["-S", "-E", str(made.certificate)] if transport == "tls" else []
    server = ["--enable", "tcp-relay", *(files if secured else [])]
    async with relay(IPV4, *server, transport=transport) as command:
        port = command.address.rpartition(":")[2]

        output = await uclient(port, free_port(), ["-T", *secured, "-m", "2"])

    counts = re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", output)
    assert counts[-1:] == [(str(2 * MESSAGES), str(2 * MESSAGES))], output


@pytest.mark.requirement("stun-turn:TURN-TCP-14")
async def test_a_client_is_told_of_a_peer_that_connects() -> None:
    """uclient counts one of the two ways alone, with coturn's server too; and over TLS it
    would speak TLS to the peer, which it is itself, without."""
    async with relay(IPV4, "--enable", "tcp-relay", transport="tcp") as command:
        port = command.address.rpartition(":")[2]

        output = await uclient(port, free_port(), ["-T", "-P", "-m", "2"])

    counts = re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", output)
    assert counts[-1:] == [(str(2 * MESSAGES), str(MESSAGES))], output
