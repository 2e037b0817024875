"""The caller's wish for one m= section (RFC 8829 section 3.4.1)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from sdp.attributes.direction import Direction
from sdp.kinds import MediaKind

from .codec import RtpCodec


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
