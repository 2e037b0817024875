"""Finding out that a server is there, or not, and giving way to a faster client."""

from __future__ import annotations

import pytest

from transport import CloseRequested, ConnectRequested, Path, TransportAddress, TransportProtocol
from turn.client import (
    Allocated,
    AllocationFailed,
    AllocationReleased,
    ClientConfig,
    ClientState,
    FailureReason,
)

from .script import HERE, MAPPED, PATH, PEER, SERVER, Script, allocated

DTLS = TransportProtocol.DTLS
CONNECTED = Path(DTLS, TransportAddress(HERE.ip, 5000), SERVER)


def test_a_challenge_shows_that_the_server_is_there() -> None:
    script = Script()
    script.allocate()
    assert script.reached == []

    script.challenge(script.take_one())

    assert script.reached == [0.0]


@pytest.mark.requirement("stun-turn:STUNC-UDP-09")
def test_a_closed_port_fails_the_allocation_at_once() -> None:
    script = Script()
    script.allocate()

    script.client.unreachable(PATH, 0.1)
    script.drain()

    assert script.events_of(AllocationFailed) == [AllocationFailed(None, FailureReason.UNREACHABLE)]


def test_an_icmp_error_is_no_proof_that_an_allocation_is_lost() -> None:
    script = allocated()

    script.client.unreachable(PATH, 0.1)
    script.permit(PEER.ip)
    script.client.unreachable(Path(PATH.transport, HERE, MAPPED), 0.1)
    script.drain()

    assert script.client.state is ClientState.ALLOCATED
    script.succeed(script.take_one())
    assert script.client.has_permission(PEER.ip)


# RFC 8656 section 3.9


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-12")
def test_what_a_server_without_credentials_grants_a_slower_client_is_deleted() -> None:
    script = Script()
    script.allocate()
    request = script.take_one()

    script.client.abandon(0.0)
    script.drain()
    assert script.events == []
    script.grant(request)

    assert script.take_one().lifetime == 0
    assert script.client.state is ClientState.RELEASING
    assert not script.events_of(Allocated)


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-12")
def test_a_slower_client_that_is_asked_for_credentials_gives_up_silently() -> None:
    script = Script()
    script.allocate()
    request = script.take_one()
    script.client.abandon(0.0)

    script.challenge(request)

    assert script.take() == []
    assert script.events == [(0.0, AllocationReleased())]
    assert script.client.state is ClientState.CLOSED


def test_a_slower_client_that_is_refused_or_not_answered_is_done() -> None:
    refused, unanswered = Script(), Script()
    for script in (refused, unanswered):
        script.allocate()
        script.client.abandon(0.0)

    refused.fail_unsigned(refused.take_one(), 508)
    unanswered.advance(39.5)

    assert refused.events == [(0.0, AllocationReleased())]
    assert unanswered.events == [(39.5, AllocationReleased())]


def test_a_client_with_credentials_is_released_as_ever() -> None:
    script = allocated()

    script.client.abandon(0.0)
    script.drain()

    assert script.take_one().lifetime == 0


# RFC 7350


@pytest.mark.requirement("stun-turn:STUNC-TCP-05")
def test_over_dtls_an_association_is_asked_for_first_and_kept() -> None:
    script = Script(Path(DTLS, HERE, SERVER), config=ClientConfig(server_name="relay.example"))
    script.allocate()
    assert script.take() == []
    assert script.events == [(0.0, ConnectRequested(DTLS, SERVER, "relay.example"))]

    script.client.connected(CONNECTED, 0.0)
    script.drain()
    script.challenge(script.take_one())
    script.grant(script.take_one())
    script.advance(500.0)

    assert script.events_of(Allocated)
    assert script.reached
    assert not script.events_of(CloseRequested)
    script.take()
    script.release()
    script.succeed(script.take_one())
    assert script.events_of(CloseRequested) == [CloseRequested(CONNECTED)]


def test_over_dtls_requests_are_sent_again() -> None:
    script = Script(Path(DTLS, HERE, SERVER))
    script.allocate()
    script.client.connected(CONNECTED, 0.0)
    script.drain()

    script.advance(1.0)

    assert [sent.at for sent in script.take()] == [0.0, 0.5]
