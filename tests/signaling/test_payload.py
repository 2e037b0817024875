from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling import (
    Description,
    DescriptionType,
    PayloadError,
    RemoteCandidate,
    decode_candidate,
    decode_description,
)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_payload_is_utf_8_or_what_a_browsers_btoa_makes_of_it(encoding: str) -> None:
    json = '{"type": "offer", "sdp": "s=caf\u00e9"}'

    payload = base64.b64encode(json.encode(encoding)).decode()

    assert decode_description(payload) == Description(DescriptionType.OFFER, "s=caf\u00e9")


@given(st.binary(max_size=80) | st.binary(max_size=40).map(lambda b: b'{"candidate":"' + b + b'"}'))
def test_any_payload_is_a_value_or_a_payload_error(content: bytes) -> None:
    payload = base64.b64encode(content).decode()

    with contextlib.suppress(PayloadError):
        decode_description(payload)
    with contextlib.suppress(PayloadError):
        assert isinstance(decode_candidate(payload), RemoteCandidate)
