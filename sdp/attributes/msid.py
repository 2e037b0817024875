"""a=msid: which media stream a track belongs to (RFC 8830 section 2)."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Self

from sdp.errors import SdpError

_ID = re.compile(r"[!#-'*+\-.0-9A-Z^-~]{1,64}")


@dataclasses.dataclass(frozen=True, slots=True)
class Msid:
    """A media stream's id and the track's id; ``"-"`` for the stream means none.

    Raises:
        ValueError: an id is not 1 to 64 token characters.
    """

    NAME: ClassVar[str] = "msid"

    stream: str
    track: str | None = None

    def __post_init__(self) -> None:
        for part in (self.stream, self.track):
            if part is not None and not _ID.fullmatch(part):
                raise ValueError("an id of a=msid is 1 to 64 token characters")

    @classmethod
    def parse(cls, value: str) -> Self:
        stream, space, track = value.partition(" ")
        try:
            return cls(stream, track if space else None)
        except ValueError as error:
            raise SdpError.in_value(0, str(error)) from error

    def __str__(self) -> str:
        return self.stream if self.track is None else f"{self.stream} {self.track}"
