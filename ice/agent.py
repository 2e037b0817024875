"""The ICE agent (RFC 8445)."""

from __future__ import annotations

import collections
from collections.abc import Sequence

from transport import Event, Path, RandomBytes, Transmit, TransportAddress

from .candidate import Candidate
from .config import IceConfig
from .credentials import IceCredentials
from .pacing import SharedPacer
from .pair import CandidatePair
from .state import IceState
from .stats import IceStats


class IceAgent:
    """A Machine that finds and keeps a path to a peer, for all streams of one session."""

    def __init__(
        self,
        *,
        controlling: bool,
        random_bytes: RandomBytes,
        config: IceConfig | None = None,
        pacer: SharedPacer | None = None,
    ) -> None:
        self._config = config or IceConfig()
        self._controlling = controlling
        self._random_bytes = random_bytes
        self._credentials = IceCredentials.generate(random_bytes)
        self._state = IceState.NEW
        self._transmits: collections.deque[Transmit] = collections.deque()
        self._events: collections.deque[Event] = collections.deque()

    @property
    def local_credentials(self) -> IceCredentials:
        """The credentials of the present generation; they change with ``restart``."""
        return self._credentials

    @property
    def state(self) -> IceState:
        return self._state

    @property
    def controlling(self) -> bool:
        return self._controlling

    @property
    def pacing_ms(self) -> int:
        """The Ta to propose with ``a=ice-pacing``."""
        return self._config.pacing_ms

    @property
    def selected_pair(self) -> CandidatePair | None:
        """The selected pair of the first component of the first stream."""
        return None

    @property
    def gathering_completed(self) -> bool:
        return False

    def stats(self) -> IceStats:
        raise NotImplementedError

    def gather(self, now: float) -> None:
        """Ask for local addresses: HostAddressesRequested, once per component."""

    def hosts_opened(
        self,
        addresses: Sequence[TransportAddress],
        now: float,
        *,
        stream: int = 0,
        component: int = 1,
    ) -> None:
        """These local addresses have a socket now; each becomes a host candidate."""

    def host_closed(self, address: TransportAddress, now: float) -> None:
        """The socket of a local address is gone, for instance with its interface."""

    def set_remote_credentials(
        self,
        credentials: IceCredentials,
        *,
        now: float,
        ice_options: Sequence[str] = (),
        lite: bool = False,
        pacing_ms: int | None = None,
    ) -> None:
        """What the peer's offer or answer says; checks may start."""

    def add_remote_candidate(
        self, candidate: Candidate, now: float, *, stream: int = 0, ufrag: str | None = None
    ) -> None:
        """A candidate that the peer signalled, in the generation of ``ufrag`` if it said so."""

    def remote_end_of_candidates(self, now: float, *, ufrag: str | None = None) -> None:
        """The peer signalled that no more candidates come."""

    def send(
        self,
        segments: Sequence[bytes],
        now: float,
        *,
        dscp: int | None = None,
        stream: int = 0,
        component: int = 1,
    ) -> bool:
        """Send a run of datagrams to the peer; False when there is no path to send it on."""
        return False

    def restart(self, now: float) -> None:
        """Begin a new generation (section 9): new credentials, same role and sockets."""

    def close(self, now: float) -> None:
        """Stop at once; nothing is sent or reported after IceStateChanged(CLOSED)."""

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """One datagram from a socket of ours."""

    def handle_timeout(self, now: float) -> None:
        pass

    def next_timeout(self) -> float | None:
        return None

    def poll_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def poll_event(self) -> Event | None:
        return self._events.popleft() if self._events else None
