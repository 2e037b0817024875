"""ConnectionAttempt: a peer opens a connection (RFC 6062 section 5.3)."""

from __future__ import annotations

import dataclasses
from ipaddress import ip_network

import pytest

from stun import Method, XorPeerAddress
from tests.turn.server.harness import LISTENING, PEER, RELAY_IP, client_on, code
from transport import TransportAddress
from turn.server import DropReason
from turn.server.limits import MAX_CONNECTIONS_OF_ALLOCATION, MAX_UNBOUND_ATTEMPTS

from .harness import ENABLED, TcpWorld, allocate, attempts, bind, control


def permitted(world: TcpWorld, *peers: TransportAddress) -> TcpWorld:
    assert code(world.alice.permit(*(peers or (PEER,)))) == 0
    return world


@pytest.mark.requirement("stun-turn:TURN-TCP-14")
def test_a_peer_with_permission_is_told_to_the_client_on_the_control_connection() -> None:
    world = permitted(TcpWorld())

    connection_id, sent = world.accept()

    assert connection_id is not None
    assert attempts(sent) == [(PEER, connection_id)]
    assert sent[0].path == world.alice.path


@pytest.mark.requirement("stun-turn:TURN-TCP-14")
def test_a_peer_without_permission_is_closed_and_not_told() -> None:
    world = TcpWorld()

    assert world.accept() == (None, [])

    assert world.relay.server.stats().drops[DropReason.NO_PERMISSION] == 1


@pytest.mark.requirement("stun-turn:TURN-TCP-14")
def test_a_permission_counts_until_it_expires_and_connections_outlive_it() -> None:
    world = permitted(TcpWorld())
    connection_id, _ = world.accept()
    assert connection_id is not None
    assert code(bind(world.data_client(), connection_id)) == 0

    world.relay.run_until(300.0)

    assert world.accept(TransportAddress(PEER.ip, 1))[0] is None
    assert world.closed() == []


@pytest.mark.requirement("stun-turn:TURN-TCP-13")
def test_an_attempt_that_is_not_bound_is_closed_after_30_seconds() -> None:
    world = permitted(TcpWorld())
    connection_id, _ = world.accept()
    world.relay.run_until(29.999)
    assert world.closed() == []

    world.relay.run_until(30.0)

    assert world.closed() == [connection_id]
    assert world.accept()[0] is not None


def test_a_peer_at_an_address_that_is_not_allocated_any_more_is_closed() -> None:
    world = permitted(TcpWorld())
    world.alice.refresh(0)

    assert world.accept() == (None, [])


def test_a_udp_allocation_has_no_peers_that_connect() -> None:
    world = TcpWorld()
    udp = client_on(world.relay, 1000)
    relayed = udp.allocate()
    udp.permit(PEER)

    assert world.relay.server.peer_accepted(relayed, PEER, 0.0) is None


def test_a_second_connection_of_the_same_peer_is_closed() -> None:
    world = permitted(TcpWorld())
    world.accept()

    assert world.accept() == (None, [])
    assert code(world.alice.ask(Method.CONNECT, XorPeerAddress(PEER))) == 446


def test_attempts_that_nobody_binds_have_a_bound_and_leave_room_for_connects() -> None:
    world = permitted(TcpWorld())
    peers = [TransportAddress(PEER.ip, 1 + n) for n in range(MAX_UNBOUND_ATTEMPTS + 1)]

    accepted = [world.accept(peer)[0] for peer in peers]

    assert MAX_UNBOUND_ATTEMPTS < MAX_CONNECTIONS_OF_ALLOCATION
    assert accepted[-1] is None
    assert None not in accepted[:-1]
    assert world.relay.server.stats().drops[DropReason.TOO_MANY_CONNECTIONS] == 1
    world.connect()
    assert accepted[0] is not None
    bind(world.data_client(), accepted[0])
    assert world.accept(peers[-1])[0] is not None


def test_a_process_of_the_relays_own_host_needs_more_than_a_permission() -> None:
    """A permission may be installed for our own address, as other clients' are there."""
    world = permitted(TcpWorld(), TransportAddress(RELAY_IP, 1))

    assert world.accept(TransportAddress(RELAY_IP, 50001)) == (None, [])
    assert world.relay.server.stats().drops[DropReason.FORBIDDEN_PEER] == 1


@pytest.mark.parametrize("advertised", [False, True], ids=["told", "advertised"])
def test_another_client_of_this_relay_is_known_by_the_address_it_was_told(
    advertised: bool,
) -> None:
    public = TransportAddress.parse("6.6.6.6", 1).ip
    settings = dataclasses.replace(ENABLED, advertised={RELAY_IP: public} if advertised else {})
    world = TcpWorld(settings)
    world.relayed = TransportAddress(RELAY_IP, world.relayed.port)
    told = allocate(control(world.relay, 1000, username="bob"))
    permitted(world, told)

    connection_id, sent = world.accept(TransportAddress(RELAY_IP, told.port))

    assert told.ip == (public if advertised else RELAY_IP)
    assert attempts(sent) == [(told, connection_id)]


def test_an_allowed_network_of_this_host_may_connect() -> None:
    allowed = dataclasses.replace(ENABLED, allow_peers=(ip_network("5.5.5.0/24"),))
    world = permitted(TcpWorld(allowed), TransportAddress(RELAY_IP, 1))

    assert world.accept(TransportAddress(RELAY_IP, 50001))[0] is not None
    assert world.accept(LISTENING)[0] is None
