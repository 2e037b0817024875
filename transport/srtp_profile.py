"""SRTP protection profiles (RFC 5764 section 4.1.2, RFC 7714 section 14.2).

What DTLS agrees on and SRTP works with. It stands by itself, so that SRTP needs no
DTLS to be installed.
"""

from __future__ import annotations

import enum


class SrtpProfile(enum.Enum):
    """What SRTP is protected with, once DTLS has agreed on it. Lengths are in bytes."""

    AEAD_AES_128_GCM = ("SRTP_AEAD_AES_128_GCM", 16, 12)
    AEAD_AES_256_GCM = ("SRTP_AEAD_AES_256_GCM", 32, 12)
    AES128_CM_SHA1_80 = ("SRTP_AES128_CM_SHA1_80", 16, 14)

    def __init__(self, openssl_name: str, key_length: int, salt_length: int) -> None:
        self.openssl_name = openssl_name
        self.key_length = key_length
        self.salt_length = salt_length

    @property
    def material_length(self) -> int:
        """How many bytes to export: two master keys and two master salts."""
        return 2 * (self.key_length + self.salt_length)
