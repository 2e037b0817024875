"""Username fragments and passwords (RFC 8445 section 5.3, RFC 8839 section 5.4)."""

from __future__ import annotations

import dataclasses
import string
from typing import Self

from transport import RandomBytes

ICE_CHARS = string.ascii_letters + string.digits + "+/"
"""The 64 characters of ``ice-char``: each carries exactly six random bits."""

UFRAG_LENGTH = 8
"""48 random bits; the RFC asks for 24, and a longer one collides less often on a shared port."""
PASSWORD_LENGTH = 24
"""144 random bits; the RFC asks for 128."""

_ICE_CHAR_SET = frozenset(ICE_CHARS)


@dataclasses.dataclass(frozen=True, slots=True)
class IceCredentials:
    """One side's username fragment and password for the checks sent to it.

    Raises:
        ValueError: not 4 to 256 (ufrag) or 22 to 256 (password) ice-chars.
    """

    ufrag: str
    password: str = dataclasses.field(repr=False)

    def __post_init__(self) -> None:
        _require_ice_chars("username fragment", self.ufrag, shortest=4)
        _require_ice_chars("password", self.password, shortest=22)

    @classmethod
    def generate(cls, random_bytes: RandomBytes) -> Self:
        """Fresh credentials with more entropy than RFC 8445 section 5.3 asks for."""
        return cls(
            _ice_chars(random_bytes(UFRAG_LENGTH)), _ice_chars(random_bytes(PASSWORD_LENGTH))
        )


def _ice_chars(randomness: bytes) -> str:
    return "".join(ICE_CHARS[byte & 63] for byte in randomness)


def _require_ice_chars(what: str, text: str, *, shortest: int) -> None:
    if not shortest <= len(text) <= 256:
        raise ValueError(f"an ICE {what} has {shortest} to 256 characters, not {len(text)}")
    if not _ICE_CHAR_SET.issuperset(text):
        raise ValueError(f"an ICE {what} consists of letters, digits, '+' and '/'")
