"""Taking the allocation along to another address of ours (RFC 8016)."""

from __future__ import annotations

import ipaddress
from typing import Final

from stun import (
    TRANSACTION_ID_BYTES,
    Data,
    ErrorNumber,
    Lifetime,
    MessageClass,
    Method,
    MobilityTicket,
    XorPeerAddress,
    encode_message,
)
from transport import (
    CloseRequested,
    ConnectRequested,
    Path,
    Transmit,
    TransportAddress,
    TransportProtocol,
)

from .errors import ClientStateError
from .events import FailureReason, Moved, MoveFailed
from .refresh import Refresh, read_lifetime
from .requests import Failed, Requests, Succeeded
from .session import ClientSession
from .state import ClientState

_ARRIVALS: Final = (0.0, 0.5, 1.5)
"""Seconds after the move at which the server is told to use the new path, over UDP."""

_NOWHERE: Final = {
    4: TransportAddress(ipaddress.IPv4Address(0), 9),
    6: TransportAddress(ipaddress.IPv6Address(0), 9),
}
"""By the family of the relayed transport address: nobody has a permission for it."""

_ANY: Final = {4: _NOWHERE[4].ip, 6: _NOWHERE[6].ip}


class Mobility:
    """Moves the allocation, with the newest ticket that the server gave us.

    Until the server has confirmed it everything goes on the old path (section 3.2.2).
    The server goes on sending there until data comes on the new path: so that the
    application need not have something to say, that is a Send indication to nobody.
    """

    __slots__ = (
        "_arrivals",
        "_is_connecting",
        "_is_old_path_gone",
        "_refresh",
        "_requests",
        "_session",
    )

    def __init__(self, session: ClientSession, requests: Requests, refresh: Refresh) -> None:
        self._session = session
        self._requests = requests
        self._refresh = refresh
        self._arrivals: list[float] = []
        self._is_connecting = False
        self._is_old_path_gone = False

    @property
    def can_move(self) -> bool:
        """Whether the server has given us a ticket, and no move is under way."""
        session = self._session
        has_ticket = session.state is ClientState.ALLOCATED and bool(session.ticket)
        return has_ticket and session.next_path is None

    def start(self, path: Path, now: float) -> None:
        """Move to this path, which leads to the same server.

        Raises:
            ClientStateError: there is no ticket, or a move is under way.
            ValueError: it is the path that we are on.
        """
        session = self._session
        if not self.can_move:
            raise ClientStateError("there is no ticket to move with, or a move is under way")
        if path == session.path:
            raise ValueError("a move leads to another path")
        session.next_path = path
        self._arrivals.clear()
        self._is_connecting = path.transport is not TransportProtocol.UDP
        if self._is_connecting:
            name = session.config.server_name
            session.events.append(ConnectRequested(path.transport, path.remote, name))
        else:
            self._request(now)

    def connected(self, path: Path, now: float) -> bool:
        """A stream is open; whether it is the one that we move to."""
        if not self._is_awaited(path):
            return False
        self._is_connecting = False
        self._session.next_path = path
        self._request(now)
        return True

    def disconnected(self, path: Path, now: float) -> bool:
        """A stream is gone; whether the allocation may live on."""
        session = self._session
        if path == session.next_path or (path.local.port == 0 and self._is_awaited(path)):
            self._requests.cancel_on(path)
            self._failed(Failed(FailureReason.UNREACHABLE))
            return True
        if path != session.path or not (session.next_path or self.can_move):
            return False
        self._is_old_path_gone = True
        if session.next_path is None:
            anywhere = TransportAddress(_ANY[path.remote.ip.version], 0)
            self.start(Path(path.transport, anywhere, path.remote), now)
        return True

    def due(self, now: float) -> None:
        self._arrive(now)

    def _is_awaited(self, path: Path) -> bool:
        """Whether a stream to there was asked for, to move to."""
        awaited = self._session.next_path
        if awaited is None or not self._is_connecting:
            return False
        return (awaited.transport, awaited.remote) == (path.transport, path.remote)

    def _request(self, now: float) -> None:
        session = self._session
        lifetime = session.config.lifetime
        attributes = (
            *session.common_attributes(),
            *(() if lifetime is None else (Lifetime(lifetime),)),
            MobilityTicket(session.ticket),
        )
        self._requests.start(
            Method.REFRESH, attributes, self._concluded, now, path=session.next_path
        )

    def _concluded(self, outcome: Succeeded | Failed, now: float) -> None:
        if isinstance(outcome, Failed):
            self._failed(outcome)
            return
        session = self._session
        session.take_ticket(outcome.response)
        old, path = session.path, session.next_path
        assert path is not None
        session.path, session.next_path = path, None
        session.old_path = None if self._is_old_path_gone else old
        self._is_old_path_gone = False
        session.events.append(Moved(path))
        self._requests.move(now)
        if lifetime := read_lifetime(outcome):
            self._refresh.start(lifetime, outcome.sent_at, now)
        self._arrivals = [now + wait for wait in _ARRIVALS]
        if path.transport.is_reliable:
            del self._arrivals[1:]
        self._arrive(now)
        if old.transport is not TransportProtocol.UDP and session.old_path is not None:
            session.events.append(CloseRequested(old))

    def _failed(self, outcome: Failed) -> None:
        session = self._session
        self._is_connecting = False
        path, session.next_path = session.next_path, None
        if outcome.code == ErrorNumber.MOBILITY_FORBIDDEN:
            # Section 3.2.2: what comes next is another allocation.
            session.ticket = b""
            session.memory.note_immobile(session.path.remote)
        if path is not None and path.transport is not TransportProtocol.UDP:
            session.events.append(CloseRequested(path))
        if outcome.reason is FailureReason.MISMATCH or self._is_old_path_gone:
            session.lose(outcome.reason, outcome.code)
        else:
            session.events.append(MoveFailed(outcome.code, outcome.reason, outcome.phrase))

    def _arrive(self, now: float) -> None:
        session = self._session
        while self._arrivals and self._arrivals[0] <= now:
            del self._arrivals[0]
            session.transmits.append(Transmit(session.path, (self._indication(),)))
        if self._arrivals:
            session.timers.set(self, self._arrivals[0])

    def _indication(self) -> bytes:
        session = self._session
        version = session.relayed_addresses[0].ip.version
        return encode_message(
            Method.SEND,
            MessageClass.INDICATION,
            session.random_bytes(TRANSACTION_ID_BYTES),
            (XorPeerAddress(_NOWHERE[version]), Data(b"")),
        )
