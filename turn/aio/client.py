"""A TURN client for users of this package alone: datagrams through a relay."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import functools
import os
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from socket import SOCK_DGRAM
from typing import Final

from stun import ServerUri
from transport import (
    Event,
    IPAddress,
    Path,
    RandomBytes,
    TransportAddress,
    TransportProtocol,
)
from transport.aio import DatagramSocket, KernelSockets, MachineDriver, SocketFactory
from turn.client import (
    Allocated,
    AllocationError,
    AllocationFailed,
    AllocationGone,
    AllocationLost,
    ChannelRefused,
    ClientConfig,
    ClientState,
    DataReceived,
    FailureReason,
    IcmpReceived,
    PeerRefused,
    PermissionRefused,
    ServerMemory,
    TurnClient,
)
from turn.framing import TurnFramer

MAX_QUEUED_DATAGRAMS: Final = 1024
"""Datagrams that wait for ``receive``; as in a socket's buffer, later ones are dropped."""

MAX_QUEUED_ICMP: Final = 64
"""ICMP errors that wait for ``receive_icmp``; the oldest goes."""

MAX_REDIRECTIONS: Final = 3
"""Alternate servers followed, each once (RFC 8489 section 10)."""

MAX_LOCAL_PORTS: Final = 3
"""5-tuples tried on a server that goes on saying 437 (RFC 8656 section 7.4)."""

CLOSE_TIMEOUT: Final = 1.0
"""What a silent server may delay ``aclose`` by; the allocation expires by itself."""

_ANY: Final = {4: TransportAddress.parse("0.0.0.0", 0), 6: TransportAddress.parse("::", 0)}


class Relay:
    """An allocation in use. Made by ``connect``.

    Peers must be let in first, with ``permit`` or ``bind_channel``; both last until the
    end. ``relayed`` is where peers send to, ``mapped`` our address as the server sees it.
    """

    def __init__(
        self,
        client: TurnClient,
        *,
        sock: DatagramSocket | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.client = client
        self.datagrams_dropped = 0
        self._driver = MachineDriver(client, self._on_event, framer=TurnFramer, tls=tls)
        self._allocated: Allocated | None = None
        self._failed: AllocationFailed | None = None
        self._lost: FailureReason | None = None
        self._refusals: dict[IPAddress | TransportAddress, PeerRefused] = {}
        self._received: collections.deque[tuple[TransportAddress, bytes]] = collections.deque()
        self._icmp: collections.deque[IcmpReceived] = collections.deque(maxlen=MAX_QUEUED_ICMP)
        self._changed = asyncio.Event()
        if sock is not None:
            self._driver.add_socket(sock)

    @property
    def relayed(self) -> TransportAddress:
        return self._allocation.relayed

    @property
    def relayed_addresses(self) -> tuple[TransportAddress, ...]:
        """All of them: a dual allocation (``ClientConfig.dual``) has two, IPv4 first."""
        return self.client.relayed_addresses

    @property
    def mapped(self) -> TransportAddress:
        return self._allocation.mapped

    @property
    def _allocation(self) -> Allocated:
        if self._allocated is None:
            raise AllocationGone
        return self._allocated

    async def permit(self, *ips: IPAddress) -> None:
        """Let peers send to us, from any port of these IP addresses.

        Raises:
            PeerRefused: the server forbids one of them; the others are permitted.
            AllocationGone: there is no allocation any more.
            ValueError: one is not of the relayed transport address's family.
        """
        self._expect_alive()
        for ip in ips:
            self._refusals.pop(ip, None)
        self._driver.call(lambda now: self.client.create_permissions(ips, now))
        for ip in ips:
            await self._settled(ip, functools.partial(self.client.has_permission, ip))

    async def bind_channel(self, peer: TransportAddress) -> None:
        """Let a peer in, and have its data go with less overhead.

        Raises:
            PeerRefused: the server forbids it.
            AllocationGone: there is no allocation any more.
            ValueError: it is not of the relayed transport address's family.
        """
        self._expect_alive()
        self._refusals.pop(peer, None)
        self._driver.call(lambda now: self.client.bind_channel(peer, now))
        await self._settled(peer, functools.partial(self.client.has_channel, peer))

    def send(self, peer: TransportAddress, *segments: bytes, dscp: int | None = None) -> bool:
        """Send datagrams; False if the peer has no permission. Like UDP, it may lose them."""
        return self._driver.call(lambda now: self.client.send(peer, segments, now, dscp=dscp))

    def send_unfragmented(self, peer: TransportAddress, data: bytes) -> bool:
        """Send a datagram that is lost, and not cut, where it is too long for the way.

        ``receive_icmp`` may tell. False if the peer has no permission, or the server does
        not know DONT-FRAGMENT.

        Raises:
            ValueError: the server was not asked: ``ClientConfig.dont_fragment`` does.
        """
        return self._driver.call(lambda now: self.client.send_unfragmented(peer, data, now))

    async def receive_icmp(self) -> IcmpReceived:
        """The next ICMP error for what was sent to a peer.

        Raises:
            AllocationGone: there will be none.
        """
        while not self._icmp:
            self._expect_alive()
            await self._next_change()
        return self._icmp.popleft()

    async def receive(self) -> tuple[TransportAddress, bytes]:
        """The next datagram and the peer that sent it.

        Raises:
            AllocationGone: there will be none.
        """
        while not self._received:
            self._expect_alive()
            await self._next_change()
        return self._received.popleft()

    async def allocate(self) -> AllocationFailed | None:
        """Get the allocation; what ``connect`` does. Returns why it failed, if it did."""
        self._driver.call(self.client.allocate)
        while self._allocated is None and self._failed is None:
            await self._next_change()
        return self._failed

    async def aclose(self) -> None:
        """Have the server delete the allocation, and close; twice is as good as once."""
        self._driver.call(self.client.release)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                while self.client.state is not ClientState.CLOSED:
                    await self._next_change()
        await self._driver.aclose()
        self._changed.set()

    def _on_event(self, event: Event) -> None:
        match event:
            case DataReceived(peer=peer, data=data):
                if len(self._received) < MAX_QUEUED_DATAGRAMS:
                    self._received.append((peer, data))
                else:
                    self.datagrams_dropped += 1
            case IcmpReceived():
                self._icmp.append(event)
            case Allocated():
                self._allocated = event
            case AllocationFailed():
                self._failed = event
            case AllocationLost(reason=reason):
                self._lost = reason
            case PermissionRefused(ip=ip, code=code, reason=reason, phrase=phrase):
                self._refusals[ip] = PeerRefused(code, reason, phrase)
            case ChannelRefused(peer=peer, code=code, reason=reason, phrase=phrase):
                self._refusals[peer] = PeerRefused(code, reason, phrase)
            case _:
                pass
        self._changed.set()

    async def _settled(
        self, peer: IPAddress | TransportAddress, is_done: Callable[[], bool]
    ) -> None:
        while not is_done():
            refused = self._refusals.pop(peer, None)
            if refused is not None:
                raise refused
            self._expect_alive()
            await self._next_change()

    def _expect_alive(self) -> None:
        if self.client.state is not ClientState.ALLOCATED:
            raise AllocationGone(self._lost)

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


@contextlib.asynccontextmanager
async def connect(
    server: str,
    username: str,
    password: str,
    *,
    config: ClientConfig | None = None,
    memory: ServerMemory | None = None,
    sockets: SocketFactory | None = None,
    tls: ssl.SSLContext | None = None,
    random_bytes: RandomBytes = os.urandom,
) -> AsyncIterator[Relay]:
    """An allocation on a TURN server, deleted at the end of the block.

    ``server`` is a URI of RFC 7065::

        async with connect("turn:relay.example.org", "user", "password") as relay:
            await relay.permit(peer.ip)
            relay.send(peer, b"hello")
            source, data = await relay.receive()

    All addresses of the server's name are tried in turn, and where it sends us (300);
    ``tls`` is for ``turns:``, by default the system's trust.

    Raises:
        AllocationError: no server gave an allocation.
        DecodeError: ``server`` is no URI of RFC 7065.
        ValueError: it is no TURN URI, or one over a transport that is not spoken here.
        OSError: its name cannot be resolved, or no socket opened.
    """
    uri = ServerUri.parse(server)
    opener = _Opener(
        _protocol(uri),
        username=username,
        password=password,
        config=config or ClientConfig(server_name=uri.host),
        memory=memory or ServerMemory(),
        sockets=sockets or KernelSockets(),
        tls=tls,
        random_bytes=random_bytes,
    )
    relay = await opener.open(await _resolve(uri))
    try:
        yield relay
    finally:
        await relay.aclose()


class _Opener:
    """Tries one server address after the other."""

    def __init__(
        self,
        transport: TransportProtocol,
        *,
        username: str,
        password: str,
        config: ClientConfig,
        memory: ServerMemory,
        sockets: SocketFactory,
        tls: ssl.SSLContext | None,
        random_bytes: RandomBytes,
    ) -> None:
        self._transport = transport
        self._username = username
        self._password = password
        self._config = config
        self._memory = memory
        self._sockets = sockets
        self._tls = tls
        self._random_bytes = random_bytes

    async def open(self, addresses: Sequence[TransportAddress]) -> Relay:
        waiting = collections.deque((address, self._config) for address in addresses)
        tries: collections.Counter[TransportAddress] = collections.Counter()
        redirections = 0
        while True:
            address, config = waiting.popleft()
            tries[address] += 1
            failure = await self._try(address, config)
            if isinstance(failure, Relay):
                return failure
            alternate = failure.alternate
            if failure.reason is FailureReason.MISMATCH and tries[address] < MAX_LOCAL_PORTS:
                waiting.appendleft((address, config))
            elif alternate and alternate not in tries and redirections < MAX_REDIRECTIONS:
                redirections += 1
                name = failure.alternate_domain or config.server_name
                waiting.appendleft((alternate, dataclasses.replace(config, server_name=name)))
            if not waiting:
                raise AllocationError(failure)

    async def _try(
        self, server: TransportAddress, config: ClientConfig
    ) -> Relay | AllocationFailed:
        local, sock = _ANY[server.ip.version], None
        if self._transport is TransportProtocol.UDP:
            sock = await self._sockets.open(local)
            local = sock.local
        client = TurnClient(
            Path(self._transport, local, server),
            username=self._username,
            password=self._password,
            random_bytes=self._random_bytes,
            config=config,
            memory=self._memory,
        )
        async with contextlib.AsyncExitStack() as unless_kept:
            relay = Relay(client, sock=sock, tls=self._tls)
            unless_kept.push_async_callback(relay.aclose)
            failure = await relay.allocate()
            if failure is None:
                unless_kept.pop_all()
        return failure or relay


def _protocol(uri: ServerUri) -> TransportProtocol:
    protocol = uri.protocol
    if not uri.scheme.is_turn or protocol is None:
        raise ValueError(f"{uri} is no URI of a TURN server over UDP, TCP, TLS or DTLS")
    return protocol


async def _resolve(uri: ServerUri) -> list[TransportAddress]:
    found = await asyncio.get_running_loop().getaddrinfo(uri.host, uri.port, type=SOCK_DGRAM)
    return [TransportAddress.parse(str(host), uri.port) for *_, (host, *_rest) in found]
