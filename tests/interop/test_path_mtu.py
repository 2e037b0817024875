"""Datagrams that are longer than a link can carry, through a relay (RFC 8656 section 14)."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterator

import pytest

from transport import TransportAddress
from turn.aio import Relay, connect
from turn.client import ClientConfig, IcmpReceived

from .conftest import need
from .namespace import Namespace, second_network
from .process import hairpin

pytestmark = [pytest.mark.interop, pytest.mark.timeout(60)]

LINK_MTU = 1300
HEADERS = 28
ECHO = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.IPPROTO_IP, 10, 0)
sock.bind((sys.argv[1], 0))
print(sock.getsockname()[1], flush=True)
while True:
    data, source = sock.recvfrom(65535)
    sock.sendto(data, source)
"""


@pytest.fixture
def network() -> Iterator[Namespace]:
    """A network behind a link that carries short packets alone."""
    with second_network() as network:
        for prefix, end in (((), "a"), (network.prefix, "b")):
            link = (need("ip"), "link", "set", network.name + end, "mtu", str(LINK_MTU))
            subprocess.run([*prefix, *link], check=True)
        yield network


@contextlib.asynccontextmanager
async def echo(network: Namespace) -> AsyncIterator[TransportAddress]:
    """A peer over there that sends everything back."""
    process = await asyncio.create_subprocess_exec(
        *(*network.prefix, need("python3"), "-c", ECHO, network.inside),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        port = int(await process.stdout.readline())
        yield TransportAddress.parse(network.inside, port)
    finally:
        process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def relay_to(network: Namespace) -> AsyncIterator[Relay]:
    async with hairpin(
        *("relay", "--listen", f"udp://{network.gateway}:0", "--user", "ann:secret"),
        *("--allow-peer", network.network),
    ) as command:
        uri = f"turn:{command.address.removeprefix('udp://')}"
        config = ClientConfig(dont_fragment=True)
        async with connect(uri, "ann", "secret", config=config) as relay:
            yield relay


@pytest.mark.parametrize("has_channel", [False, True], ids=["indications", "channel"])
@pytest.mark.requirement("stun-turn:TURN-ICMP-04", "stun-turn:TURN-SEND-06", "stun-turn:TURN-IP-05")
async def test_what_may_be_cut_arrives_and_what_may_not_is_told(
    network: Namespace, has_channel: bool
) -> None:
    async with echo(network) as peer, relay_to(network) as relay, asyncio.timeout(30):
        if has_channel:
            await relay.bind_channel(peer)
        else:
            await relay.permit(peer.ip)
        fits = bytes(LINK_MTU - HEADERS)

        relay.send(peer, bytes(8000))
        assert await relay.receive() == (peer, bytes(8000))
        relay.send_unfragmented(peer, fits)
        assert await relay.receive() == (peer, fits)
        relay.send_unfragmented(peer, fits + b"x")
        told = await relay.receive_icmp()
        relay.send(peer, fits + b"x")
        assert await relay.receive() == (peer, fits + b"x")

    assert told == IcmpReceived(peer, 3, 4, LINK_MTU)
