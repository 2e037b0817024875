"""Clients of RFC 3489, which know no magic cookie (RFC 5389 section 12.2)."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import MAGIC_COOKIE
from stun.server import classic_binding_response, refusal_without_cookie
from transport import Path, TransportAddress, TransportProtocol

PATH = Path(
    TransportProtocol.UDP,
    TransportAddress.parse("192.0.2.1", 3478),
    TransportAddress.parse("192.0.2.9", 40000),
)
ID = bytes(range(0x10, 0x20))
"""Sixteen bytes that do not begin with the cookie."""


def attribute(number: int, value: bytes) -> bytes:
    return struct.pack("!HH", number, len(value)) + value


def request(*attributes: bytes, transaction_id: bytes = ID, kind: int = 1) -> bytes:
    body = b"".join(attributes)
    return struct.pack("!HH", kind, len(body)) + transaction_id + body


MAPPED = bytes.fromhex("0001 0008 0001 9c40 c0000209")
"""MAPPED-ADDRESS, IPv4, port 40000, 192.0.2.9."""


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param((), id="bare"),
        pytest.param((attribute(0x0003, bytes(4)),), id="a-change-request-that-asks-for-none"),
        pytest.param((attribute(0x0006, b"user"), attribute(0x0008, bytes(20))), id="signed"),
        pytest.param((attribute(0x8001, b"four"),), id="optional"),
    ],
)
@pytest.mark.requirement("stun-turn:STUNS-BASE-13", "stun-turn:STUNS-BASE-14")
def test_the_answer_has_mapped_address_alone_and_all_16_bytes_of_the_id(
    attributes: tuple[bytes, ...],
) -> None:
    response = classic_binding_response(request(*attributes), PATH)

    assert response == bytes.fromhex("0101 000c") + ID + MAPPED


@pytest.mark.parametrize(
    ("attributes", "listed"),
    [
        pytest.param((attribute(0x0002, bytes(8)),), (2, 2), id="response-address"),
        pytest.param((attribute(0x0003, b"\0\0\0\6"),), (3, 3), id="change-request"),
        pytest.param(
            (attribute(0x0002, bytes(8)), attribute(0x7F00, b"")), (2, 0x7F00), id="an-even-number"
        ),
    ],
)
def test_what_would_have_to_be_obeyed_is_unknown(
    attributes: tuple[bytes, ...], listed: tuple[int, int]
) -> None:
    """The list is filled up by a repetition: RFC 3489 section 11.2.10 knows no padding."""
    response = classic_binding_response(request(*attributes), PATH)

    assert response == (
        bytes.fromhex("0111 0010")
        + ID
        + attribute(0x0009, bytes.fromhex("00000414"))
        + attribute(0x000A, struct.pack("!HH", *listed))
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(request()[:19], id="short"),
        pytest.param(request() + b"\0\0\0\0", id="longer-than-it-says"),
        pytest.param(request(kind=0x0101), id="response"),
        pytest.param(request(kind=0x0002), id="shared-secret"),
        pytest.param(
            request(transaction_id=MAGIC_COOKIE.to_bytes(4, "big") + bytes(12)), id="cookie"
        ),
        pytest.param(request(b"\0\6\0\5users\0\0\0"), id="length-of-an-attribute"),
        pytest.param(request(b"\0\6\0\x08user"), id="cut-off"),
        pytest.param(request(b"\0\6"), id="half-a-head"),
    ],
)
def test_all_else_is_met_with_silence(data: bytes) -> None:
    assert classic_binding_response(data, PATH) is None


@given(st.binary(max_size=120))
def test_any_bytes_give_an_answer_or_none(data: bytes) -> None:
    response = classic_binding_response(b"\0\1" + data, PATH)

    assert response is None or response[4:20] == (b"\0\1" + data)[4:20]


@pytest.mark.requirement("stun-turn:STUNS-BASE-12")
@pytest.mark.parametrize("method", [0x0001, 0x0002, 0x0003], ids=["binding", "secret", "allocate"])
def test_a_request_without_a_cookie_is_refused_for_dtls(method: int) -> None:
    refusal = refusal_without_cookie(request(attribute(0x0006, b"user"), kind=method))

    assert refusal is not None
    assert refusal == (
        struct.pack("!HH", method | 0x0110, 20)
        + ID
        + bytes.fromhex("0009 0010 00000500")
        + b"Server Error"
    )


@pytest.mark.requirement("stun-turn:STUNS-BASE-12")
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(request()[:19], id="short"),
        pytest.param(request() + b"\0", id="longer-than-it-says"),
        pytest.param(request(kind=0x0011), id="indication"),
        pytest.param(request(kind=0x0101), id="response"),
        pytest.param(request(kind=0x4001), id="no-stun"),
        pytest.param(
            request(transaction_id=MAGIC_COOKIE.to_bytes(4, "big") + bytes(12)), id="cookie"
        ),
    ],
)
def test_what_is_no_request_without_a_cookie_is_ignored(data: bytes) -> None:
    assert refusal_without_cookie(data) is None
