"""Runs a TURN server on the sockets of this host (RFC 8656)."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import socket
import time
from collections.abc import Callable, Sequence
from typing import Self

from transport import Event, IcmpError, Path, Transmit, TransportAddress
from transport.aio import KernelSockets, MachineDriver
from turn.server import (
    AllocationEnded,
    AllocationSnapshot,
    RelayReleased,
    RelayRequested,
    ServerConfig,
    ServerStats,
    TurnServer,
)

from .alternates import bind_alternates, with_addresses
from .plane import PlaneStats, UserSpacePlane

logger = logging.getLogger(__name__)

RELAYED_BUFFER_BYTES = 1 << 20
"""Of a relayed socket: a burst of some hundred packets. There may be thousands of them."""


class RelayServer:
    """A TURN server on bound UDP sockets, which are its own from then on.

    ``config.listening`` is replaced by what the sockets are bound to; with an alternate
    address, ``bind_alternates`` has made three of them. Events about
    allocations go to ``on_event``, which must not raise. Needs a running loop; under
    ``turn.aio.RelayEventLoop`` it costs the least.

        async with RelayServer.open(config) as relay: ...
    """

    def __init__(
        self,
        config: ServerConfig,
        listening: Sequence[socket.socket],
        *,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._plane = UserSpacePlane(loop=loop, on_icmp=self._icmp_received)
        sockets = [self._plane.add_listening(sock) for sock in listening]
        self.config = with_addresses(config, listening)
        self._server = TurnServer(
            self.config,
            random_bytes=os.urandom,
            table=self._plane,
            wall_clock_offset=time.time() - loop.time(),
        )
        self._on_event = on_event
        self._relay_sockets = KernelSockets(receive_buffer_bytes=RELAYED_BUFFER_BYTES)
        self._is_empty = asyncio.Event()
        self._driver = MachineDriver(_RelayMachine(self._server, self._plane), self._handle)
        for each in sockets:
            self._driver.add_socket(each)

    @classmethod
    def open(cls, config: ServerConfig, *, on_event: Callable[[Event], None] | None = None) -> Self:
        """A server on new sockets at ``config.listening``; port 0 lets the system choose.

        Raises:
            OSError: an address cannot be bound.
            ValueError: the alternate address does not fit to the others.
        """
        bound: list[socket.socket] = []
        try:
            for address in config.listening:
                bound.append(KernelSockets().bind(address))
            bound += bind_alternates(config, bound)
        except (OSError, ValueError):
            for sock in bound:
                sock.close()
            raise
        return cls(config, bound, on_event=on_event)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    @property
    def addresses(self) -> tuple[TransportAddress, ...]:
        """Where it listens."""
        return self.config.listening

    def stats(self) -> ServerStats:
        return self._server.stats()

    def plane_stats(self) -> PlaneStats:
        return self._plane.stats()

    def allocations(self) -> tuple[AllocationSnapshot, ...]:
        """What there is now, with the seconds that are left."""
        return self._server.allocations(self._driver.now())

    async def drain(self, patience: float) -> None:
        """Take no new allocations, and wait at most ``patience`` seconds until none is left."""
        self._driver.call(self._server.drain)
        if self._server.stats().allocations:
            self._is_empty.clear()
            try:
                await asyncio.wait_for(self._is_empty.wait(), patience)
            except TimeoutError:
                left = self._server.stats().allocations
                logger.info("%d allocations are left after %.1f s", left, patience)

    async def aclose(self) -> None:
        """End all allocations and close every socket."""
        self._driver.call(self._server.close)
        await self._driver.aclose()
        self._plane.close()

    def _handle(self, event: Event) -> None:
        match event:
            case RelayRequested(token, address):
                self._open_relayed(token, address)
            case RelayReleased(relayed):
                self._plane.remove_relayed(relayed)
                self._driver.remove_socket(relayed)
            case _:
                self._report(event)

    def _report(self, event: Event) -> None:
        if isinstance(event, AllocationEnded) and not self._server.stats().allocations:
            self._is_empty.set()
        if self._on_event is not None:
            self._on_event(event)

    def _icmp_received(self, relayed: TransportAddress, error: IcmpError) -> None:
        self._driver.feed(lambda now: self._server.receive_icmp(error, relayed, now))
        self._driver.drain()

    def _open_relayed(self, token: int, address: TransportAddress) -> None:
        try:
            sock = self._relay_sockets.bind(address)
        except OSError as error:
            logger.debug("%s cannot be bound: %s", address, error)
            self._driver.call(functools.partial(self._server.relay_refused, token))
            return
        relayed = self._plane.add_relayed(sock)
        self._driver.add_socket(relayed)
        self._driver.call(functools.partial(self._server.relay_opened, token, relayed.local))


class _RelayMachine:
    """The server as the one machine of its driver: tells clients from peers by the socket."""

    def __init__(self, server: TurnServer, plane: UserSpacePlane) -> None:
        self._server = server
        self._plane = plane

    def receive(self, data: bytes, path: Path, now: float) -> None:
        if self._plane.is_relayed(path.local):
            self._server.receive_relayed(data, path.remote, path.local, now)
        else:
            self._server.receive(data, path, now)

    def handle_timeout(self, now: float) -> None:
        self._server.handle_timeout(now)

    def next_timeout(self) -> float | None:
        return self._server.next_timeout()

    def poll_transmit(self) -> Transmit | None:
        return self._server.poll_transmit()

    def poll_event(self) -> Event | None:
        return self._server.poll_event()
