"""The sockets of TCP allocations (RFC 6062): listening, connecting, joining."""

from __future__ import annotations

import asyncio
import functools
import logging
import socket
from typing import Final

from transport import Event, TransportAddress
from transport.aio import Acceptor, MachineDriver, stream_socket, to_sockaddr
from turn.framing import TurnFramer
from turn.server import (
    ConnectionsJoined,
    PeerCloseRequested,
    PeerConnectRequested,
    TcpRelayRequested,
    TurnServer,
)

from .joint import Joint

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT: Final = 1.0
"""Seconds for the last bytes of a connection whose allocation is gone."""


class TcpRelays:
    """Does what a server asks for its TCP allocations, beside its driver."""

    def __init__(self, server: TurnServer, driver: MachineDriver) -> None:
        self._server = server
        self._driver = driver
        self._loop = asyncio.get_running_loop()
        self._listeners: dict[TransportAddress, Acceptor] = {}
        self._connecting: dict[int, asyncio.Task[None]] = {}
        self._pending: dict[int, socket.socket] = {}
        self._joints: dict[int, Joint] = {}
        self._joining: set[asyncio.Task[None]] = set()
        self._all_gone = asyncio.Event()

    def __len__(self) -> int:
        """How many connections to peers there are."""
        return len(self._pending) + len(self._joints)

    def handle(self, event: Event) -> bool:
        """Do what an event asks for; False if it is not one of TCP allocations."""
        match event:
            case TcpRelayRequested(token, address):
                self._open(token, address)
            case PeerConnectRequested(connection_id, relayed, peer):
                task = self._loop.create_task(self._connect(connection_id, relayed, peer))
                self._connecting[connection_id] = task
            case ConnectionsJoined():
                self._join(event)
            case PeerCloseRequested(connection_id):
                self._close(connection_id)
            case _:
                return False
        return True

    def release(self, relayed: TransportAddress) -> None:
        """Listen no more; the address need not be one of TCP."""
        listener = self._listeners.pop(relayed, None)
        if listener is not None:
            listener.close()

    async def aclose(self) -> None:
        """Close every socket, and wait until nothing is left, at most ``CLOSE_TIMEOUT``."""
        for relayed in list(self._listeners):
            self.release(relayed)
        tasks = [*self._connecting.values(), *self._joining]
        for connection_id in {*self._connecting, *self._pending, *self._joints}:
            self._close(connection_id)
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._joints:
            self._all_gone.clear()
            await self._all_gone.wait()

    def _open(self, token: int, address: TransportAddress) -> None:
        try:
            listener = self._listen(address)
        except OSError as error:
            logger.debug("%s cannot be listened on: %s", address, error)
            self._driver.call(functools.partial(self._server.relay_refused, token))
            return
        self._listeners[address] = listener
        self._driver.call(functools.partial(self._server.relay_opened, token, address))

    def _listen(self, relayed: TransportAddress) -> Acceptor:
        """Others may be bound beside what listens, but only from then on: a port that another
        program has is an error."""
        sock = stream_socket(relayed)
        try:
            sock.bind(to_sockaddr(relayed))
            acceptor = Acceptor(sock, functools.partial(self._accept, relayed), loop=self._loop)
        except BaseException:
            sock.close()
            raise
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return acceptor

    def _accept(
        self, relayed: TransportAddress, sock: socket.socket, source: TransportAddress
    ) -> None:
        accepted = functools.partial(self._server.peer_accepted, relayed, source)
        connection_id = self._driver.call(accepted)
        if connection_id is None:
            sock.close()
        else:
            self._pending[connection_id] = sock

    async def _connect(
        self, connection_id: int, relayed: TransportAddress, peer: TransportAddress
    ) -> None:
        try:
            sock = await self._reach(relayed, peer)
        except OSError as error:
            logger.debug("%s cannot be reached from %s: %s", peer, relayed, error)
            del self._connecting[connection_id]
            self._driver.call(functools.partial(self._server.peer_failed, connection_id))
            return
        del self._connecting[connection_id]
        # It is not read until the client has bound it: the kernel keeps what comes, and
        # its window stops a peer that sends more.
        self._pending[connection_id] = sock
        self._driver.call(functools.partial(self._server.peer_connected, connection_id))

    async def _reach(self, relayed: TransportAddress, peer: TransportAddress) -> socket.socket:
        sock = _bound_beside(relayed)
        try:
            await self._loop.sock_connect(sock, to_sockaddr(peer))
        except BaseException:
            sock.close()
            raise
        return sock

    def _join(self, event: ConnectionsJoined) -> None:
        sock = self._pending.pop(event.connection_id)
        joint = Joint(event.meter, functools.partial(self._gone, event.connection_id))
        stream = self._driver.detach_stream(event.client, joint.client)
        if stream is None:  # the client has left without waiting for the answer
            sock.close()
            self._gone(event.connection_id)
            return
        self._joints[event.connection_id] = joint
        assert isinstance(stream.framer, TurnFramer)
        joint.attach_client(stream.transport, stream.framer.take_rest())
        task = self._loop.create_task(self._attach_peer(joint, sock))
        self._joining.add(task)
        task.add_done_callback(self._joining.discard)

    async def _attach_peer(self, joint: Joint, sock: socket.socket) -> None:
        await self._loop.create_connection(lambda: joint.peer, sock=sock)

    def _gone(self, connection_id: int) -> None:
        self._joints.pop(connection_id, None)
        if not self._joints:
            self._all_gone.set()
        self._driver.call(functools.partial(self._server.peer_disconnected, connection_id))

    def _close(self, connection_id: int) -> None:
        if (task := self._connecting.pop(connection_id, None)) is not None:
            task.cancel()
        if (sock := self._pending.pop(connection_id, None)) is not None:
            sock.close()
        if (joint := self._joints.get(connection_id)) is not None:
            joint.close(CLOSE_TIMEOUT)


def _bound_beside(relayed: TransportAddress) -> socket.socket:
    """Another socket at the address that one listens on, to connect from (section 5.2)."""
    sock = stream_socket(relayed)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(to_sockaddr(relayed))
    except BaseException:
        sock.close()
        raise
    return sock
