from __future__ import annotations

import hashlib
import hmac

import pytest

from stun import (
    KeyAlgorithm,
    OpaqueStringError,
    long_term_digest,
    long_term_key,
    short_term_key,
    userhash,
)


@pytest.mark.requirement("stun-turn:COD-MI-05")
def test_the_md5_key_is_that_of_the_rfc() -> None:
    digest = long_term_digest("user", "realm", password="pass")

    assert digest.hex() == "8493fbc53ba582fb4c044c456bdc40eb"


@pytest.mark.requirement("stun-turn:COD-MI-06")
def test_the_sha256_key_has_32_bytes() -> None:
    digest = long_term_digest("user", "realm", password="pass", algorithm=KeyAlgorithm.SHA256)

    assert digest == hashlib.sha256(b"user:realm:pass").digest()


@pytest.mark.requirement("stun-turn:COD-MI-07")
@pytest.mark.parametrize(
    ("username", "realm", "password"),
    [
        pytest.param("user\0\0", "realm\0", "pass\0", id="trailing-nuls"),
        pytest.param('"user"', '"realm"', "pass", id="quotes"),
        pytest.param('"user"\0', '"realm"\0', "pass", id="quotes-and-nuls"),
    ],
)
def test_quotes_and_trailing_nuls_do_not_count(username: str, realm: str, password: str) -> None:
    digest = long_term_digest(username, realm, password=password)

    assert digest.hex() == "8493fbc53ba582fb4c044c456bdc40eb"


def test_quotes_in_a_password_count() -> None:
    assert long_term_digest("u", "r", password='"p"') != long_term_digest("u", "r", password="p")


@pytest.mark.requirement("stun-turn:COD-MI-05")
def test_realm_and_password_go_through_opaque_string() -> None:
    composed = long_term_digest("user", "caf\u00e9", password="a b")

    assert long_term_digest("user", "cafe\u0301", password="a\u00a0b") == composed


@pytest.mark.requirement("stun-turn:COD-MI-04")
def test_the_short_term_key_is_the_password() -> None:
    key = short_term_key("cafe\u0301")

    assert key.sha1(b"text") == hmac.digest("caf\u00e9".encode(), b"text", "sha1")


def test_a_long_term_key_signs_with_its_digest() -> None:
    key = long_term_key("user", "realm", password="pass")
    digest = long_term_digest("user", "realm", password="pass")

    assert key.sha1(b"text") == hmac.digest(digest, b"text", "sha1")


@pytest.mark.requirement("stun-turn:COD-TXT-03")
def test_the_userhash_is_that_of_the_rfc() -> None:
    digest = userhash("\u30de\u30c8\u30ea\u30c3\u30af\u30b9", "example.org")

    assert digest.hex() == "4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704"


@pytest.mark.parametrize("password", ["", "\0", "tab\tbed"])
def test_a_password_that_is_not_allowed_is_refused(password: str) -> None:
    with pytest.raises(OpaqueStringError):
        long_term_key("user", "realm", password=password)
    with pytest.raises(OpaqueStringError):
        short_term_key(password)
