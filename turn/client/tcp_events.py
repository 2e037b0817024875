"""What a TURN client reports of a TCP allocation (RFC 6062)."""

from __future__ import annotations

import dataclasses

from transport import Event, Path, TransportAddress

from .events import FailureReason


@dataclasses.dataclass(frozen=True, slots=True)
class PeerConnected(Event):
    """The stream of ``path`` is the peer's: it carries bytes as they are, both ways.

    What came behind the last message is the peer's already. Who opened the connection
    says ``attempt``: the one of PeerConnectionAttempted, or None for us. The client
    hears of the stream no more; it lasts no longer than the allocation.
    """

    peer: TransportAddress
    path: Path
    attempt: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class PeerConnectFailed(Event):
    """There is no connection to the peer; ``attempt`` as in PeerConnected."""

    peer: TransportAddress
    attempt: int | None
    code: int | None
    reason: FailureReason
    phrase: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class PeerConnectionAttempted(Event):
    """A peer has connected to the relayed transport address.

    ``accept_peer(attempt, now)`` takes the connection, within 30 seconds; left alone, it is
    closed by the server then.
    """

    peer: TransportAddress
    attempt: int
