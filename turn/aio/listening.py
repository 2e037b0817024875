"""From clients to peers: the sockets at the listening addresses."""

from __future__ import annotations

import asyncio
import socket

from transport.aio import SocketAddress

from .flows import ToPeer
from .plane_socket import PlaneSocket
from .slots import CHANNEL_HEADER, HEADER_BYTES, SLOT, SLOTS


class ListeningSocket(PlaneSocket):
    """One listening address; ``flows`` has the channels of its clients."""

    def __init__(self, sock: socket.socket, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(sock, loop=loop)
        self.flows: dict[tuple[SocketAddress, int], ToPeer] = {}

    def take_one(self) -> None:
        if self._comes_in_bursts:
            self.drain()
            return
        try:
            received, source = self._recvfrom_into(SLOT)
        except BlockingIOError:
            return
        except OSError as error:
            self._receive_failed(error)
            return
        if received >= HEADER_BYTES:
            channel, size = CHANNEL_HEADER.unpack_from(SLOT)
            flow = self.flows.get((source, channel))
            if flow is not None and size <= received - HEADER_BYTES:
                flow.send_one(SLOT[flow.offset : HEADER_BYTES + size], size)
                return
        self._keep(SLOT[:received], source)
        self._wake()

    def drain(self) -> None:
        recvfrom_into = self._recvfrom_into
        find, unpack = self.flows.get, CHANNEL_HEADER.unpack_from
        touched: list[ToPeer] = []
        for number, slot, _ in SLOTS:  # noqa: B007 - looked at behind the loop
            try:
                received, source = recvfrom_into(slot)
            except BlockingIOError:
                break
            except OSError as error:
                self._receive_failed(error)
                continue
            if received >= HEADER_BYTES:
                channel, size = unpack(slot)
                flow = find((source, channel))
                if flow is not None and size <= received - HEADER_BYTES:
                    part = slot[flow.offset : HEADER_BYTES + size]
                    if size == flow.size:
                        flow.run.append(part)
                    else:
                        touched.append(flow)
                        flow.begin(part, size)
                    continue
            self._keep(slot[:received], source)
        for flow in touched:
            flow.flush()
        self._comes_in_bursts = number > 1
        self._wake()
