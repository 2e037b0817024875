"""What rows need of a network; ``conformance.aio`` has it for real ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from transport import IPAddress, TransportAddress, TransportProtocol


class DatagramLink(Protocol):
    """A UDP socket."""

    @property
    def local(self) -> TransportAddress: ...

    async def send(self, data: bytes, remote: TransportAddress) -> None: ...

    async def receive(self, seconds: float) -> tuple[bytes, TransportAddress] | None:
        """The next datagram and its source, or None if none comes in time."""
        ...

    def close(self) -> None: ...


class MarkedLink(DatagramLink, Protocol):
    """A UDP socket that chooses the TOS byte (or traffic class) of what goes, and sees it."""

    tos: int
    """Of what is sent: six bits of DSCP, two of ECN."""

    @property
    def last_tos(self) -> int | None:
        """That of the datagram that was received last; None where this host does not tell."""
        ...


class StreamLink(Protocol):
    """A TCP or TLS connection."""

    @property
    def local(self) -> TransportAddress: ...

    @property
    def remote(self) -> TransportAddress: ...

    @property
    def protocol(self) -> str | None:
        """What ALPN (RFC 7301) has agreed on, if anything."""
        ...

    async def send(self, data: bytes) -> None:
        """Write; what is written after the end is lost without a word."""
        ...

    async def offer(self, data: bytes, seconds: float) -> bool:
        """Write, and wait until more would be taken; False if that is not so in time.

        All of it is sent in either case, as soon as the other side lets it.
        """
        ...

    async def receive(self, seconds: float) -> bytes | None:
        """What comes next, at least a byte; empty at the end, None if nothing comes in time."""
        ...

    async def end(self) -> None:
        """Say that nothing more will be sent; what comes is still received."""
        ...

    def close(self) -> None: ...


class AssociationLink(Protocol):
    """A DTLS association with one server: datagrams that are secured, and an end."""

    @property
    def local(self) -> TransportAddress: ...

    @property
    def remote(self) -> TransportAddress: ...

    @property
    def protocol(self) -> str | None:
        """What ALPN (RFC 7301) has agreed on, if anything."""
        ...

    async def send(self, data: bytes) -> None:
        """Send a record of 1 to 2^14 bytes; after the end it is lost without a word."""
        ...

    async def receive(self, seconds: float) -> bytes | None:
        """The next record, at least a byte; empty at the end, None if nothing comes in time."""
        ...

    def close(self) -> None: ...


class StreamListener(Protocol):
    """A TCP socket that others connect to."""

    @property
    def local(self) -> TransportAddress: ...

    async def accept(self, seconds: float) -> StreamLink | None:
        """The next connection, or None if none comes in time."""
        ...

    def close(self) -> None: ...


class Wire(Protocol):
    """A host on a network."""

    def now(self) -> float:
        """Seconds since the run began."""
        ...

    def unix_time(self) -> float: ...

    def random_bytes(self, count: int, /) -> bytes: ...

    async def sleep(self, seconds: float) -> None: ...

    async def open_datagrams(self, ip: IPAddress, *, port: int = 0) -> DatagramLink:
        """A socket at an address of this host.

        Raises:
            OSError: it cannot be bound.
        """
        ...

    async def open_marked(self, ip: IPAddress) -> MarkedLink:
        """A socket at an address of this host that chooses and sees TOS bytes.

        Raises:
            OSError: it cannot be bound, or this host has no such thing.
        """
        ...

    async def open_stream(
        self,
        transport: TransportProtocol,
        remote: TransportAddress,
        *,
        server_name: str | None = None,
        local: TransportAddress | None = None,
        protocols: Sequence[str] = (),
    ) -> StreamLink:
        """A connection; over TLS ``protocols`` are offered by ALPN.

        Raises:
            OSError: it cannot be made.
        """
        ...

    async def open_association(
        self,
        remote: TransportAddress,
        *,
        local: TransportAddress,
        server_name: str | None = None,
        protocols: Sequence[str] = (),
    ) -> AssociationLink:
        """A DTLS association; ``protocols`` are offered by ALPN. Port 0 is any port.

        Raises:
            OSError: it cannot be made.
        """
        ...

    async def open_listener(self, ip: IPAddress, *, is_deaf: bool = False) -> StreamListener:
        """A socket that listens at an address of this host.

        Who connects to a deaf one hears nothing: neither that it is connected, nor that it
        is refused.

        Raises:
            OSError: it cannot be bound, or this host cannot be deaf.
        """
        ...

    def local_ip(self, remote: TransportAddress) -> IPAddress:
        """The address of this host that packets to ``remote`` leave from."""
        ...
