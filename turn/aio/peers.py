"""From peers to clients: a connected socket for each peer with a channel."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from transport import IcmpError
from transport.aio import SocketAddress

from .connected import ConnectedSocket
from .flows import NO_RUN, ToClient
from .slots import CHANNEL_HEADER, HEADER_BYTES, ROOM, SLOT, SLOTS


class PeerSocket(ConnectedSocket):
    """At a relayed transport address, for one peer: all it receives is for ``flow``."""

    def __init__(
        self,
        sock: socket.socket,
        remote: SocketAddress,
        flow: ToClient,
        *,
        loop: asyncio.AbstractEventLoop,
        on_icmp: Callable[[IcmpError], None] | None = None,
    ) -> None:
        super().__init__(sock, remote, loop=loop, on_icmp=on_icmp)
        self._flow = flow

    def take_one(self) -> None:
        if self._comes_in_bursts:
            self.drain()
            return
        try:
            size = self._recv_into(ROOM)
        except BlockingIOError:  # it was an error that made it readable
            self._kernel.read_errors()
            return
        except OSError as error:
            self._receive_failed(error)
            return
        flow = self._flow
        CHANNEL_HEADER.pack_into(SLOT, 0, flow.channel, size)
        flow.send_one(SLOT[: HEADER_BYTES + size], size)

    def drain(self) -> None:
        recv_into, pack, flow = self._recv_into, CHANNEL_HEADER.pack_into, self._flow
        channel = flow.channel
        run: list[memoryview] = []
        run_size = NO_RUN
        for number, slot, room in SLOTS:  # noqa: B007 - looked at behind the loop
            try:
                size = recv_into(room)
            except BlockingIOError:
                break
            except OSError as error:
                self._receive_failed(error)
                continue
            pack(slot, 0, channel, size)
            if size != run_size:
                if run:
                    flow.send(run, run_size)
                run, run_size = [], size
            run.append(slot[: HEADER_BYTES + size])
        if run:
            flow.send(run, run_size)
        self._comes_in_bursts = number > 1
        if number == 0:
            self._kernel.read_errors()
