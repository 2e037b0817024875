"""An allocation in use, whatever it relays: permissions, moves, tokens, and the end."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ssl
from collections.abc import Callable
from typing import Final

from stun import AddressFamily
from stun.aio import open_way
from stun.resolution import Target
from transport import Event, IPAddress, TransportAddress
from transport.aio import ClientTls, DatagramSocket, KernelSockets, MachineDriver, SocketFactory
from turn.client import (
    AddressFamilyReleased,
    Allocated,
    AllocationFailed,
    AllocationGone,
    AllocationLost,
    ClientState,
    FailureReason,
    Moved,
    MoveFailed,
    MoveRefused,
    PeerRefused,
    PermissionRefused,
    ServerReached,
    TokenRequested,
    TurnClient,
)
from turn.framing import TurnFramer

from .grants import GrantProvider, GrantSource

OLD_SOCKET_LINGER: Final = 2.0
"""Seconds that the old socket is read after a move: a round trip, and the three times that
the server is told to use the new one."""

CLOSE_TIMEOUT: Final = 1.0
"""What a silent server may delay ``aclose`` by; the allocation expires by itself."""


class AllocationInUse:
    """What a relay of datagrams and one of connections have in common.

    Peers must be let in with ``permit``, which lasts until the end. ``relayed`` is where
    peers send to, ``mapped`` our address as the server sees it.
    """

    def __init__(
        self,
        client: TurnClient,
        *,
        sock: DatagramSocket | None = None,
        tls: ssl.SSLContext | ClientTls | None = None,
        on_reached: Callable[[], None] | None = None,
    ) -> None:
        self.client = client
        self._on_reached = on_reached
        self._driver = MachineDriver(client, self._on_event, framer=TurnFramer, tls=tls)
        self._allocated: Allocated | None = None
        self._failed: AllocationFailed | None = None
        self._lost: FailureReason | None = None
        self._sockets: SocketFactory = KernelSockets()
        self._grants = GrantSource(_no_grant, client, self._driver)
        self._moved: Moved | MoveFailed | None = None
        self._refusals: dict[IPAddress | TransportAddress, PeerRefused] = {}
        self._released_families: set[AddressFamily] = set()
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
    def reservation_token(self) -> bytes | None:
        """Stands for the next port, if ``ClientConfig.port`` has had it held."""
        return self._allocation.reservation_token

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

    async def release_family(self, family: AddressFamily) -> None:
        """Give back one address of a dual allocation, with its permissions and channels.

        Raises:
            AllocationGone: there is no allocation any more.
            ValueError: there are no two addresses.
        """
        self._expect_alive()
        self._driver.call(lambda now: self.client.release_family(family, now))
        while family not in self._released_families:
            self._expect_alive()
            await self._next_change()

    async def allocate(self) -> AllocationFailed | None:
        """Get the allocation; what ``connect`` does. Returns why it failed, if it did."""
        self._driver.call(self.client.allocate)
        while self._allocated is None and self._failed is None:
            await self._next_change()
        return self._failed

    def provide(self, sockets: SocketFactory, grants: GrantProvider | None) -> None:
        """What ``connect`` was given for later: sockets to move to, and access tokens."""
        self._sockets = sockets
        if grants is not None:
            self._grants = GrantSource(grants, self.client, self._driver)

    async def move(self) -> None:
        """Go on from another local port, or stream: the network has changed, or will (RFC 8016).

        Peers notice nothing. ``ClientConfig.mobility`` has asked for what it takes. A stream
        that breaks is opened again without being asked for.

        Raises:
            ClientStateError: the server does not offer it, or a move is under way.
            MoveRefused: the server does not answer there, or has refused.
            AllocationGone: there is no allocation any more.
            OSError: there is no socket, or no way to the server.
        """
        self._expect_alive()
        old = self.client.path
        target = Target(old.transport, old.remote, str(old.remote.ip))
        path, sock = await open_way(target, self._sockets)
        if sock is not None:
            self._driver.add_socket(sock)
        self._moved = None
        try:
            self._driver.call(functools.partial(self.client.move, path))
            while self._moved is None:
                self._expect_alive()
                await self._next_change()
            if isinstance(self._moved, MoveFailed):
                raise MoveRefused(self._moved.code, self._moved.reason, self._moved.phrase)
        except BaseException:
            if sock is not None:
                self._driver.remove_socket(sock.local)
            raise
        if sock is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(OLD_SOCKET_LINGER, self._driver.remove_socket, old.local)

    async def aclose(self) -> None:
        """Have the server delete the allocation, and close; twice is as good as once."""
        self._driver.call(self.client.release)
        await self._close_within(CLOSE_TIMEOUT)

    async def abandon(self, patience: float) -> None:
        """Close what nobody needs, for another relay was faster. Seconds of ``patience`` are
        for what the server may have granted meanwhile, to be deleted."""
        self._driver.call(self.client.abandon)
        await self._close_within(patience)

    async def _close_within(self, patience: float) -> None:
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    while self.client.state is not ClientState.CLOSED:
                        await self._next_change()
        finally:
            await self._grants.aclose()
            await self._driver.aclose()
            self._changed.set()

    def _on_event(self, event: Event) -> None:
        match event:
            case Allocated():
                self._allocated = event
            case AllocationFailed():
                self._failed = event
            case ServerReached() if self._on_reached is not None:
                self._on_reached()
            case AllocationLost(reason=reason):
                self._lost = reason
            case _:
                self._on_answer(event)
        self._changed.set()

    def _on_answer(self, event: Event) -> None:
        """To what a verb has asked of the server."""
        match event:
            case AddressFamilyReleased(family=family):
                self._released_families.add(family)
            case Moved() | MoveFailed():
                self._moved = event
            case TokenRequested(server_name=server_name):
                self._grants.request(server_name)
            case PermissionRefused(ip=ip, code=code, reason=reason, phrase=phrase):
                self._refusals[ip] = PeerRefused(code, reason, phrase)
            case _:
                self._on_further_event(event)

    def _on_further_event(self, event: Event) -> None:
        """What the one kind of relay hears, and the other does not."""

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


async def _no_grant(server_name: str) -> None:
    """What there is without a provider; the client does not ask then."""
