"""The ChannelData message (RFC 8656 sections 12.4 to 12.6), for servers and clients."""

from __future__ import annotations

import dataclasses
import struct
from typing import Final, Self

from transport import DecodeError

MIN_CHANNEL: Final = 0x4000
MAX_CHANNEL: Final = 0x4FFF
"""RFC 8656 section 12 leaves 0x5000 to 0xFFFF, which RFC 5766 gave out, reserved."""

HEADER_BYTES: Final = 4
MAX_DATA_BYTES: Final = 0xFFFF

_HEADER: Final = struct.Struct("!HH")
_PADDING: Final = (b"", b"\0\0\0", b"\0\0", b"\0")


def is_channel_data(data: bytes | memoryview) -> bool:
    """Whether the first byte is that of a channel number (RFC 8656 section 12, table 3)."""
    return len(data) > 0 and 0x40 <= data[0] <= 0x4F


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelData:
    """Application data with the number of its channel.

    Raises:
        ValueError: the number or the size of the data is out of range.
    """

    number: int
    data: bytes

    def __post_init__(self) -> None:
        if not MIN_CHANNEL <= self.number <= MAX_CHANNEL:
            raise ValueError(f"a channel number is from 0x4000 to 0x4FFF, not {self.number:#x}")
        if len(self.data) > MAX_DATA_BYTES:
            raise ValueError(f"ChannelData holds at most 65535 bytes, not {len(self.data)}")

    @classmethod
    def decode(cls, message: bytes) -> Self:
        """From a datagram or a framed message; what follows the data is padding.

        Raises:
            DecodeError: the number is reserved, or the message is too short.
        """
        if len(message) < HEADER_BYTES:
            raise DecodeError("ChannelData", f"{len(message)} bytes long")
        number, length = _HEADER.unpack_from(message)
        if not MIN_CHANNEL <= number <= MAX_CHANNEL:
            raise DecodeError("ChannelData", f"channel number {number:#x}")
        if len(message) < HEADER_BYTES + length:
            raise DecodeError("ChannelData", f"{length} bytes claimed, {len(message) - 4} there")
        return cls(number, message[HEADER_BYTES : HEADER_BYTES + length])

    def encode(self) -> bytes:
        """Without padding, as for UDP and DTLS."""
        return _HEADER.pack(self.number, len(self.data)) + self.data

    def encode_padded(self) -> bytes:
        """Padded to a multiple of 4 bytes, as streams need it (section 12.5)."""
        return self.encode() + _PADDING[len(self.data) & 3]
