"""The TURN server machine: who gets which message."""

from __future__ import annotations

from transport import Event, Path, RandomBytes, Transmit, TransportAddress

from .config import ServerConfig
from .forwarding import ForwardingTable, NoForwarding
from .stats import AllocationSnapshot, ServerStats


class TurnServer:
    """A TURN server; a ``StreamMachine`` for any number of clients.

    ``wall_clock_offset`` is what added to ``now`` gives Unix time.
    """

    def __init__(
        self,
        config: ServerConfig,
        *,
        random_bytes: RandomBytes,
        table: ForwardingTable | None = None,
        wall_clock_offset: float = 0.0,
    ) -> None:
        self._config = config
        self._table = table or NoForwarding()

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """A message from a client: STUN, or ChannelData that matched no entry."""

    def receive_relayed(
        self, data: bytes, peer: TransportAddress, relayed: TransportAddress, now: float
    ) -> None:
        """A datagram from a peer at a relayed transport address that matched no entry."""

    def relay_opened(self, token: int, relayed: TransportAddress, now: float) -> None:
        """The socket that RelayRequested asked for is bound."""

    def relay_refused(self, token: int, now: float) -> None:
        """The socket that RelayRequested asked for could not be bound."""

    def connected(self, path: Path, now: float) -> None:
        """A client has opened a stream."""

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        """A client's stream is gone, and its allocation with it."""

    def drain(self, now: float, *, alternate: TransportAddress | None = None) -> None:
        """Take no new allocations; those there are go on."""

    def close(self, now: float) -> None:
        """End all allocations."""

    def handle_timeout(self, now: float) -> None: ...

    def next_timeout(self) -> float | None:
        return None

    def poll_transmit(self) -> Transmit | None:
        return None

    def poll_event(self) -> Event | None:
        return None

    def stats(self) -> ServerStats:
        return ServerStats(0, 0, 0, {}, {})

    def allocations(self, now: float) -> tuple[AllocationSnapshot, ...]:
        return ()
