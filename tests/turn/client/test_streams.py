"""The client over TCP and TLS (RFC 8656 sections 3.1 and 12.5), from a scripted server."""

from __future__ import annotations

import pytest

from stun import Lifetime, Method
from transport import (
    CloseRequested,
    ConnectRequested,
    Path,
    StreamMachine,
    TransportAddress,
    TransportProtocol,
)
from turn.client import (
    Allocated,
    AllocationFailed,
    AllocationLost,
    AllocationReleased,
    ClientConfig,
    ClientState,
    FailureReason,
)

from .script import HERE, PEER, SERVER, Script

UNKNOWN = TransportAddress.parse("0.0.0.0", 0)
UNCONNECTED = Path(TransportProtocol.TLS, UNKNOWN, SERVER)
CONNECTED = Path(TransportProtocol.TLS, HERE, SERVER)


def connecting() -> Script:
    script = Script(UNCONNECTED, config=ClientConfig(server_name="relay.example"))
    script.allocate()
    return script


def connected() -> Script:
    script = connecting()
    script.client.connected(CONNECTED, script.now)
    script.drain()
    script.challenge(script.take_one())
    script.grant(script.take_one())
    return script


def disconnect(script: Script, reason: str = "reset") -> None:
    script.client.disconnected(script.client.path, reason, script.now)
    script.drain()


def test_the_stream_is_asked_for_first() -> None:
    script = connecting()

    assert isinstance(script.client, StreamMachine)
    assert script.events == [
        (0.0, ConnectRequested(TransportProtocol.TLS, SERVER, "relay.example"))
    ]
    assert script.sent == []


def test_the_allocation_is_asked_for_on_the_open_stream() -> None:
    script = connecting()

    script.client.connected(CONNECTED, 1.0)
    script.drain()

    request = script.take_one()
    assert (request.method, request.path) == (Method.ALLOCATE, CONNECTED)
    script.challenge(request)
    script.grant(script.take_one())
    assert script.events_of(Allocated)


def test_nothing_is_repeated_on_a_stream() -> None:
    script = connecting()
    script.client.connected(CONNECTED, 0.0)
    script.drain()

    script.advance(100.0)

    assert len(script.sent) == 1
    assert (39.5, AllocationFailed(None, FailureReason.TIMED_OUT)) in script.events
    assert script.events_of(CloseRequested) == [CloseRequested(CONNECTED)]


@pytest.mark.requirement("stun-turn:TURNC-CHAN-07")
@pytest.mark.parametrize(("length", "padded"), [(0, 0), (1, 4), (2, 4), (3, 4), (4, 4), (5, 8)])
def test_channel_data_on_a_stream_is_padded(length: int, padded: int) -> None:
    script = connected()
    script.get_channel(PEER)

    script.send(PEER, b"x" * length)

    ((_, (message,)),) = script.channel_data
    assert message[2:] == length.to_bytes(2, "big") + b"x" * length + bytes(padded - length)


@pytest.mark.parametrize("until", ["connecting", "allocating"])
def test_a_stream_that_ends_before_the_allocation_is_a_failure(until: str) -> None:
    script = connecting()
    if until == "allocating":
        script.client.connected(CONNECTED, 0.0)

    disconnect(script, "refused")

    failed = AllocationFailed(None, FailureReason.UNREACHABLE, "refused")
    assert script.events_of(AllocationFailed) == [failed]
    assert script.client.next_timeout() is None


def test_a_stream_that_ends_takes_the_allocation_along() -> None:
    script = connected()

    disconnect(script)

    assert script.events_of(AllocationLost) == [AllocationLost(FailureReason.UNREACHABLE)]


def test_release_closes_the_stream_after_the_deletion() -> None:
    script = connected()
    script.release()
    assert script.events_of(CloseRequested) == []

    script.succeed(script.take_one(), Lifetime(0))

    assert [event for _, event in script.events[-2:]] == [
        AllocationReleased(),
        CloseRequested(CONNECTED),
    ]


def test_a_stream_that_ends_during_the_deletion_ends_it() -> None:
    script = connected()
    script.release()

    disconnect(script)
    disconnect(script)

    assert script.events_of(AllocationReleased) == [AllocationReleased()]


def test_a_stream_that_opens_too_late_is_closed_again() -> None:
    script = connecting()
    script.release()

    script.client.connected(CONNECTED, 1.0)
    script.drain()

    assert script.client.state is ClientState.CLOSED
    assert script.events_of(CloseRequested) == [CloseRequested(CONNECTED)]
    assert script.sent == []
