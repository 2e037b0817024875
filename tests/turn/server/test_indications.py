"""Send and Data indications: RFC 8656 section 11."""

from __future__ import annotations

import dataclasses

import pytest

from stun import (
    AdditionalAddressFamily,
    AddressFamily,
    AnyAttribute,
    Data,
    DontFragment,
    Message,
    MessageClass,
    Method,
    UnknownAttribute,
    XorPeerAddress,
)
from transport import Path, TransportAddress, TransportProtocol
from turn.server import DropReason

from .harness import CLIENT, LISTENING, LISTENING_6, PEER, PEER_6, Client, Relay, client_on

PADDED_PEER = UnknownAttribute(0x0012, XorPeerAddress(PEER).encode(b"") + b"\0")


def permitted() -> tuple[Relay, Client, TransportAddress]:
    relay = Relay()
    client = Client(relay)
    relayed = client.allocate()
    client.permit(PEER)
    return relay, client, relayed


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 1200, 1472, 8000, 65400])
@pytest.mark.requirement(
    "stun-turn:TURN-SEND-02",
    "stun-turn:TURN-SEND-04",
    "stun-turn:TURN-SEND-05",
    "stun-turn:TURN-DATA-01",
    "stun-turn:TURN-DATA-03",
    "stun-turn:TURN-DATA-04",
)
def test_data_passes_byte_for_byte_both_ways(size: int) -> None:
    relay, client, relayed = permitted()
    data = bytes(number & 0xFF for number in range(size))

    (out,) = client.send_to(PEER, data)
    (back,) = relay.receive_relayed(data, PEER, relayed)

    assert (out.path.local, out.path.remote, out.segments) == (relayed, PEER, (data,))
    assert back.path == client.path
    indication = Message.decode(back.segments[0])
    assert (indication.method, indication.message_class) == (Method.DATA, MessageClass.INDICATION)
    assert indication.get(XorPeerAddress) == XorPeerAddress(PEER)
    assert indication.get(Data) == Data(data)
    assert not indication.has_integrity


@pytest.mark.requirement("stun-turn:TURN-DATA-05")
def test_what_reaches_the_client_is_the_datagram_and_a_small_header() -> None:
    relay, _, relayed = permitted()

    (back,) = relay.receive_relayed(bytes(100), PEER, relayed)

    assert len(back.segments[0]) == 100 + 36


def test_data_indications_have_distinct_transaction_ids() -> None:
    relay, _, relayed = permitted()

    sent = [relay.receive_relayed(b"in", PEER, relayed)[0].segments[0] for _ in range(20)]

    assert len({Message.decode(each).transaction_id for each in sent}) == 20


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        pytest.param((Data(b"x"),), DropReason.MALFORMED_INDICATION, id="no-peer"),
        pytest.param((XorPeerAddress(PEER),), DropReason.MALFORMED_INDICATION, id="no-data"),
        pytest.param((), DropReason.MALFORMED_INDICATION, id="neither"),
        pytest.param(
            (PADDED_PEER, Data(b"x")), DropReason.MALFORMED_INDICATION, id="peer-of-9-bytes"
        ),
        pytest.param(
            (XorPeerAddress(PEER_6), Data(b"x")),
            DropReason.MALFORMED_INDICATION,
            id="peer-of-another-family",
        ),
        pytest.param(
            (XorPeerAddress(TransportAddress.parse("8.8.4.4", 7000)), Data(b"x")),
            DropReason.NO_PERMISSION,
            id="no-permission",
        ),
        pytest.param(
            (XorPeerAddress(TransportAddress(PEER.ip, 0)), Data(b"x")),
            DropReason.FORBIDDEN_PEER,
            id="no-port",
        ),
        pytest.param(
            (XorPeerAddress(PEER), Data(b"x"), UnknownAttribute(DontFragment.TYPE, b"1")),
            DropReason.MALFORMED_INDICATION,
            id="dont-fragment-of-1-byte",
        ),
        pytest.param(
            (XorPeerAddress(PEER), Data(b"x"), UnknownAttribute(0x7FFF, b"")),
            DropReason.UNKNOWN_ATTRIBUTE,
            id="unknown",
        ),
    ],
)
@pytest.mark.requirement(
    "stun-turn:TURN-SEND-01",
    "stun-turn:TURN-SEND-03",
    "stun-turn:TURN-SEND-08",
)
def test_what_cannot_be_relayed_is_dropped_without_an_answer(
    attributes: tuple[AnyAttribute, ...], reason: DropReason
) -> None:
    relay, client, _ = permitted()

    assert client.indicate(*attributes) == []
    assert relay.server.stats().drops == {reason: 1}


@pytest.mark.requirement("stun-turn:COD-ATTR-04")
def test_the_first_peer_and_the_first_data_count() -> None:
    _, client, _ = permitted()
    other = XorPeerAddress(TransportAddress(PEER.ip, 9))

    (out,) = client.indicate(XorPeerAddress(PEER), other, Data(b"first"), Data(b"second"))

    assert (out.path.remote, out.segments) == (PEER, (b"first",))


@pytest.mark.requirement("stun-turn:TURN-PERM-09")
def test_a_send_indication_does_not_refresh_the_permission() -> None:
    relay, client, _ = permitted()
    for second in range(10, 300, 10):
        relay.run_until(float(second))
        assert client.send_to(PEER, b"out")

    relay.run_until(300.0)

    assert client.send_to(PEER, b"out") == []


@pytest.mark.requirement("stun-turn:TURN-GEN-04")
def test_a_send_indication_without_an_allocation_is_dropped() -> None:
    relay, _, _ = permitted()

    assert client_on(relay, 1000).send_to(PEER, b"out") == []
    assert relay.server.stats().drops == {DropReason.NO_ALLOCATION: 1}


@pytest.mark.parametrize(
    "method",
    [
        Method.BINDING,
        Method.ALLOCATE,
        Method.REFRESH,
        Method.DATA,
        Method.CREATE_PERMISSION,
        Method.CHANNEL_BIND,
        0xFFF,
    ],
)
@pytest.mark.requirement("stun-turn:TURN-GEN-10", "stun-turn:STUNS-BASE-09", "stun-turn:COD-HDR-10")
def test_every_other_indication_is_dropped(method: int) -> None:
    relay, client, _ = permitted()

    assert client.indicate(XorPeerAddress(PEER), Data(b"x"), method=method) == []
    assert relay.server.stats().drops == {DropReason.UNEXPECTED_METHOD: 1}


@pytest.mark.requirement("stun-turn:TURN-SEND-07", "stun-turn:SEC-01")
def test_an_indication_to_the_relay_itself_is_dropped() -> None:
    relay, client, relayed = permitted()
    assert client.permit(relayed).message_class is MessageClass.SUCCESS

    for port in (22, 80, LISTENING.port):
        assert client.send_to(TransportAddress(relayed.ip, port), b"x") == []

    assert relay.server.stats().drops == {DropReason.FORBIDDEN_PEER: 3}


CLIENT_6 = TransportAddress.parse("2a02::9", 40000)
TCP, DTLS = TransportProtocol.TCP, TransportProtocol.DTLS
ON_UDP = Path(TransportProtocol.UDP, LISTENING, CLIENT)
ON_UDP_6 = Path(TransportProtocol.UDP, LISTENING_6, CLIENT_6)


@pytest.mark.parametrize(
    ("path", "peer", "is_whole"),
    [
        pytest.param(ON_UDP, PEER, True, id="ipv4-to-ipv4"),
        pytest.param(ON_UDP, PEER_6, False, id="ipv4-to-ipv6"),
        pytest.param(ON_UDP_6, PEER, False, id="ipv6-to-ipv4"),
        pytest.param(ON_UDP_6, PEER_6, False, id="ipv6-to-ipv6"),
        pytest.param(dataclasses.replace(ON_UDP, transport=DTLS), PEER_6, False, id="dtls"),
        pytest.param(dataclasses.replace(ON_UDP, transport=TCP), PEER, True, id="tcp-to-ipv4"),
        pytest.param(dataclasses.replace(ON_UDP_6, transport=TCP), PEER_6, True, id="tcp-to-ipv6"),
        pytest.param(dataclasses.replace(ON_UDP_6, transport=TCP), PEER, True, id="tcp6-to-ipv4"),
    ],
)
@pytest.mark.requirement("stun-turn:TURN-SEND-06", "stun-turn:TURN-IP-04")
def test_dont_fragment_is_obeyed_unless_packets_are_translated(
    path: Path, peer: TransportAddress, is_whole: bool
) -> None:
    """RFC 8656 section 13: it is ignored where one of both sides has IPv6, but for streams."""
    client = Client(Relay(), path)
    client.allocate(AdditionalAddressFamily(AddressFamily.IPV6))
    client.permit(peer)

    (usual,) = client.send_to(peer, b"data")
    (whole,) = client.indicate(XorPeerAddress(peer), Data(b"data"), DontFragment())

    assert (usual.segments, whole.segments) == ((b"data",), (b"data",))
    assert (usual.dont_fragment, whole.dont_fragment) == (False, is_whole)
