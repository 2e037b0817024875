"""The contract that every protocol machine of every layer keeps.

A machine has no I/O, no clock and no randomness of its own. ``now`` is any clock
in float seconds that never runs backwards; randomness is a ``RandomBytes``
handed to the constructor. A machine never calls back.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from .address import TransportAddress

RandomBytes = Callable[[int], bytes]
"""Returns that many unpredictable bytes; ``os.urandom`` in a driver, seeded in a test."""


class TransportProtocol(enum.Enum):
    """What carries the bytes between two transport addresses."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    DTLS = "dtls"

    @property
    def is_reliable(self) -> bool:
        """Whether the bytes come as an ordered stream (RFC 8489 section 6.2.2)."""
        return self in (TransportProtocol.TCP, TransportProtocol.TLS)


@dataclasses.dataclass(frozen=True, slots=True)
class Path:
    """A 5-tuple, seen from this host: where bytes leave from and where they go.

    For bytes received, ``remote`` is where they came from.
    """

    transport: TransportProtocol
    local: TransportAddress
    remote: TransportAddress

    def __hash__(self) -> int:
        """Paths are keys for each datagram, and these tell nearly all of them apart."""
        remote = self.remote
        return hash((int(remote.ip), remote.port, self.local.port))


@dataclasses.dataclass(frozen=True, slots=True)
class Transmit:
    """Bytes that a machine wants sent on a path.

    ``segments`` is a run of datagrams of equal size (the last may be shorter), so
    that one system call can carry it; mostly it holds one. On a stream path the
    segments are framed messages, written one after the other. ``dscp`` is the
    code point wanted, or None for the socket's own. With ``dont_fragment`` datagrams
    that are too long for the way are dropped, not cut (over IPv4 they carry the DF bit).
    """

    path: Path
    segments: Sequence[bytes]
    dscp: int | None = None
    dont_fragment: bool = False


class Event:
    """Base of everything a machine reports through ``poll_event``."""

    __slots__ = ()


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectRequested(Event):
    """A machine wants a stream opened; answered by ``connected`` or ``disconnected``.

    ``server_name`` is the name that a TLS certificate must carry.
    """

    transport: TransportProtocol
    remote: TransportAddress
    server_name: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class CloseRequested(Event):
    """A machine is done with a stream path: the driver closes it."""

    path: Path


@dataclasses.dataclass(frozen=True, slots=True)
class ResetRequested(Event):
    """A machine holds a stream path for dead: the driver resets it (RST), at once.

    As after CloseRequested, ``disconnected`` tells that it is gone.
    """

    path: Path


class Machine(Protocol):
    """A protocol without I/O, clock or randomness of its own.

    After every call that changes it, the driver drains ``poll_transmit()`` and
    ``poll_event()`` to None, then reads ``next_timeout()`` afresh.
    """

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """Take one datagram, or one message that the stream pump has framed."""
        ...

    def handle_timeout(self, now: float) -> None:
        """Do what is due. Called early, it does nothing."""
        ...

    def next_timeout(self) -> float | None:
        """When to call ``handle_timeout``: None, or later than the ``now`` just handled."""
        ...

    def poll_transmit(self) -> Transmit | None:
        """The next bytes to send, or None."""
        ...

    def poll_event(self) -> Event | None:
        """The next thing that happened, or None."""
        ...


@runtime_checkable
class StreamMachine(Machine, Protocol):
    """A machine that also speaks over TCP or TLS."""

    def connected(self, path: Path, now: float) -> None:
        """The stream is open in both directions."""
        ...

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        """The stream is gone, or could not be opened."""
        ...


@runtime_checkable
class ReachabilityMachine(Machine, Protocol):
    """A machine that is told at once when there is nobody at the other end."""

    def unreachable(self, path: Path, now: float) -> None:
        """A hard ICMP error came for what was sent on this path (RFC 8489 section 6.2.1)."""
        ...
