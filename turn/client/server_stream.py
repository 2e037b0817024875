"""The stream that a client speaks to its server on: TCP, TLS, or DTLS (RFC 8656 section 3.1)."""

from __future__ import annotations

from transport import CloseRequested, ConnectRequested, Path

from .allocation import Allocation
from .connections import Connections
from .events import AllocationFailed, FailureReason, ServerReached
from .mobility import Mobility
from .session import ClientSession
from .state import ClientState


class ServerStream:
    """Opens it, and tells it from those of connections and moves, which go to the same place."""

    __slots__ = ("_allocation", "_connections", "_mobility", "_session")

    def __init__(
        self,
        session: ClientSession,
        allocation: Allocation,
        connections: Connections,
        mobility: Mobility,
    ) -> None:
        self._session = session
        self._allocation = allocation
        self._connections = connections
        self._mobility = mobility

    def open(self) -> None:
        """Have it opened; the allocation is asked for once it is."""
        session = self._session
        session.state = ClientState.CONNECTING
        path, name = session.path, session.config.server_name
        session.events.append(ConnectRequested(path.transport, path.remote, name))

    def connected(self, path: Path, now: float) -> None:
        """A stream is open: ours, or one that something else has asked for."""
        session = self._session
        if session.state is ClientState.CONNECTING:
            session.path = path
            session.events.append(ServerReached())
            self._allocation.start(now)
        elif not (
            self._connections.stream_opened(path, now) or self._mobility.connected(path, now)
        ):
            session.events.append(CloseRequested(path))

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        """A stream is gone, or could not be opened."""
        session = self._session
        if self._connections.stream_lost(path):
            return
        if path == session.old_path:
            session.old_path = None
            return
        match session.state:
            case ClientState.CONNECTING | ClientState.ALLOCATING:
                failed = AllocationFailed(None, FailureReason.UNREACHABLE, reason)
                session.events.append(failed)
                session.close()
            case ClientState.ALLOCATED:
                if not self._mobility.disconnected(path, now):
                    session.lose(FailureReason.UNREACHABLE)
            case ClientState.RELEASING:
                session.released()
            case _:
                pass
