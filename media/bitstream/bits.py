"""Bits and Exp-Golomb codes of an H.264 NAL unit (H.264 sections 7.2, 7.3.1, 9.1)."""

from __future__ import annotations

from transport import DecodeError

MAX_LEADING_ZEROS = 32
"""ue(v) codes of the standard stay below 2^32 (H.264 section 9.1)."""


def unescape(nal: bytes) -> bytes:
    """The payload of a NAL unit without emulation prevention bytes (section 7.3.1)."""
    if b"\x00\x00\x03" not in nal:
        return nal
    parts = nal.split(b"\x00\x00\x03")
    return b"\x00\x00".join(parts)


class BitReader:
    """Reads bits, most significant first; raises DecodeError past the end."""

    __slots__ = ("_bits", "_element", "_left")

    def __init__(self, data: bytes, element: str) -> None:
        self._bits = int.from_bytes(data, "big")
        self._left = 8 * len(data)
        self._element = element

    def bits(self, count: int) -> int:
        """u(n)."""
        if count > self._left:
            raise DecodeError(self._element, "too short")
        self._left -= count
        return (self._bits >> self._left) & ((1 << count) - 1)

    def flag(self) -> bool:
        """u(1)."""
        return self.bits(1) == 1

    def unsigned(self) -> int:
        """ue(v) (H.264 section 9.1)."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > MAX_LEADING_ZEROS:
                raise DecodeError(self._element, "an Exp-Golomb code over 32 bits")
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed(self) -> int:
        """se(v) (H.264 section 9.1.1)."""
        code = self.unsigned()
        return (code + 1) // 2 if code % 2 else -(code // 2)
