"""ICMP errors and the DF bit, through a relay on loopback (RFC 8656 sections 11.5 and 14)."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import ipaddress
import socket
import struct
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.closed import closed_port
from tests.transport.aio.icmp import RAW, forge
from transport import TransportAddress
from transport.aio import KernelSockets
from turn.aio import Relay, RelayEventLoop, RelayServer, connect
from turn.client import AllocationGone, ClientConfig, IcmpReceived
from turn.credentials import CredentialVerifier
from turn.server import ServerConfig

from .test_plane import IPV6

LOOPBACK = ipaddress.ip_address("127.0.0.1")
ROUTE = [
    pytest.param("127.0.0.1", (3, 3), id="ipv4"),
    pytest.param("::1", (1, 4), id="ipv6", marks=IPV6),
]
ETH_P_IP = 0x0800
DF = 0x4000
PORT_AT = 22
"""Where the destination port stands behind an IPv4 header without options."""

SO_ATTACH_FILTER = 26
"""Of Linux; Python has no name for it."""


def config() -> ServerConfig:
    return ServerConfig(
        realm="relay.example",
        credentials=CredentialVerifier(users={"ann": "secret"}),
        listening=(TransportAddress(LOOPBACK, 0),),
        relay_addresses=(LOOPBACK, ipaddress.ip_address("::1")),
        allow_peers=(ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1")),
    )


@contextlib.asynccontextmanager
async def relay_to(
    host: str, *, has_channel: bool
) -> AsyncIterator[tuple[Relay, TransportAddress]]:
    """A relay in use, and a peer of it that is not there."""
    settings = ClientConfig(dual=":" in host, dont_fragment=True)
    async with RelayServer.open(config()) as server:
        uri = f"turn:{server.addresses[0]}"
        with closed_port(host) as nowhere:
            async with connect(uri, "ann", "secret", config=settings) as relay:
                if has_channel:
                    await relay.bind_channel(nowhere)
                else:
                    await relay.permit(nowhere.ip)
                yield relay, nowhere


async def icmp_of(relay: Relay) -> IcmpReceived:
    async with asyncio.timeout(15):
        return await relay.receive_icmp()


@pytest.mark.parametrize(("host", "kind"), ROUTE)
@pytest.mark.parametrize("has_channel", [False, True], ids=["indications", "channel"])
@pytest.mark.requirement("stun-turn:TURN-ICMP-01", "stun-turn:TURN-ICMP-05")
async def test_a_client_hears_that_its_peers_port_is_closed(
    host: str, kind: tuple[int, int], has_channel: bool
) -> None:
    async with relay_to(host, has_channel=has_channel) as (relay, nowhere):
        for _ in range(3):
            relay.send(nowhere, b"anybody?")

            assert await icmp_of(relay) == IcmpReceived(nowhere, *kind, 0)


@pytest.mark.requirement("stun-turn:TURN-ICMP-05")
def test_it_does_so_where_sockets_are_drained_in_the_selector() -> None:
    async def main() -> IcmpReceived:
        async with relay_to("127.0.0.1", has_channel=True) as (relay, nowhere):
            relay.send(nowhere, *[bytes(100)] * 5)
            received = await icmp_of(relay)
            assert received.peer == nowhere
            return received

    with asyncio.Runner(loop_factory=RelayEventLoop) as runner:
        received = runner.run(main())

    assert (received.icmp_type, received.icmp_code) == (3, 3)


@pytest.mark.parametrize("has_channel", [False, True], ids=["indications", "channel"])
async def test_a_peer_that_is_not_there_costs_another_one_nothing(has_channel: bool) -> None:
    async with relay_to("127.0.0.1", has_channel=has_channel) as (relay, nowhere):
        with KernelSockets().bind(TransportAddress(LOOPBACK, 0)) as sock:
            peer = TransportAddress.parse(*sock.getsockname())
            if has_channel:
                await relay.bind_channel(peer)
            for _ in range(10):
                relay.send(nowhere, b"lost")
                relay.send(peer, b"found")
                relay.send(nowhere, b"lost")

            loop = asyncio.get_running_loop()
            async with asyncio.timeout(15):
                found = [await loop.sock_recv(sock, 100) for _ in range(10)]

    assert found == [b"found"] * 10


@RAW
@pytest.mark.parametrize("has_channel", [False, True], ids=["indications", "channel"])
@pytest.mark.requirement("stun-turn:TURN-ICMP-02", "stun-turn:TURN-ICMP-04")
async def test_what_a_router_says_reaches_the_client(has_channel: bool) -> None:
    async with relay_to("127.0.0.1", has_channel=has_channel) as (relay, peer):
        forge(relay.relayed, peer, 11, 0)
        assert await icmp_of(relay) == IcmpReceived(peer, 11, 0, 0)
        forge(relay.relayed, peer, 3, 4, mtu=1300)
        assert await icmp_of(relay) == IcmpReceived(peer, 3, 4, 1300)
        # About somebody the client may not send to: nothing comes of it.
        forge(relay.relayed, TransportAddress.parse("127.0.0.9", peer.port), 3, 3)
        forge(relay.relayed, peer, 3, 1)
        assert await icmp_of(relay) == IcmpReceived(peer, 3, 1, 0)


async def test_after_the_end_no_error_comes() -> None:
    async with relay_to("127.0.0.1", has_channel=False) as (relay, _):
        await relay.aclose()

        with pytest.raises(AllocationGone):
            await relay.receive_icmp()


@contextlib.contextmanager
def wiretap(destination: TransportAddress) -> Iterator[socket.socket]:
    """What goes to a UDP port on loopback, and nothing else, which might fill the buffer."""
    load_half_word, jump_if_equal, give_back = 0x28, 0x15, 0x06
    program = (
        struct.pack("HBBI", load_half_word, 0, 0, PORT_AT),
        struct.pack("HBBI", jump_if_equal, 0, 1, destination.port),
        struct.pack("HBBI", give_back, 0, 0, 65_535),
        struct.pack("HBBI", give_back, 0, 0, 0),
    )
    instructions = ctypes.create_string_buffer(b"".join(program))
    attached = struct.pack("HP", len(program), ctypes.addressof(instructions))
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, attached)
        sock.bind(("lo", ETH_P_IP))
        sock.setblocking(False)
        yield sock


def df_bits(sock: socket.socket) -> list[bool]:
    """Of the datagrams that were seen, each twice on loopback."""
    seen = []
    with contextlib.suppress(BlockingIOError):
        while True:
            packet, (_, _, direction, *_) = sock.recvfrom(65_535)
            (flags,) = struct.unpack_from("!H", packet, 6)
            if packet[9] == socket.IPPROTO_UDP and direction != socket.PACKET_OUTGOING:
                seen.append(bool(flags & DF))
    return seen


@RAW
@pytest.mark.parametrize("has_channel", [False, True], ids=["indications", "channel"])
@pytest.mark.requirement("stun-turn:TURN-SEND-06", "stun-turn:TURN-ALLOC-05")
async def test_the_df_bit_is_set_for_the_datagrams_that_ask_for_it_alone(
    has_channel: bool,
) -> None:
    loop = asyncio.get_running_loop()
    with (
        KernelSockets().bind(TransportAddress(LOOPBACK, 0)) as sock,
        contextlib.ExitStack() as stack,
    ):
        peer = TransportAddress.parse(*sock.getsockname())
        tap = stack.enter_context(wiretap(peer))
        async with relay_to("127.0.0.1", has_channel=False) as (relay, _):
            if has_channel:
                await relay.bind_channel(peer)
            relay.send(peer, b"usual")
            assert await loop.sock_recv(sock, 100) == b"usual"
            relay.send_unfragmented(peer, b"whole")
            assert await loop.sock_recv(sock, 100) == b"whole"
            relay.send(peer, b"usual")
            assert await loop.sock_recv(sock, 100) == b"usual"

        assert df_bits(tap) == [False, True, False]
