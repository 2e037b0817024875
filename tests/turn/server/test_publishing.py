"""The forwarding table holds an entry exactly while data may flow on a channel."""

from __future__ import annotations

import pytest

from transport import TransportAddress
from turn.server import ForwardingEntry, TurnServer

from .harness import PEER, Client, Relay, config, counted_random

OTHER_PORT = TransportAddress(PEER.ip, 7001)


def bound() -> tuple[Relay, Client, TransportAddress]:
    relay = Relay()
    client = Client(relay)
    relayed = client.allocate()
    client.bind(0x4000, PEER)
    return relay, client, relayed


def test_binding_a_channel_publishes_an_entry() -> None:
    relay, client, relayed = bound()

    (snapshot,) = relay.server.allocations(0.0)
    assert relay.table.entries == {
        (client.path, 0x4000): ForwardingEntry(client.path, 0x4000, relayed, PEER, snapshot.meter)
    }


def test_refreshing_says_nothing_new() -> None:
    relay, client, _ = bound()

    client.bind(0x4000, PEER)
    client.permit(PEER)
    client.refresh()

    assert relay.table.calls == ["upsert"]


def test_a_permission_alone_publishes_nothing() -> None:
    relay = Relay()
    client = Client(relay)
    client.allocate()

    client.permit(PEER)

    assert relay.table.entries == {}


@pytest.mark.requirement("stun-turn:TURN-PERM-08")
def test_an_entry_goes_with_the_permission_and_comes_back_with_it() -> None:
    relay, client, _ = bound()
    client.bind(0x4001, OTHER_PORT)
    relay.run_until(299.999)
    assert len(relay.table.entries) == 2
    relay.run_until(300.0)
    assert relay.table.entries == {}

    client.permit(PEER)

    assert len(relay.table.entries) == 2


@pytest.mark.requirement("stun-turn:TURN-CHAN-08")
def test_an_entry_goes_with_its_binding() -> None:
    relay, client, _ = bound()
    client.refresh(3600)
    for second in (250.0, 500.0):
        relay.run_until(second)
        client.permit(PEER)
    relay.run_until(599.999)
    assert len(relay.table.entries) == 1

    relay.run_until(600.0)

    assert relay.table.entries == {}


def test_entries_go_with_the_allocation() -> None:
    relay, client, _ = bound()
    client.bind(0x4001, OTHER_PORT)

    client.refresh(0)

    assert relay.table.entries == {}
    assert relay.table.calls == ["upsert", "upsert", "remove", "remove"]


def test_what_a_plane_counts_shows_in_the_allocation() -> None:
    relay, _, _ = bound()
    (entry,) = relay.table.entries.values()

    entry.meter.sent_packets += 5

    assert relay.server.allocations(0.0)[0].meter.sent_packets == 5


def test_a_server_needs_no_table() -> None:
    relay = Relay()
    relay.server = TurnServer(config(), random_bytes=counted_random())
    client = Client(relay)
    relayed = client.allocate()
    client.bind(0x4000, PEER)

    assert relay.receive_relayed(b"in", PEER, relayed)
    client.refresh(0)
    assert relay.receive_relayed(b"in", PEER, relayed) == []
