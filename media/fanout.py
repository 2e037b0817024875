"""One encoded source for many viewers: packetized once, shared by reference.

A ``Rendition`` cuts each access unit into RTP payloads once and hands the same
fragments to every attached sink, whatever their number; headers and SRTP are the
sink's. A sink that joins gets the cached group of pictures first, with timestamps
squeezed together so that it plays fast and then continues on the live timeline.

The fan-out has no timer and no events: whoever encodes asks
``take_keyframe_request`` before each frame.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from .pacer import BURST_PACKETS
from .payload import Fragment, Packetizer, packetizer_for, with_picture_ids_shifted
from .source import GopCache
from .units import AccessUnit, CodecName, MediaKind

MAX_PAYLOAD_BYTES = 1150
"""A datagram of 1200 bytes passes every path for WebRTC; 12 of them are for the RTP header,
20 for its extensions, 16 for the tag of SRTP, 2 for a retransmission's original number."""

KEYFRAME_REQUEST_SPACING = 0.4
"""At most one keyframe per this many seconds: viewers that lose the same packets ask
at the same time, and a keyframe costs an encoder the bits of a second of video."""

REPLAY_SPACING = 0.2
MAX_REPLAY_SPACING = 1.0
"""Seconds from one repetition of the cached group of pictures to the next, for one sink: the
first as soon as a receiver asks that has missed the beginning of a keyframe (Chromium
asks after 0.2 s), twice as many after each that did not help."""

REPLAY_RELAPSE = 3.0
"""Seconds after which a request is about another loss, and not about the same."""

CATCH_UP_STEP = 90
"""Ticks of the RTP clock between replayed units: 1 ms at 90 kHz, so that 12 s of
30 frames each play in a third of a second."""

DEFAULT_FRAME_TICKS = 3000
"""The distance of frames taken before two have been seen: 30 per second."""


class KeyframeSource(enum.Enum):
    """Where a keyframe comes from when a viewer needs one."""

    ENCODER = "encoder"
    """The encoder makes one on request."""
    CACHE = "cache"
    """Nobody can make one (a file, a camera that does as it likes): the cached group
    of pictures is sent again."""


class PayloadRun(NamedTuple):
    """Payloads ``start`` to ``stop`` of a unit: what the pacer lets go in one burst.

    All are equally long but for the last, which may be shorter, so that one system call
    sends them. ``continues`` says that they make such a run with the payloads in front.
    """

    start: int
    stop: int
    size_bytes: int
    continues: bool


@dataclasses.dataclass(frozen=True, slots=True)
class PacketizedUnit:
    """An access unit cut into payloads that all senders share.

    ``payloads``, ``markers`` (1 for the marker bit) and ``runs`` are the fragments again,
    in the form in which each sender needs them.
    """

    codec: CodecName
    timestamp: int
    keyframe: bool
    fragments: tuple[Fragment, ...]
    size_bytes: int
    payloads: tuple[bytes, ...] = dataclasses.field(init=False, repr=False, compare=False)
    markers: tuple[int, ...] = dataclasses.field(init=False, repr=False, compare=False)
    runs: tuple[PayloadRun, ...] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        payloads = tuple([fragment.payload for fragment in self.fragments])
        markers = tuple([int(fragment.marker) for fragment in self.fragments])
        object.__setattr__(self, "payloads", payloads)
        object.__setattr__(self, "markers", markers)
        object.__setattr__(self, "runs", tuple(_cut_into_runs(payloads)))


def _cut_into_runs(payloads: Sequence[bytes]) -> Iterator[PayloadRun]:
    sizes = [len(payload) for payload in payloads]
    start, full = 0, 0  # how long payloads are that others can follow; 0: none can
    while start < len(sizes):
        continues = 0 < sizes[start] <= full
        if not continues:
            full = sizes[start]
        stop = start + 1
        while stop < len(sizes) and stop - start < BURST_PACKETS:
            if sizes[stop - 1] < full or not 0 < sizes[stop] <= full:
                break
            stop += 1
        yield PayloadRun(start, stop, sum(sizes[start:stop]), continues)
        if sizes[stop - 1] < full:
            full = 0
        start = stop


class UnitSink(Protocol):
    """One viewer's end of a rendition."""

    def discard_waiting(self) -> None:
        """What was given and has not left yet is to be forgotten: a keyframe follows."""
        ...

    def send_unit(self, unit: PacketizedUnit, timestamp: int, now: float) -> None:
        """Send the unit under this timestamp of the rendition's clock."""
        ...


@dataclasses.dataclass(slots=True)
class _Attachment:
    sink: UnitSink
    last_timestamp: int | None = None
    """Of the last unit handed over; None while the sink waits for a keyframe."""
    replayed_at: float | None = None
    replay_spacing: float = REPLAY_SPACING
    picture_id_shift: int = 0
    """How many units the sink was given a second time: their picture ids have to be new
    (RFC 7741 section 4.2), and those of all that follow."""

    def may_replay(self, now: float) -> bool:
        return self.replayed_at is None or now - self.replayed_at >= self.replay_spacing

    def replayed(self, now: float) -> None:
        """Wait longer for the next time, if this was for the same loss as the last."""
        if self.replayed_at is not None and now - self.replayed_at < REPLAY_RELAPSE:
            self.replay_spacing = min(2 * self.replay_spacing, MAX_REPLAY_SPACING)
        else:
            self.replay_spacing = REPLAY_SPACING
        self.replayed_at = now


class Rendition:
    """One encoded track in one codec and profile, on its way to any number of sinks.

    Timestamps of the units pushed must not run backwards; they need not wrap at 32
    bits. ``profile`` is what the payload format's parameters call it, such as H.264's
    profile-level-id.
    """

    def __init__(
        self,
        codec: CodecName,
        packetizer: Packetizer | None = None,
        *,
        profile: str | None = None,
        keyframes: KeyframeSource = KeyframeSource.ENCODER,
    ) -> None:
        self.codec = codec
        self.profile = profile
        self.units_packetized = 0
        self._packetizer = packetizer or packetizer_for(codec, MAX_PAYLOAD_BYTES)
        self._keyframes = keyframes
        self._cache: GopCache[PacketizedUnit] = GopCache()
        self._attachments: dict[UnitSink, _Attachment] = {}
        self._frame_ticks = DEFAULT_FRAME_TICKS
        self._last_timestamp: int | None = None
        self._keyframe_wanted = False
        self._keyframe_asked_at: float | None = None

    @property
    def kind(self) -> MediaKind:
        return self.codec.kind

    @property
    def sink_count(self) -> int:
        return len(self._attachments)

    def push(self, unit: AccessUnit, now: float) -> None:
        """Packetize one access unit and hand it to every sink.

        Raises:
            ValueError: the unit is of another codec.
            PayloadTooLarge: the codec cannot cut it to the size of a packet.
        """
        if unit.codec is not self.codec:
            raise ValueError(f"a rendition of {self.codec} takes no {unit.codec}")
        packetized = self._packetize(unit)
        if not packetized.fragments:
            return
        if self.kind is MediaKind.VIDEO:
            self._follow_timeline(packetized)
            self._cache.push(packetized)
        for attachment in tuple(self._attachments.values()):
            _hand_over(attachment, packetized, now)

    def attach(self, sink: UnitSink, now: float) -> None:
        """Let a sink join: with the cached group of pictures, or from the next keyframe."""
        attachment = self._attachments[sink] = _Attachment(sink)
        if self.kind is MediaKind.VIDEO and not self._replay(attachment, now):
            self._keyframe_wanted = True

    def detach(self, sink: UnitSink) -> None:
        """Let a sink go; it need not be attached.

        An encoder may stop with its last sink. What it made is old when the next one joins,
        who gets a keyframe instead.
        """
        self._attachments.pop(sink, None)
        if not self._attachments and self._keyframes is KeyframeSource.ENCODER:
            self._cache.clear()

    def request_keyframe(self, sink: UnitSink, now: float) -> None:
        """The sink's viewer cannot decode: ask the encoder, or send the cache again."""
        attachment = self._attachments.get(sink)
        if self.kind is MediaKind.AUDIO or attachment is None:
            return
        if self._keyframes is KeyframeSource.ENCODER:
            self._keyframe_wanted = True
        elif attachment.may_replay(now):
            self._replay(attachment, now)

    def take_keyframe_request(self, now: float) -> bool:
        """Whether the next frame is to be a keyframe; asked by the encoder before each.

        True at most once per ``KEYFRAME_REQUEST_SPACING``: requests that come
        sooner wait, and are forgotten when a keyframe comes of itself.
        """
        asked_at = self._keyframe_asked_at
        if not self._keyframe_wanted:
            return False
        if asked_at is not None and now - asked_at < KEYFRAME_REQUEST_SPACING:
            return False
        self._keyframe_wanted = False
        self._keyframe_asked_at = now
        return True

    def _packetize(self, unit: AccessUnit) -> PacketizedUnit:
        fragments = tuple(self._packetizer.packetize(unit))
        self.units_packetized += 1
        size_bytes = sum(len(fragment.payload) for fragment in fragments)
        return PacketizedUnit(unit.codec, unit.timestamp, unit.keyframe, fragments, size_bytes)

    def _follow_timeline(self, unit: PacketizedUnit) -> None:
        if self._last_timestamp is not None and unit.timestamp > self._last_timestamp:
            self._frame_ticks = unit.timestamp - self._last_timestamp
        self._last_timestamp = unit.timestamp
        if unit.keyframe:
            self._keyframe_wanted = False

    def _replay(self, attachment: _Attachment, now: float) -> bool:
        """Send the cached group of pictures to one sink; False when there is none."""
        units = self._cache.units()
        if not units:
            return False
        timestamps = catch_up_timestamps(
            [unit.timestamp for unit in units],
            after=attachment.last_timestamp,
            frame_ticks=self._frame_ticks,
        )
        if timestamps is None:
            return False
        attachment.replayed(now)
        if attachment.last_timestamp is not None:
            attachment.picture_id_shift += len(units)
            attachment.sink.discard_waiting()
        for unit, timestamp in zip(units, timestamps, strict=True):
            _send(attachment, unit, timestamp, now)
        return True


def _hand_over(attachment: _Attachment, unit: PacketizedUnit, now: float) -> None:
    """Send a live unit, never at or before a timestamp that was used for another one."""
    last = attachment.last_timestamp
    if last is None:
        if not unit.keyframe and unit.codec.kind is MediaKind.VIDEO:
            return
        timestamp = unit.timestamp
    else:
        timestamp = max(unit.timestamp, last + 1)
    _send(attachment, unit, timestamp, now)


def _send(attachment: _Attachment, unit: PacketizedUnit, timestamp: int, now: float) -> None:
    """The shared payloads, or copies of them when their picture ids have to differ."""
    attachment.last_timestamp = timestamp
    if attachment.picture_id_shift and unit.codec is CodecName.VP8:
        fragments = with_picture_ids_shifted(unit.fragments, attachment.picture_id_shift)
        unit = dataclasses.replace(unit, fragments=fragments)
    attachment.sink.send_unit(unit, timestamp, now)


def catch_up_timestamps(
    timestamps: Sequence[int], *, after: int | None, frame_ticks: int
) -> list[int] | None:
    """Timestamps that let cached units play fast and lead into the live ones.

    For a sink that has seen nothing (``after`` None) they end at the last unit's own
    timestamp, ``CATCH_UP_STEP`` apart or closer where the units are closer. For one
    that has seen ``after`` they lie between it and the live frame that follows, one
    frame later. None when there is not a tick for each.
    """
    if after is None:
        squeezed = [timestamps[-1]]
        for timestamp in reversed(timestamps[:-1]):
            squeezed.append(min(max(timestamp, squeezed[-1] - CATCH_UP_STEP), squeezed[-1] - 1))
        return squeezed[::-1]
    step = min(CATCH_UP_STEP, frame_ticks // (len(timestamps) + 1))
    if step < 1:
        return None
    return [after + step * (index + 1) for index in range(len(timestamps))]
