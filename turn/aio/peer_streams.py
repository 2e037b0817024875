"""TCP connections through a relay, as asyncio's streams (RFC 6062)."""

from __future__ import annotations

import asyncio
import collections
import functools
import ssl
from collections.abc import Callable

from transport import Event, TransportAddress
from transport.aio import ClientTls, DatagramSocket
from turn.client import (
    AllocationGone,
    ClientState,
    FailureReason,
    PeerConnected,
    PeerConnectFailed,
    PeerConnectionAttempted,
    PeerRefused,
    TurnClient,
)
from turn.client.limits import MAX_ATTEMPTS
from turn.framing import TurnFramer

from .in_use import AllocationInUse

_Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_Key = TransportAddress | int
"""A peer that we connect to, or the attempt of one that connects to us."""


class TcpRelay(AllocationInUse):
    """An allocation in use, for TCP connections. Made by ``connect_tcp``.

    Each connection is a stream to the server of its own, and carries bytes as they are.
    It ends where the peer's does, and with the allocation at the latest: what a writer is
    to hand over, ``drain`` and ``wait_closed`` wait for.
    """

    def __init__(
        self,
        client: TurnClient,
        *,
        sock: DatagramSocket | None = None,
        tls: ssl.SSLContext | ClientTls | None = None,
        on_reached: Callable[[], None] | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._opening: dict[_Key, asyncio.Future[_Pair]] = {}
        self._attempts: collections.deque[PeerConnectionAttempted] = collections.deque(
            maxlen=MAX_ATTEMPTS
        )
        self._writers: set[asyncio.StreamWriter] = set()
        super().__init__(client, sock=sock, tls=tls, on_reached=on_reached)

    async def open_connection(self, peer: TransportAddress) -> _Pair:
        """Connect to a peer, from the relayed transport address.

        After a failure the same peer is tried again no sooner than 10 seconds later, for
        which this waits.

        Raises:
            PeerRefused: the server cannot reach it (code 447), forbids it (403), or has a
                connection to it already (446).
            AllocationGone: there is no allocation any more.
            ClientStateError: a connection to it is being made already.
            ValueError: it is not of the relayed transport address's family.
        """
        self._expect_alive()
        self._driver.call(lambda now: self.client.connect_peer(peer, now))
        return await self._opened(peer)

    async def accept(self) -> tuple[TransportAddress, asyncio.StreamReader, asyncio.StreamWriter]:
        """The next connection that a peer opens which ``permit`` has let in.

        Raises:
            AllocationGone: there will be none.
        """
        while True:
            while not self._attempts:
                self._expect_alive()
                await self._next_change()
            attempt = self._attempts.popleft()
            self._expect_alive()
            self._driver.call(functools.partial(self.client.accept_peer, attempt.attempt))
            try:
                reader, writer = await self._opened(attempt.attempt)
            except PeerRefused:  # it was not waited for any longer
                continue
            return attempt.peer, reader, writer

    async def aclose(self) -> None:
        """Close all connections, and have the server delete the allocation."""
        for writer in self._writers:
            writer.close()
        await super().aclose()
        self._fail_all()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def _on_event(self, event: Event) -> None:
        super()._on_event(event)
        if self.client.state is not ClientState.ALLOCATED:
            self._fail_all()

    def _on_further_event(self, event: Event) -> None:
        match event:
            case PeerConnected():
                self._connected(event)
            case PeerConnectFailed(peer, attempt, code, reason, phrase):
                self._fail(_key(peer, attempt), PeerRefused(code, reason, phrase))
            case PeerConnectionAttempted():
                self._attempts.append(event)
            case _:
                pass

    async def _opened(self, key: _Key) -> _Pair:
        """Wait for what was asked of the client a moment ago."""
        future: asyncio.Future[_Pair] = self._loop.create_future()
        self._opening[key] = future
        try:
            return await future
        finally:
            if self._opening.get(key) is future:
                del self._opening[key]

    def _connected(self, event: PeerConnected) -> None:
        reader = asyncio.StreamReader(loop=self._loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=self._loop)
        stream = self._driver.detach_stream(event.path, protocol)
        key = _key(event.peer, event.attempt)
        if stream is None:  # it has broken behind its last message
            self._fail(key, PeerRefused(None, FailureReason.UNREACHABLE))
            return
        protocol.connection_made(stream.transport)
        writer = asyncio.StreamWriter(stream.transport, protocol, reader, self._loop)
        future = self._opening.get(key)
        if future is None or future.done():  # nobody waits for it any more
            writer.close()
            return
        stream.transport.resume_reading()
        assert isinstance(stream.framer, TurnFramer)
        reader.feed_data(stream.framer.take_rest())
        self._writers = {each for each in self._writers if not each.is_closing()} | {writer}
        future.set_result((reader, writer))

    def _fail(self, key: _Key, error: Exception) -> None:
        future = self._opening.get(key)
        if future is not None and not future.done():
            future.set_exception(error)

    def _fail_all(self) -> None:
        for key in tuple(self._opening):
            self._fail(key, AllocationGone(self._lost))


def _key(peer: TransportAddress, attempt: int | None) -> _Key:
    return peer if attempt is None else attempt
