"""SRTP protection profiles (RFC 5764 section 4.1.2, RFC 7714 section 14.2).

What DTLS agrees on and SRTP works with. It stands by itself, so that SRTP needs no
DTLS to be installed.
"""

from __future__ import annotations

import enum


class SrtpProfile(enum.Enum):
    """A protection profile: its cipher, and how much keying material it takes.

    The value is the profile's code point in the use_srtp extension. ``openssl_name``
    is what OpenSSL calls it; ``key_length`` and ``salt_length`` are the bytes of
    master key and master salt per direction.
    """

    AEAD_AES_128_GCM = 0x0007
    AEAD_AES_256_GCM = 0x0008
    AES128_CM_SHA1_80 = 0x0001

    @property
    def openssl_name(self) -> str:
        return f"SRTP_{self.name}"

    @property
    def key_length(self) -> int:
        return 32 if self is SrtpProfile.AEAD_AES_256_GCM else 16

    @property
    def salt_length(self) -> int:
        return 14 if self is SrtpProfile.AES128_CM_SHA1_80 else 12

    @classmethod
    def from_openssl_name(cls, name: str) -> SrtpProfile:
        """The profile of that name.

        Raises:
            ValueError: it is none of ours.
        """
        for profile in cls:
            if profile.openssl_name == name:
                return profile
        raise ValueError(f"no SRTP protection profile of ours is called {name!r}")
