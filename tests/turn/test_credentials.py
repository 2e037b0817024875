"""Static users and time-limited credentials."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import OpaqueStringError, userhash
from turn import (
    Credential,
    CredentialVerifier,
    Expired,
    RelaySecret,
    SecretAlgorithm,
    make_credentials,
)

SECRET = RelaySecret(b"north")
OTHER = RelaySecret(b"south", SecretAlgorithm.SHA256)


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        pytest.param(SECRET, "sha1", id="sha1"),
        pytest.param(OTHER, "sha256", id="sha256"),
    ],
)
@pytest.mark.requirement("stun-turn:STUNS-LTC-20")
def test_a_password_is_the_base64_of_an_hmac_of_the_username(
    secret: RelaySecret, expected: str
) -> None:
    username, password = make_credentials(secret, "alice", 1_700_000_000)

    assert username == "1700000000:alice"
    digest = hmac.new(secret.key, username.encode(), getattr(hashlib, expected)).digest()
    assert password == base64.b64encode(digest).decode()


def test_the_sha1_password_is_the_one_that_coturn_expects() -> None:
    # printf 1700000000:alice | openssl dgst -sha1 -hmac north -binary | base64
    assert make_credentials(SECRET, "alice", 1_700_000_000).password == (
        "Cd/49soE35ICqcJF/bCTn8Z4OyE="
    )


@given(st.text(max_size=20), st.integers(1, 10**12 - 1))
def test_what_is_made_is_known_until_it_expires(id: str, expiry: int) -> None:
    verifier = CredentialVerifier(secrets=(OTHER, SECRET))
    try:
        username, password = make_credentials(SECRET, id, expiry)
    except UnicodeEncodeError:  # a lone surrogate has no bytes
        return

    before = verifier.lookup(username, expiry - 0.5)
    after = verifier.lookup(username, expiry)

    assert isinstance(before, Credential)
    assert password in before.passwords
    assert (before.quota_id, before.expires_at) == (id, expiry)
    assert after == Expired(before)


def test_every_secret_that_is_valid_gives_a_password() -> None:
    username, password = make_credentials(OTHER, "alice", 2_000_000_000)

    found = CredentialVerifier(secrets=(SECRET, OTHER)).lookup(username, 0.0)

    assert isinstance(found, Credential)
    assert found.passwords == (SECRET.password(username), password)


def test_a_static_user_has_a_password_and_no_quota() -> None:
    verifier = CredentialVerifier({"alice": "secret"}, (SECRET,))

    assert verifier.lookup("alice", 0.0) == Credential(("secret",))


def test_a_static_user_wins_over_a_time_limited_one() -> None:
    verifier = CredentialVerifier({"1:alice": "secret"}, (SECRET,))

    assert verifier.lookup("1:alice", 5.0) == Credential(("secret",))


@pytest.mark.parametrize(
    "username",
    ["", "alice", ":alice", "12x:alice", "-1:alice", "1700000000", "9" * 13 + ":a", "\u0661:a"],
)
def test_nobody_else_is_known(username: str) -> None:
    assert CredentialVerifier({"bob": "b"}, (SECRET,)).lookup(username, 0.0) is None


def test_without_secrets_no_time_limited_name_is_known() -> None:
    verifier = CredentialVerifier({"bob": "b"})

    assert verifier.lookup("1700000000:alice", 0.0) is None
    assert not verifier.has_secrets


def test_a_static_user_is_found_by_the_hash_of_name_and_realm() -> None:
    verifier = CredentialVerifier({"alice": "a", "bob": "b"})

    assert verifier.username_of(userhash("bob", "one"), "one") == "bob"
    assert verifier.username_of(userhash("bob", "one"), "two") is None
    assert verifier.username_of(userhash("bob", "two"), "two") == "bob"


@pytest.mark.requirement("stun-turn:SEC-23")
def test_secrets_do_not_show() -> None:
    verifier = CredentialVerifier({"alice": "hidden"}, (RelaySecret(b"hidden"),))

    shown = repr((verifier, RelaySecret(b"hidden"), verifier.lookup("alice", 0)))

    assert "hidden" not in shown


def test_an_empty_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        RelaySecret(b"")


@pytest.mark.parametrize("expiry", [-1, 10**12])
def test_a_time_that_cannot_be_is_refused(expiry: int) -> None:
    with pytest.raises(ValueError, match="expire"):
        make_credentials(SECRET, "alice", expiry)


def test_a_name_that_is_not_allowed_is_refused() -> None:
    with pytest.raises(OpaqueStringError):
        CredentialVerifier({"a\0b": "secret"})


def test_a_password_that_no_client_can_use_is_refused() -> None:
    with pytest.raises(OpaqueStringError):
        CredentialVerifier({"alice": "tab\there"})


def test_what_was_made_does_not_show_its_password() -> None:
    credentials = make_credentials(SECRET, "alice", 1_700_000_000)

    assert "1700000000:alice" in repr(credentials)
    assert credentials.password not in repr(credentials)
