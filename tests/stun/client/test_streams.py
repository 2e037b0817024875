"""Requests over TCP, TLS and DTLS: connections that come and go."""

from __future__ import annotations

import pytest

from stun.client import ClientConfig, FailureReason, RequestFailed, RequestSucceeded, ServerReached
from transport import (
    CloseRequested,
    ConnectRequested,
    Path,
    ResetRequested,
    TransportAddress,
    TransportProtocol,
)

from .script import MAPPED, SERVER, Script

TCP, TLS, DTLS = TransportProtocol.TCP, TransportProtocol.TLS, TransportProtocol.DTLS
NOWHERE = Path(TCP, TransportAddress.parse("0.0.0.0", 0), SERVER)


def connected(transport: TransportProtocol = TCP) -> Script:
    """With a first Binding done."""
    script = Script(transport)
    script.ask()
    script.connect()
    script.succeed(script.take_one())
    return script


@pytest.mark.parametrize("transport", [TCP, TLS, DTLS])
def test_the_first_request_asks_for_a_connection_to_the_servers_name(
    transport: TransportProtocol,
) -> None:
    script = Script(transport, config=ClientConfig(server_name="stun.example"))

    script.ask()

    assert script.take() == []
    assert script.events == [(0.0, ConnectRequested(transport, SERVER, "stun.example"))]
    path = script.connect()
    assert script.events_of(ServerReached)
    script.succeed(script.take_one())
    assert script.success.path == path
    assert script.success.mapped == MAPPED


@pytest.mark.requirement("stun-turn:STUNC-TCP-05")
def test_the_connection_stays_open_between_requests() -> None:
    script = connected()
    script.advance(3600.0)

    script.ask()
    script.succeed(script.take_one())

    assert len(script.events_of(RequestSucceeded)) == 2
    assert script.connections == 1
    assert not script.events_of(CloseRequested)


@pytest.mark.requirement("stun-turn:STUNC-TCP-03")
def test_a_reset_fails_all_that_is_under_way_or_waits() -> None:
    script = connected()
    for _ in range(12):
        script.ask()

    script.disconnect(script.client.path)

    failures = script.events_of(RequestFailed)
    assert [each.reason for each in failures] == [FailureReason.UNREACHABLE] * 12
    assert script.client.next_timeout() is None


@pytest.mark.requirement("stun-turn:STUNC-TCP-03")
def test_a_connection_that_cannot_be_opened_fails_what_waits_for_it() -> None:
    script = Script(TCP)
    script.ask()

    script.disconnect(NOWHERE)

    assert script.failure.reason is FailureReason.UNREACHABLE


@pytest.mark.requirement("stun-turn:STUNC-TCP-06")
def test_after_a_reset_the_next_request_makes_another_connection() -> None:
    script = connected()
    script.disconnect(script.client.path)

    script.ask()
    script.connect()
    script.succeed(script.take_one())

    assert script.connections == 2
    assert len(script.events_of(RequestSucceeded)) == 2


@pytest.mark.requirement("stun-turn:STUNC-TCP-06")
def test_a_connection_that_has_died_in_silence_is_reset_and_another_one_tried() -> None:
    script = connected()
    dead = script.client.path
    script.ask()
    script.advance(10.0)
    script.ask()
    script.take()

    script.advance(39.5)

    (at, reset) = script.events[-2]
    assert (at, reset) == (39.5, ResetRequested(dead))
    alive = script.connect()
    script.disconnect(dead)
    assert not script.events_of(RequestFailed)
    for request in script.take():
        script.succeed(request)
    assert [each.path for each in script.events_of(RequestSucceeded)] == [dead, alive, alive]


@pytest.mark.requirement("stun-turn:STUNC-TCP-06")
def test_a_request_that_is_unanswered_on_the_new_connection_too_has_failed() -> None:
    script = connected()
    script.ask()
    script.advance(39.5)
    script.connect()

    script.advance(39.5 + 39.5)

    assert script.failure.reason is FailureReason.TIMED_OUT
    assert script.connections == 2


def test_a_fresh_connection_without_an_answer_is_not_replaced() -> None:
    script = Script(TCP)
    script.ask()
    script.connect()

    script.advance(60.0)

    assert script.failure.reason is FailureReason.TIMED_OUT
    assert not script.events_of(ResetRequested)


@pytest.mark.requirement("stun-turn:STUNC-TCP-01")
@pytest.mark.parametrize(("transport", "copies"), [(TCP, 1), (TLS, 1), (DTLS, 7)])
def test_what_is_reliable_carries_one_copy(transport: TransportProtocol, copies: int) -> None:
    script = Script(transport)
    script.ask()
    script.connect()

    script.advance(60.0)

    assert len(script.sent) == copies


def test_close_closes_the_connection() -> None:
    script = connected()
    path = script.client.path

    script.client.close(0.0)
    script.drain()

    assert script.events_of(CloseRequested) == [CloseRequested(path)]


def test_a_connection_that_nobody_waits_for_any_more_is_closed() -> None:
    script = Script(TCP)
    script.ask()
    script.client.close(0.0)

    path = script.connect()

    assert script.events_of(CloseRequested) == [CloseRequested(path)]
    assert script.take() == []
