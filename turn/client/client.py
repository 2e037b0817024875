"""The TURN client as a machine: one allocation on one server (RFC 8656)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from stun import AccessGrant, AddressFamily, IpProtocol
from transport import (
    Event,
    IPAddress,
    Path,
    RandomBytes,
    Transmit,
    TransportAddress,
    TransportProtocol,
)

from .allocation import Allocation
from .channels import Channels
from .config import ClientConfig, ServerMemory
from .connections import Connections
from .data import Relaying
from .drops import DropReason
from .errors import ClientStateError
from .families import Families
from .mobility import Mobility
from .permissions import Permissions
from .receiving import Receiving
from .refresh import Refresh
from .requests import Requests
from .server_stream import ServerStream
from .session import ClientSession
from .state import ClientState
from .tokens import Tokens


@dataclasses.dataclass(frozen=True, slots=True)
class ClientStats:
    """Counters since the client was made."""

    drops: Mapping[DropReason, int]


class TurnClient:
    """A Machine that has one server relay for it.

    ``allocate`` asks for the relayed transport address, and Allocated or
    AllocationFailed answers. From then on peers may be given permissions and channels,
    and data goes with ``send`` and comes as DataReceived; all is refreshed until
    ``release``, or until AllocationLost. A client serves once: after an end another one
    is made, from another local port where the reason was MISMATCH.

    ``path`` leads to the server. Over TCP, TLS and DTLS the client asks for the
    connection itself (ConnectRequested), and the local address of its path is that of the
    connection then.
    ``memory`` is shared by the clients of a process. Without a username and a password
    only an access token serves (``config.third_party_auth``). A TCP allocation
    (``config.protocol``) has ``connect_peer`` and ``accept_peer`` in place of channels and
    data, and a further stream to the server for each connection.

    Raises:
        OpaqueStringError: the username or the password is not allowed.
        ValueError: a TCP allocation is wanted, and the path is not one of TCP or TLS.
    """

    def __init__(
        self,
        path: Path,
        *,
        username: str | None,
        password: str | None,
        random_bytes: RandomBytes,
        config: ClientConfig | None = None,
        memory: ServerMemory | None = None,
    ) -> None:
        config = config or ClientConfig()
        if config.protocol is IpProtocol.TCP and not path.transport.is_reliable:
            raise ValueError("a TCP allocation is for clients over TCP and TLS (RFC 6062)")
        session = self._session = ClientSession(
            path,
            username=username,
            password=password,
            random_bytes=random_bytes,
            config=config,
            memory=memory or ServerMemory(),
        )
        self._tokens = Tokens(session)
        self._requests = Requests(session, self._tokens)
        self._refresh = Refresh(session, self._requests, self._tokens)
        self._allocation = Allocation(session, self._requests, self._refresh)
        self._permissions = Permissions(session, self._requests)
        self._channels = Channels(session, self._requests, self._permissions, self._refresh)
        self._relaying = Relaying(session, self._permissions, self._channels)
        self._mobility = Mobility(session, self._requests, self._refresh)
        self._families = Families(session, self._refresh, self._permissions, self._channels)
        self._connections = Connections(session, self._requests)
        self._stream = ServerStream(session, self._allocation, self._connections, self._mobility)
        self._receiving = Receiving(session, self._requests, self._relaying, self._connections)
        self._now = 0.0

    # What it is

    @property
    def path(self) -> Path:
        """To the server."""
        return self._session.path

    @property
    def state(self) -> ClientState:
        return self._session.state

    @property
    def relayed(self) -> TransportAddress | None:
        """The relayed transport address, once it is allocated; of two the first."""
        return next(iter(self._session.relayed_addresses), None)

    @property
    def relayed_addresses(self) -> tuple[TransportAddress, ...]:
        """All of them: a dual allocation has two, IPv4 first."""
        return self._session.relayed_addresses

    def has_permission(self, ip: IPAddress) -> bool:
        """Whether data can be sent to this IP address."""
        return self._permissions.allows(ip)

    def has_channel(self, peer: TransportAddress) -> bool:
        """Whether data to this peer goes as ChannelData."""
        return peer in self._channels.bound

    def stats(self) -> ClientStats:
        return ClientStats(dict(self._session.drops.counts))

    # Verbs

    def allocate(self, now: float) -> None:
        """Ask the server for an allocation.

        Raises:
            ClientStateError: it was called before.
        """
        self._expect(ClientState.NEW)
        if self._session.path.transport is TransportProtocol.UDP:
            self._allocation.start(now)
        else:
            self._stream.open()

    def create_permission(self, ip: IPAddress, now: float) -> None:
        """Let an IP address send to us, and us to it, until ``release_permission``.

        Permissions asked for one after the other go out in one request. PermissionInstalled
        or PermissionRefused answers.

        Raises:
            ClientStateError: there is no allocation.
            ValueError: the address is not of the relayed transport address's family.
        """
        self._expect(ClientState.ALLOCATED)
        self._now = now
        self._permissions.install(ip)

    def create_permissions(self, ips: Iterable[IPAddress], now: float) -> None:
        """As ``create_permission`` for each."""
        for ip in ips:
            self.create_permission(ip, now)

    def release_permission(self, ip: IPAddress, now: float) -> None:
        """Refresh the permission no more; it lapses within 5 minutes."""
        self._now = now
        self._permissions.release(ip)

    def bind_channel(self, peer: TransportAddress, now: float) -> None:
        """Have data to and from a peer go with 4 bytes of overhead, and permit its IP address.

        ChannelBound or ChannelRefused answers; until then ``send`` uses Send indications.

        Raises:
            ClientStateError: there is no allocation, or it is one of TCP.
            ValueError: the peer is not of the relayed transport address's family.
        """
        self._expect_protocol(IpProtocol.UDP)
        self._channels.bind(peer, now)

    def release_channel(self, peer: TransportAddress, now: float) -> None:
        """Refresh the channel no more; it lapses within 10 minutes.

        Its permission stays, until ``release_permission``.
        """
        self._now = now
        self._channels.release(peer)

    def send(
        self,
        peer: TransportAddress,
        segments: Sequence[bytes],
        now: float,
        *,
        dscp: int | None = None,
    ) -> bool:
        """Send datagrams to a peer through the relay, a run of equal ones at once.

        False if there is no allocation, or no permission that the server has confirmed.

        Raises:
            ValueError: a datagram is longer than 65,535 bytes.
        """
        return self._relaying.send(peer, segments, dscp)

    def send_unfragmented(self, peer: TransportAddress, data: bytes, now: float) -> bool:
        """Send a datagram that is not cut on its way from the relay to the peer.

        If it is too long for that it is lost, and IcmpReceived may tell. False as with
        ``send``, and where the server does not know DONT-FRAGMENT.

        Raises:
            ValueError: it is longer than 65,535 bytes, or the server was not asked:
                ``ClientConfig.dont_fragment`` does.
        """
        return self._relaying.send_unfragmented(peer, data)

    def release_family(self, family: AddressFamily, now: float) -> None:
        """Delete one address of a dual allocation, with its permissions and channels.

        AddressFamilyReleased answers; the other address stays.

        Raises:
            ClientStateError: there is no allocation.
            ValueError: there are not two, or the family is not allocated any more.
        """
        self._expect(ClientState.ALLOCATED)
        self._families.release(family, now)

    def connect_peer(self, peer: TransportAddress, now: float) -> None:
        """Have the server connect to a peer (RFC 6062 section 4.3).

        PeerConnected or PeerConnectFailed answers. A peer that could not be reached is
        tried again no sooner than 10 seconds later, however soon this is called.

        Raises:
            ClientStateError: there is no TCP allocation, or a connection to this peer is
                being made already.
            ValueError: the peer is not of the relayed transport address's family.
        """
        self._expect_protocol(IpProtocol.TCP)
        self._connections.connect(peer, now)

    def accept_peer(self, attempt: int, now: float) -> None:
        """Take a connection that PeerConnectionAttempted has told of (RFC 6062 section 4.4).

        PeerConnected or PeerConnectFailed answers.

        Raises:
            ClientStateError: there is no TCP allocation, or no such attempt.
        """
        self._expect_protocol(IpProtocol.TCP)
        self._connections.accept(attempt)

    def move(self, path: Path, now: float) -> None:
        """Take the allocation along to another path to the same server (RFC 8016).

        That is after our address has changed, or before we lose it. Moved or MoveFailed
        answers; until then all goes on the old path. Over streams the client asks for the
        stream itself, as in ``allocate``, and moves by itself when its stream breaks.

        Raises:
            ClientStateError: the server has given us no ticket, which ``config.mobility``
                asks for, or a move is under way.
            ValueError: it is the path that we are on.
        """
        self._mobility.start(path, now)

    def token_granted(self, grant: AccessGrant, now: float) -> None:
        """Here is what TokenRequested asked for; it may come before that, or too late."""
        self._tokens.granted(grant, now)

    def token_refused(self, now: float) -> None:
        """There is no access token for us; the password serves, if there is one."""
        self._tokens.refused(now)

    def release(self, now: float) -> None:
        """Delete the allocation, whatever its state; AllocationReleased ends it."""
        session = self._session
        state = session.state
        if state in (ClientState.RELEASING, ClientState.CLOSED):
            return
        has_asked = state is ClientState.ALLOCATED or (
            state is ClientState.ALLOCATING and session.credentials.challenge is not None
        )
        if not has_asked:
            session.released()
            return
        self._refresh.delete(now)

    def abandon(self, now: float) -> None:
        """As ``release``, where another client was faster.

        An Allocate request without credentials that is under way is waited for: a server
        that wants none may grant it, and is asked to delete the allocation then (section 3.9).
        """
        session = self._session
        if session.state is ClientState.ALLOCATING and session.credentials.challenge is None:
            session.is_abandoned = True
        else:
            self.release(now)

    # Machine

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """Take a datagram, or a message that ``turn.framing`` has found in the stream."""
        self._receiving.receive(data, path, now)

    def handle_timeout(self, now: float) -> None:
        session = self._session
        for item in session.timers.expired(now):
            item.due(now)
            if session.state is ClientState.CLOSED:
                break

    def next_timeout(self) -> float | None:
        return self._session.timers.next_timeout()

    def poll_transmit(self) -> Transmit | None:
        transmits = self._session.transmits
        if not transmits and self._session.state is ClientState.ALLOCATED:
            self._permissions.flush(self._now)
        return transmits.popleft() if transmits else None

    def poll_event(self) -> Event | None:
        events = self._session.events
        return events.popleft() if events else None

    # ReachabilityMachine

    def unreachable(self, path: Path, now: float) -> None:
        """A hard ICMP error came from the server's host: what is under way fails at once.

        The allocation is not lost for it: an ICMP error proves nothing, and what failed is
        tried again while the server's timers run.
        """
        if path == self._session.path:
            self._requests.unreachable(now)

    # StreamMachine

    def connected(self, path: Path, now: float) -> None:
        """A stream to the server is open."""
        self._stream.connected(path, now)

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        """A stream to the server is gone, or could not be opened."""
        self._stream.disconnected(path, reason, now)

    def _expect(self, state: ClientState) -> None:
        if self._session.state is not state:
            raise ClientStateError(f"the client is {self._session.state.value}, not {state.value}")

    def _expect_protocol(self, protocol: IpProtocol) -> None:
        self._expect(ClientState.ALLOCATED)
        if self._session.config.protocol is not protocol:
            raise ClientStateError(f"the allocation is not one of {protocol.name}")
