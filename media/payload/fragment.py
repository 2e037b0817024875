"""What all payload formats share: fragments, equal cutting, the two protocols."""

from __future__ import annotations

import dataclasses
import enum
from collections import Counter
from typing import NamedTuple, Protocol

from media.rtp import RtpPacket
from media.units import AccessUnit


class Fragment(NamedTuple):
    """One RTP payload, without its header, shared by all that send it.

    ``marker`` is the RTP marker bit that goes with it.
    """

    payload: bytes
    marker: bool


class PayloadTooLarge(ValueError):
    """What the format cannot divide is larger than one packet may carry."""

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(f"{size_bytes} bytes do not fit into a payload of {limit_bytes}")
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes


class DropReason(enum.Enum):
    """Why a depacketizer gave no access unit for packets that it was given."""

    PACKET_MISSING = "packet-missing"
    MALFORMED = "malformed"
    TOO_LARGE = "too-large"


@dataclasses.dataclass(slots=True)
class DepacketizerStats:
    """What came out of a depacketizer, and what did not."""

    units: int = 0
    keyframes: int = 0
    dropped: Counter[DropReason] = dataclasses.field(default_factory=Counter)
    """Access units dropped, by reason."""


class Packetizer(Protocol):
    """Cuts access units of one stream into RTP payloads."""

    def packetize(self, unit: AccessUnit) -> list[Fragment]:
        """The payloads of one access unit, in order.

        Raises:
            PayloadTooLarge: a part that the format cannot divide is over the limit.
        """
        ...


class Depacketizer(Protocol):
    """Puts access units of one stream together again."""

    stats: DepacketizerStats

    def push(self, packet: RtpPacket) -> AccessUnit | None:
        """Take the next packet in order of sequence numbers; gaps are losses.

        Returns an access unit that this packet completed. Never raises, whatever
        the packet holds.
        """
        ...


def cut_equally(size: int, limit: int) -> range:
    """Offsets that cut ``size`` bytes into the fewest parts of at most ``limit``.

    All parts are equally long but for the last, which may be shorter, so that one
    system call can send them (UDP_SEGMENT). The step of the range is their length.
    """
    if limit < 1:
        raise ValueError(f"a part has at least one byte, not {limit}")
    count = max(1, -(-size // limit))
    return range(0, max(size, 1), max(1, -(-size // count)))
