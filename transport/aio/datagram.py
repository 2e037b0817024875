"""What a driver needs of UDP: the kernel and the simulated network both provide it."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from transport.address import TransportAddress

MAX_DATAGRAMS_PER_WAKE_UP = 64
"""What one socket may hand out before the others have their turn."""


class DropReason(enum.Enum):
    """Why a datagram that was to be sent was not."""

    BUFFER_FULL = "the socket's send buffer, or the interface's queue, is full"
    UNREACHABLE = "the destination cannot be reached, or is refused, from here"
    TOO_LONG = "the datagram is longer than the path, or UDP, can carry"
    REFUSED = "the kernel refused it for another reason"


@dataclasses.dataclass(frozen=True, slots=True)
class SocketStats:
    """Counters since the socket was opened."""

    datagrams_received: int = 0
    bytes_received: int = 0
    datagrams_sent: int = 0
    bytes_sent: int = 0
    send_calls: int = 0
    """System calls that sent; below ``datagrams_sent`` where runs went out in one."""
    receive_errors: int = 0
    """Errors that the kernel reported instead of a datagram."""
    drops: Mapping[DropReason, int] = dataclasses.field(default_factory=dict)


class DatagramSocket(Protocol):
    """A UDP socket, non-blocking, that reads and sends many datagrams at a time."""

    @property
    def local(self) -> TransportAddress:
        """Where it is bound, with the port that the kernel chose."""
        ...

    def start(self, on_readable: Callable[[], None]) -> None:
        """Call ``on_readable`` whenever datagrams wait, and again while some still do."""
        ...

    def receive(self) -> list[tuple[bytes, TransportAddress]]:
        """What waits, up to ``MAX_DATAGRAMS_PER_WAKE_UP``, with its source; [] if nothing."""
        ...

    def send(self, segments: Sequence[bytes], remote: TransportAddress, dscp: int | None) -> None:
        """Send a run of datagrams. What cannot be sent now is dropped and counted."""
        ...

    def stats(self) -> SocketStats: ...

    def close(self) -> None:
        """Stop reading and let go of the port; twice is as good as once."""
        ...


@runtime_checkable
class UnfragmentingSocket(DatagramSocket, Protocol):
    """A UDP socket that can keep the network from cutting a datagram."""

    def send_unfragmented(
        self, segments: Sequence[bytes], remote: TransportAddress, dscp: int | None
    ) -> None:
        """As ``send``; what is too long for the way is dropped."""
        ...


@runtime_checkable
class ConnectedDatagramSocket(DatagramSocket, Protocol):
    """A UDP socket with one peer: the system says when there is nobody at that end."""

    @property
    def remote(self) -> TransportAddress: ...

    def take_refusal(self) -> bool:
        """Whether a hard ICMP error has come since the last call.

        ``on_readable`` is called for it too.
        """
        ...


class SocketFactory(Protocol):
    """Where drivers get their sockets from."""

    async def open(self, local: TransportAddress) -> DatagramSocket:
        """A socket bound to ``local``; port 0 lets the system choose.

        Raises:
            OSError: the address cannot be bound.
        """
        ...


@runtime_checkable
class ConnectingSocketFactory(SocketFactory, Protocol):
    """A factory of sockets with one peer, too."""

    async def open_connected(self, remote: TransportAddress) -> ConnectedDatagramSocket:
        """A socket for one peer, at the address that the system sends from to there.

        Raises:
            OSError: there is no way to it, or no socket is left.
        """
        ...
