"""What an offer/answer exchange left: the state that rollback returns to."""

from __future__ import annotations

import dataclasses

from sdp.attributes.direction import Direction
from sdp.attributes.setup import Setup
from sdp.kinds import MediaKind
from sdp.lines.media import MediaLine

from .media import NegotiatedMedia
from .transceiver import Transceiver
from .transport import TransportDescription


@dataclasses.dataclass(frozen=True, slots=True)
class Slot:
    """One m= section, by its index. Slots are never taken away (RFC 3264 section 8).

    ``wanted`` is the transceiver's direction when we last described the section.
    ``media`` is None until it was answered.
    """

    mid: str
    kind: MediaKind | None
    line: MediaLine
    transceiver: Transceiver | None
    wanted: Direction
    media: NegotiatedMedia | None = None

    @property
    def is_free(self) -> bool:
        """Whether a new transceiver may take it (RFC 8829 section 5.2.2)."""
        return self.media is not None and self.media.rejected


@dataclasses.dataclass(frozen=True, slots=True)
class Exchange:
    """All slots, and what either side said last of its transport.

    ``role`` is our DTLS role, ``tagged`` the section whose transport counts, and
    ``sharing`` all sections that the peer put on that transport.
    """

    slots: tuple[Slot, ...] = ()
    local_transport: TransportDescription | None = None
    remote_transport: TransportDescription | None = None
    role: Setup | None = None
    tagged: int | None = None
    sharing: tuple[int, ...] = ()
    answered: bool = False

    @property
    def media(self) -> tuple[NegotiatedMedia, ...]:
        return tuple(slot.media for slot in self.slots if slot.media is not None)
