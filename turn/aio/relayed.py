"""From peers to clients: the sockets at the relayed transport addresses."""

from __future__ import annotations

import asyncio
import socket

from transport.aio import SocketAddress

from .flows import NO_RUN, ToClient
from .plane_socket import PlaneSocket
from .slots import CHANNEL_HEADER, HEADER_BYTES, ROOM, SLOT, SLOTS


class RelayedSocket(PlaneSocket):
    """One relayed transport address; ``flows`` has the peers with a channel."""

    def __init__(self, sock: socket.socket, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(sock, loop=loop)
        self.flows: dict[SocketAddress, ToClient] = {}

    def take_one(self) -> None:
        if self._comes_in_bursts:
            self.drain()
            return
        try:
            size, source = self._recvfrom_into(ROOM)
        except BlockingIOError:
            return
        except OSError as error:
            self._receive_failed(error)
            return
        flow = self.flows.get(source)
        if flow is not None:
            CHANNEL_HEADER.pack_into(SLOT, 0, flow.channel, size)
            flow.send_one(SLOT[: HEADER_BYTES + size], size)
            return
        self._keep(ROOM[:size], source)
        self._wake()

    def drain(self) -> None:
        recvfrom_into = self._recvfrom_into
        find, pack = self.flows.get, CHANNEL_HEADER.pack_into
        current: ToClient | None = None
        run: list[memoryview] = []
        run_size = NO_RUN
        for number, slot, room in SLOTS:  # noqa: B007 - looked at behind the loop
            try:
                size, source = recvfrom_into(room)
            except BlockingIOError:
                break
            except OSError as error:
                self._receive_failed(error)
                continue
            flow = find(source)
            if flow is None:
                self._keep(room[:size], source)
                continue
            pack(slot, 0, flow.channel, size)
            if size != run_size or flow is not current:
                if current is not None:
                    current.send(run, run_size)
                current, run, run_size = flow, [], size
            run.append(slot[: HEADER_BYTES + size])
        if current is not None:
            current.send(run, run_size)
        self._comes_in_bursts = number > 1
        self._wake()
