"""ConnectionBind: a stream of the client's is joined with a peer's (RFC 6062 section 5.4)."""

from __future__ import annotations

import dataclasses

import pytest

from stun import ConnectionId, Message, Method, UnknownAttribute
from tests.turn.server.harness import SECRET, WALL_CLOCK, code, config
from transport import CloseRequested, TransportProtocol
from turn import make_credentials
from turn.server import ConnectionsJoined

from .harness import TCP_REQUEST, TcpWorld, bind, control


@pytest.mark.requirement("stun-turn:TURN-TCP-16")
@pytest.mark.parametrize("transport", [TransportProtocol.TCP, TransportProtocol.TLS])
def test_after_the_success_the_driver_joins_the_streams(transport: TransportProtocol) -> None:
    world = TcpWorld()
    connection_id = world.connect()
    client = control(world.relay, 41000, transport=transport)

    response = bind(client, connection_id)

    assert code(response) == 0
    assert response.has_integrity
    (joined,) = world.joined()
    assert (joined.client, joined.connection_id) == (client.path, connection_id)
    (allocation,) = world.relay.server.allocations(0.0)
    assert joined.meter is allocation.meter


def test_the_success_is_sent_before_the_streams_are_joined() -> None:
    world = TcpWorld()
    connection_id = world.connect()
    client = world.data_client()
    client.fetch_nonce()
    server = world.relay.server

    request = client.request(Method.CONNECTION_BIND, ConnectionId(connection_id))
    server.receive(request, client.path, 0.0)

    transmit, event = server.poll_transmit(), server.poll_event()
    assert transmit is not None
    assert Message.decode(transmit.segments[0]).method == Method.CONNECTION_BIND
    assert isinstance(event, ConnectionsJoined)


@pytest.mark.requirement("stun-turn:TURN-TCP-15")
@pytest.mark.parametrize("transport", [TransportProtocol.UDP, TransportProtocol.DTLS])
def test_over_datagrams_it_is_400(transport: TransportProtocol) -> None:
    world = TcpWorld()
    connection_id = world.connect()

    response = bind(control(world.relay, 41000, transport=transport), connection_id)

    assert code(response) == 400
    assert world.joined() == []


@pytest.mark.requirement("stun-turn:TURN-TCP-15")
@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param((), id="missing"),
        pytest.param((ConnectionId(12345),), id="unknown"),
        pytest.param((UnknownAttribute(ConnectionId.TYPE, b"\1\2\3"),), id="3-bytes"),
    ],
)
def test_without_a_pending_connection_it_is_400(
    attributes: tuple[ConnectionId | UnknownAttribute, ...],
) -> None:
    world = TcpWorld()
    world.connect()

    assert code(world.data_client().ask(Method.CONNECTION_BIND, *attributes)) == 400
    assert world.joined() == []


@pytest.mark.requirement("stun-turn:TURN-TCP-15")
@pytest.mark.parametrize("state", ["in-progress", "active"])
def test_a_connection_that_is_not_pending_is_400(state: str) -> None:
    world = TcpWorld()
    connection_id = world.request_connect()
    if state == "active":
        world.reach(connection_id)
        bind(world.data_client(), connection_id)
    joined = world.joined()

    assert code(bind(world.data_client(41001), connection_id)) == 400
    assert world.joined() == joined


@pytest.mark.requirement("stun-turn:TURN-TCP-15", "stun-turn:TURN-TCP-18")
def test_another_users_connection_is_441() -> None:
    world = TcpWorld()
    connection_id = world.connect()

    response = bind(world.data_client(username="bob"), connection_id)

    assert code(response) == 441
    assert world.joined() == []
    assert code(bind(world.data_client(41001), connection_id)) == 0


@pytest.mark.requirement("stun-turn:TURN-TCP-18")
def test_without_credentials_it_is_401_and_with_a_wrong_password_too() -> None:
    world = TcpWorld()
    connection_id = world.connect()
    stranger = world.data_client()
    assert code(stranger.bare(Method.CONNECTION_BIND, ConnectionId(connection_id))) == 401
    stranger.password = "wrong"

    response = stranger.answer(
        stranger.request(Method.CONNECTION_BIND, ConnectionId(connection_id))
    )

    assert code(response) == 401
    assert world.joined() == []


@pytest.mark.requirement("stun-turn:TURN-TCP-18", "stun-turn:SEC-24")
def test_the_credentials_of_the_control_connection_serve_after_their_end() -> None:
    settings = dataclasses.replace(config(users={}, secrets=[SECRET]), tcp_relay=True)
    username, password = make_credentials(SECRET, "room", int(WALL_CLOCK) + 100)
    world = TcpWorld(settings, username=username, password=password)
    world.relay.run_until(200.0)
    connection_id = world.connect()

    assert code(bind(world.data_client(), connection_id)) == 0


def test_on_a_stream_with_an_allocation_it_is_400() -> None:
    world = TcpWorld()
    connection_id = world.connect()

    assert code(bind(world.alice, connection_id)) == 400
    assert world.joined() == []


def test_on_a_stream_whose_allocation_is_being_made_it_is_400() -> None:
    world = TcpWorld()
    connection_id = world.connect()
    client = world.data_client()
    client.fetch_nonce()
    world.relay.opens = False
    client.send(client.request(Method.ALLOCATE, TCP_REQUEST))

    assert code(bind(client, connection_id)) == 400


def test_a_joined_stream_is_not_closed_for_being_without_an_allocation() -> None:
    world = TcpWorld()
    connection_id = world.connect()
    world.alice.refresh(3600)
    bind(world.data_client(), connection_id)

    world.relay.run_until(500.0)

    assert not [each for each in world.relay.events if isinstance(each, CloseRequested)]
    assert world.closed() == []


def test_a_stream_that_was_refused_is_closed_as_any_other() -> None:
    world = TcpWorld()
    client = world.data_client()
    bind(client, 1)

    world.relay.run_until(60.0)

    closed = [each for each in world.relay.events if isinstance(each, CloseRequested)]
    assert closed == [CloseRequested(client.path)]
