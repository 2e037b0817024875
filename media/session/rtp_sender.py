"""Sending one track to one peer: headers, SRTP, retransmission (RFC 3550, 4585, 4588).

Payloads are shared with all other viewers of the rendition; what is made here for each
packet is its header and its protected copy.
"""

from __future__ import annotations

import dataclasses
import enum
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from media.fanout import PacketizedUnit, PayloadRun
from media.history import ResendRefusal, SendHistory
from media.pacer import MAX_QUEUED_BYTES, Pacer
from media.rtp import initial_sequence_number, initial_timestamp, pack_header, pack_headers
from media.srtp import SrtpSender
from media.units import CodecName, MediaKind
from sdp import NegotiatedCodec, NegotiatedMedia
from transport import RandomBytes

from .header_extensions import ExtensionWriter, TransportSequence
from .rate import MIN_TARGET_BPS, RateMeter

KEYFRAME_SPACING = 0.3
"""Requests of one viewer that come closer than this are one (RFC 5104 section 4.3.1.2:
while a decoder refresh point is under way a repeated request asks for nothing new)."""

_MARKER_BIT = 7
_pack_sequence_number = struct.Struct("!H").pack


class PacedUnit(NamedTuple):
    """A unit that waits for its turn; its packets get sequence numbers when they leave."""

    sender: RtpSender
    unit: PacketizedUnit
    timestamp: int
    payload_type: int


PacedRun = tuple[PacedUnit, PayloadRun]
"""Some of its packets, which leave together."""


class LeavingRun(NamedTuple):
    """Packets ``start`` to ``stop`` of a unit, which leave now with one system call."""

    paced: PacedUnit
    start: int
    stop: int
    payload_bytes: int


class SentPacket(NamedTuple):
    """What the retransmissions of a run's packets are made of: one for all of them.

    The packet with ``sequence_number`` had the unit's payload number ``start``.
    """

    sequence_number: int
    start: int
    paced: PacedUnit


class SendDrop(enum.Enum):
    """Why an access unit was not sent."""

    NOT_READY = "not-ready"
    """Keys or direction do not allow sending yet."""
    NOT_NEGOTIATED = "not-negotiated"
    """The peer does not take this codec."""
    BACKLOG = "backlog"
    """Too much waits to be sent."""
    WAITS_FOR_KEYFRAME = "waits-for-keyframe"
    """Something before it was dropped, so it could not be decoded."""


@dataclasses.dataclass(slots=True)
class SendCounters:
    """What went out, in the W3C's terms."""

    packets: int = 0
    payload_bytes: int = 0
    header_bytes: int = 0
    frames: int = 0
    keyframes: int = 0
    nacks: int = 0
    plis: int = 0
    firs: int = 0
    dropped: dict[SendDrop, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class ClockAnchor:
    """A moment of the stream's clock: this RTP timestamp was due at ``at``."""

    timestamp: int
    at: float


class RtpSender:
    """One outgoing RTP stream and its RTX stream.

    The SSRC, sequence number and timestamp offset stay for the life of the session,
    whatever is negotiated anew.
    """

    def __init__(
        self, mid: str, kind: MediaKind, *, ssrc: int, rtx_ssrc: int, random_bytes: RandomBytes
    ) -> None:
        self.mid = mid
        self.kind = kind
        self.ssrc = ssrc
        self.rtx_ssrc = rtx_ssrc
        self.counters = SendCounters()
        self.history: SendHistory[bytes | SentPacket] = SendHistory(target_bps=MIN_TARGET_BPS)
        self.anchor: ClockAnchor | None = None
        self.rate = RateMeter()
        self.codec: NegotiatedCodec | None = None
        self.begun: PacedUnit | None = None
        """The unit of which some packets have left and some have not."""
        self._codecs: dict[str, NegotiatedCodec] = {}
        self._is_sending = False
        self._srtp: SrtpSender | None = None
        self._extensions = ExtensionWriter({}, mid, TransportSequence())
        self._sequence_number = initial_sequence_number(random_bytes)
        self._rtx_sequence_number = initial_sequence_number(random_bytes)
        self._timestamp_offset = initial_timestamp(random_bytes)
        self._needs_keyframe = False
        self._keyframe_requested_at: float | None = None
        self._last_fir: int | None = None

    @property
    def is_active(self) -> bool:
        """Whether units that are given now go out."""
        return self._is_sending and self._srtp is not None

    @property
    def has_sent(self) -> bool:
        return self.counters.packets > 0

    def configure(self, media: NegotiatedMedia, transport_sequence: TransportSequence) -> None:
        """Take what offer and answer agreed on."""
        acknowledged = self._extensions.mid_acknowledged
        self._extensions = ExtensionWriter(media.extensions, media.mid, transport_sequence)
        self._extensions.mid_acknowledged = acknowledged
        self._is_sending = media.direction.sends and not media.rejected and bool(media.codecs)
        self._codecs = {}
        for codec in media.codecs:
            self._codecs.setdefault(_usual_case(codec.send.name), codec)
        if self.codec is None or self.codec not in media.codecs:
            self.codec = media.codecs[0] if media.codecs else None

    def choose_codec(self, codec: NegotiatedCodec) -> None:
        """Send units of this codec as this one of several negotiated formats."""
        self._codecs[_usual_case(codec.send.name)] = codec
        self.codec = codec

    def secure(self, srtp: SrtpSender) -> None:
        """Media may flow, protected by this context."""
        self._srtp = srtp

    def stop(self) -> None:
        """Send nothing more."""
        self._is_sending = False
        self.history.clear()

    def enqueue(
        self,
        unit: PacketizedUnit,
        timestamp: int,
        pacer: Pacer[PacedRun | bytes],
        now: float,
    ) -> SendDrop | None:
        """Put a unit into the queue; returns why not, if it was dropped whole."""
        codec = self._codecs.get(unit.codec)
        reason = self._refusal(unit, codec, pacer)
        if reason is not None or codec is None:
            reason = reason or SendDrop.NOT_NEGOTIATED
            self.counters.dropped[reason] = self.counters.dropped.get(reason, 0) + 1
            self._needs_keyframe = self._needs_keyframe or reason is SendDrop.BACKLOG
            return reason
        self._needs_keyframe = False
        self.codec = codec
        wire_timestamp = (timestamp + self._timestamp_offset) & 0xFFFF_FFFF
        self.anchor = ClockAnchor(wire_timestamp, now)
        self.rate.add(unit.size_bytes, unit.timestamp / unit.codec.clock_rate)
        payload_type = codec.send.payload_type or 0
        paced = PacedUnit(self, unit, wire_timestamp, payload_type)
        if self.kind is MediaKind.AUDIO:
            for run in unit.runs:
                pacer.push_audio((paced, run), run.size_bytes)
        else:
            runs = [((paced, run), run.size_bytes, run.stop - run.start) for run in unit.runs]
            pacer.push_all(runs, unit.size_bytes)
        self.counters.frames += 1
        self.counters.keyframes += unit.keyframe
        return None

    def protect(self, run: LeavingRun, now: float) -> list[bytes]:
        """Make datagrams of packets that leave now."""
        if self._srtp is None or not self._is_sending:
            return []
        paced, start, stop, payload_bytes = run
        unit, payload_type = paced.unit, paced.payload_type
        self.begun = paced if stop < len(unit.payloads) else None
        payloads = unit.payloads[start:stop]
        headers = pack_headers(
            [payload_type | marker << _MARKER_BIT for marker in unit.markers[start:stop]],
            self._sequence_number,
            paced.timestamp,
            self.ssrc,
            self._extensions.blocks(stop - start, now),
        )
        datagrams = self._srtp.protect_run(headers, payloads)
        self._remember(run, datagrams, now)
        self._sequence_number = (self._sequence_number + stop - start) & 0xFFFF
        counters = self.counters
        counters.packets += stop - start
        counters.payload_bytes += payload_bytes
        counters.header_bytes += len(headers[0]) * (stop - start)  # all have one length
        return datagrams

    def resend(self, sequence_numbers: Iterable[int], now: float) -> list[bytes]:
        """What answers a NACK: RTX packets, or the very bytes that were sent before."""
        self.counters.nacks += 1
        datagrams = []
        for sequence_number in sequence_numbers:
            item = self.history.take_for_resend(sequence_number, now)
            if isinstance(item, ResendRefusal):
                continue
            datagram = item if isinstance(item, bytes) else self._rtx(sequence_number, item, now)
            if datagram is not None:
                datagrams.append(datagram)
        return datagrams

    @property
    def _rtx_payload_type(self) -> int | None:
        return None if self.codec is None else self.codec.send.rtx_payload_type

    def take_keyframe_request(self, now: float, *, fir: int | None = None) -> bool:
        """Whether a PLI, or a FIR with this sequence number, asks for something new."""
        if fir is not None:
            self.counters.firs += 1
            if fir == self._last_fir:
                return False
            self._last_fir = fir
        else:
            self.counters.plis += 1
        asked_at = self._keyframe_requested_at
        if asked_at is not None and now - asked_at < KEYFRAME_SPACING:
            return False
        self._keyframe_requested_at = now
        return True

    def acknowledge(self) -> None:
        """The peer has reported on this stream: it knows where it belongs."""
        self._extensions.mid_acknowledged = True

    def rtp_time(self, now: float) -> int:
        """The stream's clock at ``now``, for a sender report (RFC 3550 section 6.4.1)."""
        if self.anchor is None or self.codec is None:
            return 0
        elapsed = (now - self.anchor.at) * self.codec.send.clock_rate
        return (self.anchor.timestamp + round(elapsed)) & 0xFFFF_FFFF

    def set_round_trip_time(self, rtt: float) -> None:
        self.history.rtt = rtt

    def _refusal(
        self,
        unit: PacketizedUnit,
        codec: NegotiatedCodec | None,
        pacer: Pacer[PacedRun | bytes],
    ) -> SendDrop | None:
        if not self.is_active:
            return SendDrop.NOT_READY
        if codec is None:
            return SendDrop.NOT_NEGOTIATED
        if self._needs_keyframe and not unit.keyframe:
            return SendDrop.WAITS_FOR_KEYFRAME
        if pacer.queued_bytes + unit.size_bytes > MAX_QUEUED_BYTES:
            return SendDrop.BACKLOG
        return None

    def _remember(self, run: LeavingRun, datagrams: list[bytes], now: float) -> None:
        """Keep what RTX packets are made of, or the datagrams where there is no RTX."""
        number = self._sequence_number
        items: Sequence[bytes | SentPacket] = datagrams
        if self._rtx_payload_type is not None:
            items = [SentPacket(number, run.start, run.paced)] * len(datagrams)
        self.history.store_run(number, items, list(map(len, datagrams)), now)

    def _rtx(self, sequence_number: int, item: SentPacket, now: float) -> bytes | None:
        """RFC 4588 section 4: the original sequence number leads the payload."""
        if self._srtp is None or self._rtx_payload_type is None:
            return None
        index = item.start + ((sequence_number - item.sequence_number) & 0xFFFF)
        unit = item.paced.unit
        (block,) = self._extensions.blocks(1, now)
        header = pack_header(
            self._rtx_payload_type | unit.markers[index] << _MARKER_BIT,
            self._rtx_sequence_number,
            item.paced.timestamp,
            self.rtx_ssrc,
            block,
        )
        self._rtx_sequence_number = (self._rtx_sequence_number + 1) & 0xFFFF
        payload = _pack_sequence_number(sequence_number) + unit.payloads[index]
        return self._srtp.protect(header, payload)


def _usual_case(name: str) -> str:
    """An encoding name as CodecName has it: case does not matter (RFC 4855 section 3)."""
    return next((codec for codec in CodecName if codec.lower() == name.lower()), name)


def join_runs(items: Iterable[PacedRun | bytes], longest: int) -> Iterator[LeavingRun | bytes]:
    """Group what leaves now so that one system call can carry each group (UDP_SEGMENT).

    Bursts of one unit that leave together are joined, up to ``longest`` packets, as far as
    they are of one size. Datagrams that are made already stand alone.
    """
    joined: LeavingRun | None = None
    for item in items:
        if isinstance(item, bytes):
            if joined is not None:
                yield joined
                joined = None
            yield item
            continue
        paced, (start, stop, size_bytes, continues) = item
        if joined is not None:
            if continues and joined.paced is paced and stop - joined.start <= longest:
                start = joined.start
                size_bytes += joined.payload_bytes
            else:
                yield joined
        joined = LeavingRun(paced, start, stop, size_bytes)
    if joined is not None:
        yield joined
