"""Channels: RFC 8656 section 12."""

from __future__ import annotations

import dataclasses

import pytest

from stun import (
    AnyAttribute,
    ChannelNumber,
    Data,
    Message,
    Method,
    UnknownAttribute,
    XorPeerAddress,
)
from transport import TransportAddress, TransportProtocol
from turn import ChannelData
from turn.server import DropReason
from turn.server.limits import MAX_CHANNELS

from .harness import LISTENING, PEER, PEER_6, Client, Relay, client_on, code, config

OTHER = TransportAddress.parse("8.8.4.4", 7000)
OTHER_PORT = TransportAddress(PEER.ip, 7001)
NUMBER = ChannelNumber(0x4000)


def allocated(
    transport: TransportProtocol = TransportProtocol.UDP,
) -> tuple[Relay, Client, TransportAddress]:
    relay = Relay()
    client = client_on(relay, 40000, transport=transport)
    return relay, client, client.allocate()


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        pytest.param((NUMBER, XorPeerAddress(PEER)), 0, id="right"),
        pytest.param((XorPeerAddress(PEER),), 400, id="no-number"),
        pytest.param((NUMBER,), 400, id="no-peer"),
        pytest.param((), 400, id="neither"),
        pytest.param((UnknownAttribute(0x000C, b"\x40\0"), XorPeerAddress(PEER)), 400, id="short"),
        pytest.param((NUMBER, UnknownAttribute(0x0012, b"\0\1")), 400, id="malformed-peer"),
        pytest.param(
            (UnknownAttribute(0x000C, b"\x40\0\xff\xff"), XorPeerAddress(PEER)), 0, id="reserved"
        ),
        pytest.param((NUMBER, XorPeerAddress(PEER_6)), 443, id="other-family"),
        pytest.param(
            (NUMBER, XorPeerAddress(TransportAddress.parse("10.0.0.1", 7000))), 403, id="private"
        ),
        pytest.param((NUMBER, XorPeerAddress(LISTENING)), 403, id="the-relay-itself"),
        pytest.param((NUMBER, XorPeerAddress(TransportAddress(PEER.ip, 0))), 400, id="no-port"),
        pytest.param((NUMBER, XorPeerAddress(PEER), XorPeerAddress(PEER_6)), 0, id="first-counts"),
        *(
            pytest.param((ChannelNumber(number), XorPeerAddress(PEER)), code, id=f"{number:#x}")
            for number, code in (
                (0x0000, 400),
                (0x3FFF, 400),
                (0x4000, 0),
                (0x4FFF, 0),
                (0x5000, 400),
                (0x7FFE, 400),
                (0xFFFF, 400),
            )
        ),
    ],
)
@pytest.mark.requirement(
    "stun-turn:TURN-CHAN-01", "stun-turn:TURN-CHAN-02", "stun-turn:TURN-CHAN-06"
)
def test_what_may_be_bound(attributes: tuple[AnyAttribute, ...], expected: int) -> None:
    relay, client, relayed = allocated()

    response = client.ask(Method.CHANNEL_BIND, *attributes)

    assert code(response) == expected
    assert response.has_integrity
    assert bool(relay.receive_relayed(b"in", PEER, relayed)) is (expected == 0)
    assert len(relay.table.entries) == (expected == 0)


@pytest.mark.parametrize(
    ("number", "peer", "expected"),
    [
        pytest.param(0x4000, PEER, 0, id="the-same-again"),
        pytest.param(0x4000, OTHER, 400, id="number-taken"),
        pytest.param(0x4000, OTHER_PORT, 400, id="number-taken-other-port"),
        pytest.param(0x4001, PEER, 400, id="peer-taken"),
        pytest.param(0x4001, OTHER_PORT, 0, id="other-port-other-channel"),
    ],
)
@pytest.mark.requirement(
    "stun-turn:TURN-CHAN-03",
    "stun-turn:TURN-CHAN-04",
    "stun-turn:TURN-CHAN-05",
    "stun-turn:TURN-CHAN-12",
)
def test_a_number_has_one_peer_and_a_peer_one_number(
    number: int, peer: TransportAddress, expected: int
) -> None:
    _, client, relayed = allocated()
    client.bind(0x4000, PEER)

    assert code(client.bind(number, peer)) == expected

    (transmit,) = client.send(ChannelData(0x4000, b"out").encode())
    assert (transmit.path.local, transmit.path.remote) == (relayed, PEER)


@pytest.mark.requirement("stun-turn:TURN-CHAN-10")
def test_a_number_means_another_peer_in_another_allocation() -> None:
    relay, client, _ = allocated()
    other = client_on(relay, 1000)
    other.allocate()
    client.bind(0x4000, PEER)
    other.bind(0x4000, OTHER)

    (first,) = client.send(ChannelData(0x4000, b"out").encode())
    (second,) = other.send(ChannelData(0x4000, b"out").encode())

    assert (first.path.remote, second.path.remote) == (PEER, OTHER)


@pytest.mark.requirement("stun-turn:TURN-CHAN-07", "stun-turn:TURN-DATA-02")
def test_binding_installs_a_permission_for_the_peers_address() -> None:
    relay, client, relayed = allocated()
    client.bind(0x4000, PEER)

    (bound,) = relay.receive_relayed(b"in", PEER, relayed)
    (unbound,) = relay.receive_relayed(b"in", OTHER_PORT, relayed)

    assert bound.segments == (ChannelData(0x4000, b"in").encode(),)
    indication = Message.decode(unbound.segments[0])
    assert indication.get(XorPeerAddress) == XorPeerAddress(OTHER_PORT)
    assert indication.get(Data) == Data(b"in")


@pytest.mark.requirement(
    "stun-turn:TURN-CHAN-08", "stun-turn:TURN-CHAN-09", "stun-turn:TURN-CHAN-11"
)
def test_a_binding_lives_600_seconds_and_data_does_not_refresh_it() -> None:
    relay, client, relayed = allocated()
    client.refresh(3600)
    client.bind(0x4000, PEER)
    for second in range(100, 600, 100):
        relay.run_until(float(second))
        client.permit(PEER)
        assert client.send(ChannelData(0x4000, b"out").encode())
        assert relay.receive_relayed(b"in", PEER, relayed)
    relay.run_until(599.999)
    assert client.send(ChannelData(0x4000, b"out").encode())

    relay.run_until(600.0)

    assert client.send(ChannelData(0x4000, b"out").encode()) == []
    (indication,) = relay.receive_relayed(b"in", PEER, relayed)
    assert Message.decode(indication.segments[0]).method == Method.DATA
    assert code(client.bind(0x4000, OTHER)) == 0
    assert code(client.bind(0x4001, PEER)) == 0


def test_a_binding_begins_anew_when_it_is_refreshed() -> None:
    relay, client, relayed = allocated()
    client.refresh(3600)
    client.bind(0x4000, PEER)
    relay.run_until(500.0)
    client.bind(0x4000, PEER)
    relay.run_until(799.999)
    assert relay.receive_relayed(b"in", PEER, relayed)
    relay.run_until(1099.0)

    (snapshot,) = relay.server.allocations(1099.0)
    assert snapshot.channels == {0x4000: PEER}
    relay.run_until(1100.0)
    (snapshot,) = relay.server.allocations(1100.0)
    assert snapshot.channels == {}


def test_a_channel_without_its_permission_carries_nothing() -> None:
    relay, client, relayed = allocated()
    client.bind(0x4000, PEER)

    relay.run_until(300.0)

    assert client.send(ChannelData(0x4000, b"out").encode()) == []
    assert relay.receive_relayed(b"in", PEER, relayed) == []
    assert relay.server.stats().drops == {DropReason.NO_PERMISSION: 2}
    client.permit(PEER)
    assert client.send(ChannelData(0x4000, b"out").encode())


@pytest.mark.requirement("stun-turn:SEC-17")
def test_channels_have_a_bound_and_those_there_can_be_refreshed() -> None:
    _, client, _ = allocated()
    for number in range(MAX_CHANNELS):
        client.bind(0x4000 + number, TransportAddress(PEER.ip, 1 + number))

    assert code(client.bind(0x4FFF, OTHER)) == 508
    assert code(client.bind(0x4000, TransportAddress(PEER.ip, 1))) == 0


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 1200, 1472, 8000])
@pytest.mark.requirement("stun-turn:TURN-CDATA-01", "stun-turn:TURN-CDATA-02")
def test_the_data_is_relayed_byte_for_byte(size: int) -> None:
    relay, client, relayed = allocated()
    client.bind(0x4000, PEER)
    data = bytes(number & 0xFF for number in range(size))

    (out,) = client.send(ChannelData(0x4000, data).encode())
    (back,) = relay.receive_relayed(data, PEER, relayed)

    assert (out.path.local, out.path.remote, out.segments) == (relayed, PEER, (data,))
    assert (back.path, back.segments) == (client.path, (ChannelData(0x4000, data).encode(),))
    (padded,) = client.send(ChannelData(0x4000, data).encode() + b"pad")
    assert padded.segments == (data,)
    (snapshot,) = relay.server.allocations(0.0)
    meter = snapshot.meter
    assert (meter.sent_packets, meter.sent_bytes) == (2, 2 * size)
    assert (meter.received_packets, meter.received_bytes) == (1, size)


@pytest.mark.parametrize("transport", [TransportProtocol.TCP, TransportProtocol.TLS])
@pytest.mark.requirement("stun-turn:STUNS-TCP-07", "stun-turn:TURN-CDATA-08")
def test_on_a_stream_channel_data_is_padded_both_ways(transport: TransportProtocol) -> None:
    relay, client, relayed = allocated(transport)
    client.bind(0x4000, PEER)

    (out,) = client.send(ChannelData(0x4000, b"hello").encode_padded())
    (back,) = relay.receive_relayed(b"world", PEER, relayed)

    assert out.segments == (b"hello",)
    assert back.segments == (bytes.fromhex("40000005") + b"world\0\0\0",)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param("40", DropReason.MALFORMED_CHANNEL_DATA, id="1-byte"),
        pytest.param("400000", DropReason.MALFORMED_CHANNEL_DATA, id="3-bytes"),
        pytest.param("4000006400000000", DropReason.MALFORMED_CHANNEL_DATA, id="too-short"),
        pytest.param("4abc0000", DropReason.NO_CHANNEL, id="unbound"),
        pytest.param("3fff0000", DropReason.NOT_TURN, id="0x3fff"),
        pytest.param("50000000", DropReason.NOT_TURN, id="0x5000"),
        pytest.param("7fff0000", DropReason.NOT_TURN, id="0x7fff"),
        pytest.param("80000000", DropReason.NOT_TURN, id="0x8000"),
    ],
)
@pytest.mark.requirement(
    "stun-turn:TURN-CDATA-03", "stun-turn:TURN-CDATA-05", "stun-turn:TURN-CDATA-06"
)
def test_what_is_no_channel_data_of_ours_is_dropped(data: str, reason: DropReason) -> None:
    relay, client, _ = allocated()
    client.bind(0x4000, PEER)

    assert client.send(bytes.fromhex(data)) == []
    assert relay.server.stats().drops == {reason: 1}


@pytest.mark.requirement("stun-turn:TURN-CDATA-04")
def test_padding_over_udp_is_not_relayed() -> None:
    _, client, _ = allocated()
    client.bind(0x4000, PEER)

    (transmit,) = client.send(ChannelData(0x4000, b"hello").encode_padded())

    assert transmit.segments == (b"hello",)


@pytest.mark.requirement("stun-turn:TURN-SEND-09", "stun-turn:TURN-CDATA-07")
def test_send_indications_work_beside_a_channel() -> None:
    relay, client, relayed = allocated()
    client.bind(0x4000, PEER)

    (transmit,) = client.send_to(PEER, b"out")
    (back,) = relay.receive_relayed(b"in", PEER, relayed)

    assert transmit.path.remote == PEER
    assert back.segments == (ChannelData(0x4000, b"in").encode(),)


@pytest.mark.requirement("stun-turn:TURN-GEN-04")
def test_channel_data_without_an_allocation_is_dropped() -> None:
    relay, client, _ = allocated()
    client.bind(0x4000, PEER)
    stranger = client_on(relay, 1000)

    assert stranger.send(ChannelData(0x4000, b"out").encode()) == []
    assert relay.server.stats().drops == {DropReason.NO_ALLOCATION: 1}


@pytest.mark.requirement("stun-turn:SEC-08")
def test_a_channel_to_a_denied_port_is_403_and_data_to_it_goes_nowhere() -> None:
    relay = Relay(dataclasses.replace(config(), deny_peer_ports=(range(1, 1024),)))
    client = Client(relay)
    relayed = client.allocate()
    mail = TransportAddress(PEER.ip, 25)

    # A permission has no port (RFC 8656 section 10.2): the one named does not count.
    assert code(client.permit(mail)) == 0
    assert code(client.bind(0x4000, mail)) == 403
    assert client.send_to(mail, b"HELO") == []
    assert relay.server.stats().drops == {DropReason.FORBIDDEN_PEER: 1}
    (transmit,) = client.send_to(PEER, b"data")
    assert transmit.path.local == relayed
    assert relay.table.entries == {}


@pytest.mark.requirement("stun-turn:SEC-08")
def test_another_client_of_the_relay_may_have_a_denied_port() -> None:
    relay = Relay(dataclasses.replace(config(), deny_peer_ports=(range(1, 65536),)))
    alice, bob = client_on(relay, 1000), client_on(relay, 1001, username="bob")
    relayed = [alice.allocate(), bob.allocate()]
    bob.permit(relayed[0])

    assert code(alice.bind(0x4000, relayed[1])) == 0
    (transmit,) = alice.send(ChannelData(0x4000, b"hello").encode())
    assert transmit.path == bob.path
