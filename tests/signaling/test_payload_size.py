"""How long a payload may be (docs/departures.md)."""

from __future__ import annotations

import json

import pytest

from signaling.errors import ServiceError
from signaling.messages import MAX_PAYLOAD_CHARACTERS, decode_client_message


def message(characters: int) -> str:
    return json.dumps({"action": "SDP_OFFER", "messagePayload": "x" * characters})


def test_a_payload_may_be_longer_than_the_service_of_aws_allows() -> None:
    assert len(decode_client_message(message(MAX_PAYLOAD_CHARACTERS)).payload) == 65_536
    with pytest.raises(ServiceError):
        decode_client_message(message(MAX_PAYLOAD_CHARACTERS + 1))
