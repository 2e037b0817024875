"""Access tokens as an authorization server makes them (RFC 7635 section 6.2), wrong ones too."""

from __future__ import annotations

import struct
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES: Final = 12
FRACTIONS: Final = 64_000
"""Of a second, in the last 16 bits of a timestamp."""

_TIMES: Final = struct.Struct("!QI")


def block(
    mac_key: bytes, *, timestamp: float, lifetime: int, key_length: int | None = None
) -> bytes:
    """What is encrypted: the session key, and when it is good."""
    seconds, fraction = divmod(round(timestamp * FRACTIONS), FRACTIONS)
    size = len(mac_key) if key_length is None else key_length
    return size.to_bytes(2, "big") + mac_key + _TIMES.pack(seconds << 16 | fraction, lifetime)


def seal(
    key: bytes, server_name: bytes, plain: bytes, nonce: bytes, *, nonce_length: int | None = None
) -> bytes:
    """A token; the server's name is authenticated with it."""
    encrypted = AESGCM(key).encrypt(nonce, plain, server_name)
    size = len(nonce) if nonce_length is None else nonce_length
    return size.to_bytes(2, "big") + nonce + encrypted
