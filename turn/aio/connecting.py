"""Getting a relay, of whichever server a URI stands for gives one."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import ssl
from collections.abc import AsyncIterator, Sequence
from typing import Final, Generic, TypeVar

from stun import AddressFamily, IpProtocol, ServerUri
from stun.aio import Resolver, Search, open_way, resolve
from stun.resolution import Target
from transport import RandomBytes, TransportProtocol
from transport.aio import ClientTls, KernelSockets, SocketFactory
from turn.client import (
    AllocationError,
    ClientConfig,
    ServerMemory,
    ServerSelection,
    TurnClient,
)

from .client import Relay
from .grants import GrantProvider
from .in_use import CLOSE_TIMEOUT, AllocationInUse
from .peer_streams import TcpRelay

ALPN: Final = "stun.turn"
"""What TLS and DTLS are offered for (RFC 7443)."""

TRANSPORTS: Final = (
    TransportProtocol.UDP,
    TransportProtocol.TCP,
    TransportProtocol.TLS,
    TransportProtocol.DTLS,
)
"""What ``connect`` tries where the URI leaves it open: what delays data least comes first,
then what most networks let out."""

STREAMS: Final = (TransportProtocol.TCP, TransportProtocol.TLS)
"""The same of ``connect_tcp`` (RFC 6062 section 4.1)."""


@contextlib.asynccontextmanager
async def connect(
    server: str | ServerUri,
    username: str | None = None,
    password: str | None = None,
    *,
    config: ClientConfig | None = None,
    memory: ServerMemory | None = None,
    transports: Sequence[TransportProtocol] = TRANSPORTS,
    family: AddressFamily | None = None,
    server_name: str | None = None,
    tls: ssl.SSLContext | ClientTls | None = None,
    ca: str | None = None,
    sockets: SocketFactory | None = None,
    resolver: Resolver | None = None,
    grants: GrantProvider | None = None,
    random_bytes: RandomBytes = os.urandom,
) -> AsyncIterator[Relay]:
    """An allocation on a TURN server, deleted at the end of the block.

    ``server`` is a URI of RFC 7065::

        async with connect("turn:relay.example.org", "user", "password") as relay:
            await relay.permit(peer.ip)
            relay.send(peer, b"hello")
            source, data = await relay.receive()

    DNS says which servers there are and how to reach them (RFC 5928). They are tried in its
    order, the addresses of one beside each other, over all of ``transports`` that the URI
    admits, and where they send us (300), until one gives an allocation. ``family`` leaves out
    the servers' addresses of the other one; that of the relayed transport address is in
    ``config``. For ``turns:`` the system's certificate authorities are trusted, or those in
    the file ``ca``, or ``tls`` says; with an IP address it takes a ``server_name``.
    ``memory`` is shared by the connections of a process: what a server has refused with 437,
    486 or 508 is not asked of it again for the time that RFC 8656 section 7.4 says.
    ``grants`` gets access tokens for servers that take them (RFC 7635); username and password
    may be left out then.

    Raises:
        AllocationError: no server gave an allocation.
        ResolutionError: the URI leads to no server; a ValueError too, unless it is for DNS.
        DecodeError: ``server`` is no URI of RFC 7065.
        ValueError: it is no URI of a TURN server.
    """
    config = config or ClientConfig()
    targets = await _targets(
        server,
        transports=transports,
        server_name=server_name or config.server_name,
        family=family,
        resolver=resolver,
        random_bytes=random_bytes,
    )
    opener = _Opener(
        Relay,
        username=username,
        password=password,
        config=config,
        memory=memory or ServerMemory(),
        sockets=sockets or KernelSockets(),
        tls=tls or ClientTls(ca=ca, alpn=(ALPN,)),
        grants=grants,
        random_bytes=random_bytes,
    )
    async with opener.opened(targets) as relay:
        yield relay


@contextlib.asynccontextmanager
async def connect_tcp(
    server: str | ServerUri,
    username: str | None = None,
    password: str | None = None,
    *,
    config: ClientConfig | None = None,
    memory: ServerMemory | None = None,
    transports: Sequence[TransportProtocol] = STREAMS,
    family: AddressFamily | None = None,
    server_name: str | None = None,
    tls: ssl.SSLContext | ClientTls | None = None,
    ca: str | None = None,
    resolver: Resolver | None = None,
    grants: GrantProvider | None = None,
    random_bytes: RandomBytes = os.urandom,
) -> AsyncIterator[TcpRelay]:
    """An allocation for TCP connections to peers (RFC 6062), deleted at the end of the block.

    For each there is a reader and a writer, as of ``asyncio.open_connection``::

        async with connect_tcp("turn:relay.example.org", "user", "password") as relay:
            reader, writer = await relay.open_connection(peer)
            ...
            await relay.permit(other.ip)
            peer, reader, writer = await relay.accept()

    The server is reached over TCP or TLS. All else is as with ``connect``, and so are the
    errors; a server that does not offer it answers 442.
    """
    config = dataclasses.replace(config or ClientConfig(), protocol=IpProtocol.TCP)
    targets = await _targets(
        server,
        transports=transports,
        server_name=server_name or config.server_name,
        family=family,
        resolver=resolver,
        random_bytes=random_bytes,
    )
    opener = _Opener(
        TcpRelay,
        username=username,
        password=password,
        config=config,
        memory=memory or ServerMemory(),
        sockets=KernelSockets(),
        tls=tls or ClientTls(ca=ca, alpn=(ALPN,)),
        grants=grants,
        random_bytes=random_bytes,
    )
    async with opener.opened(targets) as relay:
        yield relay


async def _targets(
    server: str | ServerUri,
    *,
    transports: Sequence[TransportProtocol],
    server_name: str | None,
    family: AddressFamily | None,
    resolver: Resolver | None,
    random_bytes: RandomBytes,
) -> Sequence[Target]:
    uri = ServerUri.parse(server) if isinstance(server, str) else server
    if not uri.scheme.is_turn:
        raise ValueError(f"{uri} is no URI of a TURN server")
    return await resolve(
        uri,
        supported=transports,
        server_name=server_name,
        family=family,
        resolver=resolver,
        random_bytes=random_bytes,
    )


R = TypeVar("R", bound=AllocationInUse)


class _Opener(Generic[R]):
    """Makes a client for each target that is tried, and a relay of ``kind`` around it."""

    def __init__(
        self,
        kind: type[R],
        *,
        username: str | None,
        password: str | None,
        config: ClientConfig,
        memory: ServerMemory,
        sockets: SocketFactory,
        tls: ssl.SSLContext | ClientTls,
        grants: GrantProvider | None,
        random_bytes: RandomBytes,
    ) -> None:
        self._kind = kind
        self._username = username
        self._password = password
        self._config = config
        if grants is not None:
            self._config = dataclasses.replace(config, third_party_auth=True)
        self._memory = memory
        self._sockets = sockets
        self._tls = tls
        self._grants = grants
        self._random_bytes = random_bytes

    @contextlib.asynccontextmanager
    async def opened(self, targets: Sequence[Target]) -> AsyncIterator[R]:
        """
        Raises:
            AllocationError: no server gave an allocation.
        """
        selection = ServerSelection(targets, self._memory)

        async def attempt(number: int, target: Target) -> R | None:
            return await self._try(number, target, selection=selection, search=search)

        search = Search(selection, attempt)
        try:
            relay = await search.run()
            if relay is None:
                assert selection.failure is not None  # nothing is exhausted without a failure
                raise AllocationError(selection.failure)
            try:
                yield relay
            finally:
                await relay.aclose()
        finally:
            await search.aclose()

    async def _try(
        self,
        number: int,
        target: Target,
        *,
        selection: ServerSelection,
        search: Search[R],
    ) -> R | None:
        try:
            path, sock = await open_way(target, self._sockets)
        except OSError as error:
            reason = str(error)
            search.call(lambda now: selection.unusable(number, reason, now))
            return None
        client = TurnClient(
            path,
            username=self._username,
            password=self._password,
            random_bytes=self._random_bytes,
            config=dataclasses.replace(self._config, server_name=target.server_name),
            memory=self._memory,
        )
        relay = self._kind(
            client, sock=sock, tls=self._tls, on_reached=lambda: search.reached(number)
        )
        relay.provide(self._sockets, self._grants)
        failure, is_kept = None, False
        try:
            failure = await relay.allocate()
            is_kept = failure is None
        finally:
            if not is_kept:
                await relay.abandon(0.0 if search.is_closing else CLOSE_TIMEOUT)
        if failure is None:
            return relay
        search.call(lambda now: selection.allocation_failed(number, failure, now))
        return None
