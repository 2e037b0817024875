"""A relay with four sockets, on the loopback addresses that every Linux has."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import pytest

from stun.aio import discover_behavior
from stun.behavior import (
    BehaviorTest,
    Fragments,
    Inconclusive,
    NatFiltering,
    NatMapping,
    Obstacle,
)
from transport import TransportAddress
from transport.aio import KernelSockets
from turn import CredentialVerifier
from turn.aio import AlternateUnavailable, RelayServer, bind_alternates
from turn.server import ServerConfig

ONE = TransportAddress.parse("127.0.0.1", 0)
OTHER = TransportAddress.parse("127.0.0.2", 0)


def config(*listening: TransportAddress, alternate: TransportAddress | None) -> ServerConfig:
    return ServerConfig(
        realm="test",
        credentials=CredentialVerifier({"ann": "secret"}),
        listening=listening,
        relay_addresses=(ONE.ip,),
        nat_discovery=True,
        alternate_address=alternate,
    )


@pytest.fixture
async def relay() -> AsyncIterator[RelayServer]:
    async with RelayServer.open(config(ONE, alternate=OTHER)) as server:
        yield server


async def test_two_addresses_and_two_ports_make_four_sockets(relay: RelayServer) -> None:
    primary, *others = relay.addresses
    alternate = relay.config.alternate_address

    assert alternate is not None
    assert (primary.ip, alternate.ip) == (ONE.ip, OTHER.ip)
    assert set(others) == {
        alternate,
        TransportAddress(ONE.ip, alternate.port),
        TransportAddress(OTHER.ip, primary.port),
    }


@pytest.mark.long  # requests are begun 0.11 s apart
@pytest.mark.requirement(
    "stun-turn:NATB-02",
    "stun-turn:NATB-04",
    "stun-turn:NATB-06",
    "stun-turn:NATB-07",
    "stun-turn:STUNC-NAT-03",
)
async def test_a_client_on_this_host_finds_no_nat_and_no_filter(relay: RelayServer) -> None:
    report = await discover_behavior(relay.addresses[0])

    assert report.reached is not None
    assert report.reached.other == relay.config.alternate_address
    assert report.mapping is NatMapping.NONE
    assert report.filtering is NatFiltering.ENDPOINT_INDEPENDENT
    assert report.hairpinning == Inconclusive(Obstacle.NO_NAT)
    assert report.fragments is Fragments.PASS


async def test_without_an_alternate_address_a_client_learns_that_there_is_no_nat() -> None:
    async with RelayServer.open(config(ONE, alternate=None)) as relay:
        report = await discover_behavior(relay.addresses[0], tests=list(BehaviorTest)[:2])

    assert report.mapping is NatMapping.NONE
    assert report.filtering == Inconclusive(Obstacle.NO_OTHER_ADDRESS)


async def test_an_address_that_is_bound_already_serves_as_it_is() -> None:
    with KernelSockets().bind(ONE) as one:
        port = one.getsockname()[1]
        with KernelSockets().bind(TransportAddress(OTHER.ip, port)) as other:
            bound = bind_alternates(config(ONE, alternate=OTHER), [one, other])

            assert [each.getsockname()[0] for each in bound] == ["127.0.0.2", "127.0.0.1"]
            for each in bound:
                each.close()


def test_an_address_that_is_taken_is_named_and_the_others_are_let_go() -> None:
    with (
        KernelSockets().bind(ONE) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken,
    ):
        taken.bind(("127.0.0.2", one.getsockname()[1]))

        with pytest.raises(AlternateUnavailable, match="in use") as caught:
            bind_alternates(config(ONE, alternate=TransportAddress(OTHER.ip, 1)), [one])

    assert caught.value.address.ip == OTHER.ip


async def test_a_server_closes_what_it_has_bound_when_an_alternate_is_taken() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.2", 0))
        alternate = TransportAddress(OTHER.ip, taken.getsockname()[1])

        with pytest.raises(AlternateUnavailable):
            RelayServer.open(config(ONE, alternate=alternate))
