"""avcC, the decoder configuration that MP4 and Matroska keep beside H.264.

ISO/IEC 14496-15 section 5.3.3.1 (AVCDecoderConfigurationRecord).
"""

from __future__ import annotations

import dataclasses
from typing import Self

from transport import ByteReader, DecodeError


@dataclasses.dataclass(frozen=True, slots=True)
class AvcDecoderConfiguration:
    """Parameter sets that are out of band, and how long a NAL unit length is."""

    length_size: int
    sequence_parameter_sets: tuple[bytes, ...]
    picture_parameter_sets: tuple[bytes, ...]

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises DecodeError for anything but a complete record of version 1."""
        reader = ByteReader(data, "avcC")
        version = reader.uint8()
        if version != 1:
            raise DecodeError("avcC", f"version {version}")
        reader.skip(3)
        length_size = (reader.uint8() & 0x03) + 1
        if length_size == 3:
            raise DecodeError("avcC", "NAL unit lengths of 3 bytes")
        sequence = _parameter_sets(reader, reader.uint8() & 0x1F)
        picture = _parameter_sets(reader, reader.uint8())
        return cls(length_size, sequence, picture)

    @property
    def parameter_sets(self) -> tuple[bytes, ...]:
        """All of them, sequence parameter sets first."""
        return self.sequence_parameter_sets + self.picture_parameter_sets


def _parameter_sets(reader: ByteReader, count: int) -> tuple[bytes, ...]:
    sets = (reader.take(reader.uint16()) for _ in range(count))
    return tuple(one for one in sets if one)
