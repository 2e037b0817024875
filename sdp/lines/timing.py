"""t= r= z=: when the session takes place (RFC 8866 sections 5.9 to 5.11)."""

from __future__ import annotations

import dataclasses
import re
from typing import Self

from sdp.grammar import DIGITS, match
from sdp.limits import MAX_DIGITS

UNIT_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}

_POSITIVE = rf"[1-9][0-9]{{0,{MAX_DIGITS}}}[dhms]?"
_TYPED = rf"{DIGITS}[dhms]?"
_TIME = rf"[1-9][0-9]{{9,{MAX_DIGITS}}}"
_TIMING = re.compile(rf"(0|{_TIME}) (0|{_TIME})")
_REPEAT = re.compile(rf"({_POSITIVE}) ({_TYPED})((?: {_TYPED})+)")
_ZONES = re.compile(rf"{_TIME} -?{_TYPED}(?: {_TIME} -?{_TYPED})*")


@dataclasses.dataclass(frozen=True, slots=True)
class TypedTime:
    """A number of seconds as written: with a unit (d h m s) or without."""

    text: str

    @property
    def seconds(self) -> int:
        sign, digits = (-1, self.text[1:]) if self.text[0] == "-" else (1, self.text)
        if digits[-1] in UNIT_SECONDS:
            return sign * int(digits[:-1]) * UNIT_SECONDS[digits[-1]]
        return sign * int(digits)

    def __str__(self) -> str:
        return self.text


@dataclasses.dataclass(frozen=True, slots=True)
class Timing:
    """t=: start and stop in seconds since 1900; 0 0 is a permanent session."""

    start: int
    stop: int

    @classmethod
    def parse(cls, value: str) -> Self:
        start, stop = match(_TIMING, value, "start and stop time").groups()
        return cls(int(start), int(stop))

    def __str__(self) -> str:
        return f"{self.start} {self.stop}"


@dataclasses.dataclass(frozen=True, slots=True)
class Repeat:
    """r=: how often, how long, and the offsets from the start time."""

    interval: TypedTime
    duration: TypedTime
    offsets: tuple[TypedTime, ...]

    @classmethod
    def parse(cls, value: str) -> Self:
        interval, duration, offsets = match(_REPEAT, value, "repeat time").groups()
        return cls(TypedTime(interval), TypedTime(duration), tuple(map(TypedTime, offsets.split())))

    def __str__(self) -> str:
        return " ".join(map(str, (self.interval, self.duration, *self.offsets)))


@dataclasses.dataclass(frozen=True, slots=True)
class TimeZones:
    """z=: adjustment times and the offsets that hold from then on."""

    adjustments: tuple[tuple[int, TypedTime], ...]

    @classmethod
    def parse(cls, value: str) -> Self:
        words = match(_ZONES, value, "list of time zone adjustments").group().split(" ")
        pairs = zip(words[::2], words[1::2], strict=True)
        return cls(tuple((int(time), TypedTime(offset)) for time, offset in pairs))

    def __str__(self) -> str:
        return " ".join(f"{time} {offset}" for time, offset in self.adjustments)
