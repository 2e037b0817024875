"""Connections to peers, of a TCP allocation (RFC 6062 section 4)."""

from __future__ import annotations

import collections

from stun import ConnectionId, ErrorNumber, LongTermRequest, Message, Method, XorPeerAddress
from transport import CloseRequested, ConnectRequested, DecodeError, Path, TransportAddress

from .drops import DropReason
from .errors import ClientStateError
from .events import FailureReason
from .limits import (
    CONNECT_PAUSE,
    MAX_ATTEMPTS,
    MAX_CONNECTING,
    MAX_CONNECTS,
    MAX_RESTING_PEERS,
)
from .requests import Failed, OnOutcome, Requests, Succeeded
from .session import ClientSession
from .tcp_events import PeerConnected, PeerConnectFailed, PeerConnectionAttempted


class PeerConnection:
    """One that is being made, until its stream is the peer's or there is no hope.

    ``attempt`` is the CONNECTION-ID of the ConnectionAttempt that began it, if a peer did.
    """

    __slots__ = ("_connections", "attempt", "connection_id", "peer")

    def __init__(
        self, connections: Connections, peer: TransportAddress, attempt: int | None = None
    ) -> None:
        self._connections = connections
        self.peer = peer
        self.attempt = attempt
        self.connection_id = attempt

    def due(self, now: float) -> None:
        self._connections.request(self, now)


class Connections:
    """Connects to peers, lets peers connect, and has a stream for each connection.

    Connect goes on the control connection; the CONNECTION-ID that it is answered with,
    or that a ConnectionAttempt brings, is sent back in a ConnectionBind on a stream of its
    own, which then is the peer's. At most one Connect to a peer is under way, and none
    within CONNECT_PAUSE seconds of one that was answered with 447.
    """

    __slots__ = (
        "_attempts",
        "_binding",
        "_connecting",
        "_requests",
        "_resting",
        "_session",
        "_unconnected",
        "_under_way",
        "_waiting",
    )

    def __init__(self, session: ClientSession, requests: Requests) -> None:
        self._session = session
        self._requests = requests
        self._connecting: set[TransportAddress] = set()
        self._resting: dict[TransportAddress, float] = {}
        self._attempts: collections.OrderedDict[int, TransportAddress] = collections.OrderedDict()
        self._unconnected: collections.deque[PeerConnection] = collections.deque()
        self._binding: dict[Path, PeerConnection] = {}
        self._under_way = 0
        self._waiting: collections.deque[PeerConnection] = collections.deque()

    def connect(self, peer: TransportAddress, now: float) -> None:
        """Have the server connect to a peer, now or as soon as the peer may be tried again.

        Raises:
            ClientStateError: a connection to it is being made.
            ValueError: it is not of the relayed transport address's family.
        """
        self._session.check_family(peer)
        if peer in self._connecting:
            raise ClientStateError(f"a connection to {peer} is being made")
        connection = PeerConnection(self, peer)
        self._forget_rested(now)
        if len(self._connecting) >= MAX_CONNECTING or len(self._resting) >= MAX_RESTING_PEERS:
            self._fail(connection, Failed(FailureReason.LIMIT_REACHED))
            return
        self._connecting.add(peer)
        if peer in self._resting:
            self._session.timers.set(connection, self._resting[peer])
        else:
            self.request(connection, now)

    def request(self, connection: PeerConnection, now: float) -> None:
        """Send the Connect request, or wait for others to end."""

        def concluded(outcome: Succeeded | Failed, now: float) -> None:
            self._under_way -= 1
            self._connected(connection, outcome, now)
            if self._waiting:
                self.request(self._waiting.popleft(), now)

        if self._under_way >= MAX_CONNECTS:
            self._waiting.append(connection)
            return
        self._under_way += 1
        peer = XorPeerAddress(connection.peer)
        self._requests.start(Method.CONNECT, (peer,), concluded, now)

    def accept(self, attempt: int) -> None:
        """Take the connection that a ConnectionAttempt has told of.

        Raises:
            ClientStateError: there was none, or it is too long ago.
        """
        peer = self._attempts.pop(attempt, None)
        if peer is None:
            raise ClientStateError(f"no peer has attempted connection {attempt}")
        self._open_stream(PeerConnection(self, peer, attempt))

    def attempted(self, message: Message) -> None:
        """Take a ConnectionAttempt indication (section 4.4)."""
        try:
            peer, named = message.get(XorPeerAddress), message.get(ConnectionId)
        except DecodeError:
            self._session.drops.add(DropReason.MALFORMED)
            return
        if peer is None or named is None:
            self._session.drops.add(DropReason.INCOMPLETE_INDICATION)
            return
        if named.connection_id in self._attempts:
            self._session.drops.add(DropReason.REPEATED_ATTEMPT)
            return
        if len(self._attempts) >= MAX_ATTEMPTS:
            self._attempts.popitem(last=False)
        self._attempts[named.connection_id] = peer.address
        event = PeerConnectionAttempted(peer.address, named.connection_id)
        self._session.events.append(event)

    def is_binding(self, path: Path) -> bool:
        """Whether this stream is one of ours, and speaks STUN still."""
        return path in self._binding

    def stream_opened(self, path: Path, now: float) -> bool:
        """Bind the connection that waits for a stream; False if none does."""
        if not self._unconnected:
            return False
        connection = self._unconnected.popleft()
        self._binding[path] = connection
        request, concluded = self._bind_request(connection), self._concluding(connection, path)
        self._requests.submit(request, concluded, now, path=path)
        return True

    def stream_lost(self, path: Path) -> bool:
        """A stream is gone, or could not be opened; False if it is none of ours."""
        connection = self._binding.pop(path, None)
        if connection is not None:
            self._requests.cancel_on(path)
        elif not path.local.port and self._unconnected:
            connection = self._unconnected.popleft()
        if connection is None:
            return False
        self._fail(connection, Failed(FailureReason.UNREACHABLE))
        return True

    def _connected(
        self, connection: PeerConnection, outcome: Succeeded | Failed, now: float
    ) -> None:
        if isinstance(outcome, Failed):
            if outcome.reason is FailureReason.MISMATCH:
                self._session.lose(outcome.reason, outcome.code)
                return
            if outcome.code == ErrorNumber.CONNECTION_TIMEOUT_OR_FAILURE:
                self._resting[connection.peer] = now + CONNECT_PAUSE
            self._fail(connection, outcome)
            return
        try:
            named = outcome.response.get(ConnectionId)
        except DecodeError:
            named = None
        if named is None:
            self._fail(connection, Failed(FailureReason.UNUSABLE_RESPONSE))
            return
        connection.connection_id = named.connection_id
        self._open_stream(connection)

    def _open_stream(self, connection: PeerConnection) -> None:
        """To the address of the control connection, from another local one (section 4.3)."""
        path, name = self._session.path, self._session.config.server_name
        self._unconnected.append(connection)
        self._session.events.append(ConnectRequested(path.transport, path.remote, name))

    def _bind_request(self, connection: PeerConnection) -> LongTermRequest:
        assert connection.connection_id is not None  # it has a stream, so it was answered
        # What the server says to them is for this stream alone.
        credentials = self._session.further_credentials()
        attributes = (ConnectionId(connection.connection_id),)
        return credentials.request(Method.CONNECTION_BIND, attributes)

    def _concluding(self, connection: PeerConnection, path: Path) -> OnOutcome:
        def concluded(outcome: Succeeded | Failed, now: float) -> None:
            del self._binding[path]
            if isinstance(outcome, Failed):
                self._session.events.append(CloseRequested(path))
                self._fail(connection, outcome)
                return
            if connection.attempt is None:
                self._connecting.discard(connection.peer)
            event = PeerConnected(connection.peer, path, connection.attempt)
            self._session.events.append(event)

        return concluded

    def _fail(self, connection: PeerConnection, outcome: Failed) -> None:
        if connection.attempt is None:
            self._connecting.discard(connection.peer)
        self._session.events.append(
            PeerConnectFailed(
                connection.peer,
                connection.attempt,
                outcome.code,
                outcome.reason,
                outcome.phrase,
            )
        )

    def _forget_rested(self, now: float) -> None:
        for peer in [peer for peer, until in self._resting.items() if until <= now]:
            del self._resting[peer]
