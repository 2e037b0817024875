"""Runs a TURN server on the sockets of this host (RFC 8656)."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import logging
import os
import ssl
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

from transport import Event, IcmpError, Path, TransportAddress, TransportProtocol
from transport.aio import KernelSockets, MachineDriver, StreamWriter
from turn.framing import TurnFramer
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
from .listeners import Endpoint, Listener, ServerCertificate, bind_endpoints
from .machine import RelayMachine
from .plane import PlaneStats, UserSpacePlane
from .tcp_relay import TcpRelays

if TYPE_CHECKING:
    from transport.dtls import DtlsIdentity

    from .secured import SecuredClients

logger = logging.getLogger(__name__)

RELAYED_BUFFER_BYTES = 1 << 20
"""Of a relayed socket: a burst of some hundred packets. There may be thousands of them."""


class RelayServer:
    """A TURN server on bound sockets, which are its own from then on.

    ``listeners`` are for UDP, DTLS, TCP and TLS as they say, and ``config.listening`` and
    ``stream_listening`` are replaced by what they are bound to; with an alternate address,
    ``bind_alternates`` has made three of them. TLS and DTLS need a ``certificate``. Events
    about allocations go to ``on_event``, which must not raise. Needs a running loop; under
    ``turn.aio.RelayEventLoop`` it costs the least.

        async with RelayServer.open(config) as relay: ...
    """

    def __init__(
        self,
        config: ServerConfig,
        listeners: Sequence[Listener],
        *,
        certificate: ServerCertificate | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        """
        Raises:
            ImportError: DTLS needs the extra ``dtls``.
            OSError: the certificate cannot be read, or makes no sense to TLS.
            ValueError: it makes none to DTLS, or there is none for TLS or DTLS; or the
                alternate address does not fit to the others.
        """
        loop = asyncio.get_running_loop()
        self.endpoints = tuple(each for one in listeners for each in one.endpoints)
        """What clients may use."""
        datagrams = [each.socket for each in listeners if not each.is_stream]
        streams = tuple(each.address for each in listeners if each.is_stream)
        security = _Security(certificate, self.endpoints)
        self._plane = UserSpacePlane(loop=loop, on_icmp=self._icmp_received)
        self.config = with_addresses(
            dataclasses.replace(config, stream_listening=streams), datagrams
        )
        self._server = TurnServer(
            self.config,
            random_bytes=os.urandom,
            table=self._plane,
            wall_clock_offset=time.time() - loop.time(),
        )
        self._on_event = on_event
        self._relay_sockets = KernelSockets(receive_buffer_bytes=RELAYED_BUFFER_BYTES)
        self._is_empty = asyncio.Event()
        self._machine = RelayMachine(
            self._server,
            self._plane,
            udp=_at(self.endpoints, TransportProtocol.UDP),
            dtls=_at(self.endpoints, TransportProtocol.DTLS),
            secured=security.clients(self._server),
        )
        switch = self._plane.add_streams(self._stream_writer)
        self._driver = MachineDriver(self._machine, self._handle, framer=TurnFramer, switch=switch)
        self._tcp = TcpRelays(self._server, self._driver)
        for sock in datagrams:
            self._driver.add_socket(self._plane.add_listening(sock))
        for each in listeners:
            if each.is_stream:
                tls = security.tls if TransportProtocol.TLS in each.transports else None
                self._driver.add_listener(each.socket, tls=tls)

    @classmethod
    def open(
        cls,
        config: ServerConfig,
        *,
        endpoints: Sequence[Endpoint] = (),
        certificate: ServerCertificate | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> Self:
        """A server on new sockets: UDP at ``config.listening``, and at ``endpoints`` what
        they say; port 0 lets the system choose.

        Raises:
            EndpointUnavailable: an address cannot be bound.
            AlternateUnavailable: an alternate one cannot.
            ImportError, OSError, ValueError: as the constructor says.
        """
        over_udp = [Endpoint(TransportProtocol.UDP, each) for each in config.listening]
        with contextlib.ExitStack() as unless_kept:
            listeners = bind_endpoints((*over_udp, *endpoints))
            for each in listeners:
                unless_kept.enter_context(each.socket)
            datagrams = [each.socket for each in listeners if not each.is_stream]
            for sock in bind_alternates(config, datagrams):
                unless_kept.enter_context(sock)
                listeners.append(Listener(sock, frozenset({TransportProtocol.UDP})))
            server = cls(config, listeners, certificate=certificate, on_event=on_event)
            unless_kept.pop_all()
        return server

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    @property
    def addresses(self) -> tuple[TransportAddress, ...]:
        """Where it takes datagrams."""
        return self.config.listening

    def stats(self) -> ServerStats:
        return self._server.stats()

    def plane_stats(self) -> PlaneStats:
        return self._plane.stats()

    def allocations(self) -> tuple[AllocationSnapshot, ...]:
        """What there is now, with the seconds that are left."""
        return self._server.allocations(self._driver.now())

    async def drain(
        self,
        patience: float,
        *,
        alternate: TransportAddress | None = None,
        alternate_domain: str | None = None,
    ) -> None:
        """Take no new allocations, and wait at most ``patience`` seconds until none is left.

        New clients are sent to ``alternate``, whose certificate names ``alternate_domain``.
        """
        self._driver.call(
            lambda now: self._server.drain(
                now, alternate=alternate, alternate_domain=alternate_domain
            )
        )
        if self._server.stats().allocations:
            self._is_empty.clear()
            try:
                await asyncio.wait_for(self._is_empty.wait(), patience)
            except TimeoutError:
                left = self._server.stats().allocations
                logger.info("%d allocations are left after %.1f s", left, patience)

    async def aclose(self) -> None:
        """End all allocations and close every socket."""
        self._driver.call(self._machine.close)
        await self._tcp.aclose()
        await self._driver.aclose()
        self._plane.close()

    def _stream_writer(self, path: Path) -> StreamWriter | None:
        return self._driver.stream_writer(path)

    def _handle(self, event: Event) -> None:
        match event:
            case RelayRequested(token, address):
                self._open_relayed(token, address)
            case RelayReleased(relayed):
                self._plane.remove_relayed(relayed)
                self._driver.remove_socket(relayed)
                self._tcp.release(relayed)
            case _ if not self._tcp.handle(event):
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


class _Security:
    """What the secure ones of some endpoints need, read from the files of a certificate."""

    def __init__(
        self, certificate: ServerCertificate | None, endpoints: Sequence[Endpoint]
    ) -> None:
        secure = {each.transport for each in endpoints if each.is_secure}
        if secure and certificate is None:
            raise ValueError("TLS and DTLS need a certificate")
        self.tls: ssl.SSLContext | None = None
        self._identity: DtlsIdentity | None = None
        if certificate is not None and TransportProtocol.TLS in secure:
            self.tls = certificate.tls()
        if certificate is not None and TransportProtocol.DTLS in secure:
            self._identity = certificate.dtls()

    def clients(self, server: TurnServer) -> SecuredClients | None:
        """Those over DTLS, if there may be any."""
        if self._identity is None:
            return None
        from .secured import SecuredClients  # an extra, for those who listen with DTLS

        return SecuredClients(server, self._identity, random_bytes=os.urandom)


def _at(endpoints: Sequence[Endpoint], transport: TransportProtocol) -> frozenset[TransportAddress]:
    return frozenset(each.address for each in endpoints if each.transport is transport)
