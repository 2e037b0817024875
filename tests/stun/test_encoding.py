from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import (
    AlgorithmParameters,
    Data,
    IntegrityAlgorithm,
    Message,
    MessageClass,
    Method,
    PasswordAlgorithms,
    Software,
    UnknownAttribute,
    encode_message,
    short_term_key,
)

ID = bytes(range(12))
KEY = short_term_key("password")


@pytest.mark.requirement("stun-turn:COD-ATTR-01")
@pytest.mark.requirement("stun-turn:COD-ATTR-02")
@pytest.mark.parametrize("size", range(10))
def test_a_value_is_padded_with_zeros_that_its_length_does_not_count(size: int) -> None:
    value = b"v" * size

    data = encode_message(
        Method.BINDING, MessageClass.INDICATION, ID, [UnknownAttribute(0x8005, value)]
    )

    padded = value + bytes(-size % 4)
    assert data[20:24] == b"\x80\x05" + size.to_bytes(2, "big")
    assert data[24:] == padded
    assert data[:4] == b"\x00\x11" + (4 + len(padded)).to_bytes(2, "big")


@pytest.mark.requirement("stun-turn:COD-FP-03")
def test_the_fingerprint_is_made_over_the_finished_integrity() -> None:
    with_both = encode_message(
        Method.BINDING,
        MessageClass.REQUEST,
        ID,
        [Software("x")],
        key=KEY,
        algorithm=IntegrityAlgorithm.BOTH,
        fingerprint=True,
    )

    read = Message.decode(with_both)

    assert with_both[-8:-4] == b"\x80\x28\x00\x04"
    assert int.from_bytes(with_both[-4:], "big") == zlib.crc32(with_both[:-8]) ^ 0x5354554E
    assert read.verify_integrity(KEY)


@pytest.mark.requirement("stun-turn:COD-MI-01")
def test_a_fingerprint_does_not_change_the_integrity_before_it() -> None:
    plain = encode_message(Method.BINDING, MessageClass.REQUEST, ID, [Software("x")], key=KEY)
    marked = encode_message(
        Method.BINDING, MessageClass.REQUEST, ID, [Software("x")], key=KEY, fingerprint=True
    )

    assert marked[4 : len(plain)] == plain[4:]


@pytest.mark.parametrize("size", [0, 11, 13])
def test_a_transaction_id_of_a_wrong_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="12 bytes"):
        encode_message(Method.BINDING, MessageClass.REQUEST, bytes(size), [])


def test_a_method_of_more_than_12_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="4095"):
        encode_message(0x1000, MessageClass.REQUEST, ID, [])


def test_the_longest_message_is_written_and_a_longer_one_refused() -> None:
    attributes = [Data(bytes(0xFFF8))]

    data = encode_message(Method.DATA, MessageClass.INDICATION, ID, attributes)

    assert len(data) == 20 + 0xFFFC
    for key, fingerprint in ((KEY, False), (None, True)):
        with pytest.raises(ValueError, match="do not fit"):
            encode_message(
                Method.DATA,
                MessageClass.INDICATION,
                ID,
                attributes,
                key=key,
                fingerprint=fingerprint,
            )
    with pytest.raises(ValueError, match="do not fit"):
        encode_message(Method.DATA, MessageClass.INDICATION, ID, [Data(bytes(0xFFFC))])


def test_a_value_that_grows_beyond_16_bits_is_refused() -> None:
    algorithms = PasswordAlgorithms((AlgorithmParameters(9, bytes(0xFFFF)),))

    with pytest.raises(ValueError, match="do not fit"):
        encode_message(Method.BINDING, MessageClass.REQUEST, ID, [algorithms])


@given(st.lists(st.binary(max_size=9), max_size=5))
def test_the_length_is_that_of_all_behind_the_header(values: list[bytes]) -> None:
    attributes = [UnknownAttribute(0x8005, value) for value in values]

    data = encode_message(
        Method.BINDING, MessageClass.REQUEST, ID, attributes, key=KEY, fingerprint=True
    )

    assert int.from_bytes(data[2:4], "big") == len(data) - 20
    assert len(data) % 4 == 0
