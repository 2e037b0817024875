"""What the demuxer gives, with its times in seconds."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from media.units import MediaKind


@dataclasses.dataclass(frozen=True, slots=True)
class DemuxedPacket:
    """A sample of the container; times are seconds of the container's clock."""

    kind: MediaKind
    time: float
    decode_time: float
    duration: float
    keyframe: bool
    packet: Packet[Stream] | Packet[VideoStream]

    @property
    def data(self) -> bytes:
        return bytes(self.packet)

    @property
    def size_bytes(self) -> int:
        return self.packet.size


def demuxed(
    packet: Packet[Stream] | Packet[VideoStream], followed: dict[int, float]
) -> DemuxedPacket:
    """``followed`` holds, for each stream without times, when its next sample is due."""
    base, index = packet.time_base, packet.stream_index
    rate = packet.stream.average_rate if isinstance(packet.stream, VideoStream) else None
    spacing = float(1 / rate) if rate else 0.0
    expected = followed.get(index, 0.0)
    decode_time = seconds(packet.dts if packet.dts is not None else packet.pts, base, expected)
    time = seconds(packet.pts, base, decode_time)
    duration = float(packet.duration * base) if packet.duration else spacing
    followed[index] = decode_time + duration
    kind = MediaKind.VIDEO if isinstance(packet.stream, VideoStream) else MediaKind.AUDIO
    return DemuxedPacket(kind, time, decode_time, duration, packet.is_keyframe, packet)


def seconds(ticks: int | None, base: Fraction | None, otherwise: float) -> float:
    return otherwise if ticks is None or base is None else float(ticks * base)
