"""Dual allocations: RFC 8656 sections 7.2 (ADDITIONAL-ADDRESS-FAMILY) and 8.1."""

from __future__ import annotations

import dataclasses
from ipaddress import ip_address

import pytest

from stun import (
    AdditionalAddressFamily,
    AddressErrorCode,
    AddressFamily,
    AnyAttribute,
    EvenPort,
    Message,
    Method,
    RequestedAddressFamily,
    XorRelayedAddress,
)
from transport import IPAddress, TransportAddress
from turn import make_credentials
from turn.channel_data import ChannelData
from turn.server import AllocationEnd, AllocationEnded
from turn.server.limits import MAX_PORT_ATTEMPTS

from .harness import (
    PEER,
    PEER_6,
    RELAY_IP,
    RELAY_IP_6,
    SECRET,
    UDP_REQUEST,
    WALL_CLOCK,
    Client,
    Relay,
    client_on,
    code,
    config,
)

IPV4 = RequestedAddressFamily(AddressFamily.IPV4)
IPV6 = RequestedAddressFamily(AddressFamily.IPV6)
IPV6_TOO = AdditionalAddressFamily(AddressFamily.IPV6)
CHANNEL, CHANNEL_6 = 0x4001, 0x4002


def relayed_of(response: Message) -> list[TransportAddress]:
    assert code(response) == 0
    return [each.address for each in response.get_all(XorRelayedAddress)]


def dual(relay: Relay, client: Client) -> tuple[TransportAddress, TransportAddress]:
    """A dual allocation with a permission and a channel of each family."""
    ipv4, ipv6 = relayed_of(client.ask(Method.ALLOCATE, UDP_REQUEST, IPV6_TOO))
    for number, peer in ((CHANNEL, PEER), (CHANNEL_6, PEER_6)):
        assert code(client.bind(number, peer)) == 0
    return ipv4, ipv6


@pytest.mark.parametrize("even", [(), (EvenPort(reserve_next=False),)], ids=["any", "even"])
@pytest.mark.requirement("stun-turn:TURN-ALLOC-15")
def test_an_additional_family_gives_an_address_of_each(even: tuple[AnyAttribute, ...]) -> None:
    relay = Relay()
    client = Client(relay)
    request = client.request(Method.ALLOCATE, UDP_REQUEST, IPV6_TOO, *even)

    first, again = client.answer(request), client.answer(request)

    ipv4, ipv6 = relayed_of(first)
    assert (ipv4.ip, ipv6.ip) == (RELAY_IP, RELAY_IP_6)
    assert not even or (ipv4.port % 2, ipv6.port % 2) == (0, 0)
    assert first.get(AddressErrorCode) is None
    assert relayed_of(again) == [ipv4, ipv6]
    (snapshot,) = relay.server.allocations(0.0)
    assert (snapshot.relayed, snapshot.additional) == (ipv4, ipv6)


@pytest.mark.requirement("stun-turn:TURN-ALLOC-15")
def test_data_of_each_family_goes_through_its_own_address() -> None:
    relay = Relay()
    client = Client(relay)
    ipv4, ipv6 = relayed_of(client.ask(Method.ALLOCATE, UDP_REQUEST, IPV6_TOO))
    client.permit(PEER, PEER_6)

    (to_ipv4,) = client.send_to(PEER, b"4")
    (to_ipv6,) = client.send_to(PEER_6, b"6")

    assert (to_ipv4.path.local, to_ipv4.path.remote) == (ipv4, PEER)
    assert (to_ipv6.path.local, to_ipv6.path.remote) == (ipv6, PEER_6)
    assert len(relay.receive_relayed(b"4", PEER, ipv4)) == 1
    assert len(relay.receive_relayed(b"6", PEER_6, ipv6)) == 1


def test_a_plane_is_told_the_address_of_the_peers_family() -> None:
    relay = Relay()
    client = Client(relay)

    ipv4, ipv6 = dual(relay, client)

    entries = relay.table.entries
    assert entries[client.path, CHANNEL].relayed == ipv4
    assert entries[client.path, CHANNEL_6].relayed == ipv6


@pytest.mark.parametrize(
    ("ips", "refused"),
    [
        pytest.param((RELAY_IP,), AddressFamily.IPV6, id="ipv4-relay"),
        pytest.param((RELAY_IP_6,), AddressFamily.IPV4, id="ipv6-relay"),
    ],
)
@pytest.mark.requirement("stun-turn:TURN-ALLOC-16")
def test_a_family_that_the_relay_lacks_is_told_beside_the_other(
    ips: tuple[IPAddress, ...], refused: AddressFamily
) -> None:
    client = Client(Relay(dataclasses.replace(config(), relay_addresses=ips)))
    request = client.request(Method.ALLOCATE, UDP_REQUEST, IPV6_TOO)

    for response in (client.answer(request), client.answer(request)):
        (relayed,) = relayed_of(response)
        assert relayed.ip == ips[0]
        error = response.get(AddressErrorCode)
        assert error is not None
        assert (error.family, error.code) == (refused, 440)


@pytest.mark.parametrize("refused", list(AddressFamily))
@pytest.mark.requirement("stun-turn:TURN-ALLOC-16")
def test_a_family_without_a_free_port_is_told_beside_the_other(refused: AddressFamily) -> None:
    relay = Relay()
    client = Client(relay)
    relay.opens = False
    client.send(client.request(Method.ALLOCATE, UDP_REQUEST, IPV6_TOO))

    asked = 0
    while not (answers := [each for each in relay.sent if each.path == client.path][1:]):
        event = relay.requested[-1]
        if AddressFamily.of(event.address) is refused:
            relay.server.relay_refused(event.token, 0.0)
        else:
            relay.server.relay_opened(event.token, event.address, 0.0)
        asked += 1
        relay.drain()

    response = Message.decode(answers[0].segments[0])
    (relayed,) = relayed_of(response)
    assert AddressFamily.of(relayed) is not refused
    error = response.get(AddressErrorCode)
    assert error is not None
    assert (error.family, error.code) == (refused, 508)
    assert asked == MAX_PORT_ATTEMPTS + 1
    assert relay.released == []


@pytest.mark.requirement("stun-turn:TURN-ALLOC-16")
def test_without_a_port_of_either_family_it_is_508() -> None:
    relay = Relay(dataclasses.replace(config(), min_port=50_000, max_port=50_000))
    client_on(relay, 1).ask(Method.ALLOCATE, UDP_REQUEST, IPV6_TOO)

    response = client_on(relay, 2).ask(Method.ALLOCATE, UDP_REQUEST, IPV6_TOO)

    assert code(response) == 508
    assert response.get(AddressErrorCode) is None


def test_a_driver_that_answers_nothing_costs_no_socket() -> None:
    relay = Relay()
    client = Client(relay)
    relay.opens = False
    client.send(client.request(Method.ALLOCATE, UDP_REQUEST, IPV6_TOO))
    first = relay.requested[-1]
    relay.server.relay_opened(first.token, first.address, 0.0)
    relay.drain()

    relay.run_until(20.0)

    assert relay.released == [first.address]
    assert code(Message.decode(relay.sent[-1].segments[0])) == 508
    assert relay.server.stats().allocations == relay.server.stats().waiting == 0


def test_a_dual_allocation_is_one_for_the_quota_of_its_user() -> None:
    relay = Relay(dataclasses.replace(config(users={}), quota_per_id=2))
    username, password = make_credentials(SECRET, "viewer", int(WALL_CLOCK) + 300)
    clients = [client_on(relay, port, username=username, password=password) for port in (1, 2, 3)]

    answers = [client.ask(Method.ALLOCATE, UDP_REQUEST, IPV6_TOO) for client in clients]

    assert [code(each) for each in answers] == [0, 0, 486]
    clients[0].refresh(0, IPV6)
    assert code(clients[2].ask(Method.ALLOCATE, UDP_REQUEST)) == 486
    clients[0].refresh(0, IPV4)
    assert code(clients[2].ask(Method.ALLOCATE, UDP_REQUEST)) == 0


def test_a_dual_allocation_is_one_for_the_total() -> None:
    relay = Relay(dataclasses.replace(config(), max_allocations=2))
    dual(relay, client_on(relay, 1))

    second = client_on(relay, 2).ask(Method.ALLOCATE, UDP_REQUEST, IPV6_TOO)
    third = client_on(relay, 3).ask(Method.ALLOCATE, UDP_REQUEST)

    assert (code(second), code(third)) == (0, 508)


@pytest.mark.parametrize(("family", "kept"), [(IPV6, PEER), (IPV4, PEER_6)], ids=["ipv6", "ipv4"])
@pytest.mark.requirement("stun-turn:TURN-REFR-05")
def test_deleting_one_family_leaves_the_other_as_it_was(
    family: RequestedAddressFamily, kept: TransportAddress
) -> None:
    relay = Relay()
    client = Client(relay)
    ipv4, ipv6 = dual(relay, client)
    gone, stays = (ipv6, ipv4) if kept is PEER else (ipv4, ipv6)
    lost = PEER_6 if kept is PEER else PEER
    number = CHANNEL if kept is PEER else CHANNEL_6

    assert code(client.refresh(0, family)) == 0

    assert relay.released == [gone]
    (snapshot,) = relay.server.allocations(0.0)
    assert (snapshot.relayed, snapshot.additional) == (stays, None)
    assert (set(snapshot.permissions), snapshot.channels) == ({kept.ip}, {number: kept})
    assert set(relay.table.entries) == {(client.path, number)}
    (sent,) = client.send(ChannelData(number, b"on").encode())
    assert (sent.path.local, sent.path.remote) == (stays, kept)
    assert client.send_to(lost, b"off") == []
    assert code(client.permit(lost)) == code(client.refresh(600, family)) == 443
    # The number of the channel that went along is free for another peer.
    freed = CHANNEL_6 if kept is PEER else CHANNEL
    assert code(client.bind(freed, TransportAddress(kept.ip, 9))) == 0
    assert relay.receive_relayed(b"late", lost, gone) == []


@pytest.mark.requirement("stun-turn:TURN-REFR-05")
def test_deleting_the_second_family_ends_the_allocation() -> None:
    relay = Relay()
    client = Client(relay)
    ipv4, ipv6 = dual(relay, client)
    client.refresh(0, IPV4)

    assert code(client.refresh(0, IPV6)) == 0

    assert relay.released == [ipv4, ipv6]
    ended = relay.events[-1]
    assert isinstance(ended, AllocationEnded)
    assert ended.reason is AllocationEnd.DELETED
    assert code(client.refresh()) == 437
    client.allocate()


@pytest.mark.requirement("stun-turn:TURN-REFR-06")
def test_a_deletion_without_a_family_ends_both() -> None:
    relay = Relay()
    client = Client(relay)
    relayed = dual(relay, client)

    assert code(client.refresh(0)) == 0

    assert relay.released == list(relayed)
    assert sum(isinstance(each, AllocationEnded) for each in relay.events) == 1
    assert relay.table.entries == {}
    assert relay.server.stats().allocations == 0


@pytest.mark.requirement("stun-turn:TURN-REFR-06")
def test_a_refresh_without_a_family_keeps_both() -> None:
    relay = Relay()
    client = Client(relay)
    dual(relay, client)
    relay.run_until(599.0)

    assert code(client.refresh()) == 0
    relay.run_until(1198.0)

    assert relay.released == []
    relay.run_until(1199.0)
    assert len(relay.released) == 2
    assert sum(isinstance(each, AllocationEnded) for each in relay.events) == 1


@pytest.mark.requirement("stun-turn:TURN-REFR-05")
def test_each_family_expires_by_itself() -> None:
    relay = Relay()
    client = Client(relay)
    ipv4, ipv6 = dual(relay, client)
    relay.run_until(500.0)
    client.refresh(None, IPV6)

    relay.run_until(600.0)

    assert relay.released == [ipv4]
    assert set(relay.table.entries) == set()
    client.permit(PEER_6)
    assert len(client.send_to(PEER_6, b"still there")) == 1
    relay.run_until(1100.0)
    assert relay.released == [ipv4, ipv6]


def test_two_dual_clients_are_switched_on_either_family() -> None:
    relay = Relay()
    alice, bob = client_on(relay, 1), client_on(relay, 2)
    for client in (alice, bob):
        client.ask(Method.ALLOCATE, UDP_REQUEST, IPV6_TOO)
    of_alice, of_bob = relay.server.allocations(0.0)
    assert of_alice.additional is not None
    assert of_bob.additional is not None
    for number, ours, theirs in (
        (CHANNEL, of_alice.relayed, of_bob.relayed),
        (CHANNEL_6, of_alice.additional, of_bob.additional),
    ):
        alice.bind(number, theirs)
        bob.bind(number, ours)

    assert all(entry.switched_to for entry in relay.table.entries.values())
    assert len(relay.table.entries) == 4
    alice.refresh(0, IPV6)
    assert set(relay.table.entries) == {(alice.path, CHANNEL), (bob.path, CHANNEL)}
    (switched,) = alice.send(ChannelData(CHANNEL, b"hello").encode())
    assert switched.path == bob.path


def test_addresses_behind_a_nat_are_told_for_each_family() -> None:
    outside, outside_6 = ip_address("7.7.7.7"), ip_address("2a07::7")
    settings = dataclasses.replace(config(), advertised={RELAY_IP: outside, RELAY_IP_6: outside_6})

    response = Client(Relay(settings)).ask(Method.ALLOCATE, UDP_REQUEST, IPV6_TOO)

    assert [each.ip for each in relayed_of(response)] == [outside, outside_6]
