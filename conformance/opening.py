"""Opening 5-tuples to the server under test, over whatever transport, and to what it relays."""

from __future__ import annotations

import dataclasses

from transport import IPAddress, TransportAddress, TransportProtocol

from .link import ClosedStream, DatagramPort, Record, SecuredPort
from .outcome import NotOffered, OutOfReach, Violated
from .server_link import ServerLink
from .target import Target
from .wire import MarkedLink, StreamLink, Wire


@dataclasses.dataclass(frozen=True, slots=True)
class Opening:
    """How one is opened: from ``local``, if that is given; ``protocols`` are offered by ALPN."""

    target: Target
    wire: Wire
    record: Record
    local: TransportAddress | None = None
    protocols: tuple[str, ...] = ()

    async def open(self, kind: TransportProtocol) -> ServerLink:
        """
        Raises:
            NotOffered: no connection can be made.
            OutOfReach: no association can.
        """
        match kind:
            case TransportProtocol.UDP:
                return await self._open_datagrams()
            case TransportProtocol.DTLS:
                return await self._open_association()
            case _:
                return await self._open_stream(kind)

    async def open_marked(self) -> tuple[ServerLink, MarkedLink]:
        """One over UDP, and its socket, which chooses TOS bytes.

        Raises:
            OSError: this host has no such thing.
        """
        marked = await self.wire.open_marked(self._bound().ip)
        return self._link(DatagramPort(marked, self.record)), marked

    async def _open_datagrams(self) -> ServerLink:
        local = self._bound()
        socket = await self.wire.open_datagrams(local.ip, port=local.port)
        return self._link(DatagramPort(socket, self.record))

    async def _open_association(self) -> ServerLink:
        server = self.target.address
        try:
            secured = await self.wire.open_association(
                server,
                local=self._bound(),
                server_name=self.target.server_name,
                protocols=self.protocols,
            )
        except OSError as error:
            # Who is gone answers no handshake either.
            raise OutOfReach(f"no DTLS association with {server}: {error}") from error
        return self._link(SecuredPort(secured, self.record))

    async def _open_stream(self, kind: TransportProtocol) -> ServerLink:
        server = self.target.address
        try:
            stream = await self.wire.open_stream(
                kind,
                server,
                server_name=self.target.server_name,
                local=self.local,
                protocols=self.protocols,
            )
        except OSError as error:
            raise NotOffered(f"no {kind.value} connection to {server}: {error}") from error
        return ServerLink(stream, server, self.record)

    def _link(self, port: DatagramPort | SecuredPort) -> ServerLink:
        return ServerLink(port, self.target.address, self.record)

    def _bound(self) -> TransportAddress:
        """Without a wish, at any port."""
        return self.local or TransportAddress(self.wire.local_ip(self.target.address), 0)


async def connect_peer(wire: Wire, ip: IPAddress, remote: TransportAddress) -> StreamLink:
    """A peer's TCP connection to a relayed address; it may be closed at once.

    Raises:
        Violated: nothing listens there.
    """
    local = TransportAddress(ip, 0)
    try:
        return await wire.open_stream(TransportProtocol.TCP, remote, local=local)
    except ConnectionResetError:
        return ClosedStream(local, remote)
    except OSError as error:
        raise Violated(f"a peer cannot connect to {remote}: {error}") from error
