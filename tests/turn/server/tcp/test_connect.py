"""Connect: the client opens a connection to a peer (RFC 6062 section 5.2)."""

from __future__ import annotations

import dataclasses
from ipaddress import ip_network

import pytest

from stun import (
    AdditionalAddressFamily,
    AddressFamily,
    ConnectionId,
    Method,
    UnknownAttribute,
    XorPeerAddress,
)
from tests.turn.server.harness import LISTENING, PEER, PEER_6, RELAY_IP, Relay, client_on, code
from transport import TransportAddress
from turn.server import PeerConnectRequested
from turn.server.limits import (
    BIND_TIMEOUT,
    CONNECT_TIMEOUT,
    MAX_CONNECTIONS,
    MAX_CONNECTIONS_OF_ALLOCATION,
)

from .harness import ENABLED, TCP_REQUEST, TcpWorld, allocate, bind, control

ADVERTISED = dataclasses.replace(
    ENABLED, advertised={RELAY_IP: TransportAddress.parse("6.6.6.6", 1).ip}
)


@pytest.mark.requirement("stun-turn:TURN-TCP-11")
def test_the_driver_is_asked_to_connect_from_the_relayed_address() -> None:
    world = TcpWorld()

    connection_id = world.request_connect()

    assert world.connects() == [PeerConnectRequested(connection_id, world.relayed, PEER)]


@pytest.mark.requirement("stun-turn:TURN-TCP-12")
def test_the_success_has_an_id_of_4_random_bytes_that_is_of_this_connection_alone() -> None:
    world = TcpWorld()
    peers = [TransportAddress(PEER.ip, 7000 + number) for number in range(20)]

    found = [world.connect(peer) for peer in peers]

    assert len(set(found)) == 20
    assert all(0 <= each <= 0xFFFFFFFF for each in found)
    assert max(found) - min(found) > 1 << 24


@pytest.mark.requirement("stun-turn:TURN-TCP-06")
def test_without_an_allocation_it_is_437() -> None:
    client = control(Relay(ENABLED), 1000)

    assert code(client.ask(Method.CONNECT, XorPeerAddress(PEER))) == 437


def test_on_an_allocation_of_udp_it_is_403() -> None:
    client = client_on(Relay(ENABLED), 1000)
    client.allocate()

    assert code(client.ask(Method.CONNECT, XorPeerAddress(PEER))) == 403


@pytest.mark.requirement("stun-turn:TURN-TCP-07")
@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param((), id="missing"),
        pytest.param((UnknownAttribute(XorPeerAddress.TYPE, b"\0\1"),), id="too-short"),
        pytest.param((UnknownAttribute(XorPeerAddress.TYPE, b"\0\7" + bytes(6)),), id="family"),
        pytest.param((XorPeerAddress(TransportAddress(PEER.ip, 0)),), id="port-0"),
    ],
)
def test_without_a_valid_peer_it_is_400(attributes: tuple[UnknownAttribute, ...]) -> None:
    world = TcpWorld()

    assert code(world.alice.ask(Method.CONNECT, *attributes)) == 400


def test_a_peer_of_another_family_is_443() -> None:
    world = TcpWorld()

    assert code(world.alice.ask(Method.CONNECT, XorPeerAddress(PEER_6))) == 443


@pytest.mark.requirement("stun-turn:TURN-TCP-08")
@pytest.mark.parametrize("until", ["in-progress", "pending", "active"])
def test_a_second_connection_to_the_same_peer_is_446(until: str) -> None:
    world = TcpWorld()
    connection_id = world.request_connect()
    if until != "in-progress":
        world.reach(connection_id)
    if until == "active":
        bind(world.data_client(), connection_id)

    assert code(world.alice.ask(Method.CONNECT, XorPeerAddress(PEER))) == 446
    assert len(world.connects()) == 1
    other_port = TransportAddress(PEER.ip, PEER.port + 1)
    world.request_connect(other_port)


@pytest.mark.requirement("stun-turn:TURN-TCP-08")
def test_after_the_end_of_a_connection_the_peer_may_be_connected_to_again() -> None:
    world = TcpWorld()
    connection_id = world.connect()
    bind(world.data_client(), connection_id)

    world.relay.server.peer_disconnected(connection_id, 1.0)

    assert world.connect() != connection_id


@pytest.mark.requirement("stun-turn:TURN-TCP-09")
@pytest.mark.parametrize(
    "peer",
    [
        TransportAddress.parse("127.0.0.1", 80),
        TransportAddress.parse("10.0.0.1", 80),
        TransportAddress.parse("169.254.169.254", 80),
        LISTENING,
        TransportAddress(RELAY_IP, 50001),
    ],
    ids=str,
)
def test_a_forbidden_peer_is_403(peer: TransportAddress) -> None:
    world = TcpWorld()

    assert code(world.alice.ask(Method.CONNECT, XorPeerAddress(peer))) == 403
    assert world.connects() == []


@pytest.mark.requirement("stun-turn:TURN-TCP-09")
def test_listening_addresses_and_the_own_address_are_403_whatever_is_allowed() -> None:
    everything = (ip_network("0.0.0.0/0"),)
    world = TcpWorld(dataclasses.replace(ENABLED, allow_peers=everything))

    for peer in (LISTENING, world.relayed):
        assert code(world.alice.ask(Method.CONNECT, XorPeerAddress(peer))) == 403


@pytest.mark.requirement("stun-turn:SEC-07")
@pytest.mark.parametrize("settings", [ENABLED, ADVERTISED], ids=["told", "advertised"])
def test_another_client_of_this_relay_is_a_legal_peer(settings: object) -> None:
    world = TcpWorld(ADVERTISED if settings is ADVERTISED else ENABLED)
    bob = control(world.relay, 1000, username="bob")
    told = allocate(bob)

    world.request_connect(told)

    (asked,) = world.connects()
    assert asked.peer == TransportAddress(RELAY_IP, told.port)


def test_dual_allocations_of_this_relay_are_connected_within_a_family() -> None:
    world = TcpWorld()
    both = AdditionalAddressFamily(AddressFamily.IPV6)
    bob, carol = (control(world.relay, port, username="bob") for port in (1000, 1001))
    for client in (bob, carol):
        client.ask(Method.ALLOCATE, TCP_REQUEST, both)
    _, of_bob, of_carol = world.relay.server.allocations(0.0)
    assert of_carol.additional is not None

    carol_6 = XorPeerAddress(of_carol.additional)
    assert bob.send(bob.request(Method.CONNECT, carol_6)) == []

    (asked,) = world.connects()
    assert (asked.relayed, asked.peer) == (of_bob.additional, of_carol.additional)


@pytest.mark.requirement("stun-turn:TURN-TCP-10")
def test_a_peer_that_refuses_is_447_at_once() -> None:
    world = TcpWorld()
    connection_id = world.request_connect()

    assert code(world.miss(connection_id)) == 447
    assert world.relay.server.stats().connections == 0
    assert world.closed() == []


@pytest.mark.requirement("stun-turn:TURN-TCP-10")
def test_a_silent_peer_is_447_after_at_least_30_seconds() -> None:
    world = TcpWorld()
    world.relay.run_until(10.0)
    connection_id = world.request_connect()
    before = len(world.relay.sent)
    world.relay.run_until(40.0)
    assert world.relay.sent[before:] == []

    world.relay.run_until(10.0 + CONNECT_TIMEOUT)

    # And before the client's own patience of 39.5 s (RFC 8489 section 6.2.2).
    assert 30 <= CONNECT_TIMEOUT < 39
    assert world.closed() == [connection_id]
    assert len(world.relay.sent[before:]) == 1
    assert world.relay.server.stats().errors[447] == 1
    assert world.relay.server.stats().connections == 0


def test_a_connection_that_comes_too_late_is_closed() -> None:
    world = TcpWorld()
    connection_id = world.request_connect()
    world.relay.run_until(CONNECT_TIMEOUT)
    before = len(world.relay.sent)

    world.relay.server.peer_connected(connection_id, 40.0)
    world.relay.server.peer_failed(connection_id, 40.0)
    world.relay.drain()

    assert world.closed() == [connection_id, connection_id]
    assert world.relay.sent[before:] == []


@pytest.mark.requirement("stun-turn:TURN-TCP-13")
def test_a_connection_that_is_not_bound_is_closed_after_30_seconds() -> None:
    world = TcpWorld()
    connection_id = world.request_connect()
    world.relay.run_until(5.0)
    world.reach(connection_id)
    world.relay.run_until(34.999)
    assert world.closed() == []

    world.relay.run_until(5.0 + BIND_TIMEOUT)

    assert BIND_TIMEOUT == 30.0
    assert world.closed() == [connection_id]
    assert code(bind(world.data_client(), connection_id)) == 400


def test_the_answer_is_signed_with_the_key_of_the_request() -> None:
    world = TcpWorld()
    request = world.alice.request(Method.CONNECT, XorPeerAddress(PEER))
    world.alice.send(request)
    (asked,) = world.connects()

    response = world.reach(asked.connection_id)

    assert response.transaction_id == request[8:20]
    assert response.has_integrity
    assert response.get(ConnectionId) == ConnectionId(asked.connection_id)


def test_connections_of_an_allocation_have_a_bound() -> None:
    world = TcpWorld()
    for number in range(MAX_CONNECTIONS_OF_ALLOCATION):
        world.request_connect(TransportAddress(PEER.ip, 7000 + number))

    further = XorPeerAddress(TransportAddress(PEER.ip, 6999))

    assert code(world.alice.ask(Method.CONNECT, further)) == 508


def test_connections_of_a_server_have_a_bound() -> None:
    world = TcpWorld()
    allocations = MAX_CONNECTIONS // MAX_CONNECTIONS_OF_ALLOCATION
    for allocation in range(allocations):
        client = control(world.relay, 1000 + allocation)
        allocate(client)
        for number in range(MAX_CONNECTIONS_OF_ALLOCATION):
            peer = XorPeerAddress(TransportAddress(PEER.ip, 7000 + number))
            assert client.send(client.request(Method.CONNECT, peer)) == []
    assert world.relay.server.stats().connections == MAX_CONNECTIONS

    assert code(world.alice.ask(Method.CONNECT, XorPeerAddress(PEER))) == 508


@pytest.mark.requirement("stun-turn:TURN-TCP-17")
@pytest.mark.parametrize("end", ["refresh-0", "expiry", "disconnect", "close"])
@pytest.mark.parametrize("until", ["in-progress", "pending", "active"])
def test_the_end_of_the_allocation_closes_all_its_connections(end: str, until: str) -> None:
    world = TcpWorld()
    connection_id = world.request_connect()
    if until != "in-progress":
        world.reach(connection_id)
    if until == "active":
        bind(world.data_client(), connection_id)
    if end == "refresh-0":
        world.alice.refresh(0)
    elif end == "expiry":
        if until != "active":
            world.alice.refresh(0)
        world.relay.run_until(600.0)
    elif end == "disconnect":
        world.relay.server.disconnected(world.alice.path, "reset", 1.0)
    else:
        world.relay.server.close(1.0)
    world.relay.drain()

    assert world.closed() == [connection_id]
    assert world.relay.server.stats().connections == 0
    assert world.relay.events[-1] != world.connects()[-1]
    before = len(world.relay.sent)
    world.relay.server.peer_disconnected(connection_id, 601.0)
    world.relay.run_until(700.0)
    assert world.relay.sent[before:] == []
