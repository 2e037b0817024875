"""Reading bytes from the network without believing their lengths."""

from __future__ import annotations

from .errors import DecodeError


class ByteReader:
    """Reads big-endian fields one after the other.

    Every call raises DecodeError, in the name of ``element``, when fewer bytes
    are left than it needs.
    """

    __slots__ = ("_data", "_element", "_offset")

    def __init__(self, data: bytes | memoryview, element: str) -> None:
        self._data = memoryview(data)
        self._element = element
        self._offset = 0

    @property
    def offset(self) -> int:
        """How many bytes were read so far."""
        return self._offset

    @property
    def remaining(self) -> int:
        return len(self._data) - self._offset

    def uint8(self) -> int:
        return self._uint(1)

    def uint16(self) -> int:
        return self._uint(2)

    def uint24(self) -> int:
        return self._uint(3)

    def uint32(self) -> int:
        return self._uint(4)

    def uint64(self) -> int:
        return self._uint(8)

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        return bytes(self._slice(count))

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.remaining)

    def skip(self, count: int) -> None:
        self._slice(count)

    def expect_end(self) -> None:
        """Raise DecodeError when bytes are left over."""
        if self.remaining:
            raise DecodeError(self._element, f"{self.remaining} bytes too many")

    def _uint(self, size: int) -> int:
        return int.from_bytes(self._slice(size), "big")

    def _slice(self, count: int) -> memoryview:
        if not 0 <= count <= self.remaining:
            raise DecodeError(
                self._element, f"needs {count} bytes at {self._offset}, has {self.remaining}"
            )
        start = self._offset
        self._offset += count
        return self._data[start : self._offset]
