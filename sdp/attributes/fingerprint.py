"""a=fingerprint: the hash of a DTLS certificate (RFC 8122 section 5)."""

from __future__ import annotations

import dataclasses
import hmac
import re
from collections.abc import Iterable
from typing import ClassVar, Self

from sdp.errors import SdpError

HASH_BYTES = {
    "sha-512": 64,
    "sha-384": 48,
    "sha-256": 32,
    "sha-224": 28,
    "sha-1": 20,
    "md5": 16,
    "md2": 16,
}
"""The registered hash functions, strongest first, with the bytes of their value."""

USABLE_HASHES = ("sha-512", "sha-384", "sha-256")
"""Those that a certificate may be checked by (RFC 8122 section 5: not MD2 or MD5;
RFC 8827 section 6.5 asks for SHA-256 or stronger; SHA-1 has known collisions)."""

_HEX = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*")
_TOKEN = re.compile(r"[!#-'*+\-.0-9A-Z^-~]+")


@dataclasses.dataclass(frozen=True, slots=True)
class Fingerprint:
    """A hash function's name in lower case and its value in upper-case hex with colons.

    Raises:
        ValueError: the name is no token, or the value is no such hash.
    """

    NAME: ClassVar[str] = "fingerprint"

    hash_name: str
    value: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash_name", self.hash_name.lower())
        object.__setattr__(self, "value", self.value.upper())
        if not _TOKEN.fullmatch(self.hash_name):
            raise ValueError("the hash function of a fingerprint is no token")
        if not _HEX.fullmatch(self.value):
            raise ValueError("a fingerprint is pairs of hex digits with colons between them")
        size = HASH_BYTES.get(self.hash_name)
        if size is not None and len(self.value) != 3 * size - 1:
            raise ValueError(f"a {self.hash_name} fingerprint has {size} bytes")

    @classmethod
    def parse(cls, value: str) -> Self:
        hash_name, _, digest = value.partition(" ")
        try:
            return cls(hash_name, digest)
        except ValueError as error:
            raise SdpError.in_value(0, str(error)) from error

    def __str__(self) -> str:
        return f"{self.hash_name} {self.value}"

    @property
    def is_usable(self) -> bool:
        """Whether a certificate may be checked by it."""
        return self.hash_name in USABLE_HASHES

    def matches(self, digest: str) -> bool:
        """Compare with a certificate's hash, in constant time."""
        return hmac.compare_digest(self.value.encode(), digest.upper().encode())


def strongest(fingerprints: Iterable[Fingerprint]) -> tuple[Fingerprint, ...]:
    """Those with the strongest usable hash function; a certificate must match one.

    RFC 8122 section 5.1 lets a peer list several certificates under one hash
    function, and the same certificates under several: the strongest decides.
    """
    usable = [f for f in fingerprints if f.is_usable]
    for name in USABLE_HASHES:
        chosen = tuple(f for f in usable if f.hash_name == name)
        if chosen:
            return chosen
    return ()
