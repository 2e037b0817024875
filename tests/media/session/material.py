"""Access units made of nothing, but laid out as real ones are."""

from __future__ import annotations

from media.units import AccessUnit, CodecName

FRAME_TICKS = 3000
OPUS_TICKS = 960

_SPS = bytes.fromhex("6742e01f8c8d40501e900f08846a")
_PPS = bytes.fromhex("68ce3c80")


def _noise(length: int, seed: int) -> bytes:
    """Bytes in which no start code can appear."""
    return bytes(1 + (seed * 31 + index * 7) % 255 for index in range(length))


def h264_unit(index: int, *, keyframe: bool = False, size: int = 3000) -> AccessUnit:
    slice_nal = bytes((0x65 if keyframe else 0x41,)) + b"\x88" + _noise(size, index)
    nals = [_SPS, _PPS, slice_nal] if keyframe else [slice_nal]
    data = b"".join(b"\x00\x00\x00\x01" + nal for nal in nals)
    return AccessUnit(CodecName.H264, data, index * FRAME_TICKS, keyframe)


def vp8_unit(index: int, *, keyframe: bool = False, size: int = 3000) -> AccessUnit:
    head = bytes.fromhex("1002009d012a40013000") if keyframe else bytes.fromhex("110200")
    return AccessUnit(CodecName.VP8, head + _noise(size, index), index * FRAME_TICKS, keyframe)


def opus_unit(index: int, *, size: int = 80) -> AccessUnit:
    return AccessUnit(CodecName.OPUS, b"\xfc" + _noise(size, index), index * OPUS_TICKS, True)


def video_unit(codec: CodecName, index: int, *, keyframe: bool = False) -> AccessUnit:
    make = h264_unit if codec is CodecName.H264 else vp8_unit
    return make(index, keyframe=keyframe)
