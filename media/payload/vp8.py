"""RTP payload format for VP8 (RFC 7741)."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable
from typing import Self

from media.bitstream import is_vp8_keyframe
from media.rtp import RtpPacket
from media.units import AccessUnit, CodecName
from transport import ByteReader, DecodeError

from .assembler import Frame, FrameAssembler
from .fragment import DepacketizerStats, DropReason, Fragment, cut_equally

DESCRIPTOR_BYTES = 4
"""X and S, I, and a picture id of 15 bits: what the packetizer writes."""

PICTURE_ID_MODULUS = 0x8000


@dataclasses.dataclass(frozen=True, slots=True)
class Vp8Descriptor:
    """The VP8 payload descriptor (RFC 7741 section 4.2)."""

    start_of_partition: bool
    partition: int
    non_reference: bool = False
    picture_id: int | None = None
    long_picture_id: bool = False
    tl0_picture_index: int | None = None
    temporal_layer: int | None = None
    layer_sync: bool = False
    key_index: int | None = None
    size_bytes: int = 1

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Raises DecodeError when the payload ends inside its descriptor."""
        reader = ByteReader(payload, "VP8 payload descriptor")
        first = reader.uint8()
        extensions = reader.uint8() if first & 0x80 else 0
        picture_id, long_picture_id = None, False
        if extensions & 0x80:
            picture_id = reader.uint8()
            long_picture_id = bool(picture_id & 0x80)
            if long_picture_id:
                picture_id = (picture_id & 0x7F) << 8 | reader.uint8()
        tl0 = reader.uint8() if extensions & 0x40 else None
        layers = reader.uint8() if extensions & 0x30 else 0
        return cls(
            bool(first & 0x10),
            first & 0x07,
            non_reference=bool(first & 0x20),
            picture_id=picture_id,
            long_picture_id=long_picture_id,
            tl0_picture_index=tl0,
            temporal_layer=layers >> 6 if extensions & 0x20 else None,
            layer_sync=bool(layers & 0x20),
            key_index=layers & 0x1F if extensions & 0x10 else None,
            size_bytes=reader.offset,
        )


class Vp8Packetizer:
    """Cuts frames without regard to partitions (RFC 7741 section 4.4).

    The picture id counts the frames of the stream, so all that share the packetizer's
    output share it; ``with_picture_id`` gives one viewer its own.
    """

    def __init__(self, max_payload: int, *, picture_id: int = 0) -> None:
        if max_payload <= DESCRIPTOR_BYTES:
            raise ValueError(f"a payload has over {DESCRIPTOR_BYTES} bytes, not {max_payload}")
        self._max_part = max_payload - DESCRIPTOR_BYTES
        self._picture_id = picture_id % PICTURE_ID_MODULUS

    def packetize(self, unit: AccessUnit) -> list[Fragment]:
        """The payloads of one frame; none if it is empty."""
        frame = unit.data
        if not frame:
            return []
        picture_id = (0x8000 | self._picture_id).to_bytes(2, "big")
        self._picture_id = (self._picture_id + 1) % PICTURE_ID_MODULUS
        offsets = cut_equally(len(frame), self._max_part)
        first, following = b"\x90\x80" + picture_id, b"\x80\x80" + picture_id
        return [
            Fragment(
                (following if offset else first) + frame[offset : offset + offsets.step],
                offset == offsets[-1],
            )
            for offset in offsets
        ]


class Vp8Depacketizer:
    """Puts frames together again (RFC 7741 section 4.5.1)."""

    def __init__(self) -> None:
        self.stats = DepacketizerStats()
        self._assembler = FrameAssembler(_starts_frame, self.stats)
        self._ready: deque[AccessUnit] = deque()

    def push(self, packet: RtpPacket) -> AccessUnit | None:
        for frame in self._assembler.push(packet):
            self._take(frame)
        return self._ready.popleft() if self._ready else None

    def _take(self, frame: Frame) -> None:
        try:
            data = _frame_data(frame.payloads)
        except DecodeError:
            self.stats.dropped[DropReason.MALFORMED] += 1
            return
        keyframe = is_vp8_keyframe(data)
        self._ready.append(AccessUnit(CodecName.VP8, data, frame.timestamp, keyframe))
        self.stats.units += 1
        self.stats.keyframes += keyframe


def with_picture_id(payload: bytes, picture_id: int) -> bytes:
    """A payload of ``Vp8Packetizer`` under another picture id, for one viewer alone.

    Raises:
        ValueError: the payload carries no picture id of 15 bits.
    """
    if len(payload) < DESCRIPTOR_BYTES or not payload[0] & 0x80 or payload[1] & 0x80 == 0:
        raise ValueError("the payload carries no picture id")
    if not payload[2] & 0x80:
        raise ValueError("the payload carries a picture id of 7 bits")
    identifier = 0x8000 | picture_id % PICTURE_ID_MODULUS
    return payload[:2] + identifier.to_bytes(2, "big") + payload[4:]


def with_picture_ids_shifted(fragments: Iterable[Fragment], shift: int) -> tuple[Fragment, ...]:
    """Fragments of ``Vp8Packetizer`` whose picture ids are ``shift`` greater.

    Raises:
        ValueError: they carry no picture ids of 15 bits.
    """
    return tuple(
        Fragment(
            with_picture_id(payload, int.from_bytes(payload[2:4], "big") + shift),
            fragment.marker,
        )
        for fragment in fragments
        for payload in (fragment.payload,)
    )


def _starts_frame(payload: bytes) -> bool:
    """S is set and the partition is 0: the frame's first packet (section 4.2)."""
    return payload[0] & 0x17 == 0x10


def _descriptor_bytes(payload: bytes) -> int:
    """How long the descriptor is, without what it says: a quarter of what decoding takes.

    Raises:
        DecodeError: the payload ends inside it.
    """
    if not payload[0] & 0x80:
        return 1
    try:
        extensions = payload[1]
        size = 2 + (extensions & 0x40 != 0) + (extensions & 0x30 != 0)
        if extensions & 0x80:
            size += 2 if payload[2] & 0x80 else 1
    except IndexError:
        size = len(payload) + 1
    if size > len(payload):
        raise DecodeError("VP8 payload descriptor", f"needs {size} bytes")
    return size


def _frame_data(payloads: Iterable[bytes]) -> bytes:
    parts = []
    for index, payload in enumerate(payloads):
        if _starts_frame(payload) != (index == 0):
            raise DecodeError("VP8 payload", "not one frame")
        parts.append(payload[_descriptor_bytes(payload) :])
    data = b"".join(parts)
    if not data:
        raise DecodeError("VP8 payload", "an empty frame")
    return data
