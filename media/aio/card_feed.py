"""The test card as a source: drawn and encoded while somebody watches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction

from media.source import (
    AudioTrack,
    SourceDescription,
    SourceKind,
    SourceStream,
    VideoTrack,
    encode_settings,
)
from media.source.card import (
    BLOCK_SAMPLES,
    FRAME_RATE,
    HEIGHT,
    SAMPLE_RATE,
    WIDTH,
    CardPicture,
    CardTone,
)
from media.units import AccessUnit, CodecName, MediaKind

from .demand import Demand, SourceUnit, TimeReached
from .encodes import VideoEncodes
from .libav import OpusEncoder, drawn_picture

_BLOCKS_PER_FRAME = SAMPLE_RATE // BLOCK_SAMPLES // FRAME_RATE

DESCRIPTION = SourceDescription(
    SourceKind.TEST_CARD.value,
    VideoTrack(
        "rawvideo", WIDTH, HEIGHT, Fraction(FRAME_RATE), True, obstacle="it is drawn, not coded"
    ),
    AudioTrack("pcm_s16le", SAMPLE_RATE, 2, obstacle="it is made, not coded"),
)


class CardFeed:
    """Makes the units of the test card. ``clock`` is the Unix time written on it."""

    description = DESCRIPTION

    def __init__(self, demand: Demand, *, clock: Callable[[], float] = time.time) -> None:
        self._demand = demand
        self._clock = clock
        self._picture = CardPicture()
        self._tone = CardTone()
        video = tuple(one for one in DESCRIPTION.streams if one.kind is MediaKind.VIDEO)
        settings = encode_settings(WIDTH, HEIGHT, Fraction(FRAME_RATE))
        self._encodes = VideoEncodes(video, settings, demand)
        (self._audio,) = (one for one in DESCRIPTION.streams if one.kind is MediaKind.AUDIO)
        self._opus: OpusEncoder | None = None

    def units(self) -> Iterator[SourceUnit | TimeReached]:
        """All units in the order of playing, without end."""
        number = 0
        while True:
            placed = number / FRAME_RATE
            yield TimeReached(placed)
            yield from self._frame(number, placed)
            blocks = number * _BLOCKS_PER_FRAME
            for block in range(blocks, blocks + _BLOCKS_PER_FRAME):
                yield from self._block(block, self._audio)
            number += 1

    def close(self) -> None:
        """There is nothing to close."""

    def _frame(self, number: int, placed: float) -> Iterator[SourceUnit]:
        if self._encodes.is_wanted():
            planes = self._picture.frame(number, _time_of_day(self._clock()))
            yield from self._encodes.push(drawn_picture(placed, WIDTH, HEIGHT, planes), placed)

    def _block(self, number: int, stream: SourceStream) -> Iterator[SourceUnit]:
        if stream not in self._demand.streams:
            self._opus = None
            return
        if self._opus is None:
            self._opus = OpusEncoder()
        first = number * BLOCK_SAMPLES
        for data in self._opus.encode_samples(self._tone.block(number)):
            unit = AccessUnit(CodecName.OPUS, data, first, True)
            yield SourceUnit(stream, unit, first / SAMPLE_RATE)


def _time_of_day(now: float) -> str:
    """Local time to a tenth of a second."""
    return f"{time.strftime('%H:%M:%S', time.localtime(now))}.{int(now * 10) % 10}"
