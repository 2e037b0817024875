"""Putting fragments into RTP packets, as a sender does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from media.payload import Depacketizer, Fragment
from media.rtp import RtpPacket
from media.units import AccessUnit


def rtp_packets(
    units: Iterable[tuple[int, Sequence[Fragment]]], *, first_sequence_number: int = 65_533
) -> list[RtpPacket]:
    """Packets of units, given as timestamp and fragments; the numbers wrap soon."""
    packets: list[RtpPacket] = []
    for timestamp, fragments in units:
        for fragment in fragments:
            number = (first_sequence_number + len(packets)) & 0xFFFF
            packets.append(
                RtpPacket(
                    payload_type=96,
                    sequence_number=number,
                    timestamp=timestamp,
                    ssrc=1,
                    payload=fragment.payload,
                    marker=fragment.marker,
                )
            )
    return packets


def depacketize(depacketizer: Depacketizer, packets: Iterable[RtpPacket]) -> list[AccessUnit]:
    """All units that come out."""
    units = (depacketizer.push(packet) for packet in packets)
    return [unit for unit in units if unit is not None]
