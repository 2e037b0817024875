"""Data to and from peers (RFC 8656 sections 11 and 12.5), from a scripted server."""

from __future__ import annotations

import logging

import pytest

from stun import (
    AnyAttribute,
    Data,
    Icmp,
    MessageClass,
    Method,
    UnknownAttribute,
    XorPeerAddress,
    encode_message,
)
from transport import Path, TransportAddress, TransportProtocol
from turn.client import ClientState, DataReceived, DropReason, IcmpReceived

from .script import HERE, PEER, SERVER, Script, allocated, peer

ELSEWHERE = TransportAddress.parse("203.0.113.66", 3478)
FROM_PEER = XorPeerAddress(PEER)


def drops(script: Script) -> dict[DropReason, int]:
    return dict(script.client.stats().drops)


def with_permission() -> Script:
    script = allocated()
    script.get_permission(PEER.ip)
    return script


@pytest.mark.requirement("stun-turn:TURNC-PERM-02")
def test_nothing_is_sent_to_a_peer_before_its_permission_is_confirmed() -> None:
    script = allocated()
    script.permit(PEER.ip)
    request = script.take_one()

    assert not script.send(PEER, b"early")
    script.succeed(request)
    assert script.send(PEER, b"data")

    assert script.take_one().message.get(Data) == Data(b"data")
    assert drops(script) == {DropReason.SEND_WITHOUT_PERMISSION: 1}


def test_nothing_is_sent_without_an_allocation() -> None:
    script = Script()

    assert not script.send(PEER, b"data")

    assert drops(script) == {DropReason.NOT_ALLOCATED: 1}


@pytest.mark.requirement("stun-turn:STUNC-UDP-11")
def test_data_goes_in_a_send_indication_to_any_port_of_a_permitted_address() -> None:
    script = with_permission()

    script.send(peer(7, port=9), b"data")

    sent = script.take_one()
    assert (sent.method, sent.message.message_class) == (Method.SEND, MessageClass.INDICATION)
    assert sent.peers == [peer(7, port=9)]
    assert not sent.message.has_integrity
    script.advance(script.now + 100.0)
    assert script.take() == []


@pytest.mark.requirement("stun-turn:TURNC-CHAN-04")
def test_data_goes_in_indications_until_the_channel_is_confirmed() -> None:
    script = with_permission()
    script.bind(PEER)
    request = script.take_one()

    script.send(PEER, b"before")
    script.succeed(request)
    script.send(PEER, b"after")

    assert script.take_one().message.get(Data) == Data(b"before")
    ((_, (message,)),) = script.channel_data
    assert message[2:] == b"\0\5after"


def test_a_run_of_equal_segments_becomes_one_run_of_equal_channel_data() -> None:
    script = allocated()
    number = script.get_channel(PEER)
    segments = [bytes([fill]) * 1200 for fill in range(3)] + [b"end"]

    script.send(PEER, *segments)

    head = number.to_bytes(2, "big")
    ((_, run),) = script.channel_data
    assert list(run) == [head + len(data).to_bytes(2, "big") + data for data in segments]


def test_a_run_of_equal_segments_becomes_one_run_of_equal_indications() -> None:
    script = with_permission()
    script.runs.clear()

    script.send(PEER, bytes(1199), bytes(1199), b"end")

    (run,) = script.runs
    assert len(run[0]) == len(run[1]) > len(run[2])


@pytest.mark.requirement("stun-turn:TURNC-CHAN-07")
@pytest.mark.parametrize("length", range(6))
def test_channel_data_over_udp_is_not_padded(length: int) -> None:
    script = allocated()
    script.get_channel(PEER)

    script.send(PEER, bytes(length))

    ((_, (message,)),) = script.channel_data
    assert len(message) == 4 + length


def test_a_code_point_goes_with_the_data() -> None:
    script = allocated()
    script.get_channel(PEER)

    script.client.send(PEER, [b"data"], script.now, dscp=46)

    transmit = script.client.poll_transmit()
    assert transmit is not None
    assert transmit.dscp == 46


@pytest.mark.parametrize("bound", [False, True])
def test_data_that_no_datagram_holds_is_a_mistake(bound: bool) -> None:
    script = with_permission()
    if bound:
        script.get_channel(PEER)

    with pytest.raises(ValueError, match="65536"):
        script.send(PEER, bytes(65536))


def test_a_data_indication_of_a_permitted_peer_is_delivered() -> None:
    script = with_permission()

    script.indicate(peer(7, port=1), b"data")
    script.indicate(peer(7, port=2), b"")

    assert script.events_of(DataReceived) == [
        DataReceived(peer(7, port=1), b"data"),
        DataReceived(peer(7, port=2), b""),
    ]


def test_a_data_indication_may_overtake_the_answer_to_the_request_that_allowed_it() -> None:
    script = allocated()
    script.permit(PEER.ip)

    script.indicate(PEER, b"data")

    assert script.events_of(DataReceived) == [DataReceived(PEER, b"data")]


@pytest.mark.requirement("stun-turn:TURNC-PERM-06")
def test_an_icmp_message_is_reported() -> None:
    script = with_permission()

    script.indicate_raw(FROM_PEER, Icmp(3, 3, 7))

    assert script.events_of(IcmpReceived) == [IcmpReceived(PEER, 3, 3, 7)]


@pytest.mark.requirement("stun-turn:TURNC-PERM-04")
@pytest.mark.requirement("stun-turn:TURNC-PERM-05")
@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        pytest.param((Data(b"x"),), DropReason.INCOMPLETE_INDICATION, id="no peer"),
        pytest.param((FROM_PEER,), DropReason.INCOMPLETE_INDICATION, id="no data"),
        pytest.param(
            (XorPeerAddress(peer(9)), Data(b"x")), DropReason.NO_PERMISSION, id="no permission"
        ),
        pytest.param(
            (UnknownAttribute(0x0012, b"\0"), Data(b"x")), DropReason.MALFORMED, id="bad peer"
        ),
        pytest.param(
            (FROM_PEER, Data(b"x"), UnknownAttribute(0x7FFE, b"")),
            DropReason.UNKNOWN_ATTRIBUTE,
            id="unknown attribute",
        ),
    ],
)
def test_a_data_indication_that_is_not_right_is_dropped(
    attributes: tuple[AnyAttribute, ...], reason: DropReason
) -> None:
    script = with_permission()

    script.indicate_raw(*attributes)

    assert script.events_of(DataReceived) == []
    assert drops(script) == {reason: 1}


@pytest.mark.requirement("stun-turn:TURNC-CHAN-08")
@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        pytest.param(b"\0\4data", b"data", id="as long as it says"),
        pytest.param(b"\0\0", b"", id="empty"),
        pytest.param(b"\0\5hello\0\0\0", b"hello", id="padded"),
    ],
)
def test_channel_data_is_delivered_without_head_and_padding(tail: bytes, expected: bytes) -> None:
    script = allocated()
    number = script.get_channel(PEER)

    script.receive(number.to_bytes(2, "big") + tail)

    assert script.events_of(DataReceived) == [DataReceived(PEER, expected)]


@pytest.mark.requirement("stun-turn:TURNC-CHAN-08")
@pytest.mark.requirement("stun-turn:DEMUX-02")
@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param(b"\x40", DropReason.SHORT_CHANNEL_DATA, id="one byte"),
        pytest.param(b"\x40\0\0", DropReason.SHORT_CHANNEL_DATA, id="no length"),
        pytest.param(b"\x40\0\0\5data", DropReason.SHORT_CHANNEL_DATA, id="short"),
        pytest.param(b"\x4a\xbc\0\4data", DropReason.UNKNOWN_CHANNEL, id="not bound"),
        pytest.param(b"\x50\0\0\4data", DropReason.UNKNOWN_PROTOCOL, id="reserved number"),
        pytest.param(b"\x80\0\0\4data", DropReason.UNKNOWN_PROTOCOL, id="RTP"),
        pytest.param(b"", DropReason.UNKNOWN_PROTOCOL, id="nothing"),
        pytest.param(b"\0\1\0\0", DropReason.MALFORMED, id="half a STUN header"),
        pytest.param(
            encode_message(Method.BINDING, MessageClass.SUCCESS, bytes(12), ()),
            DropReason.UNKNOWN_TRANSACTION,
            id="a response to nothing",
        ),
        pytest.param(
            encode_message(Method.BINDING, MessageClass.REQUEST, bytes(12), ()),
            DropReason.UNEXPECTED_MESSAGE,
            id="a request",
        ),
        pytest.param(
            encode_message(Method.BINDING, MessageClass.INDICATION, bytes(12), ()),
            DropReason.UNEXPECTED_MESSAGE,
            id="another indication",
        ),
        pytest.param(
            encode_message(
                Method.DATA,
                MessageClass.INDICATION,
                bytes(12),
                (FROM_PEER, Data(b"x")),
                fingerprint=True,
            )[:-1]
            + b"\0",
            DropReason.BAD_FINGERPRINT,
            id="a wrong fingerprint",
        ),
    ],
)
def test_what_makes_no_sense_is_dropped(message: bytes, reason: DropReason) -> None:
    script = allocated()
    script.get_channel(PEER)
    events = list(script.events)

    script.receive(message)

    assert script.events == events
    assert drops(script) == {reason: 1}


@pytest.mark.requirement("stun-turn:TURNC-CHAN-10")
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(Path(TransportProtocol.UDP, HERE, ELSEWHERE), id="source"),
        pytest.param(Path(TransportProtocol.UDP, ELSEWHERE, SERVER), id="destination"),
        pytest.param(Path(TransportProtocol.TCP, HERE, SERVER), id="transport"),
    ],
)
def test_what_is_not_from_the_server_on_our_path_is_dropped(path: Path) -> None:
    script = with_permission()
    message = encode_message(
        Method.DATA, MessageClass.INDICATION, bytes(12), (FROM_PEER, Data(b"x"))
    )

    script.receive(message, path)

    assert script.events_of(DataReceived) == []
    assert drops(script) == {DropReason.FOREIGN_PATH: 1}


def test_drops_are_logged_for_who_looks_closely(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    script = Script()

    script.send(PEER, b"data")

    assert "there is no allocation" in caplog.text


def test_data_after_the_end_is_dropped() -> None:
    script = with_permission()
    number = script.get_channel(PEER)
    script.release()

    script.receive(number.to_bytes(2, "big") + b"\0\4data")
    script.indicate(PEER, b"data")

    assert script.client.state is ClientState.RELEASING
    assert script.events_of(DataReceived) == []
    assert drops(script) == {DropReason.NOT_ALLOCATED: 2}
