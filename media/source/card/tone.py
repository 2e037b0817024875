"""What the test card sounds like: a soft tone at each second on a quiet hum."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable

SAMPLE_RATE = 48_000
BLOCK_SAMPLES = 960
"""20 ms, one packet of Opus."""

_BLOCKS_PER_SECOND = SAMPLE_RATE // BLOCK_SAMPLES

_BEEP_HERTZ, _BEEP_SECONDS, _BEEP_LEVEL = 440, 0.12, 5000
"""Whole blocks, and a level that is not loud."""
_FADE_SECONDS = 0.015
_HUM = ((100, 260), (150, 160), (200, 90))
"""Hertz and level: they come round together with every block."""


class CardTone:
    """One second of sound, again and again: 48 kHz, stereo, interleaved 16 bits."""

    def __init__(self) -> None:
        hum = [_hum(index / SAMPLE_RATE) for index in range(BLOCK_SAMPLES)]
        beep = [_beep(index / SAMPLE_RATE) for index in range(int(_BEEP_SECONDS * SAMPLE_RATE))]
        self._quiet = _stereo(hum)
        self._loud = [
            _stereo([sum(levels) for levels in zip(hum, beep[start:], strict=False)])
            for start in range(0, len(beep), BLOCK_SAMPLES)
        ]

    def block(self, number: int) -> bytes:
        """The samples from ``number * BLOCK_SAMPLES`` on."""
        within = number % _BLOCKS_PER_SECOND
        return self._loud[within] if within < len(self._loud) else self._quiet


def _hum(seconds: float) -> float:
    return sum(level * math.sin(2 * math.pi * hertz * seconds) for hertz, level in _HUM)


def _beep(seconds: float) -> float:
    loudness = min(1.0, seconds / _FADE_SECONDS, (_BEEP_SECONDS - seconds) / _FADE_SECONDS)
    return _BEEP_LEVEL * loudness * math.sin(2 * math.pi * _BEEP_HERTZ * seconds)


def _stereo(levels: Iterable[float]) -> bytes:
    samples = array("h")
    for level in levels:
        samples.extend((round(level), round(level)))
    return samples.tobytes()
