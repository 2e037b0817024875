"""From what peer connections receive to the samples of one file.

A recording starts at the first keyframe. Its time is that of the RTP timestamps, so that
what was lost or not sent stays a gap; sender reports keep audio beside video.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Collection

from media.bitstream import OpusPacketHead
from media.session import UnitReceived
from media.units import AccessUnit, CodecName, MediaKind
from transport import DecodeError

from .alignment import correct, place_beside
from .container import CODEC_NAMES, Container
from .errors import RecorderError
from .pictures import PictureReader, picture_reader
from .sample import RecordedSample, RecordingFormat, VideoFormat
from .track_clock import TrackClock

SYNC_PATIENCE = 3.0
"""Seconds that a recording waits for the first sender report of every track before it
places them by their arrival; first reports come within two (RFC 3550 section 6.2)."""

MAX_HELD_BYTES = 32 * 1024 * 1024
"""Of units that wait for those reports: a cached group of pictures of 16 MB, and more."""

MAX_EARLY_UNITS = 50
"""Of audio that wait for the first picture: a second. What lies before it is left out."""

GAP = 0.5
"""Seconds without a sample that count as a gap."""


@dataclasses.dataclass(slots=True)
class RecorderStats:
    """What became of the units.

    ``dropped`` could not be placed or read; ``corrections`` is how often audio was moved
    beside video; ``parameter_changes`` how often the video changed its parameter sets, or
    its size. ``seconds`` is how long the recording is.
    """

    video: int = 0
    audio: int = 0
    dropped: int = 0
    gaps: int = 0
    corrections: int = 0
    parameter_changes: int = 0
    seconds: float = 0.0


@dataclasses.dataclass(slots=True)
class _Track:
    """A track of the file: its last sample in ticks, where that ends, when it arrived."""

    last: int | None = None
    end: float = 0.0
    arrived: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class _Unit:
    kind: MediaKind
    data: bytes
    timestamp: int
    seconds: float
    keyframe: bool
    arrived: float


class Recorder:
    """Makes samples of units: ``begin``, ``push`` each unit, ``finish``; ``poll_sample``.

    ``format`` is there with the first sample. ``begin`` may be called again, when another
    connection takes the place of one that was lost: what comes over it follows, after as
    much time as has passed.

    Raises:
        RecorderError: from ``push``, the container does not take the codec.
    """

    def __init__(self, container: Container) -> None:
        self.stats = RecorderStats()
        self.format: RecordingFormat | None = None
        self._container = container
        self._kinds: frozenset[MediaKind] = frozenset()
        self._leader = MediaKind.VIDEO
        self._codec: CodecName | None = None
        self._pictures: PictureReader | None = None
        self._needs_keyframe = True
        self._clocks: dict[MediaKind, TrackClock] = {}
        self._tracks = {kind: _Track() for kind in MediaKind}
        self._held: deque[_Unit] | None = deque()
        self._held_bytes = 0
        self._held_since: float | None = None
        self._origin: float | None = None
        self._floor = 0.0
        self._samples: deque[RecordedSample] = deque()

    @property
    def codec(self) -> CodecName | None:
        """The video's, once a unit of it came; the file can hold no other."""
        return self._codec

    def begin(self, kinds: Collection[MediaKind], now: float) -> None:
        """A connection is there that will deliver these kinds of media."""
        self.finish(now)
        self._kinds = frozenset(kinds)
        if self.format is not None:
            recorded = {MediaKind.VIDEO} if self.format.video is not None else set()
            recorded |= {MediaKind.AUDIO} if self.format.has_audio else set()
            self._kinds &= recorded
        has_video = MediaKind.VIDEO in self._kinds
        self._leader = MediaKind.VIDEO if has_video else MediaKind.AUDIO
        self._needs_keyframe = True
        self._clocks = {}
        self._held, self._held_bytes, self._held_since = deque(), 0, None

    def push(self, received: UnitReceived, now: float) -> None:
        """Take a unit that arrived."""
        unit = self._read(received.unit, now)
        if unit is None:
            return
        clock = self._clock(unit, now)
        clock.observe(unit.timestamp, received.captured_at, now)
        if self._held is not None:
            self._hold(unit, self._held)
            if self._is_placeable(now):
                self._start()
            return
        self._follow(unit.kind, clock)
        self._emit(unit, clock)

    def finish(self, now: float) -> None:
        """No more comes over this connection: what waits is placed as well as can be."""
        if self._held and self._held_since is not None:
            self._start()

    def poll_sample(self) -> RecordedSample | None:
        """The next sample for the file, or None."""
        return self._samples.popleft() if self._samples else None

    def _read(self, unit: AccessUnit, now: float) -> _Unit | None:
        kind = unit.codec.kind
        if kind not in self._kinds:
            return None
        seconds = 0.0
        if kind is MediaKind.VIDEO:
            data = self._read_picture(unit)
        else:
            self._container.require(unit.codec)
            data, seconds = unit.data, _opus_seconds(unit.data)
        if not data or (kind is MediaKind.AUDIO and not seconds):
            self.stats.dropped += 1
            return None
        return _Unit(kind, data, unit.timestamp, seconds, unit.keyframe, now)

    def _read_picture(self, unit: AccessUnit) -> bytes:
        if self._pictures is None:
            self._container.require(unit.codec)
            self._codec, self._pictures = unit.codec, picture_reader(unit.codec)
        if unit.codec is not self._codec:
            before = CODEC_NAMES[self._codec] if self._codec else ""
            raise RecorderError(
                f"the video turned from {before} to {CODEC_NAMES[unit.codec]}, which does not "
                "go into the same file: the recording ends there"
            )
        if self._needs_keyframe and not unit.keyframe:
            return b""
        data = self._pictures.read(unit)
        if self._pictures.size is None:
            return b""
        self._needs_keyframe = False
        self.stats.parameter_changes = self._pictures.changes
        return data

    def _clock(self, unit: _Unit, now: float) -> TrackClock:
        """The run of timestamps that a unit belongs to; a new one where it does not go on."""
        clock = self._clocks.get(unit.kind)
        if clock is not None and clock.continues_with(unit.timestamp, now):
            return clock
        began_anew = clock is not None
        if began_anew:
            self.finish(now)
            self._forget_held(unit.kind)
        clock = self._clocks[unit.kind] = TrackClock(_clock_rate(unit.kind))
        if began_anew and unit.kind is self._leader and self._held is None:
            track = self._tracks[unit.kind]
            position = track.end + max(0.0, now - track.arrived)
            clock.place = position - unit.timestamp / clock.clock_rate
        return clock

    def _forget_held(self, kind: MediaKind) -> None:
        if self._held is not None:
            self._held = deque(unit for unit in self._held if unit.kind is not kind)
            self._held_bytes = sum(len(unit.data) for unit in self._held)

    def _hold(self, unit: _Unit, held: deque[_Unit]) -> None:
        if unit.kind is self._leader and self._held_since is None:
            self._held_since = unit.arrived
        held.append(unit)
        self._held_bytes += len(unit.data)
        if self._held_since is None and len(held) > MAX_EARLY_UNITS:
            self._held_bytes -= len(held.popleft().data)

    def _is_placeable(self, now: float) -> bool:
        if self._held_since is None:
            return False
        if now - self._held_since >= SYNC_PATIENCE or self._held_bytes > MAX_HELD_BYTES:
            return True
        if len(self._kinds) == 1:
            return True
        clocks = [self._clocks.get(kind) for kind in self._kinds]
        return all(clock is not None and clock.wall_zero is not None for clock in clocks)

    def _start(self) -> None:
        """Place the tracks of this connection, and let go of what waited."""
        assert self._held is not None
        held, self._held = self._held, None
        first = next(unit for unit in held if unit.kind is self._leader)
        if self._origin is None:
            self._origin = first.arrived
        self._floor = max(first.arrived - self._origin, self.stats.seconds)
        leader = self._clocks[self._leader]
        leader.place = self._floor - first.timestamp / leader.clock_rate
        for clock in self._clocks.values():
            if clock is not leader:
                clock.place = place_beside(leader, clock)
        if self.format is None:
            self.format = self._format()
        for unit in held:
            self._emit(unit, self._clocks[unit.kind])

    def _format(self) -> RecordingFormat:
        video = None
        if self._codec is not None and self._pictures is not None and self._pictures.size:
            video = VideoFormat(self._codec, *self._pictures.size)
        return RecordingFormat(video, MediaKind.AUDIO in self._kinds)

    def _follow(self, kind: MediaKind, clock: TrackClock) -> None:
        """Keep a track where sender reports place it beside the leader."""
        if kind is self._leader:
            return
        leader = self._clocks[self._leader]
        if clock.place is None:
            clock.place = place_beside(leader, clock)
        elif correct(leader, clock):
            self.stats.corrections += 1

    def _emit(self, unit: _Unit, clock: TrackClock) -> None:
        rate = self._container.ticks_per_second(unit.kind)
        track = self._tracks[unit.kind]
        position = clock.position(unit.timestamp)
        time = round(position * rate)
        is_behind = track.last is not None and time <= track.last
        if is_behind and unit.kind is MediaKind.VIDEO:
            assert track.last is not None
            time = track.last + 1  # pictures that follow are decoded from it: it must stay
        elif is_behind or time < round(self._floor * rate):
            self.stats.dropped += 1
            return
        if track.last is not None and position - track.end > GAP:
            self.stats.gaps += 1
        track.last, track.end, track.arrived = time, position + unit.seconds, unit.arrived
        self._count(unit.kind, track.end)
        duration = round(unit.seconds * rate)
        self._samples.append(RecordedSample(unit.kind, unit.data, time, duration, unit.keyframe))

    def _count(self, kind: MediaKind, end: float) -> None:
        self.stats.video += kind is MediaKind.VIDEO
        self.stats.audio += kind is MediaKind.AUDIO
        self.stats.seconds = max(self.stats.seconds, end)


def _clock_rate(kind: MediaKind) -> int:
    return 48_000 if kind is MediaKind.AUDIO else 90_000


def _opus_seconds(packet: bytes) -> float:
    """How long a packet is; 0 if it cannot be read."""
    try:
        return OpusPacketHead.decode(packet).samples / CodecName.OPUS.clock_rate
    except DecodeError:
        return 0.0
