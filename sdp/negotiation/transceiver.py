"""The caller's wish for one m= section (RFC 8829 section 3.4.1)."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence

from sdp.attributes.direction import Direction
from sdp.kinds import MediaKind
from transport import RandomBytes

from .codec import RtpCodec

_TRACK_ID_BYTES = 16


@dataclasses.dataclass(eq=False, slots=True)
class Transceiver:
    """What is wanted of one m= section; ``mid`` and ``index`` come by negotiation.

    ``direction`` may be changed at any time and takes effect with the next offer
    or answer. ``codecs`` None means the negotiator's own, in the order of the peer;
    a list is a preference and excludes the rest. ``ssrc`` and ``rtx_ssrc`` are what
    we send with.
    """

    kind: MediaKind
    direction: Direction
    ssrc: int
    rtx_ssrc: int
    track_id: str
    stream_ids: tuple[str, ...] = ()
    codecs: Sequence[RtpCodec] | None = None
    mid: str | None = None
    index: int | None = None
    stopped: bool = False

    def stop(self) -> None:
        """Reject the section in the next offer or answer, for good."""
        self.stopped = True
        self.direction = Direction.INACTIVE


_Associations = tuple[tuple[Transceiver, str | None, int | None], ...]


class Transceivers:
    """All transceivers, and what a rollback returns them to (RFC 8829 section 5.7)."""

    def __init__(self, random_bytes: RandomBytes) -> None:
        self._random_bytes = random_bytes
        self._all: list[Transceiver] = []
        self._received: set[Transceiver] = set()
        self._before: _Associations | None = None

    @property
    def all(self) -> tuple[Transceiver, ...]:
        return tuple(self._all)

    def add(
        self,
        kind: MediaKind,
        direction: Direction,
        *,
        codecs: Sequence[RtpCodec] | None = None,
        stream_ids: tuple[str, ...] = (),
        track_id: str | None = None,
    ) -> Transceiver:
        transceiver = Transceiver(
            kind,
            direction,
            self._new_ssrc(),
            0,
            track_id or self._random_bytes(_TRACK_ID_BYTES).hex(),
            stream_ids,
            codecs,
        )
        self._all.append(transceiver)
        transceiver.rtx_ssrc = self._new_ssrc()
        return transceiver

    def add_received(self, kind: MediaKind) -> Transceiver:
        """For a section that the peer offers and nobody here asked for."""
        transceiver = self.add(kind, Direction.RECVONLY)
        self._received.add(transceiver)
        return transceiver

    def begin(self) -> None:
        """Remember the stable associations, or return to them where an offer pends."""
        if self._before is None:
            self._before = self._associations()
        else:
            self._return_to(self._before)

    def restore(self) -> None:
        """Undo everything since the last stable state."""
        if self._before is not None:
            self._return_to(self._before)
            self._before = None

    def settle(self) -> None:
        """What is associated stays so; stopped transceivers are gone."""
        self._before = None
        self._received.clear()
        for transceiver in self._all:
            if transceiver.stopped:
                transceiver.mid = transceiver.index = None
        self._all = [t for t in self._all if not t.stopped]

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """Begin; when the block raises, everything is as it was before."""
        known, pending = self._before, self._associations()
        received = set(self._received)
        self.begin()
        try:
            yield
        except Exception:
            self._received.clear()
            self._all = [t for t, _, _ in pending]
            for transceiver, mid, index in pending:
                transceiver.mid, transceiver.index = mid, index
            self._before, self._received = known, received
            raise

    def _associations(self) -> _Associations:
        return tuple((t, t.mid, t.index) for t in self._all)

    def _return_to(self, before: _Associations) -> None:
        """Transceivers added by the application since then stay; received ones go."""
        known = {transceiver for transceiver, _, _ in before}
        gone = self._received - known
        self._all = [t for t in self._all if t not in gone]
        self._received -= gone
        for transceiver in self._all:
            transceiver.mid = transceiver.index = None
        for transceiver, mid, index in before:
            transceiver.mid, transceiver.index = mid, index

    def _new_ssrc(self) -> int:
        """Random (RFC 3550 section 8.1), not 0, not one of ours."""
        taken = {ssrc for t in self._all for ssrc in (t.ssrc, t.rtx_ssrc)} | {0}
        ssrc = int.from_bytes(self._random_bytes(4), "big")
        while ssrc in taken:
            ssrc = (ssrc + 1) & 0xFFFFFFFF
        return ssrc
