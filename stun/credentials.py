"""Keys of the short-term and the long-term mechanism (RFC 8489 sections 9.1.1 and 9.2.2)."""

from __future__ import annotations

import hashlib
from typing import Final

from .attributes import KeyAlgorithm
from .integrity import IntegrityKey
from .opaque_string import opaque_string

_HASHES: Final = {KeyAlgorithm.MD5: "md5", KeyAlgorithm.SHA256: "sha256"}


def short_term_key(password: str) -> IntegrityKey:
    """The key is the password itself (section 9.1.1).

    Raises:
        OpaqueStringError: the password is not allowed.
    """
    return IntegrityKey(opaque_string(password).encode())


def long_term_key(
    username: str,
    realm: str,
    *,
    password: str,
    algorithm: KeyAlgorithm = KeyAlgorithm.MD5,
) -> IntegrityKey:
    """The key as a server may store it instead of the password.

    Raises:
        OpaqueStringError: the realm or the password is not allowed.
    """
    return IntegrityKey(long_term_digest(username, realm, password=password, algorithm=algorithm))


def long_term_digest(
    username: str,
    realm: str,
    *,
    password: str,
    algorithm: KeyAlgorithm = KeyAlgorithm.MD5,
) -> bytes:
    """The bytes of a long-term key: 16 for MD5, 32 for SHA-256 (section 18.5.1).

    Old clients send the realm, and some the username, in quotes or with trailing
    NULs, which do not count. The username is taken as from USERNAME, that is after
    OpaqueString.

    Raises:
        OpaqueStringError: the realm or the password is not allowed.
    """
    fields = (
        _unquote(username),
        opaque_string(_unquote(realm)),
        opaque_string(password.rstrip("\0")),
    )
    hashed = hashlib.new(_HASHES[algorithm], ":".join(fields).encode(), usedforsecurity=False)
    return hashed.digest()


def userhash(username: str, realm: str) -> bytes:
    """The 32 bytes of USERHASH (section 14.4).

    Raises:
        OpaqueStringError: the username or the realm is not allowed.
    """
    text = f"{opaque_string(username)}:{opaque_string(realm)}"
    return hashlib.sha256(text.encode()).digest()


def _unquote(text: str) -> str:
    return text.rstrip("\0").strip('"')
