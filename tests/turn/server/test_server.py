"""The server as a whole: what reaches it, what it answers, what it counts."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import (
    AnyAttribute,
    ChannelNumber,
    Data,
    ErrorCode,
    Lifetime,
    Message,
    MessageClass,
    Method,
    Software,
    UnknownAttribute,
    UnknownAttributes,
    XorMappedAddress,
    XorPeerAddress,
    encode_message,
)
from stun.server.source_limiter import UNPROVEN_BURST
from transport import Path, TransportAddress, TransportProtocol
from turn import ChannelData
from turn.server import DropReason
from turn.server.limits import MAX_AMPLIFICATION

from .harness import (
    CLIENT,
    LISTENING_6,
    PEER,
    REALM,
    UDP_REQUEST,
    Client,
    Relay,
    client_on,
    code,
    config,
)

ID = bytes(12)
BARE_ALLOCATE = encode_message(Method.ALLOCATE, MessageClass.REQUEST, ID, (UDP_REQUEST,))
HEADER_ALONE = encode_message(Method.ALLOCATE, MessageClass.REQUEST, ID, ())
CLIENT_6 = Path(TransportProtocol.UDP, LISTENING_6, TransportAddress.parse("2a02::9", 40000))


@pytest.mark.requirement(
    "stun-turn:STUNS-BASE-01", "stun-turn:STUNS-BASE-04", "stun-turn:STUNS-BASE-05"
)
def test_binding_is_answered_without_credentials() -> None:
    response = Client(Relay()).bare(Method.BINDING)

    assert response.get(XorMappedAddress) == XorMappedAddress(CLIENT)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", DropReason.NOT_TURN, id="empty"),
        pytest.param(BARE_ALLOCATE[:1], DropReason.NOT_TURN, id="1-byte"),
        pytest.param(BARE_ALLOCATE[:3], DropReason.NOT_TURN, id="3-bytes"),
        pytest.param(BARE_ALLOCATE[:19], DropReason.NOT_TURN, id="19-bytes"),
        pytest.param(BARE_ALLOCATE[:20], DropReason.NOT_TURN, id="length-past-the-end"),
        pytest.param(BARE_ALLOCATE + b"\0", DropReason.NOT_TURN, id="a-tail"),
        pytest.param(BARE_ALLOCATE * 2, DropReason.NOT_TURN, id="two-messages"),
        pytest.param(b"\x80" + BARE_ALLOCATE[1:], DropReason.NOT_TURN, id="first-bits-10"),
        pytest.param(b"\xc0" + BARE_ALLOCATE[1:], DropReason.NOT_TURN, id="first-bits-11"),
        pytest.param(
            BARE_ALLOCATE[:7] + b"\x43" + BARE_ALLOCATE[8:], DropReason.NOT_TURN, id="cookie"
        ),
        pytest.param(b"\x14\xfe\xfd" + bytes(40), DropReason.NOT_TURN, id="dtls"),
        pytest.param(b"\x10" + bytes(40), DropReason.NOT_TURN, id="zrtp"),
        pytest.param(b"\x80\x60" + bytes(40), DropReason.NOT_TURN, id="rtp"),
        pytest.param(
            encode_message(
                Method.ALLOCATE, MessageClass.REQUEST, ID, (UDP_REQUEST,), fingerprint=True
            )[:-1]
            + b"\0",
            DropReason.BAD_FINGERPRINT,
            id="fingerprint",
        ),
        *(
            pytest.param(
                encode_message(method, MessageClass.REQUEST, ID, ()),
                DropReason.UNEXPECTED_METHOD,
                id=f"request-{method:#05x}",
            )
            for method in (0, 2, Method.SEND, Method.DATA, Method.CONNECT, 0xFF, 0xFFF)
        ),
        *(
            pytest.param(
                encode_message(method, message_class, ID, ()),
                DropReason.UNEXPECTED_METHOD,
                id=f"{message_class.name}-{method:#05x}",
            )
            for method in (Method.BINDING, Method.ALLOCATE, Method.SEND)
            for message_class in (MessageClass.SUCCESS, MessageClass.ERROR)
        ),
    ],
)
@pytest.mark.requirement(
    "stun-turn:STUNS-BASE-16",
    "stun-turn:COD-HDR-01",
    "stun-turn:COD-HDR-02",
    "stun-turn:COD-HDR-06",
    "stun-turn:COD-HDR-10",
    "stun-turn:COD-HDR-11",
    "stun-turn:TURN-GEN-10",
)
def test_what_is_no_request_is_dropped_and_counted(data: bytes, reason: DropReason) -> None:
    relay = Relay()

    assert Client(relay).send(data) == []
    assert relay.server.stats().drops == {reason: 1}


@pytest.mark.requirement("stun-turn:TURN-GEN-11", "stun-turn:COD-HDR-03")
def test_the_message_types_are_those_of_the_rfc() -> None:
    relay = Relay()
    client = Client(relay)

    kinds = [
        client.bare(Method.BINDING).data[:2].hex(),
        client.bare(Method.ALLOCATE).data[:2].hex(),
        client.ask(Method.ALLOCATE, UDP_REQUEST).data[:2].hex(),
        client.permit(PEER).data[:2].hex(),
        client.bind(0x4000, PEER).data[:2].hex(),
        client.refresh().data[:2].hex(),
    ]

    assert kinds == ["0101", "0113", "0103", "0108", "0109", "0104"]


@pytest.mark.parametrize("path", [Client(Relay()).path, CLIENT_6], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("realm", ["r", REALM, "x" * 44])
@pytest.mark.requirement("stun-turn:SEC-09", "stun-turn:STUNS-BASE-06", "stun-turn:TURN-GEN-07")
def test_an_answer_to_a_stranger_is_at_most_3_times_the_request(path: Path, realm: str) -> None:
    relay = Relay(dataclasses.replace(config(), realm=realm))
    headers = 28 if path is not CLIENT_6 else 48
    assert len(BARE_ALLOCATE) == 28

    response = Client(relay, path).answer(BARE_ALLOCATE)

    assert len(response.data) + headers <= MAX_AMPLIFICATION * (28 + headers)
    assert not response.has(Software)
    assert response.get(ErrorCode) == ErrorCode(401)


@pytest.mark.requirement("stun-turn:SEC-09")
def test_a_flood_of_headers_is_answered_at_a_bounded_rate() -> None:
    relay = Relay()
    client = Client(relay)
    answers = [len(client.send(HEADER_ALONE)) for _ in range(1000)]

    assert sum(answers) == UNPROVEN_BURST
    assert relay.server.stats().drops == {DropReason.RATE_LIMITED: 950}
    assert code(client.answer(BARE_ALLOCATE)) == 401


@pytest.mark.requirement("stun-turn:SEC-11")
def test_a_stranger_leaves_nothing_behind() -> None:
    relay = Relay()
    for port in range(1024, 1524):
        client_on(relay, port).answer(BARE_ALLOCATE)

    stats = relay.server.stats()
    assert (stats.allocations, stats.waiting) == (0, 0)
    assert relay.server.next_timeout() is None
    assert stats.errors == {401: 500}


@pytest.mark.requirement("stun-turn:COD-HDR-09")
def test_the_longest_answers_fit_an_unknown_mtu() -> None:
    relay = Relay(dataclasses.replace(config(), realm="x" * 44))
    client = Client(relay)
    unknown = [UnknownAttribute(0x5000 + number, b"") for number in range(1000)]

    challenge = client.answer(BARE_ALLOCATE)
    binding = client.bare(Method.BINDING, *unknown)

    assert len(challenge.data) <= 548
    assert len(binding.data) <= 548


def test_a_signed_list_of_unknown_attributes_is_cut_off_at_the_mtu() -> None:
    client = Client(Relay())
    unknown = [UnknownAttribute(0x5000 + number, b"") for number in range(1000)]

    response = client.ask(Method.ALLOCATE, UDP_REQUEST, *unknown)

    assert code(response) == 420
    assert len(response.data) <= 548
    assert response.get(UnknownAttributes) == UnknownAttributes(tuple(range(0x5000, 0x50C8)))


@pytest.mark.requirement("stun-turn:COD-ATTR-02")
def test_padding_is_zero_in_everything_that_is_sent() -> None:
    relay = Relay(dataclasses.replace(config(), realm="abcde"))
    client = Client(relay)
    client.bare(Method.ALLOCATE)
    client.ask(Method.ALLOCATE)

    for transmit in relay.sent:
        message = Message.decode(transmit.segments[0])
        plain = [UnknownAttribute(*each) for each in message.raw_attributes()]
        again = encode_message(message.method, message.message_class, message.transaction_id, plain)
        assert message.data[20 : len(again)] == again[20:]


@pytest.mark.requirement("stun-turn:COD-ATTR-03")
def test_padding_of_a_request_may_be_anything() -> None:
    client = Client(Relay(), username="alice", extra=(UnknownAttribute(0xC001, b"x"),))
    data = client.request(Method.BINDING)

    assert code(client.answer(data.replace(b"x\0\0\0", b"x\x20\xff\x20"))) == 0


@pytest.mark.parametrize("length", [0, 1, 3, 4, 255])
@pytest.mark.requirement("stun-turn:COD-ATTR-06")
def test_optional_attributes_of_any_length_are_ignored(length: int) -> None:
    client = Client(Relay(), extra=(UnknownAttribute(0xC001, bytes(length)),))

    assert client.allocate()


def test_errors_are_counted_by_code() -> None:
    relay = Relay()
    client = Client(relay)
    client.refresh()
    client.ask(Method.ALLOCATE)

    assert relay.server.stats().errors == {401: 1, 437: 1, 400: 1}


@pytest.mark.requirement("stun-turn:COD-ATTR-08", "stun-turn:SEC-15")
def test_an_allocate_cut_off_anywhere_is_dropped_or_refused() -> None:
    relay = Relay()
    client = Client(relay)
    whole = client.request(Method.ALLOCATE, UDP_REQUEST)

    for size in range(len(whole)):
        assert client.send(whole[:size]) == []
    for size in range(20, len(whole), 4):
        shorter = whole[:2] + (size - 20).to_bytes(2, "big") + whole[4:size]
        answers = client.send(shorter)
        assert all(
            Message.decode(each.segments[0]).message_class is MessageClass.ERROR for each in answers
        )

    assert relay.requested == []


ATTRIBUTES: list[AnyAttribute] = [
    UDP_REQUEST,
    Lifetime(0),
    XorPeerAddress(PEER),
    ChannelNumber(0x4000),
    Data(b"data"),
    UnknownAttribute(0x0012, b"\0\1"),
]
requests = st.tuples(
    st.sampled_from([*Method, 0, 0xFFF]),
    st.sampled_from(list(MessageClass)),
    st.lists(st.sampled_from(ATTRIBUTES), max_size=4),
    st.booleans(),
)
edits = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=4)


@given(st.lists(st.tuples(requests, edits), min_size=1, max_size=8))
@pytest.mark.requirement("stun-turn:SEC-15")
def test_no_damaged_message_raises_or_is_answered_to_somebody_else(
    messages: list[
        tuple[tuple[int, MessageClass, list[AnyAttribute], bool], list[tuple[int, int]]]
    ],
) -> None:
    relay = Relay()
    client = Client(relay)
    client.allocate()
    client.permit(PEER)
    client.bind(0x4000, PEER)
    for (method, message_class, attributes, signed), changes in messages:
        if signed:
            data = bytearray(client.request(method, *attributes))
        else:
            data = bytearray(encode_message(method, message_class, ID, attributes))
        for place, value in changes:
            data[place % len(data)] = value
        for transmit in client.send(bytes(data)):
            remote = transmit.path.remote  # a permission is for all ports of the peer
            assert remote == client.path.remote or remote.ip == PEER.ip
    assert code(client.bare(Method.BINDING)) == 0


@given(st.binary(max_size=200))
@pytest.mark.requirement("stun-turn:SEC-15")
def test_no_bytes_raise(data: bytes) -> None:
    relay = Relay()
    client = Client(relay)
    relayed = client.allocate()
    client.bind(0x4000, PEER)

    client.send(data)
    client.send(b"\x40" + data)
    relay.receive_relayed(data, PEER, relayed)

    assert code(client.refresh()) == 0


def test_a_late_driver_does_not_make_things_live_longer() -> None:
    relay = Relay()
    client = Client(relay)
    client.allocate()
    client.bind(0x4000, PEER)
    relay.now = 300.0

    assert client.send(ChannelData(0x4000, b"late").encode()) == []
    assert relay.server.next_timeout() == 600.0


def test_handling_a_timeout_early_does_nothing() -> None:
    relay = Relay()
    client = Client(relay)
    client.allocate()
    client.permit(PEER)
    deadline = relay.server.next_timeout()

    relay.server.handle_timeout(299.0)
    relay.drain()

    assert deadline == 300.0
    assert relay.server.next_timeout() == deadline
    assert client.send_to(PEER, b"out")


def test_the_next_timeout_is_later_than_the_one_just_handled() -> None:
    relay = Relay()
    client = Client(relay)
    client.allocate()
    client.permit(PEER)
    client.bind(0x4000, PEER)
    relay.run_until(100.0)
    client.permit(PEER)

    seen = []
    while (deadline := relay.server.next_timeout()) is not None:
        relay.server.handle_timeout(deadline)
        seen.append(deadline)

    assert seen == sorted(set(seen))
    assert seen[-1] == 600.0
