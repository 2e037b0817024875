"""A simulated host of the harness: netsim has UDP only, and rows want more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from conformance.aio import AsyncioWire
from conformance.wire import DatagramLink
from netsim import Process
from transport import IPAddress, Path, TransportAddress, TransportProtocol

from .mutants.mutant import Mutant, Segments
from .pipes import MemoryEnd, MemoryListener
from .streams import MemoryAssociation, MemoryStream

if TYPE_CHECKING:
    from .world import MutantMachine

UNIX_TIME = 1_700_000_000.0
"""When the simulation begins."""

LATE = 605.0
"""Seconds: an allocation has ended by then."""


class MarkedMemory:
    """A simulated socket; all that it receives has the TOS that the server gives it."""

    def __init__(self, socket: DatagramLink, tos: int) -> None:
        self._socket = socket
        self.tos = 0
        self.last_tos: int | None = tos

    @property
    def local(self) -> TransportAddress:
        return self._socket.local

    async def send(self, data: bytes, remote: TransportAddress) -> None:
        await self._socket.send(data, remote)

    async def receive(self, seconds: float) -> tuple[bytes, TransportAddress] | None:
        return await self._socket.receive(seconds)

    def close(self) -> None:
        self._socket.close()


class SimulatedWire(AsyncioWire):
    """A simulated host with TCP to and from the server that ``process`` runs."""

    def __init__(
        self,
        process: Process[MutantMachine],
        *,
        local: IPAddress,
        mutant: Mutant,
    ) -> None:
        super().__init__(per_second=1e6, local=local)
        self._tos = mutant.tos
        self._segments = mutant.segments
        self._protocols = mutant.protocols
        self._process = process
        self._host = local
        self._next_port = 20_000
        self._has_connected = False

    def unix_time(self) -> float:
        return UNIX_TIME + self._process.now

    async def open_marked(self, ip: IPAddress) -> MarkedMemory:
        return MarkedMemory(await self.open_datagrams(ip), self._tos)

    async def open_stream(  # type: ignore[override]  # another kind of stream
        self,
        transport: TransportProtocol,
        remote: TransportAddress,
        *,
        server_name: str | None = None,
        local: TransportAddress | None = None,
        protocols: Sequence[str] = (),
    ) -> MemoryStream | MemoryEnd:
        near = local if local is not None and local.port else self._new_address()
        machine = self._process.machine
        if remote not in machine.listening:
            return machine.tcp.arrive(self._process, remote, near)
        path = Path(transport, remote, near)
        stream = MemoryStream(path, self._process, self._segments)
        self._connected(path, stream)
        return stream

    async def open_association(  # type: ignore[override]  # another kind of association
        self,
        remote: TransportAddress,
        *,
        local: TransportAddress,
        server_name: str | None = None,
        protocols: Sequence[str] = (),
    ) -> MemoryAssociation:
        near = local if local.port else self._new_address()
        path = Path(TransportProtocol.DTLS, remote, near)
        agreed = next((each for each in protocols if each in self._protocols), None)
        association = MemoryAssociation(path, self._process, self._segments, agreed)
        self._connected(path, association)
        return association

    def _connected(self, path: Path, link: MemoryStream | MemoryAssociation) -> None:
        self._process.machine.streams[path] = link
        if self._segments is not Segments.ENDS_FIRST_LATE:
            self._process.call(lambda machine, now: machine.connected(path, now))
        elif not self._has_connected:
            asyncio.get_running_loop().call_later(LATE, link.lose, "closed by the server")
        self._has_connected = True

    async def open_listener(  # type: ignore[override]  # another kind of listener
        self, ip: IPAddress, *, is_deaf: bool = False
    ) -> MemoryListener:
        listener = MemoryListener(self._new_address(), is_deaf=is_deaf)
        self._process.machine.tcp.peers[listener.local] = listener
        return listener

    def _new_address(self) -> TransportAddress:
        self._next_port += 1
        return TransportAddress(self._host, self._next_port)
