"""Two clients of one relay: their data is switched inside, under the permissions of both."""

from __future__ import annotations

import dataclasses
from ipaddress import ip_address, ip_network

import pytest

from stun import AddressFamily, Data, Message, RequestedAddressFamily, XorPeerAddress
from transport import Path, TransportAddress, TransportProtocol
from turn import ChannelData
from turn.server import DropReason, ServerConfig
from turn.server.forwarding import SwitchTarget

from .harness import LISTENING, PEER, PEER_6, RELAY_IP, Client, Relay, client_on, code, config

PUBLIC = ip_address("20.0.0.1")
BEHIND_NAT = dataclasses.replace(config(), advertised={RELAY_IP: PUBLIC})
ALL_ALLOWED = dataclasses.replace(config(), allow_peers=(ip_network("0.0.0.0/0"),))


class Pair:
    """Alice and Bob with an allocation each, on one relay."""

    def __init__(self, settings: ServerConfig | None = None) -> None:
        self.relay = Relay(settings)
        self.alice = client_on(self.relay, 1000)
        self.bob = client_on(self.relay, 1001, transport=TransportProtocol.TCP, username="bob")
        self.alice_relayed = self.alice.allocate()
        self.bob_relayed = self.bob.allocate()


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(None, id="plain"),
        pytest.param(BEHIND_NAT, id="behind-a-nat"),
        pytest.param(ALL_ALLOWED, id="all-allowed"),
    ],
)
@pytest.mark.requirement("stun-turn:SEC-07")
def test_data_between_two_allocations_does_not_leave_the_server(
    settings: ServerConfig | None,
) -> None:
    pair = Pair(settings)
    assert code(pair.alice.permit(pair.bob_relayed)) == 0
    assert code(pair.bob.permit(pair.alice_relayed)) == 0

    (indication,) = pair.alice.send_to(pair.bob_relayed, b"hello")
    pair.bob.bind(0x4001, pair.alice_relayed)
    (data,) = pair.alice.send_to(pair.bob_relayed, b"world")

    assert indication.path == pair.bob.path
    message = Message.decode(indication.segments[0])
    assert message.get(XorPeerAddress) == XorPeerAddress(pair.alice_relayed)
    assert message.get(Data) == Data(b"hello")
    assert data.path == pair.bob.path
    assert data.segments == (ChannelData(0x4001, b"world").encode_padded(),)
    alice, bob = pair.relay.server.allocations(0.0)
    assert (alice.meter.sent_packets, alice.meter.received_packets) == (2, 0)
    assert (bob.meter.sent_packets, bob.meter.received_bytes) == (0, 10)


@pytest.mark.parametrize("who", ["alice", "bob"])
@pytest.mark.requirement("stun-turn:TURN-PERM-11", "stun-turn:SEC-07")
def test_one_permission_is_not_enough(who: str) -> None:
    pair = Pair()
    if who == "alice":
        pair.alice.permit(pair.bob_relayed)
    else:
        pair.bob.permit(pair.alice_relayed)

    assert pair.alice.send_to(pair.bob_relayed, b"hello") == []
    assert pair.relay.server.stats().drops == {DropReason.NO_PERMISSION: 1}


def test_a_client_can_talk_to_itself() -> None:
    relay = Relay()
    client = Client(relay)
    relayed = client.allocate()
    client.bind(0x4000, relayed)

    (transmit,) = client.send(ChannelData(0x4000, b"hello").encode())

    assert transmit.path == client.path
    assert transmit.segments == (ChannelData(0x4000, b"hello").encode(),)


def test_what_comes_by_the_socket_from_another_allocation_is_relayed_as_well() -> None:
    pair = Pair()
    pair.bob.permit(pair.alice_relayed)

    assert pair.relay.receive_relayed(b"hello", pair.alice_relayed, pair.bob_relayed)


@pytest.mark.parametrize(
    ("settings", "sent"),
    [pytest.param(None, 0, id="denied"), pytest.param(ALL_ALLOWED, 1, id="allowed")],
)
def test_an_address_that_is_allocated_no_more_is_one_of_the_relays_host(
    settings: ServerConfig | None, sent: int
) -> None:
    pair = Pair(settings)
    pair.alice.permit(pair.bob_relayed)
    assert code(pair.alice.bind(0x4000, pair.bob_relayed)) == 0
    pair.bob.refresh(0)

    assert len(pair.alice.send(ChannelData(0x4000, b"hello").encode())) == sent
    assert len(pair.alice.send_to(pair.bob_relayed, b"hello")) == sent
    assert code(pair.alice.bind(0x4000, pair.bob_relayed)) == (0 if sent else 403)


@pytest.mark.parametrize("settings", [None, ALL_ALLOWED], ids=["default", "all-allowed"])
@pytest.mark.requirement("stun-turn:SEC-07")
def test_the_listening_address_is_no_peer_whatever_is_allowed(
    settings: ServerConfig | None,
) -> None:
    pair = Pair(settings)

    assert code(pair.alice.bind(0x4000, LISTENING)) == 403
    assert code(pair.alice.permit(LISTENING)) == 403
    pair.alice.permit(TransportAddress(LISTENING.ip, 0))
    assert pair.alice.send_to(LISTENING, b"loop") == []


class TestEntries:
    """What data planes are told of channels between two allocations."""

    def test_both_channels_and_both_permissions_make_both_entries(self) -> None:
        pair = Pair()
        entries = pair.relay.table.entries
        pair.alice.bind(0x4000, pair.bob_relayed)
        assert entries == {}

        pair.bob.bind(0x4001, pair.alice_relayed)

        alice, bob = pair.relay.server.allocations(0.0)
        assert entries[pair.alice.path, 0x4000].switched_to == SwitchTarget(
            pair.bob.path, 0x4001, bob.meter
        )
        assert entries[pair.bob.path, 0x4001].switched_to == SwitchTarget(
            pair.alice.path, 0x4000, alice.meter
        )

    @pytest.mark.parametrize("who", ["alice", "bob"])
    def test_a_permission_that_expires_takes_both_entries(self, who: str) -> None:
        pair = Pair()
        pair.alice.bind(0x4000, pair.bob_relayed)
        pair.bob.bind(0x4001, pair.alice_relayed)
        pair.relay.run_until(200.0)
        if who == "alice":
            pair.bob.permit(pair.alice_relayed)
        else:
            pair.alice.permit(pair.bob_relayed)

        pair.relay.run_until(299.0)
        assert len(pair.relay.table.entries) == 2
        pair.relay.run_until(300.0)

        assert pair.relay.table.entries == {}
        client, peer = (
            (pair.alice, pair.bob_relayed) if who == "alice" else (pair.bob, pair.alice_relayed)
        )
        client.permit(peer)
        assert len(pair.relay.table.entries) == 2

    @pytest.mark.parametrize("settings", [None, ALL_ALLOWED], ids=["default", "all-allowed"])
    def test_an_allocation_that_ends_takes_both_entries(
        self, settings: ServerConfig | None
    ) -> None:
        pair = Pair(settings)
        pair.alice.bind(0x4000, pair.bob_relayed)
        pair.bob.bind(0x4001, pair.alice_relayed)

        pair.bob.refresh(0)

        left = list(pair.relay.table.entries.values())
        assert [each.switched_to for each in left] == [None] * (settings is not None)

    def test_a_channel_to_an_address_that_is_allocated_later_is_switched_then(self) -> None:
        relay = Relay(dataclasses.replace(ALL_ALLOWED, min_port=50000, max_port=50001))
        alice, bob = client_on(relay, 1000), client_on(relay, 1001)
        alice_relayed = alice.allocate()
        bob_relayed = TransportAddress(RELAY_IP, 100001 - alice_relayed.port)
        alice.bind(0x4000, bob_relayed)
        assert relay.table.entries[alice.path, 0x4000].switched_to is None
        assert bob.allocate() == bob_relayed

        bob.bind(0x4001, alice_relayed)

        assert relay.table.entries[alice.path, 0x4000].switched_to is not None


def test_ipv6_allocations_are_switched_too() -> None:
    relay = Relay()
    ipv6 = RequestedAddressFamily(AddressFamily.IPV6)
    clients = [client_on(relay, 1000 + number) for number in range(2)]
    first, second = (client.allocate(ipv6) for client in clients)
    clients[0].permit(second)
    clients[1].permit(first)

    (transmit,) = clients[0].send_to(second, b"hello")

    assert transmit.path == clients[1].path


def test_a_datagram_leaves_by_udp_whatever_the_client_speaks() -> None:
    pair = Pair()
    pair.bob.permit(PEER)

    (transmit,) = pair.bob.send_to(PEER, b"out")

    assert transmit.path == Path(TransportProtocol.UDP, pair.bob_relayed, PEER)


@pytest.mark.parametrize("is_bound", [False, True], ids=["data-indication", "channel-data"])
def test_a_datagram_that_no_indication_can_hold_is_dropped(is_bound: bool) -> None:
    relay = Relay()
    client = Client(relay)
    relayed = client.allocate(RequestedAddressFamily(AddressFamily.IPV6))
    client.permit(PEER_6)
    if is_bound:
        client.bind(0x4001, PEER_6)
    longest = bytes(65_527)  # of a UDP datagram over IPv6

    sent = relay.receive_relayed(longest, PEER_6, relayed)

    assert len(sent) == is_bound
    assert relay.server.stats().drops == ({} if is_bound else {DropReason.TOO_LONG: 1})
    assert len(relay.receive_relayed(longest[:65_504], PEER_6, relayed)) == 1
