"""TCP between the simulated server and peers (RFC 6062), right or with one fault."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from conformance.building import MessageBuilder, u32, xor_address
from conformance.codes import MAGIC_COOKIE, Attr, Class, Method
from netsim import Process
from transport import Event, TransportAddress
from turn.server import (
    ConnectionsJoined,
    PeerCloseRequested,
    PeerConnectRequested,
    TcpRelayRequested,
)

from .mutants.mutant import TcpFault
from .pipes import MemoryEnd, MemoryListener, Pipe, connection
from .streams import MemoryStream

if TYPE_CHECKING:
    from .world import MutantMachine

COOKIE: Final = MAGIC_COOKIE.to_bytes(4, "big")
MUCH: Final = 1000
"""Bytes, more than messages have that look like data."""


@dataclasses.dataclass(frozen=True)
class Way:
    """What may be wrong with one of the two ways that bytes go."""

    keeps: TcpFault
    spoils: TcpFault
    loses: TcpFault
    says_goodbye: TcpFault


TO_PEERS: Final = Way(
    TcpFault.KEEPS_PEER,
    TcpFault.SPOILS_MUCH_TO_PEERS,
    TcpFault.LOSES_MUCH_TO_PEERS,
    TcpFault.SAYS_GOODBYE_TO_PEERS,
)
TO_CLIENTS: Final = Way(
    TcpFault.KEEPS_CLIENT,
    TcpFault.SPOILS_MUCH_TO_CLIENTS,
    TcpFault.LOSES_MUCH_TO_CLIENTS,
    TcpFault.SAYS_GOODBYE_TO_CLIENTS,
)

TOO_SOON: Final = 10.0
"""Seconds; RFC 6062 has 30 for everything."""


class SimulatedTcp:
    """Does what the server asks for its TCP allocations."""

    def __init__(self, fault: TcpFault | None) -> None:
        self.peers: dict[TransportAddress, MemoryListener] = {}
        self._fault = fault
        self._relayed: set[TransportAddress] = set()
        self._pending: dict[int, MemoryEnd] = {}
        self._opened_by_peers: set[int] = set()
        self._joints: dict[int, tuple[MemoryEnd, MemoryEnd]] = {}
        self._outliving: set[Pipe] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def handle(self, process: Process[MutantMachine], event: Event) -> None:
        """Do what an event asks for, if it is one of TCP allocations."""
        match event:
            case TcpRelayRequested(token, address):
                self._relayed.add(address)
                process.call(lambda relay, now: relay.relay.relay_opened(token, address, now))
            case PeerConnectRequested(connection_id, relayed, peer):
                self._connect(process, connection_id, relayed, peer)
            case ConnectionsJoined():
                self._join(process, event)
            case PeerCloseRequested(connection_id):
                self._close(connection_id)
            case _:
                pass

    def release(self, relayed: TransportAddress) -> bool:
        """Listen no more; False if it is no address of TCP."""
        was_there = relayed in self._relayed
        self._relayed.discard(relayed)
        return was_there

    def arrive(
        self, process: Process[MutantMachine], relayed: TransportAddress, source: TransportAddress
    ) -> MemoryEnd:
        """A peer connects to a relayed transport address.

        Raises:
            OSError: nothing listens there.
        """
        if relayed not in self._relayed or self._fault is TcpFault.DEAF:
            raise ConnectionRefusedError("nothing listens")
        theirs, ours = connection(source, relayed)
        connection_id = process.call(
            lambda machine, now: machine.relay.peer_accepted(relayed, source, now)
        )
        if connection_id is not None:
            self._opened_by_peers.add(connection_id)
            self._wait(connection_id, ours)
        elif self._fault is TcpFault.TELLS_OF_STRANGERS:
            for stream in process.machine.streams.values():
                stream.deliver(_attempt(source))
        if connection_id is None and self._fault is not TcpFault.KEEPS_STRANGERS:
            ours.close()
        return theirs

    def _connect(
        self,
        process: Process[MutantMachine],
        connection_id: int,
        relayed: TransportAddress,
        peer: TransportAddress,
    ) -> None:
        listener = self.peers.get(peer)
        if listener is None or not listener.is_open:
            process.call(lambda relay, now: relay.relay.peer_failed(connection_id, now))
        elif not listener.is_deaf:
            other = TransportAddress(relayed.ip, relayed.port ^ 1)
            source = other if self._fault is TcpFault.FROM_ANOTHER_PORT else relayed
            ours, theirs = connection(source, peer)
            if self._fault is not TcpFault.CONNECTS_NOBODY:
                listener.arrive(theirs)
            self._wait(connection_id, ours)
            process.call(lambda relay, now: relay.relay.peer_connected(connection_id, now))
            if self._fault is TcpFault.FORGETS_PENDING:
                self._forget(process, connection_id)
        elif self._fault is TcpFault.FORGETS_CONNECTING:
            self._forget(process, connection_id)
        elif self._fault is TcpFault.GIVES_UP_SOON:
            fail = functools.partial(_fail, connection_id)
            asyncio.get_running_loop().call_later(TOO_SOON, process.call, fail)

    def _forget(self, process: Process[MutantMachine], connection_id: int) -> None:
        process.call(lambda relay, now: relay.relay.peer_disconnected(connection_id, now))

    def _wait(self, connection_id: int, ours: MemoryEnd) -> None:
        """For the client to bind it."""
        self._pending[connection_id] = ours
        if self._fault is TcpFault.CLOSES_SOON:
            asyncio.get_running_loop().call_later(TOO_SOON, ours.close)

    def _join(self, process: Process[MutantMachine], event: ConnectionsJoined) -> None:
        peer = self._pending.pop(event.connection_id)
        stream = process.machine.streams.pop(event.client, None)
        if not isinstance(stream, MemoryStream):
            peer.close()
            return
        client = stream.detach()
        self._joints[event.connection_id] = client, peer
        if self._fault is TcpFault.FORGETS_ACTIVE:
            self._forget(process, event.connection_id)
        task = asyncio.get_running_loop().create_task(
            self._carry(process, event.connection_id, client, peer)
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(
        self,
        process: Process[MutantMachine],
        connection_id: int,
        client: MemoryEnd,
        peer: MemoryEnd,
    ) -> None:
        fault = self._fault
        if fault is TcpFault.LOSES_EARLY:
            await peer.incoming.read()
        await asyncio.gather(
            self._pass_on(client.incoming, peer.outgoing, TO_PEERS),
            self._pass_on(peer.incoming, client.outgoing, TO_CLIENTS),
        )
        if self._joints.pop(connection_id, None) is not None:
            self._forget(process, connection_id)

    async def _pass_on(self, source: Pipe, sink: Pipe, way: Way) -> None:
        while data := await source.read():
            data = self._changed(data, way)
            if self._fault is TcpFault.HAS_NO_BOUND:
                sink.put(data)
            elif data:
                await sink.write(data)
        if self._fault is way.says_goodbye:
            sink.put(b"goodbye")
        if self._fault is not way.keeps and sink not in self._outliving:
            sink.end()

    def _changed(self, data: bytes, way: Way) -> bytes:
        """What goes on of some bytes."""
        is_much = len(data) > MUCH
        is_framed = self._fault is TcpFault.FRAMES_TO_PEERS and way is TO_PEERS
        if self._fault is TcpFault.FRAMES or is_framed:
            return b"\x40\x00" + len(data).to_bytes(2, "big") + data
        if self._fault is TcpFault.READS_DATA and data[:1] < b"\x40" and way is TO_PEERS:
            return b"" if data[4:8] == COOKIE else data
        if self._fault is way.spoils and is_much:
            return data[:-1] + bytes([data[-1] ^ 1])
        return data[:-9] if self._fault is way.loses and is_much else data

    def _close(self, connection_id: int) -> None:
        ours = self._pending.pop(connection_id, None)
        kept = {TcpFault.KEEPS_UNBOUND}
        if connection_id in self._opened_by_peers:
            kept.add(TcpFault.KEEPS_UNBOUND_OF_PEERS)
        if ours is not None and self._fault not in kept:
            ours.close()
        if self._fault is TcpFault.OUTLIVES_ALLOCATION:
            return
        joint = self._joints.pop(connection_id, ())
        if self._fault is TcpFault.SAYS_GOODBYE_AT_DELETION_TO_CLIENTS:
            _say_goodbye(joint[:1])
        elif self._fault is TcpFault.SAYS_GOODBYE_AT_DELETION_TO_PEERS:
            _say_goodbye(joint[1:])
        if self._fault is TcpFault.PEER_OUTLIVES_ALLOCATION:
            self._outliving.update(end.outgoing for end in joint[1:])
        for end in joint:
            if end.outgoing not in self._outliving:
                end.close()


def _say_goodbye(ends: Sequence[MemoryEnd]) -> None:
    for end in ends:
        end.outgoing.put(b"goodbye")


def _fail(connection_id: int, machine: MutantMachine, now: float) -> None:
    machine.relay.peer_failed(connection_id, now)


def _attempt(source: TransportAddress) -> bytes:
    builder = MessageBuilder(Method.CONNECTION_ATTEMPT, Class.INDICATION, bytes(12))
    builder.add(Attr.XOR_PEER_ADDRESS, xor_address(source, builder.transaction_id))
    return builder.add(Attr.CONNECTION_ID, u32(1)).build()
