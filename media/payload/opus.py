"""RTP payload format for Opus (RFC 7587): one packet of Opus in one of RTP."""

from __future__ import annotations

from media.bitstream import OpusPacketHead
from media.rtp import RtpPacket
from media.units import AccessUnit, CodecName
from transport import DecodeError

from .fragment import DepacketizerStats, DropReason, Fragment, PayloadTooLarge


class OpusPacketizer:
    """One fragment for each packet; the marker begins a talkspurt.

    A talkspurt begins with the first packet and after each silence in which no packets
    were made (RFC 3551 section 4.1, to which RFC 7587 section 4.1 points).
    """

    def __init__(self, max_payload: int) -> None:
        self._max_payload = max_payload
        self._next_timestamp: int | None = None

    def packetize(self, unit: AccessUnit) -> list[Fragment]:
        """The packet as it is; none if it is no Opus packet.

        Raises:
            PayloadTooLarge: Opus packets cannot be divided (RFC 7587 section 4.2).
        """
        if len(unit.data) > self._max_payload:
            raise PayloadTooLarge(len(unit.data), self._max_payload)
        try:
            samples = OpusPacketHead.decode(unit.data).samples
        except DecodeError:
            return []
        marker = self._next_timestamp is None or unit.timestamp > self._next_timestamp
        self._next_timestamp = unit.timestamp + samples
        return [Fragment(unit.data, marker)]


class OpusDepacketizer:
    """Each packet is an access unit, and a gap harms no other."""

    def __init__(self) -> None:
        self.stats = DepacketizerStats()

    def push(self, packet: RtpPacket) -> AccessUnit | None:
        if not packet.payload:
            return None
        try:
            OpusPacketHead.decode(packet.payload)
        except DecodeError:
            self.stats.dropped[DropReason.MALFORMED] += 1
            return None
        self.stats.units += 1
        self.stats.keyframes += 1
        return AccessUnit(CodecName.OPUS, packet.payload, packet.timestamp, True)
