"""Which media description a received RTP stream belongs to (RFC 9143 section 9.2).

All media of a bundle comes over one transport, so that a stream is told by the MID
header extension or SDES item, by an SSRC that was signaled, or by a payload type
that only one media description uses.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

MAX_SSRCS = 64
"""RTP streams of one peer. A media description needs one for media and one for
retransmissions; the peer could name a new SSRC in each packet."""


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """What one media description receives."""

    mid: str
    payload_types: frozenset[int]
    ssrcs: frozenset[int] = frozenset()


@dataclasses.dataclass(slots=True)
class _Stream:
    mid: str
    updated_at: int | None = None
    """The sequence number of the packet whose MID was last believed."""


class StreamAssociation:
    """The MID, SSRC and payload type tables of one bundle."""

    def __init__(self) -> None:
        self._sections: dict[str, Section] = {}
        self._streams: dict[int, _Stream] = {}
        self._by_payload_type: dict[int, str] = {}

    def configure(self, sections: Iterable[Section]) -> None:
        """Build the tables anew after a negotiation; what was learned from packets stays."""
        self._sections = {section.mid: section for section in sections}
        self._by_payload_type = _unique_payload_types(self._sections.values())
        learned = self._streams
        self._streams = {ssrc: kept for ssrc, kept in learned.items() if kept.mid in self._sections}
        for section in self._sections.values():
            for ssrc in section.ssrcs:
                self._streams[ssrc] = _Stream(section.mid)

    def route(
        self, ssrc: int, payload_type: int, *, sequence_number: int, mid: str | None = None
    ) -> str | None:
        """The mid of the packet's media description, or None: not for decoding.

        ``mid`` is what the packet's header extension carries.
        """
        if mid is not None and not self._believe(ssrc, mid, sequence_number):
            return None
        stream = self._streams.get(ssrc)
        if stream is not None:
            section = self._sections[stream.mid]
            return stream.mid if payload_type in section.payload_types else None
        by_payload_type = self._by_payload_type.get(payload_type)
        if by_payload_type is None or not self._learn(ssrc, by_payload_type, None):
            return None
        return by_payload_type

    def learn_from_sdes(self, ssrc: int, mid: str) -> None:
        """Take the MID item of an SDES chunk; an unknown MID changes nothing."""
        if mid in self._sections and ssrc not in self._streams:
            self._learn(ssrc, mid, None)

    def find(self, ssrc: int) -> str | None:
        """The mid that the SSRC is known to belong to."""
        stream = self._streams.get(ssrc)
        return None if stream is None else stream.mid

    def forget(self, ssrc: int) -> None:
        """The stream has ended (BYE)."""
        self._streams.pop(ssrc, None)

    def _believe(self, ssrc: int, mid: str, sequence_number: int) -> bool:
        """Whether the packet may go on: its MID is known; a newer one updates the table."""
        if mid not in self._sections:
            return False
        stream = self._streams.get(ssrc)
        if stream is None:
            return self._learn(ssrc, mid, sequence_number)
        if stream.updated_at is None or _is_newer(sequence_number, stream.updated_at):
            stream.mid = mid
            stream.updated_at = sequence_number
        return True

    def _learn(self, ssrc: int, mid: str, sequence_number: int | None) -> bool:
        if len(self._streams) >= MAX_SSRCS:
            return False
        self._streams[ssrc] = _Stream(mid, sequence_number)
        return True


def _unique_payload_types(sections: Iterable[Section]) -> dict[int, str]:
    """Payload types that tell one media description: those used by one alone."""
    found: dict[int, str] = {}
    shared: set[int] = set()
    for section in sections:
        for payload_type in section.payload_types:
            if payload_type in found:
                shared.add(payload_type)
            found[payload_type] = section.mid
    return {number: mid for number, mid in found.items() if number not in shared}


def _is_newer(sequence_number: int, than: int) -> bool:
    return 0 < (sequence_number - than) & 0xFFFF < 0x8000
