"""Access tokens of third-party authorization (RFC 7635): making and opening them.

An authorization server and a relay share a ``TokenKey``, known by its kid. The server
makes a token with ``make_access_token`` for whoever it allows to use the relay, and
hands it out in an ``AccessGrant``. The relay finds what is in it with
``TokenVerifier``; it needs to know nobody, and to keep nothing.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import enum
import struct
from collections.abc import Sequence
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from stun import AccessGrant, IntegrityAlgorithm, Username
from transport import ByteReader, DecodeError

NONCE_BYTES: Final = 12
"""Of AES-GCM in RFC 5116 sections 5.1 and 5.2, which know no other length."""

TAG_BYTES: Final = 16

MIN_MAC_KEY_BYTES: Final = 16
MAX_MAC_KEY_BYTES: Final = 64
"""Of a mac_key. RFC 7635 section 6.2 wants 20 to be supported; HMAC-SHA256 has 32, some
peers 16, and an HMAC takes no longer ones than its block without hashing them."""

DELTA: Final = 5
"""Seconds by which clocks may differ (section 7 recommends it)."""

FRACTIONS: Final = 64_000
"""Of a second, in the last 16 bits of a timestamp (section 6.2)."""

MAX_LIFETIME: Final = 0xFFFFFFFF

_ELEMENT = "ACCESS-TOKEN"
_FIXED_BYTES: Final = 2 + NONCE_BYTES + 2 + 12 + TAG_BYTES
MAX_TOKEN_BYTES: Final = _FIXED_BYTES + MAX_MAC_KEY_BYTES
"""What is longer is not decrypted."""

_pack_block_end = struct.Struct("!QI").pack


class TokenAlgorithm(enum.Enum):
    """How a token is encrypted (RFC 7518 section 5.1); the value is the key's size."""

    A128GCM = 16
    A256GCM = 32


@dataclasses.dataclass(frozen=True, slots=True)
class TokenKey:
    """A long-term key that an authorization server shares with a relay (section 4.1).

    The algorithm follows from the size of the key. ``expires_at`` is Unix time: tokens
    are taken with this key before it; None for always.

    Raises:
        ValueError: the key has neither 16 nor 32 bytes, or the kid is no username.
    """

    kid: str
    key: bytes = dataclasses.field(repr=False)
    expires_at: float | None = None

    def __post_init__(self) -> None:
        if not self.kid:
            raise ValueError("a token key has a kid")
        Username(self.kid).encode(b"")
        sizes = [each.value for each in TokenAlgorithm]
        if len(self.key) not in sizes:
            raise ValueError(f"a token key has 16 or 32 bytes, not {len(self.key)}")

    @property
    def algorithm(self) -> TokenAlgorithm:
        return TokenAlgorithm(len(self.key))

    @classmethod
    def parse(cls, text: str) -> Self:
        """From KID:BASE64 or KID:BASE64:EXPIRY; the kid ends at the first colon.

        Raises:
            ValueError: it is something else. The key is not shown.
        """
        kid, _, rest = text.partition(":")
        encoded, _, expiry = rest.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError(f"the key of {kid!r} is not base64") from error
        if expiry and not (expiry.isascii() and expiry.isdigit() and len(expiry) <= 12):
            raise ValueError(f"the expiry of {kid!r} is not in seconds of Unix time")
        return cls(kid, key, int(expiry) if expiry else None)


@dataclasses.dataclass(frozen=True, slots=True)
class TokenContents:
    """What an authorization server has put into a token.

    ``timestamp`` is Unix time, when it was made; ``lifetime`` is in seconds.

    Raises:
        ValueError: a value is out of range.
    """

    mac_key: bytes = dataclasses.field(repr=False)
    timestamp: float
    lifetime: int

    def __post_init__(self) -> None:
        if not MIN_MAC_KEY_BYTES <= len(self.mac_key) <= MAX_MAC_KEY_BYTES:
            raise ValueError(
                f"a mac_key has {MIN_MAC_KEY_BYTES} to {MAX_MAC_KEY_BYTES} bytes,"
                f" not {len(self.mac_key)}"
            )
        if not 0 <= self.timestamp < 1 << 48:
            raise ValueError("a timestamp is Unix time")
        if not 0 < self.lifetime <= MAX_LIFETIME:
            raise ValueError(f"a lifetime is from 1 to {MAX_LIFETIME} seconds")

    def allowed_for(self, unix_time: float) -> int:
        """The seconds that the server may still grant; 0 if it may not be used any more.

        Accepted is what section 7 says, ``lifetime + DELTA > abs(now - timestamp)``; an
        allocation's life is never longer than the token's (section 9).
        """
        remaining = self.lifetime + DELTA - abs(unix_time - self.timestamp)
        return max(0, min(self.lifetime, int(remaining)))


def make_access_token(
    key: TokenKey, server_name: str, contents: TokenContents, *, nonce: bytes
) -> bytes:
    """A token for the server of this name, which is what its 401 says.

    ``nonce`` is 12 bytes, never used before with this key.

    Raises:
        ValueError: the nonce has another size.
    """
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"a nonce has {NONCE_BYTES} bytes, not {len(nonce)}")
    seconds, fraction = divmod(round(contents.timestamp * FRACTIONS), FRACTIONS)
    block = (
        len(contents.mac_key).to_bytes(2, "big")
        + contents.mac_key
        + _pack_block_end(seconds << 16 | fraction, contents.lifetime)
    )
    encrypted = AESGCM(key.key).encrypt(nonce, block, server_name.encode())
    return NONCE_BYTES.to_bytes(2, "big") + nonce + encrypted


def grant_access(
    key: TokenKey,
    server_name: str,
    contents: TokenContents,
    *,
    nonce: bytes,
    algorithm: IntegrityAlgorithm = IntegrityAlgorithm.SHA1,
) -> AccessGrant:
    """All that an authorization server sends to a client.

    Raises:
        ValueError: the nonce has not 12 bytes.
    """
    token = make_access_token(key, server_name, contents, nonce=nonce)
    return AccessGrant(key.kid, token, contents.mac_key, contents.lifetime, algorithm)


def open_access_token(key: TokenKey, server_name: str, token: bytes) -> TokenContents:
    """What is in a token; nobody has looked at its time yet.

    Raises:
        DecodeError: it is malformed, was made with another key, or for another server.
    """
    if not _FIXED_BYTES <= len(token) <= MAX_TOKEN_BYTES:
        raise DecodeError(_ELEMENT, f"{len(token)} bytes long")
    if int.from_bytes(token[:2], "big") != NONCE_BYTES:
        raise DecodeError(_ELEMENT, "the nonce has not 12 bytes")
    nonce, encrypted = token[2 : 2 + NONCE_BYTES], token[2 + NONCE_BYTES :]
    try:
        block = AESGCM(key.key).decrypt(nonce, encrypted, server_name.encode())
    except InvalidTag as error:
        raise DecodeError(_ELEMENT, "not authentic") from error
    reader = ByteReader(block, _ELEMENT)
    mac_key = reader.take(reader.uint16())
    timestamp, lifetime = reader.uint64(), reader.uint32()
    reader.expect_end()
    try:
        # Fractions above 64,000 are what some peers make of 16 bits: less than 25 ms more.
        seconds = (timestamp >> 16) + (timestamp & 0xFFFF) / FRACTIONS
        return TokenContents(mac_key, seconds, lifetime)
    except ValueError as error:
        raise DecodeError(_ELEMENT, str(error)) from error


class TokenVerifier:
    """What a relay needs to take tokens: its name, and the keys of authorization servers.

    Several keys are good at once, so that one can be replaced without a gap.

    Raises:
        ValueError: there is no name or no key, or two keys have the same kid.
    """

    __slots__ = ("_keys", "server_name")

    def __init__(self, server_name: str, keys: Sequence[TokenKey]) -> None:
        self._keys = {key.kid: key for key in keys}
        self.server_name = server_name
        if not server_name or not keys:
            raise ValueError("tokens need the name of the server, and a key")
        if len(self._keys) != len(keys):
            raise ValueError("two token keys have the same kid")

    def open(self, kid: str, token: bytes, unix_time: float) -> TokenContents | None:
        """What is in a token that may be used now; None if it may not, for any reason."""
        key = self._keys.get(kid)
        if key is None or (key.expires_at is not None and unix_time >= key.expires_at):
            return None
        try:
            contents = open_access_token(key, self.server_name, token)
        except DecodeError:
            return None
        return contents if contents.allowed_for(unix_time) else None

    def __repr__(self) -> str:
        return f"<tokens for {self.server_name}, {len(self._keys)} keys>"
