"""Streams that are used for nothing are closed."""

from __future__ import annotations

import pytest

from stun import Method
from transport import CloseRequested, Path, StreamMachine, TransportAddress, TransportProtocol
from turn.server.limits import MAX_STREAMS

from .harness import CLIENT, LISTENING, UDP_REQUEST, Relay, client_on, code

PATH = Path(TransportProtocol.TCP, LISTENING, CLIENT)


def closed(relay: Relay) -> list[CloseRequested]:
    return [event for event in relay.events if isinstance(event, CloseRequested)]


def test_the_server_is_a_stream_machine() -> None:
    assert isinstance(Relay().server, StreamMachine)


@pytest.mark.requirement("stun-turn:STUNS-TCP-05", "stun-turn:STUNS-TCP-02", "stun-turn:SEC-14")
def test_a_stream_without_an_allocation_is_closed_after_a_minute() -> None:
    relay = Relay()
    client = client_on(relay, CLIENT.port, transport=TransportProtocol.TCP)
    relay.server.connected(PATH, 0.0)
    assert code(client.bare(Method.BINDING)) == 0
    relay.run_until(59.999)
    assert closed(relay) == []

    relay.run_until(60.0)

    assert closed(relay) == [CloseRequested(PATH)]
    assert relay.server.next_timeout() is None


def test_a_stream_with_an_allocation_stays_until_it_has_lost_it() -> None:
    relay = Relay()
    client = client_on(relay, CLIENT.port, transport=TransportProtocol.TCP)
    relay.server.connected(PATH, 0.0)
    client.allocate()
    relay.run_until(599.0)
    assert closed(relay) == []

    relay.run_until(660.0)

    assert closed(relay) == [CloseRequested(PATH)]


def test_a_stream_whose_allocation_is_being_made_stays() -> None:
    relay = Relay()
    relay.opens = False
    client = client_on(relay, CLIENT.port, transport=TransportProtocol.TCP)
    relay.server.connected(PATH, 0.0)
    client.fetch_nonce()
    relay.run_until(55.0)
    client.send(client.request(Method.ALLOCATE, UDP_REQUEST))

    relay.run_until(60.0)

    assert closed(relay) == []


def test_a_stream_that_went_by_itself_is_forgotten() -> None:
    relay = Relay()
    relay.server.connected(PATH, 0.0)

    relay.server.disconnected(PATH, "reset", 1.0)

    assert relay.server.next_timeout() is None


@pytest.mark.requirement("stun-turn:SEC-14")
def test_streams_have_a_bound() -> None:
    relay = Relay()
    for number in range(MAX_STREAMS + 1):
        remote = TransportAddress(CLIENT.ip, 1024 + number)
        relay.server.connected(Path(TransportProtocol.TCP, LISTENING, remote), 0.0)
    relay.drain()

    (close,) = closed(relay)
    assert close.path.remote.port == 1024 + MAX_STREAMS
