from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import (
    KNOWN_TYPES,
    AnyAttribute,
    Attribute,
    DontFragment,
    ErrorCode,
    Fingerprint,
    IntegrityAlgorithm,
    IntegrityKey,
    Lifetime,
    Message,
    MessageClass,
    MessageIntegrity,
    MessageIntegritySha256,
    Method,
    Priority,
    Realm,
    Software,
    UnknownAttribute,
    UseCandidate,
    Username,
    XorPeerAddress,
    decode_attribute,
    encode_message,
    is_stun,
    short_term_key,
)
from tests.stun import vectors
from tests.stun.strategies import any_attribute, damaged, transaction_ids
from transport import DecodeError, TransportAddress

ID = bytes(range(12))
KEY = short_term_key("a password of some length")
VALID = encode_message(
    Method.BINDING,
    MessageClass.REQUEST,
    ID,
    [Username("evtj:h6vY"), Priority(7)],
    key=KEY,
    fingerprint=True,
)


def tlv(number: int, value: bytes, *, length: int | None = None, padding: bytes = b"\0") -> bytes:
    """An attribute put together by hand, so that it can be wrong."""
    size = len(value) if length is None else length
    head = number.to_bytes(2, "big") + size.to_bytes(2, "big")
    return head + value + padding * (-len(value) % 4)


def message(*attributes: bytes, kind: int = 0x0001, length: int | None = None) -> bytes:
    body = b"".join(attributes)
    size = len(body) if length is None else length
    return kind.to_bytes(2, "big") + size.to_bytes(2, "big") + b"\x21\x12\xa4\x42" + ID + body


def unsigned(*attributes: AnyAttribute) -> bytes:
    return encode_message(Method.BINDING, MessageClass.REQUEST, ID, attributes)


def replaced(data: bytes, start: int, new: bytes) -> bytes:
    return data[:start] + new + data[start + len(new) :]


def relengthed(data: bytes) -> bytes:
    return replaced(data, 2, (len(data) - 20).to_bytes(2, "big"))


@pytest.mark.requirement("stun-turn:COD-HDR-01")
@pytest.mark.requirement("stun-turn:COD-HDR-02")
@pytest.mark.requirement("stun-turn:COD-HDR-04")
@pytest.mark.requirement("stun-turn:COD-HDR-05")
@pytest.mark.requirement("stun-turn:COD-HDR-06")
@pytest.mark.requirement("stun-turn:COD-ATTR-08")
@pytest.mark.requirement("stun-turn:COD-ATTR-11")
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(VALID[:1], id="1-byte"),
        pytest.param(VALID[:4], id="4-bytes"),
        pytest.param(VALID[:19], id="19-bytes"),
        pytest.param(replaced(VALID, 0, b"\x40"), id="second-bit-set"),
        pytest.param(replaced(VALID, 0, b"\x80"), id="first-bit-set"),
        pytest.param(replaced(VALID, 0, b"\xc0"), id="both-bits-set"),
        pytest.param(replaced(VALID, 4, b"\x21\x12\xa4\x43"), id="wrong-cookie"),
        pytest.param(VALID[:20], id="header-that-promises-more"),
        pytest.param(message(length=4), id="length-4-without-a-body"),
        pytest.param(message(tlv(0x8022, b"abcd"), length=4), id="length-4-too-small"),
        pytest.param(message(tlv(0x8022, b"abcd"), length=12), id="length-4-too-large"),
        pytest.param(message(tlv(0x8022, b"abcd"), length=9), id="length-odd"),
        pytest.param(message(tlv(0x8022, b"abcd"), length=0xFFFC), id="length-fffc"),
        pytest.param(message(tlv(0x8022, b"abcd"), length=0xFFFF), id="length-ffff"),
        pytest.param(message(b"\0", length=1), id="body-of-1-byte"),
        pytest.param(message(b"\0\0", length=2), id="body-of-2-bytes"),
        pytest.param(message(b"\0\0\0", length=3), id="body-of-3-bytes"),
        pytest.param(VALID + b"\0", id="1-byte-behind"),
        pytest.param(VALID + bytes(4), id="4-bytes-behind"),
        pytest.param(VALID + VALID, id="another-message-behind"),
        pytest.param(message(tlv(0x8022, b"abcd", length=5)), id="value-a-byte-too-long"),
        pytest.param(message(tlv(0x8022, b"abcd", length=8)), id="value-4-bytes-too-long"),
        pytest.param(message(tlv(0x8022, b"abcd", length=0xFFFF)), id="value-of-ffff"),
        pytest.param(
            message(tlv(0x8022, b"abcd", length=0xFFFF), tlv(0x0008, bytes(20))),
            id="value-of-ffff-before-integrity",
        ),
        pytest.param(
            message(tlv(0x0008, bytes(20)), tlv(0x8022, b"abcd", length=5)),
            id="value-too-long-after-integrity",
        ),
        pytest.param(message(tlv(0x0008, bytes(20), length=21)), id="integrity-too-long"),
        pytest.param(
            message(tlv(0x8028, bytes(4)), tlv(0x0008, bytes(20))), id="fingerprint-before-mi"
        ),
        pytest.param(message(tlv(0x8028, bytes(4)), tlv(0x8028, bytes(4))), id="two-fingerprints"),
        pytest.param(message(tlv(0x8028, bytes(4)), tlv(0x8022, b"")), id="fingerprint-not-last"),
        pytest.param(message(tlv(0x8028, bytes(3))), id="fingerprint-of-3-bytes"),
        pytest.param(message(tlv(0x8028, bytes(5))), id="fingerprint-of-5-bytes"),
        pytest.param(message(tlv(0x8028, b"")), id="fingerprint-of-0-bytes"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", id="http"),
        pytest.param(bytes.fromhex("16030100050100000100") + bytes(20), id="tls-client-hello"),
    ],
)
def test_malformed_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        Message.decode(data)


@pytest.mark.parametrize("size", range(len(VALID)))
def test_a_message_cut_anywhere_is_refused_even_if_its_length_is_made_to_fit(size: int) -> None:
    """Except between two attributes, where what is left is a message."""
    cut = VALID[:size]
    with pytest.raises(DecodeError):
        Message.decode(cut)

    if size >= 20 and size not in (20, 36, 44, 68):
        with pytest.raises(DecodeError):
            Message.decode(relengthed(cut))


def test_a_header_alone_is_a_message() -> None:
    read = Message.decode(message())

    assert (read.method, read.message_class, read.transaction_id) == (1, MessageClass.REQUEST, ID)
    assert list(read.raw_attributes()) == []
    assert not read.has_integrity
    assert read.fingerprint_ok is None


@pytest.mark.requirement("stun-turn:COD-HDR-03")
@given(st.integers(0, 0x3FFF))
def test_every_type_with_the_top_bits_clear_has_a_method_and_a_class(kind: int) -> None:
    read = Message.decode(message(kind=kind))

    again = encode_message(read.method, read.message_class, ID, [])
    assert again == message(kind=kind)


@pytest.mark.requirement("stun-turn:COD-HDR-08")
@pytest.mark.parametrize("transaction_id", [bytes(12), b"\xff" * 12])
def test_any_transaction_id_is_kept(transaction_id: bytes) -> None:
    data = encode_message(Method.BINDING, MessageClass.REQUEST, transaction_id, [])

    assert Message.decode(data).transaction_id == transaction_id


@pytest.mark.requirement("stun-turn:COD-ATTR-03")
def test_padding_is_ignored_but_covered_by_integrity() -> None:
    text = message(tlv(0x0006, b"user", padding=b"\xff"), tlv(0x8022, b"x", padding=b"\xff"))
    text = replaced(text, 2, (len(text) + 24 - 20).to_bytes(2, "big"))
    signed = text + tlv(0x0008, KEY.sha1(text))

    read = Message.decode(signed)

    assert read.get(Software) == Software("x")
    assert read.verify_integrity(KEY)


@pytest.mark.requirement("stun-turn:COD-ATTR-04")
def test_the_first_of_duplicates_counts_and_all_can_be_had() -> None:
    first, second = (XorPeerAddress(TransportAddress.parse("192.0.2.1", port)) for port in (1, 2))

    read = Message.decode(unsigned(first, Lifetime(1), second, Lifetime(2)))

    assert read.get(XorPeerAddress) == first
    assert read.get(Lifetime) == Lifetime(1)
    assert read.get_all(XorPeerAddress) == [first, second]
    assert read.get_all(Username) == []


def test_a_malformed_first_is_not_replaced_by_a_sound_second() -> None:
    read = Message.decode(message(tlv(0x000D, b"\0"), tlv(0x000D, bytes(4))))

    with pytest.raises(DecodeError):
        read.get(Lifetime)
    with pytest.raises(DecodeError):
        read.get_all(Lifetime)
    assert read.has(Lifetime)


@pytest.mark.requirement("stun-turn:COD-ATTR-05")
@pytest.mark.requirement("stun-turn:COD-ATTR-06")
def test_unknown_comprehension_required_types_are_listed_once_and_in_order() -> None:
    unknown = [UnknownAttribute(n, b"abc") for n in (0x7FFF, 0x0002, 0xFFFF, 0x8005, 0x7FFF)]

    read = Message.decode(unsigned(Username("u"), *unknown))

    assert read.unknown_comprehension_required(KNOWN_TYPES) == (0x7FFF, 0x0002)
    assert read.unknown_comprehension_required({0x7FFF, 0x0002}) == (0x0006,)


def test_unknown_attributes_keep_number_bytes_order_and_duplicates() -> None:
    attributes = [UnknownAttribute(n, bytes(n & 7)) for n in (0x7001, 0xF005, 0x7001, 0x7002)]

    read = Message.decode(unsigned(*attributes))

    assert [UnknownAttribute(*raw) for raw in read.raw_attributes()] == attributes


@pytest.mark.requirement("stun-turn:COD-ATTR-09")
def test_what_follows_message_integrity_is_ignored_except_sha256_and_fingerprint() -> None:
    signed = encode_message(Method.BINDING, MessageClass.REQUEST, ID, [Lifetime(600)], key=KEY)
    behind = tlv(0x7FFF, b"x"), tlv(0x000D, bytes(4)), tlv(0x001C, bytes(32)), tlv(0x8022, b"y")

    read = Message.decode(relengthed(signed + b"".join(behind)))

    assert read.unknown_comprehension_required(KNOWN_TYPES) == ()
    assert read.get_all(Lifetime) == [Lifetime(600)]
    assert read.get(Software) is None
    assert read.integrity is IntegrityAlgorithm.BOTH
    assert not read.verify_integrity(KEY)  # MESSAGE-INTEGRITY-SHA256 decides


@pytest.mark.requirement("stun-turn:COD-ATTR-09")
def test_ignored_attributes_between_integrity_and_fingerprint_do_not_disturb_either() -> None:
    signed = encode_message(Method.BINDING, MessageClass.REQUEST, ID, [Lifetime(600)], key=KEY)

    read = Message.decode(relengthed(signed + tlv(0x7FFF, b"x") + tlv(0x000D, bytes(4))))

    assert read.verify_integrity(KEY)
    assert read.integrity is IntegrityAlgorithm.SHA1
    assert read.get(Lifetime) == Lifetime(600)


@pytest.mark.requirement("stun-turn:COD-ATTR-10")
def test_what_follows_sha256_alone_is_ignored_even_message_integrity() -> None:
    signed = encode_message(
        Method.BINDING,
        MessageClass.REQUEST,
        ID,
        [Lifetime(600)],
        key=KEY,
        algorithm=IntegrityAlgorithm.SHA256,
    )

    read = Message.decode(relengthed(signed + tlv(0x0008, bytes(20)) + tlv(0x0024, bytes(4))))

    assert read.integrity is IntegrityAlgorithm.SHA256
    assert read.verify_integrity(KEY)
    assert read.get(MessageIntegrity) is None
    assert read.get(Priority) is None


def test_of_two_message_integrities_the_first_counts() -> None:
    signed = encode_message(Method.BINDING, MessageClass.REQUEST, ID, [], key=KEY)

    read = Message.decode(relengthed(signed + tlv(0x0008, bytes(20)) + tlv(0x8028, bytes(4))))

    assert read.verify_integrity(KEY)
    assert read.fingerprint_ok is False


def test_of_two_sha256_integrities_the_first_counts() -> None:
    signed = encode_message(
        Method.BINDING,
        MessageClass.REQUEST,
        ID,
        [],
        key=KEY,
        algorithm=IntegrityAlgorithm.SHA256,
    )

    read = Message.decode(relengthed(signed + tlv(0x001C, bytes(32))))

    assert read.verify_integrity(KEY)


def test_message_integrity_may_come_first_of_all() -> None:
    read = Message.decode(
        message(tlv(0x0008, bytes(20)), tlv(0x0006, b"user"), tlv(0x8028, bytes(4)))
    )

    assert read.has_integrity
    assert read.get(Username) is None
    assert read.get(MessageIntegrity) == MessageIntegrity(bytes(20))
    assert read.get(Fingerprint) == Fingerprint(0)


@pytest.mark.parametrize("size", [0, 16, 19, 21, 24, 32])
def test_message_integrity_of_a_wrong_size_is_there_and_does_not_hold(size: int) -> None:
    text = message(tlv(0x0006, b"user"), length=8 + 24)

    read = Message.decode(relengthed(text + tlv(0x0008, KEY.sha1(text).ljust(size, b"\0")[:size])))

    assert read.has_integrity
    assert not read.verify_integrity(KEY)


@pytest.mark.requirement("stun-turn:COD-MI-03")
@pytest.mark.parametrize("size", [12, 14, 16, 20, 28, 36])
def test_a_truncated_or_overlong_sha256_does_not_hold(size: int) -> None:
    text = message(tlv(0x0006, b"user"), length=8 + 4 + (size + 3 & ~3))

    read = Message.decode(text + tlv(0x001C, KEY.sha256(text).ljust(size, b"\0")[:size]))

    assert read.integrity is IntegrityAlgorithm.SHA256
    assert not read.verify_integrity(KEY)


@pytest.mark.requirement("stun-turn:COD-MI-02")
@pytest.mark.parametrize("algorithm", IntegrityAlgorithm)
@pytest.mark.parametrize("fingerprint", [False, True])
def test_integrity_holds_whatever_follows_it(
    algorithm: IntegrityAlgorithm, fingerprint: bool
) -> None:
    data = encode_message(
        Method.ALLOCATE,
        MessageClass.ERROR,
        ID,
        [ErrorCode(438)],
        key=KEY,
        algorithm=algorithm,
        fingerprint=fingerprint,
    )

    read = Message.decode(data)

    assert read.integrity is algorithm
    assert read.verify_integrity(KEY)
    assert not read.verify_integrity(short_term_key("another"))
    assert read.fingerprint_ok is (True if fingerprint else None)
    assert read.has(MessageIntegritySha256) is (algorithm is not IntegrityAlgorithm.SHA1)


@pytest.mark.requirement("stun-turn:COD-FP-01")
@pytest.mark.requirement("stun-turn:COD-MI-01")
@given(st.integers(0, len(VALID) * 8 - 1))
def test_a_flipped_bit_is_noticed(bit: int) -> None:
    flipped = bytearray(VALID)
    flipped[bit // 8] ^= 1 << bit % 8

    try:
        read = Message.decode(bytes(flipped))
    except DecodeError:
        return

    # A bit of FINGERPRINT's type leaves a message without one.
    assert not read.fingerprint_ok
    covered = bit // 8 < len(VALID) - 8 and bit // 8 not in (2, 3)
    assert not (covered and read.verify_integrity(KEY))


def test_the_usual_ending_inside_a_value_is_not_taken_for_one() -> None:
    inside = tlv(0x0008, bytes(20)) + tlv(0x8028, bytes(4))

    read = Message.decode(unsigned(UnknownAttribute(0x7001, b"abcd" + inside)))

    assert not read.has_integrity
    assert read.fingerprint_ok is None
    assert read.raw_value(0x7001) == b"abcd" + inside


def test_the_usual_ending_behind_another_integrity_attribute_does_not_replace_it() -> None:
    signed = encode_message(Method.BINDING, MessageClass.REQUEST, ID, [Username("u")], key=KEY)
    ending = tlv(0x0008, bytes(20)) + tlv(0x8028, bytes(4))

    read = Message.decode(relengthed(signed + ending))

    assert read.verify_integrity(KEY)
    assert read.fingerprint_ok is False


def test_an_empty_attribute_is_there() -> None:
    read = Message.decode(unsigned(UseCandidate()))

    assert read.get(UseCandidate) == UseCandidate()
    assert read.has(UseCandidate)
    assert not read.has(DontFragment)
    assert read.raw_value(0x0025) == b""
    assert read.raw_value(0x0026) is None


def test_a_known_value_is_decoded_only_when_asked_for() -> None:
    read = Message.decode(message(tlv(0x0014, b"\xff"), tlv(0x8022, b"ok")))

    assert read.get(Software) == Software("ok")
    with pytest.raises(DecodeError):
        read.get(Realm)


def test_a_thousand_duplicates_are_read_and_kept() -> None:
    read = Message.decode(unsigned(*[Priority(n) for n in range(1000)]))

    assert read.get(Priority) == Priority(0)
    assert len(read.get_all(Priority)) == 1000


@given(st.binary(max_size=120))
def test_any_bytes_are_a_message_or_a_decode_error(data: bytes) -> None:
    check_reading(data)


@given(st.sampled_from((VALID, vectors.REQUEST, vectors.LONG_TERM_REQUEST)).flatmap(damaged))
def test_a_damaged_message_is_a_message_or_a_decode_error(data: bytes) -> None:
    check_reading(data)


def check_reading(data: bytes) -> None:
    try:
        read = Message.decode(data)
    except DecodeError:
        return
    assert is_stun(data)
    read.verify_integrity(KEY)
    assert read.fingerprint_ok in (True, False, None)
    assert read.unknown_comprehension_required(()) is not None
    assert "0x" in repr(read)
    for number, value in read.raw_attributes():
        try:
            decode_attribute(number, value, read.transaction_id)
        except DecodeError:
            continue


@pytest.mark.requirement("stun-turn:COD-MI-09")
@given(
    st.integers(0, 0xFFF),
    st.sampled_from(MessageClass),
    transaction_ids,
    st.lists(any_attribute.filter(lambda a: a.TYPE not in (0x0008, 0x001C, 0x8028)), max_size=6),
    st.sampled_from((None, *IntegrityAlgorithm)),
    st.booleans(),
)
def test_a_message_that_is_written_reads_the_same(
    method: int,
    message_class: MessageClass,
    transaction_id: bytes,
    attributes: list[AnyAttribute],
    algorithm: IntegrityAlgorithm | None,
    fingerprint: bool,
) -> None:
    data = encode_message(
        method,
        message_class,
        transaction_id,
        attributes,
        key=KEY if algorithm else None,
        algorithm=algorithm or IntegrityAlgorithm.SHA1,
        fingerprint=fingerprint,
    )

    read = Message.decode(data)

    assert (read.method, read.message_class) == (method, message_class)
    assert read.transaction_id == transaction_id
    assert [
        decode_attribute(number, value, transaction_id) for number, value in read.raw_attributes()
    ] == attributes
    assert read.integrity is algorithm
    assert read.verify_integrity(KEY) is (algorithm is not None)
    assert read.fingerprint_ok is (True if fingerprint else None)


@pytest.mark.parametrize("fingerprint", [False, True], ids=["bare", "fingerprint"])
@pytest.mark.parametrize("algorithm", IntegrityAlgorithm, ids=lambda each: each.name)
@pytest.mark.parametrize("message_class", MessageClass, ids=lambda each: each.name)
@pytest.mark.requirement("stun-turn:COD-MI-09")
def test_integrity_counts_in_every_class_of_message(
    message_class: MessageClass, algorithm: IntegrityAlgorithm, fingerprint: bool
) -> None:
    data = encode_message(
        0xFFF, message_class, bytes(12), (), key=KEY, algorithm=algorithm, fingerprint=fingerprint
    )

    read = Message.decode(data)

    assert read.integrity is algorithm
    assert read.verify_integrity(KEY)
    assert not read.verify_integrity(IntegrityKey(b"another"))


@given(st.lists(any_attribute, max_size=5), st.binary(max_size=4).map(lambda b: b * 4))
def test_the_quick_look_at_the_ending_changes_nothing(
    attributes: list[AnyAttribute], junk: bytes
) -> None:
    """Put the usual ending behind anything: an ignored attribute in front of
    FINGERPRINT takes the other way through the decoder."""
    body = unsigned(*attributes)[20:]
    ending = tlv(0x0008, b"d" * 20)
    quick = message(body, ending, tlv(0x8028, b"crc!"))
    slow = message(body, ending, tlv(0x7001, junk), tlv(0x8028, b"crc!"))

    results = [outcome(data) for data in (quick, slow)]

    assert results[0] == results[1]


def outcome(data: bytes) -> object:
    try:
        read = Message.decode(data)
    except DecodeError:
        return None
    closing: tuple[type[Attribute], ...] = (MessageIntegrity, MessageIntegritySha256, Fingerprint)
    return (
        list(read.raw_attributes()),
        [read.raw_value(cls.TYPE) for cls in closing],
        read.integrity,
        read.fingerprint_ok,
    )


@pytest.mark.requirement("stun-turn:COD-HDR-01")
@pytest.mark.requirement("stun-turn:COD-HDR-02")
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(VALID, True, id="valid"),
        pytest.param(message(), True, id="header"),
        pytest.param(message(tlv(0x8022, b"abcd", length=9)), True, id="bad-attribute-inside"),
        pytest.param(VALID[:-4], False, id="cut"),
        pytest.param(VALID[:19], False, id="19-bytes"),
        pytest.param(b"", False, id="empty"),
        pytest.param(VALID + bytes(4), False, id="longer"),
        pytest.param(message(b"\0\0"), False, id="length-not-a-multiple-of-4"),
        pytest.param(replaced(VALID, 0, b"\x80"), False, id="rtp"),
        pytest.param(replaced(VALID, 0, b"\x40"), False, id="channel-data"),
        pytest.param(replaced(VALID, 5, b"\x13"), False, id="rfc-3489"),
    ],
)
def test_stun_is_told_from_other_datagrams_by_its_header(data: bytes, expected: bool) -> None:
    assert is_stun(data) is expected


def test_repr_shows_no_values() -> None:
    text = repr(Message.decode(VALID))

    assert "evtj" not in text
    assert "REQUEST" in text
