"""ICMP errors about what was relayed: RFC 8656 sections 11.5, 12.5 and 18.13."""

from __future__ import annotations

import pytest

from stun import (
    AdditionalAddressFamily,
    AddressFamily,
    Data,
    Icmp,
    Message,
    MessageClass,
    Method,
    XorPeerAddress,
)
from transport import IcmpError, TransportAddress
from turn.server import DropReason
from turn.server.limits import ICMP_BURST, ICMP_RATE

from .harness import PEER, PEER_6, Client, Relay

UNREACHABLE = IcmpError(PEER, 3, 3)


def permitted() -> tuple[Relay, Client]:
    relay = Relay()
    client = Client(relay)
    client.allocate(AdditionalAddressFamily(AddressFamily.IPV6))
    client.permit(PEER, PEER_6)
    return relay, client


def tell(relay: Relay, error: IcmpError) -> list[Message]:
    """What the client is sent because of an ICMP error."""
    (allocation,) = relay.server.allocations(relay.now)
    relayed = allocation.additional if error.destination.is_ipv6 else allocation.relayed
    assert relayed is not None
    before = len(relay.sent)
    relay.server.receive_icmp(error, relayed, relay.now)
    relay.drain()
    assert all(each.path == allocation.client for each in relay.sent[before:])
    return [Message.decode(each.segments[0]) for each in relay.sent[before:]]


@pytest.mark.parametrize(
    ("peer", "icmp_type", "icmp_code", "mtu", "error_data"),
    [
        pytest.param(PEER, 3, 3, 0, 0, id="port-unreachable"),
        pytest.param(PEER, 3, 1, 1400, 0, id="host-unreachable"),
        pytest.param(PEER, 3, 4, 1400, 1400, id="fragmentation-needed"),
        pytest.param(PEER, 11, 0, 0, 0, id="time-exceeded"),
        pytest.param(PEER_6, 1, 4, 0, 0, id="ipv6-port-unreachable"),
        pytest.param(PEER_6, 2, 0, 1280, 1280, id="ipv6-packet-too-big"),
        pytest.param(PEER_6, 3, 0, 7, 0, id="ipv6-time-exceeded"),
    ],
)
@pytest.mark.requirement("stun-turn:TURN-ICMP-01", "stun-turn:TURN-ICMP-04")
def test_the_client_is_told_what_became_of_its_datagram(
    peer: TransportAddress, icmp_type: int, icmp_code: int, mtu: int, error_data: int
) -> None:
    relay, _ = permitted()

    (indication,) = tell(relay, IcmpError(peer, icmp_type, icmp_code, mtu))

    assert (indication.method, indication.message_class) == (Method.DATA, MessageClass.INDICATION)
    assert indication.get(XorPeerAddress) == XorPeerAddress(peer)
    assert indication.get(Icmp) == Icmp(icmp_type, icmp_code, error_data)
    assert indication.get(Data) is None
    value = indication.raw_value(Icmp.TYPE)
    assert value is not None
    assert value[:2] == bytes(2)  # Reserved


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(IcmpError(PEER, 0, 0), id="echo-reply"),
        pytest.param(IcmpError(PEER, 4, 0), id="source-quench"),
        pytest.param(IcmpError(PEER, 5, 1), id="redirect"),
        pytest.param(IcmpError(PEER, 8, 0), id="echo"),
        pytest.param(IcmpError(PEER, 12, 0), id="parameter-problem"),
        pytest.param(IcmpError(PEER, 1, 4), id="type-of-icmpv6"),
        pytest.param(IcmpError(PEER_6, 4, 0), id="ipv6-parameter-problem"),
        pytest.param(IcmpError(PEER_6, 11, 0), id="type-of-icmpv4"),
        pytest.param(IcmpError(PEER_6, 128, 0), id="ipv6-echo"),
    ],
)
@pytest.mark.requirement("stun-turn:TURN-ICMP-03")
def test_other_kinds_of_icmp_are_not_for_the_client(error: IcmpError) -> None:
    relay, _ = permitted()

    assert tell(relay, error) == []
    assert relay.server.stats().drops == {DropReason.ICMP_TYPE: 1}


@pytest.mark.requirement("stun-turn:TURN-ICMP-02", "stun-turn:TURN-ICMP-03")
def test_the_permission_that_counts_is_that_of_the_peer_at_any_port() -> None:
    relay, _ = permitted()
    stranger = TransportAddress.parse("8.8.4.4", PEER.port)
    other_port = TransportAddress(PEER.ip, 9)
    no_port = TransportAddress(PEER.ip, 0)

    assert tell(relay, IcmpError(stranger, 3, 3)) == []
    assert relay.server.stats().drops == {DropReason.NO_PERMISSION: 1}
    for peer in (other_port, no_port):
        (indication,) = tell(relay, IcmpError(peer, 3, 3))
        assert indication.get(XorPeerAddress) == XorPeerAddress(peer)


@pytest.mark.requirement("stun-turn:TURN-ICMP-03")
def test_a_permission_that_has_expired_counts_no_more() -> None:
    relay, _ = permitted()
    relay.now = 300.0

    assert tell(relay, UNREACHABLE) == []


@pytest.mark.requirement("stun-turn:TURN-ICMP-05")
def test_it_is_an_indication_also_where_a_channel_is_bound() -> None:
    relay, client = permitted()
    client.bind(0x4001, PEER)

    (indication,) = tell(relay, UNREACHABLE)

    assert indication.get(Icmp) == Icmp(3, 3)


def test_an_address_that_is_not_allocated_any_more_has_no_client() -> None:
    relay, client = permitted()
    (allocation,) = relay.server.allocations(0.0)
    client.refresh(0)
    before = len(relay.sent)

    relay.server.receive_icmp(UNREACHABLE, allocation.relayed, 0.0)

    relay.drain()
    assert len(relay.sent) == before
    assert relay.server.stats().drops == {DropReason.UNKNOWN_RELAY: 1}


def test_a_flood_of_icmp_reaches_the_client_at_a_bounded_rate() -> None:
    relay, _ = permitted()

    at_once = sum(len(tell(relay, UNREACHABLE)) for _ in range(1000))
    relay.run_until(1.0)
    a_second_later = sum(len(tell(relay, UNREACHABLE)) for _ in range(1000))
    relay.run_until(100.0)
    after_a_pause = sum(len(tell(relay, UNREACHABLE)) for _ in range(1000))

    assert (at_once, a_second_later, after_a_pause) == (ICMP_BURST, ICMP_RATE, ICMP_BURST)
    assert relay.server.stats().drops[DropReason.RATE_LIMITED] == 3000 - 2 * 20 - 10
