"""Permissions and CreatePermission: RFC 8656 sections 9 and 10."""

from __future__ import annotations

import ipaddress

import pytest

from stun import (
    AddressFamily,
    AnyAttribute,
    Data,
    Method,
    RequestedAddressFamily,
    UnknownAttribute,
    XorPeerAddress,
)
from transport import TransportAddress
from turn.server import DropReason
from turn.server.limits import MAX_PERMISSIONS

from .harness import LISTENING, PEER, PEER_6, Client, Relay, client_on, code

OTHER = TransportAddress.parse("8.8.4.4", 0)
PRIVATE = TransportAddress.parse("10.0.0.1", 7000)


def allocated() -> tuple[Relay, Client, TransportAddress]:
    relay = Relay()
    client = Client(relay)
    return relay, client, client.allocate()


def numbered(number: int) -> TransportAddress:
    return TransportAddress(ipaddress.IPv4Address(0x08000000 + number), 0)


@pytest.mark.requirement("stun-turn:TURN-PERM-05", "stun-turn:TURN-PERM-13")
def test_a_permission_is_installed_for_each_address() -> None:
    relay, client, relayed = allocated()
    peers = [TransportAddress.parse(f"8.8.8.{number}", 0) for number in (1, 2, 3)]

    response = client.permit(*peers)

    assert code(response) == 0
    assert response.has_integrity
    assert list(response.raw_attributes()) == []
    for peer in peers:
        assert relay.receive_relayed(b"hi", TransportAddress(peer.ip, 5), relayed)


@pytest.mark.requirement("stun-turn:TURN-PERM-06", "stun-turn:TURN-PERM-07")
def test_only_the_address_counts_and_no_other_address_gets_through() -> None:
    relay, client, relayed = allocated()
    client.permit(PEER)

    assert relay.receive_relayed(b"hi", TransportAddress(PEER.ip, 1), relayed)
    assert relay.receive_relayed(b"hi", TransportAddress(OTHER.ip, PEER.port), relayed) == []
    assert relay.server.stats().drops == {DropReason.NO_PERMISSION: 1}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        pytest.param((), 400, id="none"),
        pytest.param((UnknownAttribute(0x0012, b""),), 400, id="empty"),
        pytest.param((UnknownAttribute(0x0012, b"\0\3" + bytes(6)),), 400, id="family-3"),
        pytest.param((UnknownAttribute(0x0012, b"\0\2" + bytes(6)),), 400, id="ipv6-in-8-bytes"),
        pytest.param((UnknownAttribute(0x0012, b"\0\1" + bytes(18)),), 400, id="ipv4-in-20"),
        pytest.param((UnknownAttribute(0x0012, b"\0\1" + bytes(5)),), 400, id="7-bytes"),
        pytest.param((XorPeerAddress(PEER_6),), 443, id="other-family"),
        pytest.param((XorPeerAddress(PRIVATE),), 403, id="private"),
        pytest.param((XorPeerAddress(LISTENING),), 403, id="the-relay-itself"),
    ],
)
@pytest.mark.parametrize("good_one_first", [False, True])
@pytest.mark.requirement(
    "stun-turn:TURN-PERM-01",
    "stun-turn:TURN-PERM-02",
    "stun-turn:TURN-PERM-03",
    "stun-turn:TURN-PERM-04",
    "stun-turn:COD-ADDR-02",
)
def test_one_bad_address_and_none_is_installed(
    attributes: tuple[AnyAttribute, ...], expected: int, good_one_first: bool
) -> None:
    relay, client, relayed = allocated()
    good = (XorPeerAddress(PEER),)
    both = (*good, *attributes) if good_one_first else (*attributes, *good)

    response = client.ask(Method.CREATE_PERMISSION, *(both if attributes else ()))

    assert code(response) == expected
    assert relay.receive_relayed(b"hi", PEER, relayed) == []


@pytest.mark.requirement("stun-turn:COD-ADDR-01")
def test_the_first_byte_of_an_address_is_ignored() -> None:
    relay, client, relayed = allocated()
    value = XorPeerAddress(PEER).encode(bytes(12))

    client.ask(Method.CREATE_PERMISSION, UnknownAttribute(0x0012, b"\xff" + value[1:]))

    assert relay.receive_relayed(b"hi", PEER, relayed)


@pytest.mark.requirement("stun-turn:TURN-PERM-08", "stun-turn:TURN-PERM-10")
def test_a_permission_lives_300_seconds_and_data_does_not_refresh_it() -> None:
    relay, client, relayed = allocated()
    client.permit(PEER)
    for second in (100.0, 200.0, 299.999):
        relay.run_until(second)
        assert client.send_to(PEER, b"out")
        assert relay.receive_relayed(b"in", PEER, relayed)

    relay.run_until(300.0)

    assert client.send_to(PEER, b"out") == []
    assert relay.receive_relayed(b"in", PEER, relayed) == []


@pytest.mark.requirement("stun-turn:TURN-PERM-08")
@pytest.mark.parametrize("by_channel", [False, True], ids=["create-permission", "channel-bind"])
def test_a_permission_begins_anew_when_it_is_refreshed(by_channel: bool) -> None:
    relay, client, relayed = allocated()
    client.permit(PEER, OTHER)
    relay.run_until(200.0)

    if by_channel:
        client.bind(0x4000, PEER)
    else:
        client.permit(PEER)

    relay.run_until(300.0)
    assert relay.receive_relayed(b"in", OTHER, relayed) == []
    relay.run_until(499.999)
    assert relay.receive_relayed(b"in", PEER, relayed)
    relay.run_until(500.0)
    assert relay.receive_relayed(b"in", PEER, relayed) == []


@pytest.mark.requirement("stun-turn:TURN-PERM-11")
def test_permissions_are_for_one_allocation() -> None:
    relay, client, _ = allocated()
    other = client_on(relay, 1000)
    other_relayed = other.allocate()

    client.permit(PEER)

    assert relay.receive_relayed(b"in", PEER, other_relayed) == []
    assert other.send_to(PEER, b"out") == []


@pytest.mark.requirement("stun-turn:TURN-PERM-12", "stun-turn:SEC-17")
def test_permissions_have_a_bound_and_those_there_can_be_refreshed() -> None:
    relay, client, relayed = allocated()
    client.permit(*(numbered(number) for number in range(MAX_PERMISSIONS)))

    assert code(client.permit(numbered(0), numbered(MAX_PERMISSIONS))) == 508
    assert code(client.bind(0x4000, PEER)) == 508
    assert code(client.permit(numbered(0), numbered(1))) == 0
    relay.run_until(300.0)
    assert relay.receive_relayed(b"in", numbered(5), relayed) == []
    assert code(client.permit(PEER)) == 0


@pytest.mark.requirement("stun-turn:SEC-17")
def test_five_thousand_addresses_at_once_are_too_many() -> None:
    _, client, _ = allocated()

    assert code(client.permit(*(numbered(number) for number in range(5000)))) == 508


def test_a_duplicate_address_counts_once() -> None:
    relay, client, _ = allocated()

    client.permit(*[PEER] * 1000)

    (snapshot,) = relay.server.allocations(0.0)
    assert snapshot.permissions == {PEER.ip: 300.0}


def test_an_ipv6_allocation_has_ipv6_peers() -> None:
    relay = Relay()
    client = Client(relay)
    relayed = client.allocate(RequestedAddressFamily(AddressFamily.IPV6))

    assert code(client.permit(PEER)) == 443
    assert code(client.permit(PEER_6)) == 0
    (transmit,) = client.indicate(XorPeerAddress(PEER_6), Data(b"out"))
    assert (transmit.path.local, transmit.path.remote) == (relayed, PEER_6)
    assert relay.receive_relayed(b"in", PEER_6, relayed)
