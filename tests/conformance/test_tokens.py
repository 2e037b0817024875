"""Tokens that the harness seals are those that a relay opens."""

from __future__ import annotations

import pytest

from conformance.tokens import block, seal
from transport import DecodeError
from turn.tokens import TokenKey, open_access_token

KEY = TokenKey("kid", bytes(range(32)))
NAME = "turn.example"
MAC_KEY = bytes(range(20))


def test_a_sealed_token_opens_with_all_that_is_in_it() -> None:
    plain = block(MAC_KEY, timestamp=1000.5, lifetime=3600)

    found = open_access_token(KEY, NAME, seal(KEY.key, NAME.encode(), plain, bytes(12)))

    assert (found.mac_key, found.timestamp, found.lifetime) == (MAC_KEY, 1000.5, 3600)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(
            seal(KEY.key, b"other", block(MAC_KEY, timestamp=0, lifetime=1), bytes(12)),
            id="another-name",
        ),
        pytest.param(
            seal(
                KEY.key,
                NAME.encode(),
                block(MAC_KEY, timestamp=0, lifetime=1, key_length=0xFFFF),
                bytes(12),
            ),
            id="a-key-that-is-not-there",
        ),
        pytest.param(
            seal(
                KEY.key,
                NAME.encode(),
                block(MAC_KEY, timestamp=0, lifetime=1),
                bytes(12),
                nonce_length=0xFFFF,
            ),
            id="a-nonce-that-is-not-there",
        ),
    ],
)
def test_wrong_tokens_are_wrong_as_they_should_be(token: bytes) -> None:
    with pytest.raises(DecodeError):
        open_access_token(KEY, NAME, token)
