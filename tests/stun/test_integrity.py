from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import IntegrityKey


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_prepared_key_gives_the_hmac_of_the_standard_library(key: bytes, text: bytes) -> None:
    prepared = IntegrityKey(key)

    for _ in range(2):  # the prepared state must survive its use
        assert prepared.sha1(text) == hmac.digest(key, text, "sha1")
        assert prepared.sha256(text) == hmac.digest(key, text, "sha256")


@pytest.mark.parametrize("size", [63, 64, 65])
def test_keys_around_the_block_size_are_prepared_right(size: int) -> None:
    key = b"k" * size

    assert IntegrityKey(key).sha1(b"text") == hmac.digest(key, b"text", "sha1")
    assert IntegrityKey(key).sha256(b"text") == hmac.digest(key, b"text", "sha256")


def test_a_key_does_not_show_in_repr() -> None:
    assert "secret" not in repr(IntegrityKey(b"secret"))
