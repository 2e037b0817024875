"""From clients to peers: a connected socket for each client with a channel."""

from __future__ import annotations

import asyncio
import socket

from transport import TransportAddress
from transport.aio import SocketAddress

from .connected import ConnectedSocket
from .flows import ToPeer
from .listening import ListeningSocket
from .slots import CHANNEL_HEADER, HEADER_BYTES, SLOT, SLOTS


class ClientSocket(ConnectedSocket):
    """At a listening address, for one client; ``flows`` has its channels.

    What belongs to none of them goes the way of the listening socket.
    """

    def __init__(
        self,
        sock: socket.socket,
        remote: SocketAddress,
        *,
        client: TransportAddress,
        listening: ListeningSocket,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(sock, remote, loop=loop)
        self._client = client
        self._listening = listening
        self.flows: dict[int, ToPeer] = {}

    def close(self) -> None:
        """The machine still gets what waits: a client that leaves says so just once."""
        for _ in SLOTS:
            try:
                received = self._recv_into(SLOT)
            except BlockingIOError:
                break
            except OSError as error:
                self._receive_failed(error)
                continue
            self._listening.keep(SLOT[:received], self._client)
        self._loop.call_soon(self._listening.wake)  # the machine may be what closes us
        super().close()

    def take_one(self) -> None:
        if self._comes_in_bursts:
            self.drain()
            return
        try:
            received = self._recv_into(SLOT)
        except BlockingIOError:
            return
        except OSError as error:
            self._receive_failed(error)
            return
        if received >= HEADER_BYTES:
            channel, size = CHANNEL_HEADER.unpack_from(SLOT)
            flow = self.flows.get(channel)
            if flow is not None and size <= received - HEADER_BYTES:
                flow.send_one(SLOT[flow.offset : HEADER_BYTES + size], size)
                return
        self._listening.keep(SLOT[:received], self._client)
        self._listening.wake()

    def drain(self) -> None:
        recv_into, find = self._recv_into, self.flows.get
        unpack = CHANNEL_HEADER.unpack_from
        touched: list[ToPeer] = []
        for number, slot, _ in SLOTS:  # noqa: B007 - looked at behind the loop
            try:
                received = recv_into(slot)
            except BlockingIOError:
                break
            except OSError as error:
                self._receive_failed(error)
                continue
            if received >= HEADER_BYTES:
                channel, size = unpack(slot)
                flow = find(channel)
                if flow is not None and size <= received - HEADER_BYTES:
                    part = slot[flow.offset : HEADER_BYTES + size]
                    if size == flow.size:
                        flow.run.append(part)
                    else:
                        touched.append(flow)
                        flow.begin(part, size)
                    continue
            self._listening.keep(slot[:received], self._client)
        for flow in touched:
            flow.flush()
        self._comes_in_bursts = number > 1
        self._listening.wake()
