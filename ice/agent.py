"""The ICE agent (RFC 8445): the machine that everything else in this package serves."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from stun import is_stun
from transport import (
    CloseRequested,
    Event,
    IPAddress,
    Path,
    RandomBytes,
    Transmit,
    TransportAddress,
)

from .arrivals import LAST_STUN_FIRST_BYTE, Arrivals
from .candidate import Candidate
from .check_message import RemoteParameters
from .checklist import ValidPair
from .config import IceConfig
from .context import AgentContext
from .credentials import IceCredentials
from .drops import DropReason
from .errors import IceStateError, RestartRequired
from .events import (
    DatagramReceived,
    RoleChanged,
)
from .gathering import Gathering
from .local_candidates import LocalCandidates
from .pacing import SharedPacer
from .progress import Progress
from .restart import Generations
from .role import Role
from .session import IceSession
from .state import IceState
from .stats import IceStats
from .status import snapshot
from .trickle import Held, HeldCandidates

logger = logging.getLogger(__name__)


class IceAgent:
    """A Machine that finds and keeps a path to a peer, for all streams of one session.

    ``gather`` and ``hosts_opened`` give it local candidates, ``set_remote_credentials``
    and ``add_remote_candidate`` those of the peer, in any order; checks start by
    themselves when both are there. Data goes with ``send`` and comes as DatagramReceived.
    """

    def __init__(
        self,
        *,
        controlling: bool,
        random_bytes: RandomBytes,
        config: IceConfig | None = None,
        pacer: SharedPacer | None = None,
    ) -> None:
        self._role = Role(controlling=controlling, random_bytes=random_bytes)
        self._context = AgentContext(config or IceConfig(), self._role, random_bytes)
        self._pacer = pacer
        self._local = LocalCandidates(self._context)
        self._gathering = Gathering(self._context, self._local, pacer)
        self._held = HeldCandidates(self._context)
        self._generations = Generations(self._context, self._new_session)
        self._arrivals = Arrivals(self._context, self._generations)
        self._progress = Progress(
            self._context, self._local, self._gathering, self._generations, self._arrivals
        )
        # The hot path: what send() and receive() touch, bound once.
        self._transmits = self._context.transmits
        self._events = self._context.events
        self._outlets = self._progress.outlets.by_component

    def _new_session(self) -> IceSession:
        return IceSession(
            self._context,
            self._local,
            self._gathering,
            credentials=IceCredentials.generate(self._context.random_bytes),
            pacer=self._pacer,
        )

    # What it is

    @property
    def local_credentials(self) -> IceCredentials:
        """The credentials of the present generation; they change with ``restart``."""
        return self._generations.current.credentials

    @property
    def remote_credentials(self) -> IceCredentials | None:
        """What ``set_remote_credentials`` has set in the present generation."""
        remote = self._generations.current.remote
        return None if remote is None else remote.credentials

    @property
    def local_candidates(self) -> tuple[Candidate, ...]:
        """What was gathered so far; each was reported by LocalCandidateGathered."""
        return tuple(item.candidate for item in self._local.gathered())

    @property
    def gathering_completed(self) -> bool:
        return self._gathering.is_complete

    @property
    def state(self) -> IceState:
        return self._progress.state

    @property
    def controlling(self) -> bool:
        return self._role.controlling

    @property
    def pacing_ms(self) -> int:
        """The Ta to propose with ``a=ice-pacing``."""
        return self._context.config.pacing_ms

    @property
    def selected_pair(self) -> ValidPair | None:
        """The selected pair of the first component of the first stream."""
        return self.selected_pair_of(0, 1)

    def selected_pair_of(self, stream: int, component: int) -> ValidPair | None:
        """The selected pair of a component, of before a restart until there is a new one."""
        return self._generations.selected(stream, component)

    def stats(self) -> IceStats:
        """A snapshot of candidates, pairs and counters."""
        return snapshot(self._context, self._local, self._generations.current, self.state)

    # Verbs

    def gather(self, now: float) -> None:
        """Ask for local addresses: HostAddressesRequested, once per component; and for
        those of servers that are given by name: ResolveRequested.

        Raises:
            IceStateError: the agent is closed.
        """
        self._require_open()
        self._context.now = now
        self._progress.begin_gathering()
        self._gathering.start(now)

    def hosts_opened(
        self,
        addresses: Sequence[TransportAddress],
        now: float,
        *,
        stream: int = 0,
        component: int = 1,
    ) -> None:
        """These local addresses have a socket now; each becomes a host candidate.

        Call it with all addresses of a component together, since their order of
        preference depends on each other.

        Raises:
            ValueError: an unspecified address, or no such component.
        """
        if self.state is IceState.CLOSED:
            return
        self._context.now = now
        key = (stream, component)
        if key not in self._context.component_keys():
            raise ValueError(f"there is no component {component} of stream {stream}")
        if any(address.ip.is_unspecified or not address.port for address in addresses):
            raise ValueError("a candidate needs a specific address and port")
        for base in self._gathering.hosts_opened(addresses, key, now):
            self._progress.announce(base.stream, base.candidate)
            self._generations.current.add_base(base, now)
        self._progress.refresh(now)

    def resolved(self, token: int, addresses: Sequence[IPAddress], now: float) -> None:
        """What ResolveRequested asked for, in order of preference; nothing if it failed."""
        if self.state is not IceState.CLOSED:
            self._context.now = now
            self._gathering.servers.resolved(token, addresses, now)
            self._progress.refresh(now)

    def host_closed(self, address: TransportAddress, now: float) -> None:
        """The socket of a local address is gone, for instance with its interface."""
        self._context.now = now
        self._gathering.servers.remove_host(address)
        self._progress.lose_base(address, now)
        self._progress.refresh(now)

    def set_remote_credentials(
        self,
        credentials: IceCredentials,
        *,
        now: float,
        ice_options: Sequence[str] = (),
        lite: bool = False,
        pacing_ms: int | None = None,
    ) -> None:
        """What the peer's offer or answer says of it; checks may start.

        ``pacing_ms`` is its ``a=ice-pacing``. A lite peer makes us controlling
        (section 6.1.1). The same credentials again change nothing.

        Raises:
            RestartRequired: others than those in use.
        """
        if self.state is IceState.CLOSED or credentials == self.remote_credentials:
            return
        if self._generations.current.remote is not None:
            raise RestartRequired("the remote credentials changed: call restart() first")
        if lite and not self._role.controlling:
            self._role.switch()
            self._context.report(RoleChanged(True))
        self._context.now = now
        remote = RemoteParameters(credentials, tuple(ice_options), lite)
        held = self._held.begin(credentials.ufrag)
        self._generations.current.begin(remote, pacing_ms=pacing_ms, now=now)
        for item in held:
            self._take_remote(item, now)
        self._progress.refresh(now)

    def add_remote_candidate(
        self, candidate: Candidate, now: float, *, stream: int = 0, ufrag: str | None = None
    ) -> None:
        """A candidate that the peer signalled, in the generation of ``ufrag`` if it said so.

        One that is of no use (a host name, say) is counted and ignored.

        Raises:
            ValueError: there is no such stream.
        """
        if not 0 <= stream < len(self._context.config.components):
            raise ValueError(f"there is no stream {stream}")
        generation = ufrag or candidate.extension("ufrag")
        self._admit_remote(Held(generation, stream, candidate), now)

    def remote_end_of_candidates(self, now: float, *, ufrag: str | None = None) -> None:
        """The peer signalled that no more candidates come."""
        self._admit_remote(Held(ufrag, 0, None), now)

    def _admit_remote(self, item: Held, now: float) -> None:
        if self.state is IceState.CLOSED:
            self._context.drop(DropReason.CLOSED)
        elif self._held.admit(item):
            self._context.now = now
            self._take_remote(item, now)
            self._progress.refresh(now)

    def _take_remote(self, item: Held, now: float) -> None:
        if item.candidate is None:
            self._generations.current.end_of_candidates(now)
        else:
            self._generations.current.add_remote_candidate(item.stream, item.candidate, now)

    def restart(self, now: float) -> None:
        """Begin a new generation (section 9): new credentials, same role, same sockets.

        The local candidates are reported again, to be conveyed in the new generation.
        Data goes on where it went until the new generation has its selected pairs.

        Raises:
            IceStateError: the agent is closed.
        """
        self._require_open()
        self._context.now = now
        self._generations.restart()
        self._held.end()
        self._progress.begin_gathering()
        self._gathering.restart(now, trusts_relays=self.state is not IceState.FAILED)
        self._progress.follow_gathering(now)
        for item in self._local.gathered():
            self._progress.announce(item.stream, item.candidate)
        self._progress.refresh(now)
        logger.info("ICE restart, new username fragment %s", self.local_credentials.ufrag)

    def close(self, now: float) -> None:
        """Stop at once: after IceStateChanged(CLOSED) nothing is reported, and all that is
        sent is what has TURN servers delete our allocations, once each."""
        if self.state is IceState.CLOSED:
            return
        self._context.now = now
        self._transmits.clear()
        self._gathering.servers.close(now)
        self._events.clear()
        self._context.validated.clear()
        self._context.bases.clear()
        self._arrivals.forget()
        self._generations.close()
        self._progress.close()

    # Data

    def send(
        self,
        segments: Sequence[bytes],
        now: float,
        *,
        dscp: int | None = None,
        stream: int = 0,
        component: int = 1,
    ) -> bool:
        """Send a run of datagrams to the peer, all of one size but the last.

        They take the selected pair, or before there is one the best valid pair. False,
        and nothing is sent, when there is none, or when the peer's consent has expired.
        """
        outlet = self._outlets.get((stream, component))
        if outlet is None or now >= outlet.valid.consent_ends_at:
            self._context.drop(DropReason.SEND_WITHOUT_PAIR)
            return False
        if dscp is not None:
            self._context.dscp = dscp
        self._context.now = now
        outlet.base.send(outlet.path, segments, dscp=dscp, transmits=self._transmits)
        return True

    def follows(self, path: Path) -> bool:
        """Whether a datagram that is not STUN comes the way of the DatagramReceived before.

        A user with many of them may take it as such, and spare ``receive`` and the event.
        """
        last = self._arrivals.last_path
        # Drivers keep addresses, so that there is no need to hash a path per datagram.
        return last is not None and path.remote is last.remote and path.local is last.local

    # Machine

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """One datagram from a socket of ours, or a message of a TURN server's stream."""
        self._context.now = now
        if data and data[0] <= LAST_STUN_FIRST_BYTE and is_stun(data):
            if self._gathering.receive(data, path, now):
                self._progress.refresh(now)
            else:
                self._arrivals.receive_stun(data, path, now)
                self._progress.refresh(now)
        elif self.follows(path):
            self._events.append(DatagramReceived(data, path))
        elif self._gathering.receive(data, path, now):
            self._progress.follow_gathering(now)
        else:
            self._arrivals.receive_data(data, path)

    def connected(self, path: Path, now: float) -> None:
        """The stream that a ConnectRequested wanted is open."""
        self._context.now = now
        if not self._gathering.servers.connected(path, now):
            self._context.report(CloseRequested(path))
        self._progress.refresh(now)

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        """A stream to a TURN server is gone, or could not be opened."""
        self._context.now = now
        self._gathering.servers.disconnected(path, reason, now)
        self._progress.refresh(now)

    def handle_timeout(self, now: float) -> None:
        self._context.now = now
        # What one finds may be due for the other at once, as the check of a new candidate.
        while (deadline := self.next_timeout()) is not None and deadline <= now:
            self._generations.handle_timeout(now)
            self._gathering.servers.handle_timeout(now)
            self._progress.refresh(now)

    def next_timeout(self) -> float | None:
        checks = self._generations.next_timeout()
        servers = self._gathering.servers.next_timeout()
        if checks is None or servers is None:
            return servers if checks is None else checks
        return min(checks, servers)

    def poll_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def poll_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def _require_open(self) -> None:
        if self.state is IceState.CLOSED:
            raise IceStateError("the agent is closed")
