"""The user-space data plane: moves the packets that the TURN server has decided about.

A ``ForwardingTable`` over ordinary sockets. Each of them is read up to 64 datagrams at a
wake-up into preallocated slots; every datagram costs one look-up, and a run of equally
long ones to the same place leaves in one system call. Outgoing packets carry the host's
own TTL, DSCP and ECN (RFC 8656 section 14 allows the fixed values).
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import logging
import socket

from transport import Path, TransportAddress, TransportProtocol
from transport.aio import DropReason
from turn.server import ForwardingEntry

from .flows import ToClient, ToNeighbour, ToPeer
from .listening import ListeningSocket
from .plane_socket import name_of
from .relayed import RelayedSocket

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class PlaneStats:
    """What a plane holds, and what its sockets have dropped since it was made."""

    entries: int
    relayed_sockets: int
    drops: dict[DropReason, int]


class UserSpacePlane:
    """All sockets of one relay, and the entries that hold on them; a ``ForwardingTable``.

    Clients on streams have no entries here: the machine relays for them.
    """

    def __init__(self, *, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop or asyncio.get_running_loop()
        self._listening: dict[TransportAddress, ListeningSocket] = {}
        self._relayed: dict[TransportAddress, RelayedSocket] = {}
        self._entries: dict[tuple[Path, int], ForwardingEntry] = {}
        self._drops: collections.Counter[DropReason] = collections.Counter()

    def add_listening(self, sock: socket.socket) -> ListeningSocket:
        """Take over a bound socket that clients send to."""
        listening = ListeningSocket(sock, loop=self._loop)
        self._listening[listening.local] = listening
        return listening

    def add_relayed(self, sock: socket.socket) -> RelayedSocket:
        """Take over a bound socket that peers send to."""
        relayed = RelayedSocket(sock, loop=self._loop)
        self._relayed[relayed.local] = relayed
        return relayed

    def is_relayed(self, address: TransportAddress) -> bool:
        """Whether one of the relayed sockets has this address."""
        return address in self._relayed

    def remove_relayed(self, address: TransportAddress) -> None:
        """Forget a socket; it is closed by whoever reads it."""
        relayed = self._relayed.pop(address, None)
        if relayed is not None:
            self._drops.update(relayed.stats().drops)

    def upsert(self, entry: ForwardingEntry) -> None:
        self.remove(entry.client, entry.channel)
        try:
            self._install(entry)
        except OSError as error:  # an address in a zone that is gone: the machine will see
            logger.debug("no entry for %s: %s", entry.peer, error)

    def remove(self, client: Path, channel: int) -> None:
        entry = self._entries.pop((client, channel), None)
        if entry is None:
            return
        if listening := self._listening.get(client.local):
            listening.flows.pop((name_of(client.remote), channel), None)
        if relayed := self._relayed.get(entry.relayed):
            relayed.flows.pop(name_of(entry.peer), None)

    def stats(self) -> PlaneStats:
        drops = self._drops.copy()
        for sock in (*self._listening.values(), *self._relayed.values()):
            drops.update(sock.stats().drops)
        return PlaneStats(len(self._entries), len(self._relayed), dict(drops))

    def _install(self, entry: ForwardingEntry) -> None:
        listening = self._listening_socket(entry.client)
        relayed = self._relayed.get(entry.relayed)
        if listening is None or relayed is None:
            return
        if entry.peer.is_ipv6 != relayed.local.is_ipv6:
            return
        client, peer = name_of(entry.client.remote), name_of(entry.peer)
        flow: ToPeer
        if entry.switched_to is None:
            flow = ToPeer(entry.meter, relayed.outlet, peer)
            relayed.flows[peer] = ToClient(entry.channel, entry.meter, listening.outlet, client)
        else:
            target = self._listening_socket(entry.switched_to.client)
            if target is None:
                return
            remote = name_of(entry.switched_to.client.remote)
            flow = ToNeighbour(entry.meter, entry.switched_to, target.outlet, remote)
        listening.flows[client, entry.channel] = flow
        self._entries[entry.client, entry.channel] = entry

    def _listening_socket(self, client: Path) -> ListeningSocket | None:
        if client.transport is not TransportProtocol.UDP:
            return None
        return self._listening.get(client.local)
