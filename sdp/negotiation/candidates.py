"""Trickled candidates as messages (RFC 8829 section 3.5.2, RFC 8838)."""

from __future__ import annotations

import collections
import dataclasses
import enum
from collections.abc import Callable, Mapping

from sdp.limits import MAX_REMOTE_CANDIDATES, MAX_WAITING_CANDIDATES

from .transport import TransportDescription


@dataclasses.dataclass(frozen=True, slots=True)
class CandidateMessage:
    """A candidate and the m= section it is for: {candidate, sdpMid, sdpMLineIndex,
    usernameFragment}. An empty ``candidate`` ends the candidates of that generation.
    """

    candidate: str
    mid: str | None = None
    index: int | None = None
    ufrag: str | None = None


class CandidateDrop(enum.Enum):
    """Why a candidate of the peer was not handed on."""

    TOO_MANY = "too-many"
    DUPLICATE = "duplicate"
    UNKNOWN_SECTION = "unknown-section"
    OTHER_TRANSPORT = "other-transport"
    """Its section is not on the transport in use."""
    OTHER_GENERATION = "other-generation"
    """Its username fragment is not that of the description in force."""
    AFTER_THE_END = "after-the-end"
    """It came after end-of-candidates of its generation (RFC 8838 section 14)."""


Judge = Callable[[CandidateMessage], CandidateDrop | None]
"""Says why a message's section does not count, or None."""


class RemoteCandidates:
    """Candidates of the peer on their way to ICE, from descriptions and messages."""

    def __init__(self) -> None:
        self._ready: list[str] = []
        self._waiting: list[CandidateMessage] = []
        self._seen: set[str] = set()
        self._ufrag: str | None = None
        self._has_ended = False
        self._dropped: collections.Counter[CandidateDrop] = collections.Counter()

    @property
    def dropped(self) -> Mapping[CandidateDrop, int]:
        return self._dropped

    def described(self, transport: TransportDescription, judge: Judge) -> None:
        """Take a description's candidates; other credentials begin a new generation."""
        if transport.ice_ufrag != self._ufrag:
            self._ufrag = transport.ice_ufrag
            self._ready.clear()
            self._seen.clear()
            self._has_ended = False
        for candidate in transport.candidates:
            if candidate not in self._seen:
                self._accept(candidate)
        if transport.end_of_candidates and not self._has_ended:
            self._end()
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            self.add(message, judge)

    def wait(self, message: CandidateMessage) -> None:
        """Keep a message until there is a remote description."""
        if len(self._waiting) < MAX_WAITING_CANDIDATES:
            self._waiting.append(message)
        else:
            self._drop(CandidateDrop.TOO_MANY)

    def add(self, message: CandidateMessage, judge: Judge) -> None:
        """Take a message that belongs to the description in force."""
        reason = judge(message)
        candidate = normalised(message.candidate)
        ufrag = message.ufrag or _ufrag_in(candidate)
        if ufrag is not None and ufrag != self._ufrag:
            reason = CandidateDrop.OTHER_GENERATION
        if reason is not None:
            self._drop(reason)
        elif self._has_ended:
            self._drop(CandidateDrop.AFTER_THE_END)
        elif not candidate:
            self._end()
        else:
            self._accept(candidate)

    def take(self) -> tuple[str, ...]:
        """Hand out what was not handed out yet; "" is the end of candidates."""
        taken = tuple(self._ready)
        self._ready.clear()
        return taken

    def _accept(self, candidate: str) -> None:
        if candidate in self._seen:
            self._drop(CandidateDrop.DUPLICATE)
        elif len(self._seen) >= MAX_REMOTE_CANDIDATES:
            self._drop(CandidateDrop.TOO_MANY)
        else:
            self._seen.add(candidate)
            self._ready.append(candidate)

    def _end(self) -> None:
        self._has_ended = True
        self._ready.append("")

    def _drop(self, reason: CandidateDrop) -> None:
        self._dropped[reason] += 1


def normalised(candidate: str) -> str:
    """``candidate:...`` from that text, from an attribute, or from a whole line."""
    text = candidate.strip().removeprefix("a=")
    if not text or text == "end-of-candidates":
        return ""
    return text if text.startswith("candidate:") else f"candidate:{text}"


def _ufrag_in(candidate: str) -> str | None:
    """The ``ufrag`` extension that browsers write into a candidate."""
    words = candidate.split(" ")
    pairs = dict(zip(words[8::2], words[9::2], strict=False))
    return pairs.get("ufrag")
