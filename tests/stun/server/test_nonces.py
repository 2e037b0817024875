"""Stateless nonces."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import SecurityFeature, security_features
from stun.server import Nonces
from transport import TransportAddress

KEY = bytes(32)
FEATURES = SecurityFeature.PASSWORD_ALGORITHMS
ALICE = TransportAddress.parse("192.0.2.1", 5000)


def nonces(key: bytes = KEY, features: SecurityFeature = FEATURES) -> Nonces:
    salts = itertools.count()
    return Nonces(
        key,
        features=features,
        lifetime=600.0,
        random_bytes=lambda size: next(salts).to_bytes(size, "big"),
    )


@pytest.mark.requirement("stun-turn:STUNS-LTC-05", "stun-turn:COD-TXT-05")
def test_a_nonce_starts_with_the_cookie_and_is_printable() -> None:
    nonce = nonces().issue(ALICE, 1_700_000_000.0)

    assert nonce.startswith("obMatJos2gAAA")
    assert security_features(nonce) == FEATURES
    assert len(nonce) == 45
    assert nonce.isascii()
    assert nonce.isprintable()
    assert '"' not in nonce


@pytest.mark.requirement("stun-turn:SEC-12")
def test_a_nonce_is_valid_for_exactly_its_lifetime() -> None:
    server = nonces()
    nonce = server.issue(ALICE, 1000.0)

    assert server.is_valid(nonce, ALICE, 1000.0)
    assert server.is_valid(nonce, ALICE, 1599.999)
    assert not server.is_valid(nonce, ALICE, 1600.0)
    assert not server.is_valid(nonce, ALICE, 990.0)


@pytest.mark.parametrize(
    "stranger",
    [
        TransportAddress.parse("192.0.2.1", 5001),
        TransportAddress.parse("192.0.2.2", 5000),
        TransportAddress.parse("2001:db8::1", 5000),
    ],
)
@pytest.mark.requirement("stun-turn:STUNS-LTC-04", "stun-turn:SEC-19")
def test_a_nonce_of_one_address_is_not_valid_from_another(stranger: TransportAddress) -> None:
    server = nonces()
    nonce = server.issue(ALICE, 0.0)

    assert server.is_valid(nonce, ALICE, 0.0)
    assert not server.is_valid(nonce, stranger, 0.0)


@pytest.mark.requirement("stun-turn:STUNS-LTC-03", "stun-turn:STUNS-LTC-18")
def test_no_two_nonces_are_the_same() -> None:
    server = nonces()

    assert len({server.issue(ALICE, 0.0) for _ in range(100)}) == 100


@given(st.integers(0, 44), st.characters(max_codepoint=0x2FF))
def test_no_character_can_be_changed(place: int, character: str) -> None:
    server = nonces()
    nonce = server.issue(ALICE, 1_700_000_000.0)
    changed = nonce[:place] + character + nonce[place + 1 :]

    assert server.is_valid(changed, ALICE, 1_700_000_000.0) is (changed == nonce)


@pytest.mark.parametrize("nonce", ["", "obMatJos2gAAA", "obMatJos2gAAA" + "A" * 32, "x" * 127])
def test_what_nobody_issued_is_not_valid(nonce: str) -> None:
    assert not nonces().is_valid(nonce, ALICE, 0.0)


def test_servers_share_nonces_by_sharing_the_key() -> None:
    nonce = nonces().issue(ALICE, 0.0)

    assert nonces().is_valid(nonce, ALICE, 0.0)
    assert not nonces(key=b"1" * 32).is_valid(nonce, ALICE, 0.0)


def test_a_server_of_other_features_does_not_take_it() -> None:
    nonce = nonces().issue(ALICE, 0.0)
    other = nonces(features=FEATURES | SecurityFeature.USERNAME_ANONYMITY)

    assert not other.is_valid(nonce, ALICE, 0.0)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        nonces(key=b"short")
