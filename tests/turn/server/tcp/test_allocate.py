"""Allocate requests for TCP (RFC 6062 section 5.1)."""

from __future__ import annotations

import dataclasses

import pytest

from stun import (
    AdditionalAddressFamily,
    AddressFamily,
    AnyAttribute,
    ChannelNumber,
    Data,
    DontFragment,
    EvenPort,
    Lifetime,
    Method,
    RequestedAddressFamily,
    RequestedTransport,
    ReservationToken,
    XorPeerAddress,
    XorRelayedAddress,
)
from tests.turn.server.harness import CLIENT, PEER, Relay, client_on, code
from transport import TransportProtocol
from turn.server import AllocationEnd, AllocationEnded, DropReason, TcpRelayRequested

from .harness import ENABLED, TCP_REQUEST, TcpWorld, allocate, control

TCP, TLS = TransportProtocol.TCP, TransportProtocol.TLS
UDP, DTLS = TransportProtocol.UDP, TransportProtocol.DTLS


@pytest.mark.requirement("stun-turn:TURN-TCP-03")
@pytest.mark.parametrize("transport", [TCP, TLS])
def test_a_client_on_a_stream_gets_an_address_that_listens(transport: TransportProtocol) -> None:
    relay = Relay(ENABLED)
    client = control(relay, CLIENT.port, transport=transport)

    relayed = allocate(client)

    (requested,) = relay.requested
    assert isinstance(requested, TcpRelayRequested)
    assert requested.address == relayed


@pytest.mark.parametrize(
    "transport",
    [
        pytest.param(UDP, marks=pytest.mark.requirement("stun-turn:TURN-TCP-01")),
        pytest.param(DTLS, marks=pytest.mark.requirement("stun-turn:TURN-TCP-02")),
    ],
)
def test_tcp_is_not_allocated_over_datagrams(transport: TransportProtocol) -> None:
    relay = Relay(ENABLED)

    response = client_on(relay, 1000, transport=transport).ask(Method.ALLOCATE, TCP_REQUEST)

    assert code(response) == 400
    assert relay.requested == []


@pytest.mark.requirement("stun-turn:TURN-TCP-04")
@pytest.mark.parametrize(
    "attribute",
    [DontFragment(), EvenPort(reserve_next=False), ReservationToken(bytes(8))],
    ids=lambda attribute: type(attribute).__name__,
)
def test_what_is_of_udp_alone_is_400(attribute: AnyAttribute) -> None:
    relay = Relay(ENABLED)

    response = control(relay, 1000).ask(Method.ALLOCATE, TCP_REQUEST, attribute)

    assert code(response) == 400
    assert relay.requested == []


@pytest.mark.requirement("stun-turn:TURN-TCP-04")
def test_no_token_is_in_the_answer() -> None:
    response = control(Relay(ENABLED), 1000).ask(Method.ALLOCATE, TCP_REQUEST)

    assert code(response) == 0
    assert not response.has(ReservationToken)


@pytest.mark.requirement("stun-turn:TURN-TCP-05")
@pytest.mark.parametrize("protocol", [0, 1, 132, 255])
def test_other_protocols_are_442_and_udp_goes_on(protocol: int) -> None:
    relay = Relay(ENABLED)

    response = control(relay, 1000).ask(Method.ALLOCATE, RequestedTransport(protocol))

    assert code(response) == 442
    assert control(relay, 1001).allocate().ip == ENABLED.relay_addresses[0]


@pytest.mark.parametrize("transport", [UDP, TCP])
def test_tcp_is_442_unless_it_is_enabled(transport: TransportProtocol) -> None:
    relay = Relay()
    client = client_on(relay, 1000, transport=transport)

    assert code(client.ask(Method.ALLOCATE, TCP_REQUEST)) == 442


@pytest.mark.parametrize("method", [Method.CONNECT, Method.CONNECTION_BIND])
def test_its_methods_are_unknown_unless_it_is_enabled(method: int) -> None:
    relay = Relay()
    client = client_on(relay, 1000, transport=TCP)

    assert client.send(client.request(method, XorPeerAddress(PEER))) == []

    assert relay.server.stats().drops[DropReason.UNEXPECTED_METHOD] == 1


def test_a_port_that_is_taken_is_tried_elsewhere_over_tcp() -> None:
    relay = Relay(ENABLED)
    relay.opens = False
    client = control(relay, 1000)
    client.fetch_nonce()
    client.send(client.request(Method.ALLOCATE, TCP_REQUEST))

    relay.server.relay_refused(relay.requested[-1].token, relay.now)
    relay.drain()

    first, second = relay.requested
    assert isinstance(second, TcpRelayRequested)
    assert first.address != second.address


def test_both_families_are_allocated_at_once() -> None:
    world = TcpWorld()
    client = world.data_client()

    response = client.ask(Method.ALLOCATE, TCP_REQUEST, AdditionalAddressFamily(AddressFamily.IPV6))

    relayed = [each.address for each in response.get_all(XorRelayedAddress)]
    requested = [each.address for each in world.relay.requested[1:]]
    assert relayed == requested
    assert [each.is_ipv6 for each in relayed] == [False, True]


def test_a_tcp_allocation_counts_against_the_quota() -> None:
    world = TcpWorld(dataclasses.replace(ENABLED, max_allocations=1))

    assert code(world.data_client().ask(Method.ALLOCATE, TCP_REQUEST)) == 508


def test_a_tcp_allocation_is_refreshed_and_expires_like_any() -> None:
    world = TcpWorld()
    assert code(world.alice.refresh(900)) == 0
    world.relay.run_until(899.9)
    assert world.relay.server.stats().allocations == 1

    world.relay.run_until(900.0)

    assert world.relay.released == [world.relayed]
    (ended,) = [each for each in world.relay.events if isinstance(each, AllocationEnded)]
    assert ended.reason is AllocationEnd.EXPIRED


class TestDatagrams:
    """What is of UDP has no meaning on a TCP allocation, nor the other way round."""

    def test_a_channel_is_400(self) -> None:
        world = TcpWorld()

        response = world.alice.ask(Method.CHANNEL_BIND, ChannelNumber(0x4000), XorPeerAddress(PEER))

        assert code(response) == 400

    def test_a_send_indication_is_dropped(self) -> None:
        world = TcpWorld()
        world.alice.permit(PEER)

        assert world.alice.indicate(XorPeerAddress(PEER), Data(b"hello")) == []

        assert world.relay.server.stats().drops[DropReason.NOT_OF_UDP] == 1

    def test_data_for_a_udp_port_of_that_number_is_not_switched_to_it(self) -> None:
        world = TcpWorld()
        world.alice.permit(PEER)
        udp = client_on(world.relay, 1000, username="bob")
        relayed = udp.allocate()
        udp.permit(world.relayed)
        world.alice.permit(relayed)

        assert udp.send_to(world.relayed, b"hello") == []

        assert world.relay.server.stats().drops[DropReason.FORBIDDEN_PEER] == 1


def test_the_allocation_request_tells_of_lifetime_and_family() -> None:
    relay = Relay(ENABLED)
    wanted = (Lifetime(1200), RequestedAddressFamily(AddressFamily.IPV6))

    response = control(relay, 1000).ask(Method.ALLOCATE, TCP_REQUEST, *wanted)

    granted, relayed = response.get(Lifetime), response.get(XorRelayedAddress)
    assert granted == Lifetime(1200)
    assert relayed is not None
    assert relayed.address.is_ipv6
