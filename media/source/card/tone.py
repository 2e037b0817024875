"""What the test card sounds like: a soft tone at each second on a quiet hum."""

from __future__ import annotations

import math
from array import array

SAMPLE_RATE = 48_000
BLOCK_SAMPLES = 960
"""20 ms, one packet of Opus."""

_BEEP_HERTZ, _BEEP_SECONDS, _BEEP_LEVEL = 440, 0.12, 5000
_FADE_SECONDS = 0.015
_HUM = ((110, 260), (165, 160), (220, 90))
"""Hertz and level: whole numbers of Hertz, so that the second can begin again unheard."""


class CardTone:
    """One second of sound, again and again: 48 kHz, stereo, interleaved 16 bits."""

    def __init__(self) -> None:
        samples = array("h")
        for index in range(SAMPLE_RATE):
            level = round(_level(index / SAMPLE_RATE))
            samples.extend((level, level))
        self._second = samples.tobytes()

    def block(self, number: int) -> bytes:
        """The samples from ``number * BLOCK_SAMPLES`` on."""
        size = 4 * BLOCK_SAMPLES
        start = number * size % len(self._second)
        return self._second[start : start + size]


def _level(seconds: float) -> float:
    turn = 2 * math.pi * seconds
    hum = sum(level * math.sin(turn * hertz) for hertz, level in _HUM)
    if seconds >= _BEEP_SECONDS:
        return hum
    loudness = min(1.0, seconds / _FADE_SECONDS, (_BEEP_SECONDS - seconds) / _FADE_SECONDS)
    return hum + _BEEP_LEVEL * loudness * math.sin(turn * _BEEP_HERTZ)
