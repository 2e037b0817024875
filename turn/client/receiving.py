"""What comes from the server: who gets which message."""

from __future__ import annotations

from stun import IpProtocol, Message, MessageClass, Method
from transport import DatagramKind, DecodeError, Path, datagram_kind

from .connections import Connections
from .data import Relaying
from .drops import DropReason
from .requests import Requests
from .session import ClientSession
from .state import ClientState


class Receiving:
    """Looks at messages, and hands them on."""

    __slots__ = ("_connections", "_relaying", "_requests", "_session")

    def __init__(
        self,
        session: ClientSession,
        requests: Requests,
        relaying: Relaying,
        connections: Connections,
    ) -> None:
        self._session = session
        self._requests = requests
        self._relaying = relaying
        self._connections = connections

    def receive(self, data: bytes, path: Path, now: float) -> None:
        session = self._session
        if path != session.path and not self._is_known(path):
            session.drops.add(DropReason.FOREIGN_PATH)
            return
        kind = datagram_kind(data)
        if kind is DatagramKind.TURN_CHANNEL:
            if session.state is ClientState.ALLOCATED:
                self._relaying.receive_channel_data(data)
            else:
                session.drops.add(DropReason.NOT_ALLOCATED)
        elif kind is DatagramKind.STUN:
            self._receive_stun(data, path, now)
        else:
            session.drops.add(DropReason.UNKNOWN_PROTOCOL)

    def _is_known(self, path: Path) -> bool:
        return self._session.is_ours(path) or self._connections.is_binding(path)

    def _receive_stun(self, data: bytes, path: Path, now: float) -> None:
        session = self._session
        try:
            message = Message.decode(data)
        except DecodeError:
            session.drops.add(DropReason.MALFORMED)
            return
        if message.fingerprint_ok is False:
            session.drops.add(DropReason.BAD_FINGERPRINT)
        elif message.message_class in (MessageClass.SUCCESS, MessageClass.ERROR):
            is_closed = session.state is ClientState.CLOSED
            if is_closed or not self._requests.receive(message, path, now):
                session.drops.add(DropReason.UNKNOWN_TRANSACTION)
        elif message.message_class is MessageClass.INDICATION:
            self._receive_indication(message)
        else:
            session.drops.add(DropReason.UNEXPECTED_MESSAGE)

    def _receive_indication(self, message: Message) -> None:
        session = self._session
        is_tcp = session.config.protocol is IpProtocol.TCP
        if message.method != (Method.CONNECTION_ATTEMPT if is_tcp else Method.DATA):
            session.drops.add(DropReason.UNEXPECTED_MESSAGE)
        elif session.state is not ClientState.ALLOCATED:
            session.drops.add(DropReason.NOT_ALLOCATED)
        elif is_tcp:
            self._connections.attempted(message)
        else:
            self._relaying.receive_indication(message)
