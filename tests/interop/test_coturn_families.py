"""IPv4 and IPv6, dual allocations, even ports and whole datagrams, with coturn on either side."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from stun import AddressFamily
from tests.turn.aio.peer import PAYLOADS, TIMEOUT, Peer, exchange, peer_at
from transport import TransportAddress
from turn.aio import Relay, connect
from turn.client import ClientConfig, PortWish

from .coturn import PASSWORD, USER, coturn
from .ports import free_port
from .process import Command, hairpin
from .test_coturn_uclient import IPV4, IPV6, MESSAGES, echo, uclient

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

LOOPBACK, LOOPBACK_6 = ipaddress.ip_address(IPV4), ipaddress.ip_address(IPV6)


@contextlib.asynccontextmanager
async def dual_relay(host: str) -> AsyncIterator[Command]:
    address = f"[{host}]" if ":" in host else host
    async with hairpin(
        *("relay", "--listen", f"udp://{address}:0", "--user", "ann:secret"),
        *("--relay-address", IPV4, "--relay-address", IPV6),
        *("--allow-peer", IPV4, "--allow-peer", IPV6),
    ) as command:
        yield command


@pytest.mark.parametrize("data", [["-s"], []], ids=["indications", "channels"])
@pytest.mark.parametrize(
    ("host", "peer_host", "options"),
    [
        pytest.param(IPV4, IPV4, ["-Z"], id="dual-to-ipv4"),
        pytest.param(IPV4, IPV6, ["-Z"], id="dual-to-ipv6"),
        pytest.param(IPV6, IPV4, ["-Z"], id="ipv6-client-dual"),
        pytest.param(IPV4, IPV6, ["-x", "-c"], id="ipv4-client-ipv6-relayed"),
        pytest.param(IPV6, IPV4, ["-X", "-c"], id="ipv6-client-ipv4-relayed"),
        pytest.param(IPV4, IPV4, ["-g", "-c"], id="dont-fragment"),
        pytest.param(IPV6, IPV6, ["-g", "-x", "-c"], id="dont-fragment-ipv6"),
    ],
)
@pytest.mark.requirement("stun-turn:TURN-ALLOC-15", "stun-turn:TURN-ALLOC-05")
async def test_every_message_of_uclient_comes_back(
    host: str, peer_host: str, options: Sequence[str], data: Sequence[str]
) -> None:
    peer = free_port(peer_host)
    async with dual_relay(host) as command, echo(peer, peer_host):
        port = command.address.rpartition(":")[2]

        wanted = ["-m", "1", *options, *data, "-e", peer_host]
        output = await uclient(port, peer, wanted, host=host)

    counts = re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", output)
    assert counts[-1:] == [(str(MESSAGES), str(MESSAGES))], output


@contextlib.asynccontextmanager
async def relayed_by_coturn(folder: Path, config: ClientConfig) -> AsyncIterator[Relay]:
    async with (
        coturn(folder, "--relay-ip=::1") as server,
        connect(server.uri, USER, PASSWORD, config=config) as relay,
    ):
        yield relay


async def pass_data(relay: Relay, peer: Peer, relayed: TransportAddress) -> None:
    assert relay.send(peer.address, b"there")
    assert await peer.receive() == (b"there", relayed)
    peer.send(b"back", relayed)
    async with asyncio.timeout(TIMEOUT):
        assert await relay.receive() == (peer.address, b"back")


async def test_coturn_gives_us_an_address_of_each_family(tmp_path: Path) -> None:
    async with relayed_by_coturn(tmp_path, ClientConfig(dual=True)) as relay:
        assert [each.ip for each in relay.relayed_addresses] == [LOOPBACK, LOOPBACK_6]
        for relayed in relay.relayed_addresses:
            async with peer_at(relayed.host) as peer:
                await relay.permit(relayed.ip)
                await pass_data(relay, peer, relayed)
                await relay.bind_channel(peer.address)
                await pass_data(relay, peer, relayed)


async def test_coturn_takes_one_address_back_and_keeps_the_other(tmp_path: Path) -> None:
    async with (
        relayed_by_coturn(tmp_path, ClientConfig(dual=True)) as relay,
        peer_at(IPV4) as peer,
    ):
        ipv4, _ = relay.relayed_addresses
        await relay.bind_channel(peer.address)

        await relay.release_family(AddressFamily.IPV6)

        assert relay.relayed_addresses == (ipv4,)
        await pass_data(relay, peer, ipv4)


async def test_coturn_relays_from_the_family_that_is_asked_for(tmp_path: Path) -> None:
    async with (
        relayed_by_coturn(tmp_path, ClientConfig(family=AddressFamily.IPV6)) as relay,
        peer_at(IPV6) as peer,
    ):
        await relay.permit(LOOPBACK_6)
        await exchange(relay, peer, *PAYLOADS)


async def test_coturn_holds_the_next_port_for_us(tmp_path: Path) -> None:
    async with coturn(tmp_path) as server:
        uri = server.uri
        pair = ClientConfig(port=PortWish.EVEN_PAIR)
        async with connect(uri, USER, PASSWORD, config=pair) as first:
            assert first.reservation_token is not None
            reserved = ClientConfig(reservation_token=first.reservation_token)
            async with connect(uri, USER, PASSWORD, config=reserved) as second:
                assert first.relayed.port % 2 == 0
                assert second.relayed.port == first.relayed.port + 1


async def test_coturn_keeps_our_datagrams_whole(tmp_path: Path) -> None:
    async with (
        relayed_by_coturn(tmp_path, ClientConfig(dont_fragment=True)) as relay,
        peer_at(IPV4) as peer,
    ):
        await relay.permit(LOOPBACK)

        assert relay.send_unfragmented(peer.address, b"whole")

        assert await peer.receive() == (b"whole", relay.relayed)
