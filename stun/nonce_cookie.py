"""The nonce cookie and its security features (RFC 8489 sections 9.2 and 18.1)."""

from __future__ import annotations

import base64
import binascii
import enum
from typing import Final

COOKIE_PREFIX: Final = "obMatJos2"
_COOKIE_LENGTH: Final = len(COOKIE_PREFIX) + 4


class SecurityFeature(enum.IntFlag):
    """Bits of the 24-bit set, of which bit 0 is the most significant."""

    PASSWORD_ALGORITHMS = 1 << 23
    USERNAME_ANONYMITY = 1 << 22


def nonce_cookie(features: SecurityFeature) -> str:
    """The 13 characters that a nonce starts with."""
    return COOKIE_PREFIX + base64.b64encode(features.to_bytes(3, "big")).decode()


def security_features(nonce: str) -> SecurityFeature:
    """The features that a nonce's cookie announces; none without a cookie.

    Bits that nobody assigned yet are kept.
    """
    if not nonce.startswith(COOKIE_PREFIX):
        return SecurityFeature(0)
    try:
        encoded = nonce[len(COOKIE_PREFIX) : _COOKIE_LENGTH].encode("ascii")
        bits = base64.b64decode(encoded, validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return SecurityFeature(0)
    if len(bits) != 3:
        return SecurityFeature(0)
    return SecurityFeature(int.from_bytes(bits, "big"))
