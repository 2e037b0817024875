"""Bytes are told in plain words, part by part, and never so that telling them fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.building import MessageBuilder, channel_data, md5_key, xor_address
from conformance.codes import Attr, Class, Method
from conformance.describing import Described, describe, title
from conformance.describing_values import describe_value, printable
from transport import TransportAddress

ID = bytes(range(12))
REQUEST = MessageBuilder(Method.ALLOCATE, Class.REQUEST, ID).build()
ADDRESS = TransportAddress.parse("192.0.2.1", 49152)


def message(kind: int, value: bytes) -> bytes:
    return MessageBuilder(Method.ALLOCATE, Class.SUCCESS, ID).add(kind, value).build()


def lines(described: Described) -> list[tuple[int, str, str]]:
    return [(part.begin, part.name, part.text) for part in described.parts]


def test_a_message_is_told_from_its_header_to_its_last_attribute() -> None:
    builder = MessageBuilder(Method.ALLOCATE, Class.ERROR, ID)
    builder.add(Attr.ERROR_CODE, bytes([0, 0, 4, 1]) + b"Unauthorized")
    builder.add(Attr.REALM, b"x").add_integrity(md5_key("ann", "x", "secret")).add_fingerprint()

    (told,) = describe(builder.build())

    assert told.title == "Allocate error response 401"
    assert lines(told)[:6] == [
        (0, "message type", "Allocate error response"),
        (2, "length", "60 bytes follow"),
        (4, "magic cookie", "as it has to be"),
        (8, "transaction id", ID.hex()),
        (20, "ERROR-CODE", '401 (Unauthenticated) "Unauthorized"'),
        (40, "REALM", '"x"'),
    ]
    assert told.parts[6].text.startswith("HMAC-SHA1, 20 bytes")
    assert told.parts[7].text.endswith(", right")


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        pytest.param(Attr.LIFETIME, "00000258", "600 s (10 minutes)", id="lifetime"),
        pytest.param(Attr.LIFETIME, "0007", "2 bytes, not 4: 0007", id="short-lifetime"),
        pytest.param(Attr.REQUESTED_TRANSPORT, "11000000", "17 (UDP)", id="udp"),
        pytest.param(
            Attr.REQUESTED_TRANSPORT,
            "07000001",
            "7 (neither UDP nor TCP) (reserved bits 000001 are not zero)",
            id="protocol-7",
        ),
        pytest.param(Attr.REQUESTED_ADDRESS_FAMILY, "02000000", "2 (IPv6)", id="family"),
        pytest.param(Attr.CHANNEL_NUMBER, "40010000", "0x4001", id="channel"),
        pytest.param(Attr.EVEN_PORT, "80", "reserve the next port, too", id="even-port"),
        pytest.param(Attr.EVEN_PORT, "01", "reserve no other port (reserved bits 0x01)", id="rffu"),
        pytest.param(Attr.UNKNOWN_ATTRIBUTES, "7f01000d", "0x7F01, LIFETIME", id="unknown"),
        pytest.param(Attr.UNKNOWN_ATTRIBUTES, "", "none", id="no-unknown"),
        pytest.param(Attr.PASSWORD_ALGORITHMS, "0002000000010000", "SHA-256, MD5", id="lists"),
        pytest.param(Attr.PASSWORD_ALGORITHM, "00", "no algorithm: 00", id="no-algorithm"),
        pytest.param(Attr.ERROR_CODE, "0000", "2 bytes, not 4 or more: 0000", id="no-code"),
        pytest.param(
            Attr.ADDRESS_ERROR_CODE,
            "02000428",
            "IPv6: 440 (Address Family not Supported)",
            id="address-error",
        ),
        pytest.param(Attr.ADDRESS_ERROR_CODE, "02", "1 byte, not 4 or more: 02", id="no-error"),
        pytest.param(Attr.DONT_FRAGMENT, "", "set", id="flag"),
        pytest.param(Attr.DONT_FRAGMENT, "00", "1 byte, not 0: 00", id="flag-with-value"),
        pytest.param(Attr.CHANGE_REQUEST, "00000006", "another IP address and port", id="change"),
        pytest.param(Attr.CHANGE_REQUEST, "00000000", "change nothing", id="no-change"),
        pytest.param(Attr.RESPONSE_PORT, "0d960000", "3478", id="response-port"),
        pytest.param(Attr.ICMP, "0000030400000578", "type 3, code 4, data 00000578", id="icmp"),
        pytest.param(Attr.ICE_CONTROLLED, "00000000000000ff", "0x00000000000000ff", id="ice"),
        pytest.param(Attr.PRIORITY, "00000100", "256", id="priority"),
        pytest.param(Attr.MOBILITY_TICKET, "", "empty: asks for a ticket", id="ask-for-ticket"),
        pytest.param(Attr.MOBILITY_TICKET, "0102", "2 bytes: 0102", id="ticket"),
        pytest.param(
            Attr.MESSAGE_INTEGRITY_SHA256, "00" * 16, "HMAC-SHA256, 16 bytes", id="sha256"
        ),
        pytest.param(Attr.DATA, "", "empty", id="no-data"),
        pytest.param(Attr.DATA, "6869", '2 bytes: "hi"', id="data"),
        pytest.param(Attr.XOR_MAPPED_ADDRESS, "0003", "no address: ", id="no-address"),
        pytest.param(Attr.RESPONSE_ORIGIN, "00010d96c0000201", "192.0.2.1:3478", id="plain"),
        pytest.param(0x7F01, "ff", "comprehension-required; 1 byte: ff", id="unknown-type"),
        pytest.param(0xFF01, "", "comprehension-optional; 0 bytes", id="unknown-optional"),
        pytest.param(Attr.USERHASH, "ff", "1 byte: ff", id="known-bytes"),
    ],
)
def test_a_value_is_told_in_plain_words(kind: int, value: str, words: str) -> None:
    assert words in describe_value(kind, bytes.fromhex(value), ID)


def test_an_address_is_told_without_its_mask() -> None:
    value = xor_address(ADDRESS, ID)

    assert describe_value(Attr.XOR_RELAYED_ADDRESS, value, ID) == "192.0.2.1:49152"


def test_what_a_terminal_must_not_get_is_escaped_and_what_is_long_is_cut() -> None:
    assert printable(b"a\x1b[31m\xff\n\xe2\x80\xae") == r"a\x1b[31m\xff\n\u202e"
    assert printable(bytes(50)).endswith(r"\x00 ... and 2 bytes")


@pytest.mark.parametrize(
    ("data", "titles"),
    [
        pytest.param(b"", ["no bytes"], id="nothing"),
        pytest.param(b"hello", ["5 bytes that are no message"], id="text"),
        pytest.param(
            channel_data(0x4001, b"abc"), ["ChannelData on 0x4001, 3 bytes"], id="channel"
        ),
        pytest.param(
            channel_data(0x4001, b"abc") + b"\x00" + REQUEST,
            ["ChannelData on 0x4001, 3 bytes", "Allocate request"],
            id="stream",
        ),
        pytest.param(REQUEST + b"tail", ["Allocate request, malformed"], id="tail"),
        pytest.param(
            REQUEST[:4] + bytes(4) + REQUEST[8:], ["Allocate request"], id="without-a-cookie"
        ),
    ],
)
def test_bytes_are_told_apart(data: bytes, titles: list[str]) -> None:
    assert [each.title for each in describe(data)] == titles
    assert title(data) == ", then ".join(titles)


def test_what_is_wrong_with_a_message_is_told() -> None:
    good = message(Attr.REALM, b"abc")
    short = good[:2] + b"\x00\x20" + good[4:8] + good[8:]
    padded = good[:-1] + b"\x20"
    torn = good[:20] + b"\x00\x14\x00\xff" + good[24:]

    assert "8 bytes follow" in lines(describe(good)[0])[1][2]
    assert "32 bytes follow, it says; there are 8" in lines(describe(short)[0])[1][2]
    assert '"abc" (padding 20)' in lines(describe(padded)[0])[-1][2]
    assert "8 bytes that are no attribute" in lines(describe(torn)[0])[-1][2]
    assert "is not 0x2112a442" in lines(describe(good[:4] + bytes(4) + good[8:])[0])[2][2]


def test_a_fingerprint_that_is_wrong_is_told() -> None:
    told = lines(describe(message(Attr.FINGERPRINT, bytes(4)))[0])

    assert told[-1] == (20, "FINGERPRINT", "0x00000000, WRONG for these bytes")


@given(
    st.binary(max_size=80)
    | st.binary(max_size=60).map(lambda tail: REQUEST + tail)
    | st.tuples(st.sampled_from(list(Attr)), st.binary(max_size=40)).map(lambda a: message(*a))
)
def test_the_parts_of_any_bytes_are_all_of_them(data: bytes) -> None:
    parts = [part for each in describe(data) for part in each.parts]

    assert b"".join(data[part.begin : part.end] for part in parts) == data
    assert all(part.text.isprintable() for part in parts)
