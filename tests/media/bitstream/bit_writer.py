"""Writing what the bit reader reads, independently of it."""

from __future__ import annotations

from typing import Self


class BitWriter:
    """Bits as a string of 0 and 1; each call returns the writer."""

    def __init__(self) -> None:
        self._bits = ""

    def bits(self, value: int, count: int) -> Self:
        self._bits += f"{value:0{count}b}"
        return self

    def unsigned(self, value: int) -> Self:
        """ue(v)."""
        code = f"{value + 1:b}"
        self._bits += "0" * (len(code) - 1) + code
        return self

    def nal(self, head: int) -> bytes:
        """A NAL unit: stop bit, alignment, emulation prevention."""
        bits = self._bits + "1"
        bits += "0" * (-len(bits) % 8)
        body = int(bits, 2).to_bytes(len(bits) // 8, "big")
        escaped = bytearray()
        zeros = 0
        for byte in body:
            if zeros == 2 and byte <= 3:
                escaped.append(3)
                zeros = 0
            escaped.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return bytes([head]) + bytes(escaped)
