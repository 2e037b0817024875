"""Malformed responses (class 15 of the corpus): a server's nonsense ends a transaction or is
overlooked, and nothing else."""

from __future__ import annotations

import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import XorMappedAddress, XorRelayedAddress
from tests.turn.server.malformed import COOKIE, integrity, message, tlv
from turn.client import Allocated, AllocationFailed, ClientState, FailureReason

from .script import MAPPED, RELAYED, Script, Sent

KEY_BYTES = hashlib.md5(b"ann:relay.example:open sesame").digest()
SUCCESS, ERROR = 0x0103, 0x0113
ERROR_CODE, LIFETIME, RELAYED_ADDRESS, MAPPED_ADDRESS = 0x09, 0x0D, 0x16, 0x20


def asked() -> tuple[Script, Sent]:
    """A client whose Allocate request with credentials waits for its answer."""
    script = Script()
    script.allocate()
    script.challenge(script.take_one())
    return script, script.take_one()


def signed(request: Sent, kind: int, body: bytes) -> bytes:
    id = request.message.transaction_id
    return message(kind, body + integrity(kind, body, key=KEY_BYTES, id=id), id=id)


def error_code(hundreds: int, number: int, reason: bytes = b"", *, reserved: int = 0) -> bytes:
    return tlv(ERROR_CODE, struct.pack("!HBB", reserved, hundreds, number) + reason)


def granted(request: Sent) -> bytes:
    id = request.message.transaction_id
    return (
        tlv(RELAYED_ADDRESS, XorRelayedAddress(RELAYED).encode(id))
        + tlv(MAPPED_ADDRESS, XorMappedAddress(MAPPED).encode(id))
        + tlv(LIFETIME, b"\0\0\2\x58")
    )


UNUSABLE = [
    *(pytest.param(error_code(hundreds, 0), id=f"class-{hundreds}") for hundreds in (0, 1, 2, 7)),
    *(pytest.param(error_code(4, number), id=f"number-{number}") for number in (100, 255)),
    pytest.param(error_code(4, 0, b"x" * 764), id="long-reason"),
    pytest.param(error_code(4, 0, b"\xff\xfe"), id="no-utf-8"),
    pytest.param(tlv(ERROR_CODE, b"\0\0\4"), id="cut-off"),
    pytest.param(tlv(ERROR_CODE), id="empty"),
    pytest.param(b"", id="none"),
    pytest.param(error_code(4, 0) + tlv(0x7FFF), id="an-unknown-attribute"),
]


@pytest.mark.parametrize("body", UNUSABLE)
@pytest.mark.requirement("stun-turn:STUNC-RX-04", "stun-turn:COD-TXT-07")
def test_an_error_response_that_cannot_be_read_fails_the_request(body: bytes) -> None:
    script, request = asked()

    script.receive(signed(request, ERROR, body))

    (failed,) = script.events_of(AllocationFailed)
    assert failed.reason is FailureReason.UNUSABLE_RESPONSE
    assert failed.code is None
    assert script.client.next_timeout() is None


@pytest.mark.parametrize("body", UNUSABLE)
@pytest.mark.requirement("stun-turn:STUNC-LTC-11", "stun-turn:STUNC-RX-08")
def test_one_that_nobody_has_signed_is_overlooked(body: bytes) -> None:
    script, request = asked()

    script.receive(message(ERROR, body, id=request.message.transaction_id))
    script.receive(signed(request, SUCCESS, granted(request)))

    assert script.events_of(AllocationFailed) == []
    assert script.events_of(Allocated)


@pytest.mark.requirement("stun-turn:COD-TXT-07")
def test_reserved_bits_of_an_error_code_count_for_nothing() -> None:
    script, request = asked()

    script.receive(signed(request, ERROR, error_code(0xFB, 86, b"full", reserved=0xFFFF)))

    (failed,) = script.events_of(AllocationFailed)
    assert (failed.code, failed.phrase) == (386, "full")


@pytest.mark.requirement("stun-turn:COD-ATTR-07")
def test_an_error_code_in_a_success_is_out_of_place_and_ignored() -> None:
    script, request = asked()

    script.receive(signed(request, SUCCESS, granted(request) + error_code(4, 86)))

    assert script.events_of(Allocated)


@given(
    place=st.integers(0, 200),
    value=st.integers(0, 255),
    size=st.integers(0, 120),
    kind=st.sampled_from([SUCCESS, ERROR, 0x0017, 0x4000]),
)
@pytest.mark.requirement("stun-turn:STUNC-RX-08", "stun-turn:TURNC-CHAN-08")
def test_whatever_a_server_sends_the_client_goes_on(
    place: int, value: int, size: int, kind: int
) -> None:
    script, request = asked()
    body = granted(request) + error_code(4, 0)
    data = bytearray(signed(request, kind, body)[: 20 + size])
    data[2:8] = (len(data) - 20 & ~3).to_bytes(2, "big") + COOKIE
    data[place % len(data)] = value

    script.receive(bytes(data))
    script.receive(bytes(data)[: place % len(data)])

    if script.client.state is ClientState.ALLOCATING:
        script.receive(signed(request, SUCCESS, granted(request)))
        assert script.events_of(Allocated)
