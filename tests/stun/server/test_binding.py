"""Binding requests (RFC 8489 section 12)."""

from __future__ import annotations

import pytest

from stun import (
    AnyAttribute,
    ChangeRequest,
    ErrorCode,
    Lifetime,
    MappedAddress,
    Message,
    MessageClass,
    Method,
    Software,
    UnknownAttribute,
    UnknownAttributes,
    XorMappedAddress,
    encode_message,
    short_term_key,
)
from stun.server import MAX_UNKNOWN_TYPES, BindingServer
from transport import Path, TransportAddress, TransportProtocol

SERVER = TransportAddress.parse("192.0.2.1", 3478)
CLIENT = TransportAddress.parse("192.0.2.9", 40000)
PATH = Path(TransportProtocol.UDP, SERVER, CLIENT)
ID = bytes(range(12))


def request(*attributes: AnyAttribute, fingerprint: bool = False) -> bytes:
    return encode_message(
        Method.BINDING, MessageClass.REQUEST, ID, attributes, fingerprint=fingerprint
    )


def answer(data: bytes, path: Path = PATH) -> Message | None:
    server = BindingServer()
    server.receive(data, path, 0.0)
    transmit = server.poll_transmit()
    assert server.poll_transmit() is None
    if transmit is None:
        assert server.dropped == 1
        return None
    assert transmit.path == path
    (response,) = transmit.segments
    return Message.decode(response)


@pytest.mark.requirement(
    "stun-turn:STUNS-BASE-02", "stun-turn:STUNS-BASE-03", "stun-turn:STUNS-BASE-05"
)
@pytest.mark.parametrize("transport", list(TransportProtocol))
@pytest.mark.parametrize(
    ("remote", "told"),
    [
        pytest.param("192.0.2.9", "192.0.2.9", id="ipv4"),
        pytest.param("2001:db8::9", "2001:db8::9", id="ipv6"),
        pytest.param("::ffff:192.0.2.9", "192.0.2.9", id="ipv4-on-a-socket-for-both"),
    ],
)
def test_a_client_learns_its_address_and_nothing_else(
    remote: str, told: str, transport: TransportProtocol
) -> None:
    path = Path(transport, SERVER, TransportAddress.parse(remote, 40000))

    response = answer(request(), path)

    assert response is not None
    assert response.message_class is MessageClass.SUCCESS
    assert response.transaction_id == ID
    assert response.get(XorMappedAddress) == XorMappedAddress(TransportAddress.parse(told, 40000))
    assert [number for number, _ in response.raw_attributes()] == [XorMappedAddress.TYPE]


@pytest.mark.parametrize("transaction_id", [bytes(12), b"\xff" * 12])
@pytest.mark.requirement("stun-turn:COD-HDR-08")
def test_the_transaction_id_comes_back(transaction_id: bytes) -> None:
    response = answer(encode_message(Method.BINDING, MessageClass.REQUEST, transaction_id, ()))

    assert response is not None
    assert response.transaction_id == transaction_id


@pytest.mark.requirement(
    "stun-turn:STUNS-BASE-07",
    "stun-turn:STUNS-BASE-08",
    "stun-turn:NATB-11",
    "stun-turn:SEC-10",
)
def test_unknown_attributes_that_must_be_understood_are_listed() -> None:
    response = answer(
        request(
            UnknownAttribute(0x7F01, b""),
            UnknownAttribute(0x7F02, b"abc"),
            UnknownAttribute(0xFFFF, b""),
            ChangeRequest(change_ip=True, change_port=False),
        )
    )

    assert response is not None
    assert (response.method, response.message_class) == (Method.BINDING, MessageClass.ERROR)
    assert response.get(ErrorCode) == ErrorCode(420)
    assert response.get(UnknownAttributes) == UnknownAttributes((0x7F01, 0x7F02, 0x0003))


def test_a_flood_of_unknown_attributes_is_answered_within_the_mtu() -> None:
    flood = [UnknownAttribute(0x6000 + number, b"") for number in range(1000)]

    response = answer(request(*flood))

    assert response is not None
    listed = response.get(UnknownAttributes)
    assert listed is not None
    assert len(listed.types) == MAX_UNKNOWN_TYPES
    assert len(response.data) <= 548


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param((UnknownAttribute(0xC001, b"abcde"),), id="unknown-optional"),
        pytest.param((Lifetime(5), XorMappedAddress(CLIENT)), id="of-other-messages"),
        pytest.param((UnknownAttribute(Lifetime.TYPE, b"x"),), id="malformed-and-unexpected"),
        pytest.param((Software("x" * 127),), id="software"),
    ],
)
@pytest.mark.requirement("stun-turn:COD-ATTR-06", "stun-turn:COD-ATTR-07", "stun-turn:COD-TXT-06")
def test_what_means_nothing_here_is_ignored(attributes: tuple[AnyAttribute, ...]) -> None:
    response = answer(request(*attributes))

    assert response is not None
    assert response.message_class is MessageClass.SUCCESS


@pytest.mark.requirement("stun-turn:STUNS-BASE-04", "stun-turn:STUNS-BASE-15")
def test_credentials_of_anybody_are_not_looked_at() -> None:
    key = short_term_key("whatever")

    response = answer(
        encode_message(Method.BINDING, MessageClass.REQUEST, ID, (), key=key, fingerprint=True)
    )

    assert response is not None
    assert response.message_class is MessageClass.SUCCESS
    assert not response.has_integrity


@pytest.mark.parametrize("fingerprint", [False, True])
def test_a_response_has_fingerprint_if_the_request_has(fingerprint: bool) -> None:
    response = answer(request(fingerprint=fingerprint))

    assert response is not None
    assert response.fingerprint_ok is (True if fingerprint else None)


def other(message_class: MessageClass, method: int = Method.BINDING) -> bytes:
    return encode_message(method, message_class, ID, (MappedAddress(CLIENT),))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(other(MessageClass.INDICATION), id="indication"),
        pytest.param(other(MessageClass.SUCCESS), id="success"),
        pytest.param(other(MessageClass.ERROR), id="error"),
        pytest.param(other(MessageClass.REQUEST, 0x002), id="shared-secret"),
        pytest.param(other(MessageClass.REQUEST, 0xFFF), id="method-0xfff"),
        pytest.param(other(MessageClass.REQUEST, Method.ALLOCATE), id="allocate"),
        pytest.param(b"", id="empty"),
        pytest.param(request()[:19], id="19-bytes"),
        pytest.param(request() + b"\0", id="one-byte-more"),
        pytest.param(b"\x40" + request()[1:], id="first-bits"),
        pytest.param(request()[:4] + b"\x21\x12\xa4\x43" + request()[8:], id="another-cookie"),
        pytest.param(request(fingerprint=True)[:-1] + b"\0", id="wrong-fingerprint"),
        pytest.param(request()[:2] + b"\0\x04" + request()[4:] + b"\0\x06\0\x08", id="cut-off"),
    ],
)
@pytest.mark.requirement(
    "stun-turn:STUNS-BASE-09",
    "stun-turn:STUNS-BASE-10",
    "stun-turn:STUNS-BASE-16",
    "stun-turn:COD-HDR-10",
    "stun-turn:COD-HDR-11",
    "stun-turn:COD-FP-02",
)
def test_all_else_is_met_with_silence(data: bytes) -> None:
    assert answer(data) is None


@pytest.mark.requirement("stun-turn:STUNS-BASE-11")
def test_a_retransmitted_request_gets_the_same_answer() -> None:
    server = BindingServer()

    for _ in range(3):
        server.receive(request(), PATH, 0.0)

    answers = [server.poll_transmit() for _ in range(3)]
    assert answers[0] is not None
    assert answers == [answers[0]] * 3


def test_nothing_is_kept_of_anybody() -> None:
    server = BindingServer()
    server.connected(PATH, 0.0)
    server.receive(request(), PATH, 0.0)
    server.disconnected(PATH, "closed", 1.0)
    server.handle_timeout(2.0)

    assert server.next_timeout() is None
    assert server.poll_event() is None
