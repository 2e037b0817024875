"""Sending one track to one peer: headers, SRTP, retransmission (RFC 3550, 4585, 4588).

Payloads are shared with all other viewers of the rendition; what is made here for each
packet is its header and its protected copy.
"""

from __future__ import annotations

import dataclasses
import enum
import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from media.fanout import PacketizedUnit
from media.history import ResendRefusal, SendHistory
from media.pacer import MAX_QUEUED_BYTES, Pacer
from media.payload import Fragment
from media.rtp import initial_sequence_number, initial_timestamp, pack_header
from media.srtp import SrtpSender
from media.units import MediaKind
from sdp import NegotiatedCodec, NegotiatedMedia
from transport import RandomBytes

from .header_extensions import ExtensionWriter, TransportSequence
from .rate import MIN_TARGET_BPS, RateMeter

KEYFRAME_SPACING = 0.3
"""Requests of one viewer that come closer than this are one (RFC 5104 section 4.3.1.2:
while a decoder refresh point is under way a repeated request asks for nothing new)."""

_MARKER = 0x80
_pack_sequence_number = struct.Struct("!H").pack


class PacedFragment(NamedTuple):
    """A packet that waits for its turn; it gets its sequence number when it leaves."""

    sender: RtpSender
    fragment: Fragment
    timestamp: int
    payload_type: int


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
        self.history: SendHistory[bytes | PacedFragment] = SendHistory(target_bps=MIN_TARGET_BPS)
        self.anchor: ClockAnchor | None = None
        self.rate = RateMeter()
        self.codec: NegotiatedCodec | None = None
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
            self._codecs.setdefault(codec.send.name.lower(), codec)
        if self.codec is None or self.codec not in media.codecs:
            self.codec = media.codecs[0] if media.codecs else None

    def choose_codec(self, codec: NegotiatedCodec) -> None:
        """Send units of this codec as this one of several negotiated formats."""
        self._codecs[codec.send.name.lower()] = codec
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
        pacer: Pacer[PacedFragment | bytes],
        now: float,
    ) -> SendDrop | None:
        """Put a unit into the queue; returns why not, if it was dropped whole."""
        codec = self._codecs.get(unit.codec.lower())
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
        push = pacer.push_audio if self.kind is MediaKind.AUDIO else pacer.push
        for fragment in unit.fragments:
            paced = PacedFragment(self, fragment, wire_timestamp, payload_type)
            push(paced, len(fragment.payload))
        self.counters.frames += 1
        self.counters.keyframes += unit.keyframe
        return None

    def protect(self, run: Sequence[PacedFragment], now: float) -> list[bytes]:
        """Make datagrams of a run of fragments that leave now."""
        if self._srtp is None or not self._is_sending:
            return []
        blocks = self._extensions.blocks(len(run), now)
        headers: list[bytes] = []
        sequence_number = self._sequence_number
        for paced, block in zip(run, blocks, strict=True):
            second = paced.payload_type | (_MARKER if paced.fragment.marker else 0)
            headers.append(pack_header(second, sequence_number, paced.timestamp, self.ssrc, block))
            sequence_number = (sequence_number + 1) & 0xFFFF
        payloads = [paced.fragment.payload for paced in run]
        datagrams = self._srtp.protect_run(headers, payloads)
        self._remember(run, datagrams, now)
        self._sequence_number = sequence_number
        self.counters.packets += len(run)
        self.counters.payload_bytes += sum(map(len, payloads))
        self.counters.header_bytes += sum(map(len, headers))
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
        pacer: Pacer[PacedFragment | bytes],
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

    def _remember(self, run: Sequence[PacedFragment], datagrams: list[bytes], now: float) -> None:
        """Keep what RTX packets are made of, or the datagrams where there is no RTX."""
        store, number = self.history.store, self._sequence_number
        items: Sequence[bytes | PacedFragment] = datagrams
        if self._rtx_payload_type is not None:
            items = run
        for item, datagram in zip(items, datagrams, strict=True):
            store(number, item, len(datagram), now)
            number = (number + 1) & 0xFFFF

    def _rtx(self, sequence_number: int, item: PacedFragment, now: float) -> bytes | None:
        """RFC 4588 section 4: the original sequence number leads the payload."""
        if self._srtp is None or self._rtx_payload_type is None:
            return None
        (block,) = self._extensions.blocks(1, now)
        marker = _MARKER if item.fragment.marker else 0
        header = pack_header(
            marker | self._rtx_payload_type,
            self._rtx_sequence_number,
            item.timestamp,
            self.rtx_ssrc,
            block,
        )
        self._rtx_sequence_number = (self._rtx_sequence_number + 1) & 0xFFFF
        payload = _pack_sequence_number(sequence_number) + item.fragment.payload
        return self._srtp.protect(header, payload)


def cut_into_runs(
    items: Sequence[PacedFragment | bytes], longest: int
) -> Iterable[Sequence[PacedFragment] | bytes]:
    """Group what leaves now so that one system call can carry each group.

    A group is of one sender and of equally long payloads, the last of which may be
    shorter (UDP_SEGMENT). Datagrams that are made already stand alone.
    """
    run: list[PacedFragment] = []
    for item in items:
        if isinstance(item, bytes):
            if run:
                yield run
                run = []
            yield item
            continue
        if run and not _fits(run, item, longest):
            yield run
            run = []
        run.append(item)
    if run:
        yield run


def _fits(run: list[PacedFragment], item: PacedFragment, longest: int) -> bool:
    size = len(run[0].fragment.payload)
    return (
        len(run) < longest
        and run[0].sender is item.sender
        and len(run[-1].fragment.payload) == size
        and len(item.fragment.payload) <= size
    )
