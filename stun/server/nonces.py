"""Nonces that a server knows again without having kept them (RFC 8489 section 9.2.4)."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final

from stun.nonce_cookie import SecurityFeature, nonce_cookie
from transport import RandomBytes, TransportAddress

_TIME_BYTES: Final = 6
_SALT_BYTES: Final = 8
"""64 random bits: two nonces for one address differ even within a millisecond."""
_MAC_BYTES: Final = 10
_BYTES: Final = _TIME_BYTES + _SALT_BYTES + _MAC_BYTES
"""A multiple of 3, so that base64 adds no padding to what an answer must carry."""


class Nonces:
    """Makes nonces for one source address each, and checks them.

    A nonce is the cookie, then the time, a salt and an HMAC over both, the cookie and
    the address in base64: 45 characters. Servers with the same key take each
    other's. Times are seconds of a clock that all of them share.

    Raises:
        ValueError: the key is shorter than 16 bytes.
    """

    __slots__ = ("_cookie", "_key", "_lifetime", "_random_bytes")

    def __init__(
        self, key: bytes, *, features: SecurityFeature, lifetime: float, random_bytes: RandomBytes
    ) -> None:
        if len(key) < 16:
            raise ValueError("a nonce key has at least 16 bytes")
        self._key = key
        self._cookie = nonce_cookie(features)
        self._lifetime = lifetime
        self._random_bytes = random_bytes

    def issue(self, remote: TransportAddress, time: float) -> str:
        """A new nonce for a client."""
        body = round(time * 1000).to_bytes(_TIME_BYTES, "big") + self._random_bytes(_SALT_BYTES)
        return self._cookie + base64.b64encode(body + self._mac(body, remote)).decode()

    def is_valid(self, nonce: str, remote: TransportAddress, time: float) -> bool:
        """Whether it was issued to this address, and less than its lifetime ago."""
        if not nonce.startswith(self._cookie):
            return False
        try:
            raw = base64.b64decode(nonce[len(self._cookie) :].encode("ascii"), validate=True)
        except (UnicodeEncodeError, binascii.Error):
            return False
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if len(raw) != _BYTES or not hmac.compare_digest(mac, self._mac(body, remote)):
            return False
        age = time - int.from_bytes(body[:_TIME_BYTES], "big") / 1000
        # Rounding, and another server's clock, may put the issue just after now.
        return -1.0 < age < self._lifetime

    def _mac(self, body: bytes, remote: TransportAddress) -> bytes:
        text = self._cookie.encode() + body + remote.port.to_bytes(2, "big") + remote.ip.packed
        return hmac.digest(self._key, text, "sha256")[:_MAC_BYTES]
