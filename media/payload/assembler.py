"""Collecting the packets of one frame, and knowing when one is missing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from media.rtp import RtpPacket

from .fragment import DepacketizerStats, DropReason

MAX_FRAME_BYTES = 8 * 1024 * 1024
"""A sender that never ends a frame would fill the memory; a 4K key frame has about 1 MB."""

MAX_FRAME_PACKETS = 16 * 1024
"""The same for packets of one byte each: less than half the sequence numbers."""


@dataclasses.dataclass(frozen=True, slots=True)
class Frame:
    """The payloads of all packets of one RTP timestamp, none missing."""

    timestamp: int
    payloads: tuple[bytes, ...]


class FrameAssembler:
    """Gathers packets of one stream into frames; a frame with a hole is dropped.

    Frames end at the marker bit or where the timestamp changes (RFC 3550 section 5.1,
    RFC 6184 section 5.1: the marker may be missing). After a gap the packets that
    follow may be the rest of a frame whose head was lost: such a frame counts only if
    ``starts_frame`` knows its first payload for a beginning.
    """

    def __init__(self, starts_frame: Callable[[bytes], bool], stats: DepacketizerStats) -> None:
        self._starts_frame = starts_frame
        self._stats = stats
        self._expected: int | None = None
        self._after_gap = True
        self._timestamp: int | None = None
        self._payloads: list[bytes] = []
        self._size_bytes = 0
        self._broken = False

    def push(self, packet: RtpPacket) -> Sequence[Frame]:
        """Take the next packet; returns the frames that it completes, two at most."""
        if (
            packet.timestamp == self._timestamp
            and packet.sequence_number == self._expected
            and not packet.marker
            and packet.payload
        ):  # one of those in the middle
            self._expected = (packet.sequence_number + 1) & 0xFFFF
            self._add(packet.payload)
            return ()
        if packet.sequence_number != self._expected:
            self._after_gap = True
            self._break(DropReason.PACKET_MISSING)
        self._expected = (packet.sequence_number + 1) & 0xFFFF
        frames: list[Frame] = []
        if packet.payload:  # an empty one is padding, sent between frames
            if packet.timestamp != self._timestamp:
                frames += self._end()
                self._begin(packet)
            self._after_gap = False
            self._add(packet.payload)
        if packet.marker:
            frames += self._end()
        return frames

    def _begin(self, packet: RtpPacket) -> None:
        self._timestamp = packet.timestamp
        if self._after_gap and not self._starts_frame(packet.payload):
            self._break(DropReason.PACKET_MISSING)

    def _add(self, payload: bytes) -> None:
        self._size_bytes += len(payload)
        if self._size_bytes > MAX_FRAME_BYTES or len(self._payloads) == MAX_FRAME_PACKETS:
            self._break(DropReason.TOO_LARGE)
        elif not self._broken:
            self._payloads.append(payload)

    def _break(self, reason: DropReason) -> None:
        """Drop the frame under way, and what else comes of it."""
        if self._timestamp is not None and not self._broken:
            self._broken = True
            self._payloads.clear()
            self._stats.dropped[reason] += 1

    def _end(self) -> list[Frame]:
        ended = []
        if self._timestamp is not None and self._payloads:
            ended.append(Frame(self._timestamp, tuple(self._payloads)))
        self._timestamp = None
        self._payloads, self._size_bytes, self._broken = [], 0, False
        return ended
