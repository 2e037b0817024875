"""A host's network for rows, by asyncio."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import ssl
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from conformance.wire import MarkedLink
from transport import IPAddress, TransportAddress, TransportProtocol
from transport.aio import to_sockaddr

from .association import Association, connected
from .listening import ListeningSocket, deafen, listen
from .marked import MarkedSocket
from .sockets import DatagramSocket, Inbox, Pacer, StreamSocket
from .trust import Trust

if TYPE_CHECKING:
    from transport.dtls import DtlsClients

CLOSE_PATIENCE = 1.0
"""Seconds for the ends of connections that are closed."""

MAX_BINDS = 16
"""Attempts to get a port that was not used before."""

LISTEN_BACKLOG = 16
"""Connections that wait to be accepted."""

CONNECT_PATIENCE = 10.0
"""Seconds for a connection, with its handshake of TLS or DTLS."""


NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"})
"""What OpenSSL calls bytes that are no record of TLS."""


class AsyncioWire:
    """This host. At most ``per_second`` datagrams or writes are sent.

    ``local`` is the address that is used; None takes the one that the route to each
    server begins with. ``trust`` is how certificates are judged.
    """

    def __init__(
        self,
        *,
        per_second: float = 400.0,
        local: IPAddress | None = None,
        trust: Trust | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        self._pacer = Pacer(per_second)
        self._local = local
        self._trust = trust or Trust()
        # One for each choice of ALPN: they take long to make.
        self._tls: dict[tuple[str, ...], ssl.SSLContext] = {}
        self._dtls: dict[tuple[str, ...], DtlsClients] = {}
        self._used: set[TransportAddress] = set()
        self._writers: list[asyncio.StreamWriter] = []

    async def aclose(self) -> None:
        """Wait until connections that rows have closed are gone: TLS says goodbye first."""
        for each in self._writers:
            each.close()
        ends = [asyncio.ensure_future(each.wait_closed()) for each in self._writers]
        if ends:
            _, left = await asyncio.wait(ends, timeout=CLOSE_PATIENCE)
            for each in self._writers if left else ():
                each.transport.abort()
            await asyncio.gather(*ends, return_exceptions=True)

    def now(self) -> float:
        return self._loop.time() - self._begun

    def unix_time(self) -> float:
        return time.time()

    def random_bytes(self, count: int, /) -> bytes:
        return os.urandom(count)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def open_datagrams(self, ip: IPAddress, *, port: int = 0) -> DatagramSocket:
        """Without a port it is one that this run has not had: servers remember 5-tuples.

        Raises:
            OSError: it cannot be bound.
        """
        address = to_sockaddr(TransportAddress(ip, port))
        for _ in range(MAX_BINDS):
            transport, protocol = await self._loop.create_datagram_endpoint(
                Inbox, local_addr=address[:2]
            )
            found = DatagramSocket(transport, protocol, self._pacer)
            if port or found.local not in self._used:
                break
            found.close()
        self._used.add(found.local)
        return found

    async def open_marked(self, ip: IPAddress) -> MarkedLink:
        """Raises:
        OSError: it cannot be bound, or this host has no such thing.
        """
        return MarkedSocket(ip, self._pacer.wait)

    async def open_stream(
        self,
        transport: TransportProtocol,
        remote: TransportAddress,
        *,
        server_name: str | None = None,
        local: TransportAddress | None = None,
        protocols: Sequence[str] = (),
    ) -> StreamSocket:
        """Raises:
        OSError: it cannot be made.
        """
        tls, offered = None, tuple(protocols)
        if transport is TransportProtocol.TLS:
            if offered not in self._tls:
                self._tls[offered] = self._trust.tls(offered)
            tls = self._tls[offered]
        try:
            async with asyncio.timeout(CONNECT_PATIENCE):
                reader, writer = await asyncio.open_connection(
                    remote.host,
                    remote.port,
                    ssl=tls,
                    server_hostname=(server_name or remote.host) if tls is not None else None,
                    local_addr=None if local is None else (local.host, local.port),
                )
        except TimeoutError as error:
            raise TimeoutError(f"not made in {CONNECT_PATIENCE:g} s") from error
        except ssl.SSLCertVerificationError as error:
            raise OSError(f"its certificate is not trusted: {error.verify_message}") from error
        except ssl.SSLError as error:
            raise OSError(_without_tls(error)) from error
        except ConnectionResetError as error:
            raise ConnectionResetError("closed at once") from error
        except ConnectionRefusedError as error:
            raise ConnectionRefusedError("refused") from error
        return self._adopt(reader, writer)

    async def open_association(
        self,
        remote: TransportAddress,
        *,
        local: TransportAddress,
        server_name: str | None = None,
        protocols: Sequence[str] = (),
    ) -> Association:
        """Like a socket, without a port it is at one that this run has not had.

        Raises:
            OSError: it cannot be made.
        """
        offered = tuple(protocols)
        if offered not in self._dtls:
            self._dtls[offered] = self._trust.dtls(offered)
        for _ in range(MAX_BINDS):
            sock = connected(local, remote)
            if local.port or sock.local not in self._used:
                break
            sock.close()
        self._used.add(sock.local)
        name, pace = server_name or remote.host, self._pacer.wait
        return await Association.open(
            sock, self._dtls[offered], name, patience=CONNECT_PATIENCE, pace=pace
        )

    async def open_listener(
        self, ip: IPAddress, *, is_deaf: bool = False
    ) -> ListeningSocket[StreamSocket]:
        """Raises:
        OSError: it cannot be bound, or this host cannot be deaf.
        """
        sock = listen(ip, backlog=0 if is_deaf else LISTEN_BACKLOG)
        fillers = await deafen(sock) if is_deaf else ()
        return ListeningSocket(sock, self._adopt, fillers)

    def _adopt(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> StreamSocket:
        self._writers.append(writer)
        return StreamSocket(reader, writer, self._pacer)

    def local_ip(self, remote: TransportAddress) -> IPAddress:
        if self._local is not None:
            return self._local
        family = socket.AF_INET6 if remote.is_ipv6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect(to_sockaddr(remote))
            return ipaddress.ip_address(sock.getsockname()[0])


def _without_tls(error: ssl.SSLError) -> str:
    """Why a handshake has failed, without the line of Python's source that says so."""
    if error.reason in NO_TLS:
        return "what answers there speaks no TLS"
    reason = (error.reason or "it ends early").replace("_", " ").lower()
    return f"the TLS handshake fails: {reason}"
