"""Sockets of rows, by asyncio: over UDP, TCP and TLS."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl

from transport import TransportAddress
from transport.aio import from_sockaddr, to_sockaddr

MAX_WAITING = 4096
"""Datagrams that wait to be looked at; a flood beyond is dropped, as by a socket."""

READ_BYTES = 1 << 16


class Pacer:
    """Keeps what is sent below a rate, together for all sockets."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second
        self._next = 0.0

    async def wait(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        turn = max(now, self._next)
        self._next = turn + self._interval
        if turn > now:
            await asyncio.sleep(turn - now)


class Inbox(asyncio.DatagramProtocol):
    """What has come to a UDP socket."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[bytes, TransportAddress]] = asyncio.Queue(MAX_WAITING)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self.received.put_nowait((data, from_sockaddr(addr)))


class DatagramSocket:
    """A UDP socket; ``conformance.wire.DatagramLink``."""

    def __init__(self, transport: asyncio.DatagramTransport, inbox: Inbox, pacer: Pacer) -> None:
        self._transport = transport
        self._inbox = inbox
        self._pacer = pacer
        self._local = from_sockaddr(transport.get_extra_info("sockname"))

    @property
    def local(self) -> TransportAddress:
        return self._local

    async def send(self, data: bytes, remote: TransportAddress) -> None:
        await self._pacer.wait()
        if data or (sock := self._transport.get_extra_info("socket")) is None:
            self._transport.sendto(data, to_sockaddr(remote)[:2])
            return
        # asyncio before 3.13 says nothing and sends no empty datagram.
        with socket.socket(fileno=os.dup(sock.fileno())) as same:
            same.sendto(data, to_sockaddr(remote)[:2])

    async def receive(self, seconds: float) -> tuple[bytes, TransportAddress] | None:
        inbox = self._inbox.received
        if not inbox.empty():  # else nothing would be had in no time
            return inbox.get_nowait()
        try:
            return await asyncio.wait_for(inbox.get(), max(seconds, 0))
        except TimeoutError:
            return None

    def close(self) -> None:
        self._transport.close()


class StreamSocket:
    """A TCP or TLS connection; ``conformance.wire.StreamLink``."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pacer: Pacer
    ) -> None:
        """
        Raises:
            ConnectionResetError: it is closed already.
        """
        # Over TLS, asyncio forgets them at the end.
        ends = [writer.get_extra_info(each) for each in ("sockname", "peername")]
        if None in ends:
            raise ConnectionResetError("closed at once")
        self.local, self.remote = map(from_sockaddr, ends)
        tls = writer.get_extra_info("ssl_object")
        self.protocol: str | None = None if tls is None else tls.selected_alpn_protocol()
        self._reader = reader
        self._writer = writer
        self._pacer = pacer

    async def send(self, data: bytes) -> None:
        await self._pacer.wait()
        with contextlib.suppress(ConnectionError):
            self._writer.write(data)
            await self._writer.drain()

    async def offer(self, data: bytes, seconds: float) -> bool:
        await self._pacer.wait()
        try:
            self._writer.write(data)
            await asyncio.wait_for(self._writer.drain(), seconds)
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        return True

    async def receive(self, seconds: float) -> bytes | None:
        try:
            return await asyncio.wait_for(self._reader.read(READ_BYTES), max(seconds, 0))
        except TimeoutError:
            return None
        except (ConnectionError, ssl.SSLError):
            return b""

    async def end(self) -> None:
        if self._writer.can_write_eof():
            with contextlib.suppress(OSError):
                self._writer.write_eof()

    def close(self) -> None:
        self._writer.close()
