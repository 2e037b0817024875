"""What a recorder must know of coded video: its size, and that it can be decoded."""

from __future__ import annotations

from typing import Protocol

from media.bitstream import (
    NalType,
    ParameterSets,
    SequenceParameterSet,
    Vp8FrameHeader,
    join_annex_b,
    nal_type,
    split_annex_b,
)
from media.units import AccessUnit, CodecName
from transport import DecodeError


class PictureReader(Protocol):
    """Follows one coded video."""

    changes: int
    """How often what decoders are set up with has changed in mid-stream."""

    def read(self, unit: AccessUnit) -> bytes:
        """What of a unit goes into the file; empty if that is nothing."""
        ...

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height, once decoding can start."""
        ...


def picture_reader(codec: CodecName) -> PictureReader:
    """What reads units of this codec."""
    return H264Pictures() if codec is CodecName.H264 else Vp8Pictures()


class H264Pictures:
    """H.264, with the parameter sets in front of every IDR picture.

    The head of a file has those of the first picture. Others that come later stay in
    band: whoever seeks behind the change finds them where decoding starts.
    """

    def __init__(self) -> None:
        self.changes = 0
        self._sets = ParameterSets()
        self._in_force: tuple[bytes, ...] = ()

    @property
    def size(self) -> tuple[int, int] | None:
        kinds = {nal_type(nal) for nal in self._in_force}
        if NalType.PPS not in kinds:
            return None
        for nal in self._in_force:
            if nal_type(nal) == NalType.SPS:
                found = SequenceParameterSet.decode(nal)  # it was decoded before it was kept
                return found.width, found.height
        return None

    def read(self, unit: AccessUnit) -> bytes:
        nals = self._sets.before_idr(split_annex_b(unit.data))
        if unit.keyframe and self._sets.nals != self._in_force:
            self.changes += bool(self._in_force)
            self._in_force = self._sets.nals
        return join_annex_b(nals)


class Vp8Pictures:
    """VP8, whose key frames say all that a decoder needs."""

    def __init__(self) -> None:
        self.changes = 0
        self.size: tuple[int, int] | None = None

    def read(self, unit: AccessUnit) -> bytes:
        if not unit.keyframe:
            return unit.data
        try:
            header = Vp8FrameHeader.decode(unit.data)
        except DecodeError:
            return b""
        size = header.width, header.height
        self.changes += self.size is not None and size != self.size
        self.size = size
        return unit.data
