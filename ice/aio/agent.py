"""A connection to a peer through ICE, for users of this package alone."""

from __future__ import annotations

import asyncio
import collections
import os
import ssl
from collections.abc import Callable, Sequence

from ice import (
    Candidate,
    DatagramReceived,
    GatheringCompleted,
    HostAddressesRequested,
    IceAgent,
    IceConfig,
    IceCredentials,
    IceError,
    IceState,
    IceStateChanged,
    LocalCandidateGathered,
    ResolveRequested,
)
from transport import Event, IPAddress, RandomBytes, TransportAddress
from transport.aio import KernelSockets, MachineDriver, SocketFactory
from turn import TurnFramer

from .pacing import shared_pacer
from .resolver import resolve
from .sockets import open_host_sockets

MAX_QUEUED_DATAGRAMS = 1024
"""Datagrams that wait for ``receive``; as in a socket's buffer, later ones are dropped."""


class ConnectionFailed(IceError):
    """No path to the peer was found, or the one in use was lost."""


class ConnectionClosed(IceError):
    """``aclose`` was called."""


class IceConnection:
    """Datagrams to and from a peer, over whichever path ICE finds.

    On each side: ``await gather()``, convey ``local_credentials`` and
    ``local_candidates`` to the other, hand over what comes from there to ``set_remote``
    and ``add_remote_candidate``, then ``await connect()``::

        async with IceConnection(controlling=True) as connection:
            await connection.gather()
            ...
            await connection.connect()
            connection.send(b"hello")
            print(await connection.receive())

    ``on_candidate`` sees each local candidate as it is found: with it, for trickle,
    ``gather`` may run as a task meanwhile. ``tls`` is for TURN servers over TLS, by default
    the system's trust.
    """

    def __init__(
        self,
        *,
        controlling: bool,
        config: IceConfig | None = None,
        sockets: SocketFactory | None = None,
        addresses: Sequence[IPAddress] | None = None,
        loopback: bool = False,
        on_candidate: Callable[[Candidate], None] | None = None,
        tls: ssl.SSLContext | None = None,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        self.agent = IceAgent(
            controlling=controlling,
            random_bytes=random_bytes,
            config=config,
            pacer=shared_pacer(),
        )
        self.datagrams_dropped = 0
        self._sockets = KernelSockets() if sockets is None else sockets
        self._addresses = addresses
        self._loopback = loopback
        self._on_candidate = on_candidate
        self._driver = MachineDriver(self.agent, self._on_event, framer=TurnFramer, tls=tls)
        self._requested: list[HostAddressesRequested] = []
        self._resolving: set[asyncio.Task[None]] = set()
        self._received: collections.deque[bytes] = collections.deque()
        self._changed = asyncio.Event()

    async def __aenter__(self) -> IceConnection:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    @property
    def local_credentials(self) -> IceCredentials:
        return self.agent.local_credentials

    @property
    def local_candidates(self) -> tuple[Candidate, ...]:
        return self.agent.local_candidates

    @property
    def state(self) -> IceState:
        return self.agent.state

    async def gather(self) -> None:
        """Open sockets and find local candidates; servers that keep silent are not waited
        for longer than two seconds, unless without them there is no candidate at all.

        Raises:
            OSError: the kernel does not tell its addresses.
            ConnectionClosed: ``aclose`` was called.
        """
        self._driver.call(self.agent.gather)
        while self._requested:
            request = self._requested.pop(0)
            opened = await open_host_sockets(
                self._sockets, loopback=self._loopback, addresses=self._addresses
            )
            for sock in opened:
                self._driver.add_socket(sock)
            self._hosts_opened(request, [sock.local for sock in opened])
        while self.agent.state is not IceState.CLOSED:
            if self.agent.gathering_completed:
                return
            self._changed.clear()
            await self._changed.wait()
        raise ConnectionClosed("the connection is closed")

    def _hosts_opened(
        self, request: HostAddressesRequested, addresses: Sequence[TransportAddress]
    ) -> None:
        self._driver.call(
            lambda now: self.agent.hosts_opened(
                addresses, now, stream=request.stream, component=request.component
            )
        )

    def set_remote(self, credentials: IceCredentials, *, ice_lite: bool = False) -> None:
        """The peer's credentials.

        Raises:
            RestartRequired: they differ from those set before.
        """
        self._driver.call(
            lambda now: self.agent.set_remote_credentials(credentials, now=now, lite=ice_lite)
        )

    def add_remote_candidate(self, candidate: Candidate) -> None:
        self._driver.call(lambda now: self.agent.add_remote_candidate(candidate, now))

    def end_of_remote_candidates(self) -> None:
        self._driver.call(self.agent.remote_end_of_candidates)

    def restart(self) -> None:
        """Begin a new generation; convey ``local_credentials`` and the candidates anew."""
        self._driver.call(self.agent.restart)

    async def connect(self) -> None:
        """Wait until every component has its selected pair; bound it with a timeout if need be.

        Raises:
            ConnectionFailed: there is no path to the peer.
            ConnectionClosed: ``aclose`` was called.
        """
        await self._wait_for(lambda: self.agent.state is IceState.COMPLETED)

    def send(self, *segments: bytes) -> bool:
        """Send datagrams, all of one size but the last; False if there is no path yet."""
        return self._driver.call(lambda now: self.agent.send(segments, now))

    async def receive(self) -> bytes:
        """The next datagram of the peer.

        Raises:
            ConnectionFailed: the path is lost.
            ConnectionClosed: ``aclose`` was called.
        """
        await self._wait_for(lambda: bool(self._received))
        return self._received.popleft()

    async def aclose(self) -> None:
        """Stop, and close the sockets; twice is as good as once."""
        self._driver.call(self.agent.close)
        for task in self._resolving:
            task.cancel()
        await asyncio.gather(*self._resolving, return_exceptions=True)
        await self._driver.aclose()

    async def _wait_for(self, condition: Callable[[], bool]) -> None:
        while not condition():
            if self.agent.state is IceState.CLOSED:
                raise ConnectionClosed("the connection is closed")
            if self.agent.state is IceState.FAILED:
                raise ConnectionFailed("there is no path to the peer")
            self._changed.clear()
            await self._changed.wait()

    def _on_event(self, event: Event) -> None:
        match event:
            case DatagramReceived(data=data):
                self._queue(data)
            case HostAddressesRequested():
                self._requested.append(event)
            case LocalCandidateGathered(candidate=candidate) if self._on_candidate is not None:
                self._on_candidate(candidate)
            case ResolveRequested():
                task = asyncio.get_running_loop().create_task(self._resolve(event))
                self._resolving.add(task)
                task.add_done_callback(self._resolving.discard)
            case IceStateChanged() | GatheringCompleted():
                self._changed.set()
            case _:
                pass

    async def _resolve(self, request: ResolveRequested) -> None:
        addresses = await resolve(request)
        self._driver.call(lambda now: self.agent.resolved(request.token, addresses, now))

    def _queue(self, data: bytes) -> None:
        if len(self._received) >= MAX_QUEUED_DATAGRAMS:
            self.datagrams_dropped += 1
            return
        self._received.append(data)
        self._changed.set()
