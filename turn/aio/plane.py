"""The user-space data plane: moves the packets that the TURN server has decided about.

A ``ForwardingTable`` over ordinary sockets. A client and a peer with a channel between
them get a connected socket each, beside the listening and the relayed one. Each is read
up to 64 datagrams at a wake-up into preallocated slots, and a run of equally long ones
leaves in one system call. Clients beyond ``MAX_CONNECTED_CLIENTS`` share the listening
socket, at the cost of a look-up per datagram. Outgoing packets carry the host's own TTL,
DSCP and ECN (RFC 8656 section 14 allows the fixed values).
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import functools
import logging
import socket
from collections.abc import Callable

from transport import IcmpError, Path, TransportAddress, TransportProtocol
from transport.aio import (
    DropReason,
    KernelSocket,
    SocketAddress,
    allow_fragments,
    from_sockaddr,
    to_sockaddr,
)
from turn.server import ForwardingEntry

from .clients import ClientSocket
from .connected import ConnectedSocket, connect_beside, kernel_finds_connected_sockets
from .flows import ToClient, ToNeighbour, ToPeer
from .listening import ListeningSocket
from .outlet import Outlet
from .peers import PeerSocket

logger = logging.getLogger(__name__)

MAX_CONNECTED_CLIENTS = 256
"""Per plane. The kernel passes all of them to find the listening socket, for each datagram
from somebody else: that must stay far below what the datagram costs anyway."""


@dataclasses.dataclass(frozen=True, slots=True)
class PlaneStats:
    """What a plane holds, and what its sockets have dropped since it was made."""

    entries: int
    relayed_sockets: int
    connected_sockets: int
    drops: dict[DropReason, int]


@dataclasses.dataclass(frozen=True, slots=True)
class _Installed:
    """An entry that holds, and the socket that its peer sends to, if it has one."""

    entry: ForwardingEntry
    peer: PeerSocket | None


class UserSpacePlane:
    """All sockets of one relay, and the entries that hold on them; a ``ForwardingTable``.

    Clients on streams have no entries here: the machine relays for them. ICMP errors for
    what has left from a relayed transport address, whichever socket there has sent it, go
    to ``on_icmp`` with that address, from the loop.
    """

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        max_connected_clients: int = MAX_CONNECTED_CLIENTS,
        on_icmp: Callable[[TransportAddress, IcmpError], None] | None = None,
    ) -> None:
        self._loop = loop or asyncio.get_running_loop()
        self._on_icmp = on_icmp or _ignore
        self._listening: dict[TransportAddress, ListeningSocket] = {}
        self._relayed: dict[TransportAddress, tuple[socket.socket, KernelSocket]] = {}
        self._clients: dict[Path, ClientSocket] = {}
        self._installed: dict[tuple[Path, int], _Installed] = {}
        self._entries_of: collections.Counter[Path] = collections.Counter()
        self._drops: collections.Counter[DropReason] = collections.Counter()
        finds = kernel_finds_connected_sockets()
        self._max_connected_clients = max_connected_clients if finds else 0

    def add_listening(self, sock: socket.socket) -> ListeningSocket:
        """Take over a bound socket that clients send to."""
        allow_fragments(sock)
        listening = ListeningSocket(sock, loop=self._loop)
        self._listening[listening.local] = listening
        return listening

    def add_relayed(self, sock: socket.socket) -> KernelSocket:
        """Take over a bound socket that peers send to."""
        allow_fragments(sock)
        on_icmp = functools.partial(self._on_icmp, from_sockaddr(sock.getsockname()))
        relayed = KernelSocket(sock, loop=self._loop, on_icmp=on_icmp)
        self._relayed[relayed.local] = sock, relayed
        return relayed

    def is_relayed(self, address: TransportAddress) -> bool:
        """Whether one of the relayed sockets has this address."""
        return address in self._relayed

    def remove_relayed(self, address: TransportAddress) -> None:
        """Forget a socket; it is closed by whoever reads it."""
        relayed = self._relayed.pop(address, None)
        if relayed is not None:
            self._drops.update(relayed[1].stats().drops)

    def upsert(self, entry: ForwardingEntry) -> None:
        before = self._installed.get((entry.client, entry.channel))
        if before is not None and before.entry == entry:
            return
        self.remove(entry.client, entry.channel)
        try:
            self._install(entry)
        except OSError as error:  # without an entry the machine relays
            logger.debug("no entry for %s: %s", entry.peer, error)

    def remove(self, client: Path, channel: int) -> None:
        installed = self._installed.pop((client, channel), None)
        if installed is None:
            return
        if installed.peer is not None:
            self._close(installed.peer)
        self._entries_of[client] -= 1
        own = self._clients.get(client)
        if own is None:
            self._listening[client.local].flows.pop((name_of(client.remote), channel), None)
        else:
            del own.flows[channel]
        if not self._entries_of[client]:
            del self._entries_of[client]
            if own is not None:
                self._close(self._clients.pop(client))

    def close(self) -> None:
        """Close what the plane has opened itself."""
        for client, channel in list(self._installed):
            self.remove(client, channel)

    def stats(self) -> PlaneStats:
        peers = [each.peer for each in self._installed.values() if each.peer is not None]
        connected: list[ConnectedSocket] = [*self._clients.values(), *peers]
        drops = self._drops.copy()
        for own in connected:
            drops.update(own.stats().drops)
        for listening in self._listening.values():
            drops.update(listening.stats().drops)
        for _, relayed in self._relayed.values():
            drops.update(relayed.stats().drops)
        return PlaneStats(len(self._installed), len(self._relayed), len(connected), dict(drops))

    def _install(self, entry: ForwardingEntry) -> None:
        client, relayed = entry.client, self._relayed.get(entry.relayed)
        listening = self._listening_socket(client)
        if listening is None or relayed is None or entry.peer.is_ipv6 != entry.relayed.is_ipv6:
            return
        flow: ToPeer
        peer: PeerSocket | None = None
        if entry.switched_to is None:
            name = name_of(entry.peer)
            sock = connect_beside(relayed[0], name)
            self._connect_client(client, listening)
            back = ToClient(entry.channel, entry.meter, self._outlet(client, listening))
            on_icmp = functools.partial(self._on_icmp, entry.relayed)
            peer = PeerSocket(sock, name, back, loop=self._loop, on_icmp=on_icmp)
            flow = ToPeer(entry.meter, peer.outlet)
        else:
            target = self._listening_socket(entry.switched_to.client)
            if target is None:
                return
            self._connect_client(client, listening)
            outlet = target.outlet_to(name_of(entry.switched_to.client.remote))
            flow = ToNeighbour(entry.meter, outlet, entry.switched_to)
        own = self._clients.get(client)
        if own is None:
            listening.flows[name_of(client.remote), entry.channel] = flow
        else:
            own.flows[entry.channel] = flow
        self._entries_of[client] += 1
        self._installed[client, entry.channel] = _Installed(entry, peer)

    def _connect_client(self, client: Path, listening: ListeningSocket) -> None:
        """Give a client a socket of its own, if this is its first entry and there is room."""
        if self._entries_of[client] or len(self._clients) >= self._max_connected_clients:
            return
        name = name_of(client.remote)
        try:
            sock = connect_beside(listening.socket, name)
        except OSError as error:
            logger.debug("%s shares the listening socket: %s", client.remote, error)
            return
        self._clients[client] = ClientSocket(
            sock, name, client=client.remote, listening=listening, loop=self._loop
        )

    def _outlet(self, client: Path, listening: ListeningSocket) -> Outlet:
        own = self._clients.get(client)
        return listening.outlet_to(name_of(client.remote)) if own is None else own.outlet

    def _close(self, sock: ConnectedSocket) -> None:
        self._drops.update(sock.stats().drops)
        sock.close()

    def _listening_socket(self, client: Path) -> ListeningSocket | None:
        if client.transport is not TransportProtocol.UDP:
            return None
        return self._listening.get(client.local)


def _ignore(relayed: TransportAddress, error: IcmpError) -> None:
    """Where nobody asks for ICMP errors."""


def name_of(address: TransportAddress) -> SocketAddress:
    """An address exactly as recvfrom names it, so that it serves as a key.

    Python and the C library do not write every IPv6 address alike.

    Raises:
        OSError: there is no interface of the address's zone.
    """
    sockaddr = to_sockaddr(address)
    if not address.is_ipv6:
        return sockaddr
    return (socket.inet_ntop(socket.AF_INET6, address.ip.packed), *sockaddr[1:])
