"""The messages that RFC 5769 and RFC 8489 appendix B.1 print."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from stun import (
    AnyAttribute,
    IceControlled,
    KeyAlgorithm,
    Message,
    MessageClass,
    MessageIntegritySha256,
    Method,
    Nonce,
    Priority,
    Realm,
    Software,
    Userhash,
    Username,
    XorMappedAddress,
    encode_message,
    long_term_digest,
    long_term_key,
    short_term_key,
    userhash,
)
from stun.attributes import IceControlling, UnknownAttribute
from transport import DecodeError, TransportAddress

from . import vectors

KEY = short_term_key(vectors.PASSWORD)
CORRECTED_HMAC = bytes.fromhex("234112fbd4e27f983eb4032836f998216f5b23f8d927753fbc4f882bfbdf0dec")


@pytest.mark.requirement("stun-turn:COD-MI-01")
@pytest.mark.requirement("stun-turn:COD-MI-02")
@pytest.mark.requirement("stun-turn:COD-MI-04")
@pytest.mark.requirement("stun-turn:COD-FP-01")
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(vectors.REQUEST, id="2.1-request"),
        pytest.param(vectors.IPV4_RESPONSE, id="2.2-ipv4-response"),
        pytest.param(vectors.IPV6_RESPONSE, id="2.3-ipv6-response"),
    ],
)
def test_integrity_and_fingerprint_of_the_short_term_vectors_hold(data: bytes) -> None:
    message = Message.decode(data)

    assert message.transaction_id == vectors.TRANSACTION_ID
    assert message.verify_integrity(KEY)
    assert not message.verify_integrity(short_term_key("another password"))
    assert message.fingerprint_ok


@pytest.mark.requirement("stun-turn:COD-ATTR-03")
@pytest.mark.requirement("stun-turn:COD-ATTR-12")
def test_the_request_reads_as_printed_with_its_padding_of_spaces() -> None:
    message = Message.decode(vectors.REQUEST)

    assert (message.method, message.message_class) == (Method.BINDING, MessageClass.REQUEST)
    assert message.get(Software) == Software("STUN test client")
    assert message.get(Priority) == Priority(0x6E0001FF)
    assert message.get(IceControlled) == IceControlled(0x932FF9B151263B36)
    assert message.get(Username) == Username("evtj:h6vY")
    assert message.get(IceControlling) is None


@pytest.mark.requirement("stun-turn:COD-ADDR-03")
@pytest.mark.requirement("stun-turn:COD-ADDR-04")
@pytest.mark.requirement("stun-turn:COD-ADDR-05")
@pytest.mark.parametrize(
    ("data", "host"),
    [
        pytest.param(vectors.IPV4_RESPONSE, "192.0.2.1", id="ipv4"),
        pytest.param(vectors.IPV6_RESPONSE, "2001:db8:1234:5678:11:2233:4455:6677", id="ipv6"),
    ],
)
def test_the_responses_carry_the_printed_mapped_address(data: bytes, host: str) -> None:
    message = Message.decode(data)
    mapped = XorMappedAddress(TransportAddress.parse(host, 32853))

    assert message.message_class is MessageClass.SUCCESS
    assert message.get(XorMappedAddress) == mapped
    assert message.raw_value(XorMappedAddress.TYPE) == mapped.encode(message.transaction_id)


def test_a_response_with_zero_padding_differs_from_the_printed_one_only_where_it_must() -> None:
    address = XorMappedAddress(TransportAddress.parse("192.0.2.1", 32853))

    data = encode_message(
        Method.BINDING,
        MessageClass.SUCCESS,
        vectors.TRANSACTION_ID,
        [Software("test vector"), address],
        key=KEY,
        fingerprint=True,
    )

    assert data[:35] == vectors.IPV4_RESPONSE[:35]
    assert data[35:36] == b"\0"
    assert data[36:52] == vectors.IPV4_RESPONSE[36:52]
    assert Message.decode(data).verify_integrity(KEY)


@pytest.mark.requirement("stun-turn:COD-MI-05")
@pytest.mark.requirement("stun-turn:COD-TXT-02")
def test_the_long_term_request_is_written_byte_for_byte() -> None:
    key = long_term_key(vectors.MATRIX, vectors.REALM, password=vectors.MATRIX_PASSWORD)
    attributes: list[AnyAttribute] = [
        Username(vectors.MATRIX),
        Nonce("f//499k954d6OL34oL9FSTvy64sA"),
        Realm(vectors.REALM),
    ]

    data = encode_message(
        Method.BINDING,
        MessageClass.REQUEST,
        vectors.LONG_TERM_REQUEST[8:20],
        attributes,
        key=key,
    )

    assert data == vectors.LONG_TERM_REQUEST
    assert Message.decode(data).fingerprint_ok is None


@pytest.mark.requirement("stun-turn:COD-HDR-04")
def test_the_request_of_rfc_8489_is_refused_for_its_wrong_length() -> None:
    with pytest.raises(DecodeError):
        Message.decode(vectors.SHA256_REQUEST_AS_PRINTED)


@pytest.mark.requirement("stun-turn:COD-TXT-03")
@pytest.mark.requirement("stun-turn:COD-MI-06")
def test_the_request_of_rfc_8489_holds_once_its_length_and_hmac_are_corrected() -> None:
    printed = vectors.SHA256_REQUEST_AS_PRINTED
    corrected = printed[:2] + b"\x00\x88" + printed[4:-32] + CORRECTED_HMAC
    key = long_term_key(
        vectors.MATRIX,
        vectors.REALM,
        password=vectors.MATRIX_PASSWORD,
        algorithm=KeyAlgorithm.SHA256,
    )

    message = Message.decode(corrected)

    assert message.verify_integrity(key)
    assert message.get(Userhash) == Userhash(userhash(vectors.MATRIX, vectors.REALM))
    assert message.get(Nonce) == Nonce("obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA")
    assert message.get(MessageIntegritySha256) == MessageIntegritySha256(CORRECTED_HMAC)


def test_the_hmac_that_rfc_8489_prints_was_made_with_the_wrong_length() -> None:
    printed = vectors.SHA256_REQUEST_AS_PRINTED
    key = long_term_digest(
        vectors.MATRIX,
        vectors.REALM,
        password=vectors.MATRIX_PASSWORD,
        algorithm=KeyAlgorithm.SHA256,
    )

    assert hmac.digest(key, printed[:-36], hashlib.sha256) == printed[-32:]


@pytest.mark.requirement("stun-turn:COD-ATTR-01")
def test_a_message_read_and_written_again_from_its_raw_attributes_keeps_every_byte() -> None:
    message = Message.decode(vectors.LONG_TERM_REQUEST)
    key = long_term_key(vectors.MATRIX, vectors.REALM, password=vectors.MATRIX_PASSWORD)

    data = encode_message(
        message.method,
        message.message_class,
        message.transaction_id,
        [UnknownAttribute(number, value) for number, value in message.raw_attributes()],
        key=key,
    )

    assert data == vectors.LONG_TERM_REQUEST
