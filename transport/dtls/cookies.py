"""Cookies that prove where a client is, and cost a server no memory (RFC 6347 section 4.2.1)."""

from __future__ import annotations

import hmac

from transport.machine import Path, RandomBytes

COOKIE_LIFETIME = 60.0
"""Seconds that a cookie is good for at least, and twice of that at most."""

_KEY_BYTES = 32
_COOKIE_BYTES = 16


class Cookies:
    """Makes cookies for one client address and its ClientHello each, and knows them again."""

    __slots__ = ("_key",)

    def __init__(self, random_bytes: RandomBytes) -> None:
        self._key = random_bytes(_KEY_BYTES)

    def make(self, path: Path, parameters: bytes, now: float) -> bytes:
        """The cookie for who says these parameters on this path."""
        return self._cookie(path, parameters, int(now // COOKIE_LIFETIME))

    def is_good(self, cookie: bytes, path: Path, parameters: bytes, now: float) -> bool:
        """Whether it was made for this path and these parameters, not long ago."""
        period = int(now // COOKIE_LIFETIME)
        return any(
            hmac.compare_digest(cookie, self._cookie(path, parameters, each))
            for each in (period, period - 1)
        )

    def _cookie(self, path: Path, parameters: bytes, period: int) -> bytes:
        ends = b"".join(
            len(end.ip.packed).to_bytes(1) + end.ip.packed + end.port.to_bytes(2)
            for end in (path.local, path.remote)
        )
        text = period.to_bytes(8, signed=True) + ends + parameters
        return hmac.digest(self._key, text, "sha256")[:_COOKIE_BYTES]
