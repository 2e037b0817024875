"""Bounds of everything that a client can make grow, and of answers to strangers."""

from __future__ import annotations

from typing import Final

from stun.server import SourceLimiter
from transport import Path, TransportProtocol

MAX_PERMISSIONS: Final = 128
"""Of one allocation. ICE checks at most 100 pairs (RFC 8445 section 6.1.2.5), so no
agent needs a permission for more peers."""

MAX_CHANNELS: Final = 128
"""Of one allocation, for the same reason."""

MAX_WAITING: Final = 512
"""Allocate requests for which a socket is being bound; a driver answers at once, so
more than this says that it is stuck."""

WAITING_TIMEOUT: Final = 10.0
"""Seconds for the driver to bind a socket; the client gives up after 39.5."""

MAX_PORT_ATTEMPTS: Final = 16
"""Ports asked for before one Allocate request is refused: with half of the range taken
by other programs, this fails once in 65,536 times."""

MAX_RESERVATIONS: Final = 256
"""Ports held for who has asked for a pair: each costs a socket, and hardly any client has
asked since RTP and RTCP share a port."""

RESERVATION_LIFETIME: Final = 30.0
"""Seconds that a port is held: the least that RFC 8656 section 7.2 allows."""

MAX_CONNECTIONS: Final = 1024
"""Connections of TCP allocations to peers: each has two descriptors, and up to 256 KiB of
what the two sides have not read."""

MAX_CONNECTIONS_OF_ALLOCATION: Final = 64
"""A client with more peers than that over TCP would be a proxy for many."""

MAX_UNBOUND_ATTEMPTS: Final = 16
"""Of those, connections that peers have opened and the client has not bound: peers that it
has let in must not keep it from connecting."""

CONNECT_TIMEOUT: Final = 32.0
"""Seconds for a peer to be reached: at least 30 (RFC 6062 section 5.2), and less than the
39.5 after which the client gives its request up."""

BIND_TIMEOUT: Final = 30.0
"""Seconds for the client to bind a connection (RFC 6062 sections 5.2 and 5.3)."""

MAX_ENDED: Final = 4096
"""Transactions of deleted allocations that are remembered: as many as there may be
allocations. Beyond it the oldest is forgotten, whose duplicates have mostly come."""

ENDED_LIFETIME: Final = 40.0
"""Seconds that RFC 8489 section 6.3.1 has a server remember a transaction."""

ICMP_BURST: Final = 20.0
ICMP_RATE: Final = 10.0
"""ICMP errors, and errors per second, that one client is told of. Anybody may forge them,
and what goes to the client is a little longer; Linux itself answers a host once per
second."""

MAX_STREAMS: Final = 4096
"""Open streams: each costs a timer here and a descriptor and buffers in the driver."""

STREAM_GRACE: Final = 60.0
"""Seconds that a stream may be open without an allocation."""

MAX_AMPLIFICATION: Final = 3.0
"""Size of an answer beside that of its request, with IP and UDP headers, up to which it
is not limited."""

SMALLEST_ALLOCATE_BYTES: Final = 28
"""A header and REQUESTED-TRANSPORT; what is shorter can only be a probe or a flood."""

_HEADER_BYTES: Final = {4: 28, 6: 48}


class UnprovenLimiter:
    """Limits answers to sources that may be forged, by their networks."""

    __slots__ = ("_sources",)

    def __init__(self) -> None:
        self._sources = SourceLimiter()

    def allows(self, path: Path, *, request_bytes: int, answer_bytes: int, now: float) -> bool:
        """Whether an answer of this size may be sent."""
        if path.transport is not TransportProtocol.UDP:
            return True
        headers = _HEADER_BYTES[path.remote.ip.version]
        factor = (answer_bytes + headers) / (request_bytes + headers)
        if request_bytes >= SMALLEST_ALLOCATE_BYTES and factor <= MAX_AMPLIFICATION:
            return True
        return answer_bytes <= request_bytes or self._sources.allows(path.remote.ip, now)
