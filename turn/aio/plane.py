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
    StreamWriter,
    allow_fragments,
    from_sockaddr,
    to_sockaddr,
)
from turn.server import ForwardingEntry, SwitchTarget

from .clients import ClientSocket
from .connected import ConnectedSocket, connect_beside, kernel_finds_connected_sockets
from .flows import Outlet, ToClient, ToNeighbour, ToPeer
from .listening import ListeningSocket
from .peers import PeerSocket
from .stream_clients import StreamClients

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

    For clients over DTLS the machine relays. ICMP errors for
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
        self._streams: StreamClients | None = None
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

    def add_streams(self, writer_of: Callable[[Path], StreamWriter | None]) -> StreamClients:
        """Serve clients on the streams of a driver, which shows us what comes from them."""
        self._streams = StreamClients(writer_of)
        return self._streams

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
        if client.transport.is_reliable:
            if self._streams is not None:
                self._streams.remove(client, channel)
        elif own is None:
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
        relayed = self._relayed.get(entry.relayed)
        if relayed is None or entry.peer.is_ipv6 != entry.relayed.is_ipv6:
            return
        peer: PeerSocket | None = None
        flow: ToPeer | None
        if entry.switched_to is None:
            peer = self._peer_socket(entry, relayed[0])
            flow = None if peer is None else ToPeer(entry.meter, peer.outlet)
        else:
            flow = self._flow_to_neighbour(entry, entry.switched_to)
        if flow is not None:
            self._add_flow(entry.client, entry.channel, flow)
            self._entries_of[entry.client] += 1
            self._installed[entry.client, entry.channel] = _Installed(entry, peer)

    def _peer_socket(self, entry: ForwardingEntry, relayed: socket.socket) -> PeerSocket | None:
        """For an entry with a peer outside; None if its client cannot be reached from here."""
        if not self._serves(entry.client):
            return None
        name = name_of(entry.peer)
        sock = connect_beside(relayed, name)
        outlet = self._outlet(entry.client)
        if outlet is None:
            sock.close()
            return None
        back = ToClient(entry.channel, entry.meter, outlet)
        on_icmp = functools.partial(self._on_icmp, entry.relayed)
        return PeerSocket(sock, name, back, loop=self._loop, on_icmp=on_icmp)

    def _flow_to_neighbour(self, entry: ForwardingEntry, target: SwitchTarget) -> ToPeer | None:
        """For an entry between two clients; None if one of them cannot be reached from here."""
        outlet: Outlet | None = None
        if (listening := self._listening_socket(target.client)) is not None:
            outlet = listening.outlet_to(name_of(target.client.remote))
        elif self._streams is not None and target.client.transport.is_reliable:
            outlet = self._streams.outlet_to(target.client)
        if outlet is None or not self._serves(entry.client):
            return None
        if (listening := self._listening_socket(entry.client)) is not None:
            self._connect_client(entry.client, listening)
        return ToNeighbour(entry.meter, outlet, target)

    def _add_flow(self, client: Path, channel: int, flow: ToPeer) -> None:
        if client.transport.is_reliable:
            assert self._streams is not None
            self._streams.add(client, channel, flow)
        elif (own := self._clients.get(client)) is not None:
            own.flows[channel] = flow
        else:
            self._listening[client.local].flows[name_of(client.remote), channel] = flow

    def _serves(self, client: Path) -> bool:
        """Whether what it sends passes here before the machine."""
        if client.transport.is_reliable:
            return self._streams is not None
        return self._listening_socket(client) is not None

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

    def _outlet(self, client: Path) -> Outlet | None:
        """The way to a client; None if it is gone."""
        listening = self._listening_socket(client)
        if listening is None:
            return None if self._streams is None else self._streams.outlet_to(client)
        self._connect_client(client, listening)
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
