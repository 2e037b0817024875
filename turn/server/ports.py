"""Choosing relayed transport addresses (RFC 8656 section 7.2, RFC 6056 section 3.3.1)."""

from __future__ import annotations

import enum
from collections.abc import Container
from typing import Final

from transport import IPAddress, RandomBytes, TransportAddress

_DRAWS: Final = 16
"""Random ports to try before walking on from the last: with the range three quarters
full, walking is needed once in a hundred times."""


class PortWish(enum.Enum):
    """What a client wants of its port, by EVEN-PORT (RFC 8656 section 18.7)."""

    ANY = "any"
    EVEN = "even"
    EVEN_PAIR = "even-pair"
    """An even one, and the next for a later allocation."""


class RelayPorts:
    """Which ports of which relay addresses are in use, and a random one that is not."""

    __slots__ = ("_first", "_random_bytes", "_size", "_used")

    def __init__(self, first: int, last: int, random_bytes: RandomBytes) -> None:
        self._first = first
        self._size = last - first + 1
        self._random_bytes = random_bytes
        self._used: dict[IPAddress, set[int]] = {}

    def claim(
        self, ip: IPAddress, wish: PortWish = PortWish.ANY, *, avoid: Container[int] = ()
    ) -> tuple[TransportAddress, ...]:
        """Take a random free port of this address, or a pair; nothing if there is none left."""
        used = self._used.setdefault(ip, set())
        port = self._find(used, wish, avoid)
        if port is None:
            return ()
        ports = (port, port + 1) if wish is PortWish.EVEN_PAIR else (port,)
        used.update(ports)
        return tuple(TransportAddress(ip, each) for each in ports)

    def release(self, address: TransportAddress) -> None:
        """Give back an address that was claimed."""
        self._used[address.ip].remove(address.port)

    def _find(self, used: set[int], wish: PortWish, avoid: Container[int]) -> int | None:
        if len(used) >= self._size:
            return None
        offset = 0
        for _ in range(_DRAWS):
            offset = int.from_bytes(self._random_bytes(4), "big") % self._size
            port = self._first + offset
            if port not in avoid and self._suits(port, wish, used):
                return port
        for step in range(1, self._size):
            port = self._first + (offset + step) % self._size
            if port not in avoid and self._suits(port, wish, used):
                return port
        return None

    def _suits(self, port: int, wish: PortWish, used: set[int]) -> bool:
        if port in used or (wish is not PortWish.ANY and port % 2):
            return False
        following = port + 1
        return wish is not PortWish.EVEN_PAIR or (
            following < self._first + self._size and following not in used
        )
