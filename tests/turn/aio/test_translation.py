"""A relay between IPv4 and IPv6, on loopback (RFC 8656 section 13)."""

from __future__ import annotations

import asyncio
import ipaddress
import pathlib
import socket

import pytest

from stun import AddressFamily
from transport import TransportAddress
from transport.aio import KernelSockets
from turn.aio import RelayServer, connect
from turn.client import ClientConfig, PortWish
from turn.credentials import CredentialVerifier
from turn.server import ServerConfig

from .test_plane import IPV6
from .test_server import readable

IPV4_LOOPBACK, IPV6_LOOPBACK = ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")
IP_RECVTTL = 12
"""Of Linux's in.h; Python has no name for it."""

PROC = pathlib.Path("/proc/sys/net")

pytestmark = IPV6


def config(listen: str) -> ServerConfig:
    return ServerConfig(
        realm="relay.example",
        credentials=CredentialVerifier(users={"ann": "secret"}),
        listening=(TransportAddress.parse(listen, 0),),
        relay_addresses=(IPV4_LOOPBACK, IPV6_LOOPBACK),
        allow_peers=(ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1")),
    )


def default_ttl() -> int:
    return int((PROC / "ipv4/ip_default_ttl").read_text())


def default_hop_limit() -> int:
    return int((PROC / "ipv6/conf/lo/hop_limit").read_text())


@pytest.mark.parametrize("listen", ["127.0.0.1", "::1"], ids=["ipv4-client", "ipv6-client"])
@pytest.mark.requirement("stun-turn:TURN-ALLOC-15", "stun-turn:TURN-IP-04")
async def test_what_is_translated_has_the_hop_limit_of_this_host(listen: str) -> None:
    loop = asyncio.get_running_loop()
    peer, peer_6 = (
        KernelSockets().bind(TransportAddress.parse(ip, 0)) for ip in ("127.0.0.1", "::1")
    )
    peer.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
    peer_6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
    seen = []
    async with RelayServer.open(config(listen)) as server:
        uri = f"turn:{server.addresses[0]}"
        async with connect(uri, "ann", "secret", config=ClientConfig(dual=True)) as relay:
            for sock in (peer, peer_6):
                to = TransportAddress.parse(*sock.getsockname()[:2])
                await relay.bind_channel(to)
                relay.send(to, b"there")
                await readable(loop, sock)
                data, control, _, source = sock.recvmsg(100, 100)
                seen.append((data, source[:2], [value[0] for *_, value in control]))
                sock.sendto(b"back", source)
                assert await relay.receive() == (to, b"back")
            ours = [(each.host, each.port) for each in relay.relayed_addresses]
    peer.close()
    peer_6.close()

    assert seen == [
        (b"there", ours[0], [default_ttl()]),
        (b"there", ours[1], [default_hop_limit()]),
    ]


async def test_one_of_two_addresses_is_given_back_and_the_other_serves_on() -> None:
    with KernelSockets().bind(TransportAddress.parse("127.0.0.1", 0)) as sock:
        peer = TransportAddress.parse(*sock.getsockname())
        async with RelayServer.open(config("127.0.0.1")) as server:
            uri = f"turn:{server.addresses[0]}"
            async with connect(uri, "ann", "secret", config=ClientConfig(dual=True)) as relay:
                ipv4, ipv6 = relay.relayed_addresses
                await relay.permit(IPV4_LOOPBACK, IPV6_LOOPBACK)

                await relay.release_family(AddressFamily.IPV6)

                KernelSockets().bind(ipv6).close()
                assert relay.relayed_addresses == (ipv4,)
                with pytest.raises(ValueError, match="no two addresses"):
                    await relay.release_family(AddressFamily.IPV4)
                relay.send(peer, b"still there")
                received = await asyncio.get_running_loop().sock_recv(sock, 100)

    assert received == b"still there"


async def test_the_next_port_is_held_for_who_has_the_token() -> None:
    async with RelayServer.open(config("127.0.0.1")) as server:
        uri = f"turn:{server.addresses[0]}"
        pair = ClientConfig(port=PortWish.EVEN_PAIR)
        async with connect(uri, "ann", "secret", config=pair) as first:
            reserved = ClientConfig(reservation_token=first.reservation_token)
            async with connect(uri, "ann", "secret", config=reserved) as second:
                assert second.relayed.port == first.relayed.port + 1
                assert first.relayed.port % 2 == 0
