"""Who may use a relay: static users, and credentials that expire by themselves.

A time-limited credential needs no state: the username is ``<expiry>:<id>``, with the
expiry in seconds of Unix time, and the password is base64(HMAC(secret, username)), as
in draft-uberti-behave-turn-rest. Whoever shares the secret can make one.
"""

from __future__ import annotations

import base64
import dataclasses
import enum
import hmac
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from stun import opaque_string, userhash

MAX_EXPIRY_DIGITS: Final = 12
"""Unix time stays below this for 30,000 years; int() of a long text is slow."""


class SecretAlgorithm(enum.Enum):
    """The hash of the HMAC; SHA1 is what coturn's REST scheme has."""

    SHA1 = "sha1"
    SHA256 = "sha256"


@dataclasses.dataclass(frozen=True, slots=True)
class RelaySecret:
    """A key that a relay shares with whoever makes credentials for it.

    Raises:
        ValueError: the key is empty.
    """

    key: bytes = dataclasses.field(repr=False)
    algorithm: SecretAlgorithm = SecretAlgorithm.SHA1

    def __post_init__(self) -> None:
        if not self.key:
            raise ValueError("an empty secret would let everyone in")

    def password(self, username: str) -> str:
        """The password that belongs to a time-limited username."""
        digest = hmac.digest(self.key, username.encode(), self.algorithm.value)
        return base64.b64encode(digest).decode()


class Credentials(NamedTuple):
    """What a TURN client is given."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"<credentials of {self.username!r}>"


def make_credentials(secret: RelaySecret, id: str, expiry_unix: int) -> Credentials:
    """Credentials for ``id`` that allow to allocate until ``expiry_unix``.

    Quotas count by ``id``, so it should name the channel and the client.

    Raises:
        ValueError: the expiry is negative or too large.
    """
    if not 0 <= expiry_unix < 10**MAX_EXPIRY_DIGITS:
        raise ValueError(f"not a time that a credential can expire at: {expiry_unix}")
    username = f"{expiry_unix}:{id}"
    return Credentials(username, secret.password(username))


@dataclasses.dataclass(frozen=True, slots=True)
class Credential:
    """What a username stands for.

    Any of ``passwords`` is right: there is one for each secret that is valid.
    ``quota_id`` is what quotas count by, None for a static user, who has none.
    ``expires_at`` is Unix time, None for never.
    """

    passwords: tuple[str, ...] = dataclasses.field(repr=False)
    quota_id: str | None = None
    expires_at: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Expired:
    """A time-limited username whose time is over.

    The password must still be checked before anybody is told: see ``credential``.
    """

    credential: Credential


class CredentialVerifier:
    """Finds passwords by username: static users first, then time-limited ones.

    Both kinds can be in use at once, and several secrets, so that one can be
    replaced without a gap.

    Raises:
        OpaqueStringError: the name or the password of a user is not allowed (RFC 8265
            section 4.2).
    """

    __slots__ = ("_hashes", "_secrets", "_users")

    def __init__(
        self, users: Mapping[str, str] | None = None, secrets: Sequence[RelaySecret] = ()
    ) -> None:
        self._users = {
            opaque_string(name): opaque_string(password) for name, password in (users or {}).items()
        }
        self._secrets = tuple(secrets)
        self._hashes: dict[str, dict[bytes, str]] = {}

    @property
    def has_secrets(self) -> bool:
        """Whether there are usernames that nobody can list."""
        return bool(self._secrets)

    def lookup(self, username: str, unix_time: float) -> Credential | Expired | None:
        """What the username stands for at this time; None if nobody is called so."""
        password = self._users.get(username)
        if password is not None:
            return Credential((password,))
        expiry, separator, quota_id = username.partition(":")
        if not (self._secrets and separator and _is_expiry(expiry)):
            return None
        passwords = tuple(secret.password(username) for secret in self._secrets)
        credential = Credential(passwords, quota_id, int(expiry))
        return credential if unix_time < int(expiry) else Expired(credential)

    def username_of(self, digest: bytes, realm: str) -> str | None:
        """The static user whose USERHASH this is (RFC 8489 section 14.4).

        Time-limited usernames cannot be found by their hash.
        """
        hashes = self._hashes.get(realm)
        if hashes is None:
            hashes = {userhash(name, realm): name for name in self._users}
            self._hashes = {realm: hashes}
        return hashes.get(digest)

    def __repr__(self) -> str:
        return f"<{len(self._users)} users, {len(self._secrets)} secrets>"


def _is_expiry(text: str) -> bool:
    return 0 < len(text) <= MAX_EXPIRY_DIGITS and text.isascii() and text.isdigit()
