"""Choosing relayed transport addresses (RFC 8656 section 7.2, RFC 6056 section 3.3.1)."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from transport import IPAddress, RandomBytes, TransportAddress

_DRAWS: Final = 16
"""Random ports to try before walking on from the last: with the range three quarters
full, walking is needed once in a hundred times."""


class RelayPorts:
    """Which ports of which relay addresses are in use, and a random one that is not."""

    __slots__ = ("_first", "_random_bytes", "_size", "_used")

    def __init__(self, first: int, last: int, random_bytes: RandomBytes) -> None:
        self._first = first
        self._size = last - first + 1
        self._random_bytes = random_bytes
        self._used: dict[IPAddress, set[int]] = {}

    def claim(self, ip: IPAddress, avoid: Container[int] = ()) -> TransportAddress | None:
        """Take a random free port of this address; None if there is none left."""
        used = self._used.setdefault(ip, set())
        port = self._find(used, avoid)
        if port is None:
            return None
        used.add(port)
        return TransportAddress(ip, port)

    def release(self, address: TransportAddress) -> None:
        """Give back an address that was claimed."""
        self._used[address.ip].remove(address.port)

    def _find(self, used: set[int], avoid: Container[int]) -> int | None:
        if len(used) >= self._size:
            return None
        offset = 0
        for _ in range(_DRAWS):
            offset = int.from_bytes(self._random_bytes(4), "big") % self._size
            port = self._first + offset
            if port not in used and port not in avoid:
                return port
        for step in range(1, self._size):
            port = self._first + (offset + step) % self._size
            if port not in used and port not in avoid:
                return port
        return None
