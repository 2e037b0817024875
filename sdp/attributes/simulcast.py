"""a=simulcast: the same source in several encodings (RFC 8853 section 5.1)."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Self

from sdp.errors import SdpError
from sdp.grammar import match

_ID = r"~?[A-Za-z0-9_\-]+"
_LIST = rf"{_ID}(?:,{_ID})*(?:;{_ID}(?:,{_ID})*)*"
_SIMULCAST = re.compile(rf"(send|recv) ({_LIST})(?: (send|recv) ({_LIST}))?")


@dataclasses.dataclass(frozen=True, slots=True)
class SimulcastStream:
    """A rid and whether it starts paused (``~``)."""

    rid: str
    paused: bool = False

    def __str__(self) -> str:
        return f"~{self.rid}" if self.paused else self.rid


Streams = tuple[tuple[SimulcastStream, ...], ...]
"""One entry per simulcast stream, each a choice of alternatives."""


@dataclasses.dataclass(frozen=True, slots=True)
class Simulcast:
    """The streams that the writer sends and receives."""

    NAME: ClassVar[str] = "simulcast"

    send: Streams = ()
    receive: Streams = ()

    @classmethod
    def parse(cls, value: str) -> Self:
        first, streams, second, others = match(_SIMULCAST, value, "simulcast list").groups()
        if first == second:
            raise SdpError.in_value(0, f"{first} stands twice")
        lists = {first: _streams(streams)}
        if second is not None:
            lists[second] = _streams(others)
        return cls(lists.get("send", ()), lists.get("recv", ()))

    def __str__(self) -> str:
        parts = []
        for word, streams in (("send", self.send), ("recv", self.receive)):
            if streams:
                parts.append(f"{word} {';'.join(','.join(map(str, s)) for s in streams)}")
        return " ".join(parts)

    @property
    def rids(self) -> tuple[str, ...]:
        """Every rid named, sent ones first."""
        return tuple(s.rid for streams in (*self.send, *self.receive) for s in streams)


def _streams(text: str) -> Streams:
    return tuple(
        tuple(SimulcastStream(rid.removeprefix("~"), rid[0] == "~") for rid in stream.split(","))
        for stream in text.split(";")
    )
