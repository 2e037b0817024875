"""What became of every datagram."""

from __future__ import annotations

import collections
import dataclasses
import enum
from collections.abc import Iterable

from transport import TransportAddress


class Fate(enum.Enum):
    """How a datagram ended. Every copy of every datagram has exactly one."""

    DELIVERED = "delivered"
    LOST = "lost"
    """By the dice of a link."""
    QUEUE_FULL = "queue-full"
    TOO_BIG = "too-big"
    """Longer than the MTU of a link; netsim does not fragment."""
    LINK_DOWN = "link-down"
    PARTITIONED = "partitioned"
    UNREACHABLE = "unreachable"
    """No host has the destination's IP address, as seen from there."""
    HOPS_EXCEEDED = "hops-exceeded"
    PORT_CLOSED = "port-closed"
    """It reached its host, but no process owns the port."""
    UNBOUND = "unbound"
    """Sent by a process from a transport address that it has unbound."""
    WRONG_FAMILY = "wrong-family"
    """IPv4 to IPv6, or the reverse."""
    NO_MAPPING = "no-mapping"
    FILTERED = "filtered"
    NO_HAIRPINNING = "no-hairpinning"
    PORTS_EXHAUSTED = "ports-exhausted"
    BLOCKED = "blocked"
    """By a firewall that lets no UDP pass."""


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """A datagram as its sender sent it; copies and translations share it.

    ``number`` counts the datagrams of the network from 1.
    """

    number: int
    sender: str
    sent_at: float
    source: TransportAddress
    destination: TransportAddress
    data: bytes
    dscp: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class Datagram:
    """One copy of a datagram on its way; NATs change its addresses."""

    origin: Origin
    source: TransportAddress
    destination: TransportAddress
    copy: int = 0
    hops: int = 0

    @property
    def size_bytes(self) -> int:
        """With the IP and UDP headers, as links count it."""
        return len(self.origin.data) + (48 if self.destination.is_ipv6 else 28)

    def forwarded(self, source: TransportAddress, destination: TransportAddress) -> Datagram:
        """The same copy behind a router that translates addresses."""
        return Datagram(self.origin, source, destination, self.copy, self.hops + 1)

    def duplicate(self, copy: int) -> Datagram:
        return Datagram(self.origin, self.source, self.destination, copy, self.hops)


@dataclasses.dataclass(frozen=True, slots=True)
class DatagramRecord:
    """The end of one copy: when, where and how, and with which addresses by then.

    ``origin`` has what was sent; ``source`` and ``destination`` are those after
    all translation on the way.
    """

    origin: Origin
    copy: int
    source: TransportAddress
    destination: TransportAddress
    at: float
    where: str
    fate: Fate

    @property
    def data(self) -> bytes:
        return self.origin.data

    def __str__(self) -> str:
        sent = self.origin
        return (
            f"{sent.number}.{self.copy} {sent.sent_at!r} {sent.sender} "
            f"{sent.source}>{sent.destination} {self.at!r} {self.where} "
            f"{self.source}>{self.destination} {self.fate.value} {self.data.hex()}"
        )


def format_trace(records: Iterable[DatagramRecord]) -> str:
    """One line per copy; equal for two runs of the same simulation with the same seed."""
    return "".join(f"{record}\n" for record in records)


class Ledger:
    """Numbers datagrams, records their fates, and hands the records to taps."""

    def __init__(self) -> None:
        self._sent = 0
        self._copies = 0
        self._next_copy: dict[int, int] = {}
        self.fates: collections.Counter[Fate] = collections.Counter()
        self.trace: list[DatagramRecord] = []
        self._taps = [self.trace]

    @property
    def copies(self) -> int:
        """How many datagrams were sent, each duplicate counted as one more."""
        return self._copies

    @property
    def in_flight(self) -> int:
        """How many copies have no fate yet."""
        return self._copies - self.fates.total()

    def new_tap(self) -> list[DatagramRecord]:
        records: list[DatagramRecord] = []
        self._taps.append(records)
        return records

    def send(
        self,
        data: bytes,
        source: TransportAddress,
        destination: TransportAddress,
        *,
        sender: str,
        now: float,
        dscp: int | None = None,
    ) -> Datagram:
        """A new datagram, under way from now."""
        self._sent += 1
        self._copies += 1
        origin = Origin(self._sent, sender, now, source, destination, data, dscp)
        return Datagram(origin, source, destination)

    def duplicate(self, datagram: Datagram) -> Datagram:
        """One more copy, under way from now."""
        number = datagram.origin.number
        copy = self._next_copy.get(number, 1)
        self._next_copy[number] = copy + 1
        self._copies += 1
        return datagram.duplicate(copy)

    def settle(self, datagram: Datagram, fate: Fate, *, where: str, now: float) -> None:
        """The end of a copy."""
        self.fates[fate] += 1
        record = DatagramRecord(
            datagram.origin,
            datagram.copy,
            datagram.source,
            datagram.destination,
            now,
            where,
            fate,
        )
        for records in self._taps:
            records.append(record)
