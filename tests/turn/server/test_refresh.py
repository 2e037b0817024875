"""Refresh: RFC 8656 section 8.2, and when an allocation ends."""

from __future__ import annotations

import pytest

from stun import (
    AddressFamily,
    AnyAttribute,
    Lifetime,
    Method,
    RequestedAddressFamily,
    UnknownAttribute,
)
from transport import TransportProtocol
from turn.server import AllocationEnd, AllocationEnded, DropReason

from .harness import PEER, Client, Relay, client_on, code


def lifetime_of(client: Client, *attributes: AnyAttribute) -> int:
    response = client.ask(Method.REFRESH, *attributes)
    lifetime = response.get(Lifetime)
    assert lifetime is not None, code(response)
    assert response.has_integrity
    return lifetime.lifetime


@pytest.mark.parametrize(
    ("requested", "granted"),
    [(None, 600), (60, 600), (600, 600), (1200, 1200), (3600, 3600), (2**31, 3600)],
)
@pytest.mark.requirement("stun-turn:TURN-REFR-02", "stun-turn:TURN-REFR-03")
def test_the_lifetime_begins_anew(requested: int | None, granted: int) -> None:
    relay = Relay()
    client = Client(relay)
    relayed = client.allocate()
    relay.run_until(500.0)
    wanted = () if requested is None else (Lifetime(requested),)

    assert lifetime_of(client, *wanted) == granted

    relay.run_until(499.999 + granted)
    assert relay.released == []
    relay.run_until(500.0 + granted)
    assert relay.released == [relayed]
    assert relay.now == 500.0 + granted


def test_a_lifetime_can_be_made_shorter() -> None:
    relay = Relay()
    client = Client(relay)
    client.allocate(Lifetime(3600))

    lifetime_of(client, Lifetime(600))

    relay.run_until(600.0)
    assert len(relay.released) == 1


@pytest.mark.requirement("stun-turn:TURN-REFR-01")
def test_a_refresh_with_lifetime_0_deletes_the_allocation() -> None:
    relay = Relay()
    client = Client(relay)
    relayed = client.allocate()
    client.permit(PEER)
    client.bind(0x4000, PEER)

    assert lifetime_of(client, Lifetime(0)) == 0

    assert relay.released == [relayed]
    assert relay.table.entries == {}
    assert relay.server.next_timeout() is None
    assert code(client.refresh()) == 437
    assert relay.receive_relayed(b"late", PEER, relayed) == []
    assert relay.server.stats().drops == {DropReason.UNKNOWN_RELAY: 1}
    assert client.allocate() != relayed


@pytest.mark.requirement("stun-turn:TURN-REFR-09")
def test_a_retransmitted_deletion_is_437() -> None:
    relay = Relay()
    client = Client(relay)
    client.allocate()
    data = client.request(Method.REFRESH, Lifetime(0))

    assert code(client.answer(data)) == 0
    assert code(client.answer(data)) == 437


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        pytest.param(RequestedAddressFamily(AddressFamily.IPV4), 0, id="same"),
        pytest.param(RequestedAddressFamily(AddressFamily.IPV6), 443, id="other"),
        pytest.param(RequestedAddressFamily(9), 443, id="unknown"),
        pytest.param(UnknownAttribute(0x0017, b"\1\0"), 400, id="malformed"),
    ],
)
@pytest.mark.requirement("stun-turn:TURN-REFR-04")
def test_the_family_must_be_the_allocations(family: AnyAttribute, expected: int) -> None:
    relay = Relay()
    client = Client(relay)
    client.allocate()

    assert code(client.ask(Method.REFRESH, family, Lifetime(0))) == expected

    assert len(relay.released) == (expected == 0)


def test_a_malformed_lifetime_is_400_and_deletes_nothing() -> None:
    relay = Relay()
    client = Client(relay)
    client.allocate()

    assert code(client.ask(Method.REFRESH, UnknownAttribute(0x000D, b"\0\0"))) == 400
    assert relay.released == []


@pytest.mark.requirement("stun-turn:TURN-REFR-07", "stun-turn:TURN-REFR-08")
def test_data_keeps_nothing_alive_and_time_ends_all() -> None:
    relay = Relay()
    client = Client(relay)
    relayed = client.allocate()
    for second in range(0, 600, 50):
        relay.run_until(float(second))
        client.permit(PEER)
        assert client.send_to(PEER, b"out")
        assert relay.receive_relayed(b"in", PEER, relayed)

    relay.run_until(600.0)

    ended = relay.events[-1]
    assert isinstance(ended, AllocationEnded)
    assert (ended.reason, ended.relayed) == (AllocationEnd.EXPIRED, relayed)
    assert (ended.meter.sent_packets, ended.meter.received_bytes) == (12, 24)
    assert client.send_to(PEER, b"out") == []
    assert code(client.refresh()) == 437


def test_time_counts_even_if_no_timeout_was_handled() -> None:
    relay = Relay()
    client = Client(relay)
    relayed = client.allocate()
    client.permit(PEER)
    relay.now = 600.0

    assert relay.receive_relayed(b"in", PEER, relayed) == []
    assert relay.released == [relayed]


@pytest.mark.requirement("stun-turn:SEC-16")
def test_a_closed_stream_takes_its_allocation_along() -> None:
    relay = Relay()
    client = client_on(relay, 1000, transport=TransportProtocol.TLS)
    relay.server.connected(client.path, 0.0)
    relayed = client.allocate()

    relay.server.disconnected(client.path, "closed by the peer", 1.0)
    relay.drain()

    assert relay.released == [relayed]
    ended = relay.events[-1]
    assert isinstance(ended, AllocationEnded)
    assert ended.reason is AllocationEnd.DISCONNECTED


def test_closing_the_server_ends_all_allocations() -> None:
    relay = Relay()
    relayed = {client_on(relay, 1000 + number).allocate() for number in range(3)}

    relay.server.close(1.0)
    relay.drain()

    assert set(relay.released) == relayed
    assert relay.server.next_timeout() is None
