"""Keeping an allocation, and letting it go (RFC 8656 section 8)."""

from __future__ import annotations

import pytest

from stun import AnyAttribute, Lifetime, Method, RequestedTransport, Software, UnknownAttribute
from turn.client import (
    AllocationLost,
    AllocationReleased,
    ClientConfig,
    ClientState,
    FailureReason,
)

from .script import PEER, allocated, silence


@pytest.mark.requirement("stun-turn:TURNC-LIFE-01")
@pytest.mark.requirement("stun-turn:TURNC-ALLOC-05")
@pytest.mark.parametrize(
    ("lifetime", "refresh_at"), [(3600, 3510.0), (600, 510.0), (120, 60.0), (60, 30.0), (1, 0.5)]
)
def test_the_allocation_is_refreshed_well_before_the_granted_lifetime_ends(
    lifetime: int, refresh_at: float
) -> None:
    script = allocated(lifetime=lifetime, config=ClientConfig(lifetime=1200))

    script.advance(refresh_at)

    request = script.take_one()
    assert (request.at, request.method) == (refresh_at, Method.REFRESH)
    assert request.lifetime == 1200
    assert request.message.has(Software)
    assert not request.message.has(RequestedTransport)


def test_each_refresh_is_followed_by_the_next() -> None:
    script = allocated()
    times = []

    for _ in range(3):
        deadline = script.client.next_timeout()
        assert deadline is not None
        script.advance(deadline)
        times.append(script.now)
        script.advance(script.now + 0.25)
        script.succeed(script.take_one(), Lifetime(600))

    # The server's time runs from when the request came, at the earliest when it was sent.
    assert times == [510.0, 1020.0, 1530.0]


@pytest.mark.requirement("stun-turn:TURNC-LIFE-04")
@pytest.mark.requirement("stun-turn:STUNC-LTC-04")
def test_a_stale_nonce_is_replaced_at_once() -> None:
    script = allocated()
    script.advance(510.0)

    script.challenge(script.take_one(), code=438, nonce="fresh")

    request = script.take_one()
    assert (request.at, request.method, request.nonce) == (510.0, Method.REFRESH, "fresh")
    script.succeed(request, Lifetime(600))
    assert script.client.next_timeout() == 1020.0


@pytest.mark.requirement("stun-turn:TURNC-LIFE-07")
def test_a_refresh_that_is_not_answered_is_tried_again_until_the_allocation_expires() -> None:
    script = allocated()

    sent = silence(script, 700.0)

    starts = {request.message.transaction_id: request.at for request in reversed(sent)}
    assert sorted(starts.values()) == [510.0, 554.5, 599.0]
    assert script.events[1:] == [(600.0, AllocationLost(FailureReason.EXPIRED))]
    assert script.client.next_timeout() is None


@pytest.mark.requirement("stun-turn:TURNC-LIFE-07")
def test_a_refresh_that_succeeds_late_saves_the_allocation() -> None:
    script = allocated()
    script.advance(580.0)

    script.succeed(script.take()[-1], Lifetime(600))

    script.advance(610.0)
    assert script.client.state is ClientState.ALLOCATED


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param((), id="no lifetime"),
        pytest.param((UnknownAttribute(Lifetime.TYPE, b""),), id="a malformed lifetime"),
    ],
)
def test_a_refresh_that_grants_nothing_is_repeated(attributes: tuple[AnyAttribute, ...]) -> None:
    script = allocated()
    script.advance(510.0)

    script.succeed(script.take_one(), *attributes)

    script.advance(515.0)
    assert script.take_one().method == Method.REFRESH


@pytest.mark.parametrize("code", [401, 403, 441, 486, 500, 508])
def test_an_error_to_a_refresh_leaves_the_allocation_until_it_expires(code: int) -> None:
    script = allocated()
    script.advance(510.0)
    script.fail(script.take_one(), code)

    while script.client.next_timeout() is not None:
        script.advance(script.now + 5.0)
        for request in script.take():
            script.fail(request, code)

    assert script.events[1:] == [(600.0, AllocationLost(FailureReason.EXPIRED, code))]


@pytest.mark.requirement("stun-turn:TURNC-LIFE-03")
def test_437_to_a_refresh_is_the_end_of_the_allocation() -> None:
    script = allocated()
    script.advance(510.0)

    script.fail(script.take_one(), 437)

    assert script.events_of(AllocationLost) == [AllocationLost(FailureReason.MISMATCH, 437)]
    assert script.client.state is ClientState.CLOSED
    assert script.client.next_timeout() is None
    assert not script.send(PEER, b"data")


@pytest.mark.requirement("stun-turn:TURNC-LIFE-02")
def test_release_deletes_the_allocation() -> None:
    script = allocated()

    script.release()

    request = script.take_one()
    assert (request.method, request.lifetime) == (Method.REFRESH, 0)
    assert script.events_of(AllocationReleased) == []
    script.succeed(request, Lifetime(0))
    assert script.events_of(AllocationReleased) == [AllocationReleased()]
    assert script.client.next_timeout() is None


@pytest.mark.requirement("stun-turn:TURNC-LIFE-03")
@pytest.mark.parametrize("code", [437, 441, 500])
def test_an_error_to_the_deletion_is_as_good_as_success(code: int) -> None:
    script = allocated()
    script.release()

    script.fail(script.take_one(), code)

    assert script.events_of(AllocationReleased)


@pytest.mark.requirement("stun-turn:TURNC-LIFE-02")
def test_release_ends_though_the_server_is_silent() -> None:
    script = allocated()
    script.release()

    script.advance(40.0)

    assert script.events[-1] == (39.5, AllocationReleased())


def test_a_stale_nonce_does_not_stop_the_deletion() -> None:
    script = allocated()
    script.release()

    script.challenge(script.take_one(), code=438, nonce="fresh")

    request = script.take_one()
    assert (request.lifetime, request.nonce) == (0, "fresh")


def test_release_forgets_what_is_under_way_and_is_done_once() -> None:
    script = allocated()
    script.bind()
    script.release()
    script.take()

    script.release()

    assert script.take() == []
    script.advance(40.0)
    assert {request.method for request in script.take()} == {Method.REFRESH}
    assert len(script.events_of(AllocationReleased)) == 1


def test_nothing_is_refreshed_during_the_deletion() -> None:
    script = allocated()
    script.get_permission(PEER.ip)
    script.get_channel(PEER)
    script.advance(205.0)
    script.release()

    script.advance(244.0)

    assert {request.method for request in script.take()} == {Method.REFRESH}


def test_a_late_answer_after_the_end_does_nothing() -> None:
    script = allocated()
    script.permit(PEER.ip)
    request = script.take_one()
    script.release()
    script.succeed(script.take_one(), Lifetime(0))
    events = list(script.events)

    script.succeed(request)

    assert script.events == events
