"""Allocate requests that wait until the driver has bound their sockets (RFC 8656 section 7.2)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from stun import ErrorNumber, IpProtocol
from transport import IPAddress, Path, Timers, TransportAddress

from .events import RelayReleased, RelayRequested
from .limits import MAX_PORT_ATTEMPTS, WAITING_TIMEOUT
from .request import Refused, Request
from .requested import NewPorts
from .state import ServerState
from .tcp.events import TcpRelayRequested

logger = logging.getLogger(__name__)


class Place:
    """A relayed transport address that is looked for at ``ip``.

    ``claimed`` is one address, or a pair; the first ``opened`` of them are bound.
    ``is_given_up`` says that there is none.
    """

    __slots__ = ("claimed", "ip", "is_given_up", "opened", "tried")

    def __init__(self, ip: IPAddress) -> None:
        self.ip = ip
        self.claimed: tuple[TransportAddress, ...] = ()
        self.opened = 0
        self.tried: set[int] = set()
        self.is_given_up = False

    @property
    def address(self) -> TransportAddress | None:
        """The one that the driver has been asked for."""
        return self.claimed[self.opened] if self.opened < len(self.claimed) else None

    @property
    def is_found(self) -> bool:
        return 0 < len(self.claimed) == self.opened


class Waiting:
    """An Allocate request for which sockets are being bound, one after the other."""

    __slots__ = ("places", "quota_id", "request", "requested")

    def __init__(self, request: Request, requested: NewPorts, quota_id: str | None) -> None:
        self.request = request
        self.requested = requested
        self.quota_id = quota_id
        self.places = tuple(Place(ip) for ip in requested.ips)

    @property
    def current(self) -> Place | None:
        """The one that is being looked for, or None at the end."""
        for place in self.places:
            if not (place.is_found or place.is_given_up):
                return place
        return None


class WaitingRequests:
    """All of them: asks the driver for one socket after the other.

    ``on_found(waiting, now)`` is called for a request with at least one place that is
    found; one without any is answered with 508 here.
    """

    __slots__ = ("_by_client", "_next_token", "_on_found", "_state", "_timers", "_waiting")

    def __init__(self, state: ServerState, on_found: Callable[[Waiting, float], None]) -> None:
        self._state = state
        self._on_found = on_found
        self._waiting: dict[int, Waiting] = {}
        self._by_client: dict[Path, int] = {}
        self._timers: Timers[int] = Timers()
        self._next_token = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._waiting.values())

    def of(self, client: Path) -> Waiting | None:
        """The request of this 5-tuple."""
        token = self._by_client.get(client)
        return None if token is None else self._waiting[token]

    def begin(self, waiting: Waiting) -> None:
        """Look for what a request wants; its quota is taken."""
        token = self._next_token
        self._next_token += 1
        now = waiting.request.now
        self._waiting[token] = waiting
        self._by_client[waiting.request.path] = token
        self._timers.set(token, now + WAITING_TIMEOUT)
        self._go_on(token, waiting, now)

    def opened(self, token: int, relayed: TransportAddress, now: float) -> None:
        """The socket that was asked for is bound."""
        waiting = self._waiting.get(token)
        place = None if waiting is None else waiting.current
        if waiting is None or place is None or place.address != relayed:
            self._state.outbox.events.append(RelayReleased(relayed))
            return
        place.opened += 1
        self._go_on(token, waiting, now)

    def refused(self, token: int, now: float) -> None:
        """It cannot be bound: another port may do."""
        waiting = self._waiting.get(token)
        place = None if waiting is None else waiting.current
        if waiting is None or place is None:
            return
        place.tried.add(place.claimed[0].port)
        self._let_go(place)
        place.is_given_up = len(place.tried) >= MAX_PORT_ATTEMPTS
        self._go_on(token, waiting, now)

    def disconnected(self, client: Path) -> None:
        """The client is gone, and will not be answered."""
        token = self._by_client.get(client)
        if token is not None:
            self._abandon(token)

    def close(self) -> None:
        """Nobody will be answered."""
        for token in tuple(self._waiting):
            self._abandon(token)

    def next_timeout(self) -> float | None:
        return self._timers.next_timeout()

    def handle_timeout(self, now: float) -> None:
        """Give up what the driver did not answer."""
        for token in self._timers.expired(now):
            logger.warning("no relayed transport address came for request %d", token)
            self._give_up(token)

    def _go_on(self, token: int, waiting: Waiting, now: float) -> None:
        """Ask the driver for the next socket, or end if there is none to ask for."""
        while (place := waiting.current) is not None:
            if not place.claimed:
                wish = waiting.requested.wish
                place.claimed = self._state.ports.claim(place.ip, wish, avoid=place.tried)
            if place.address is not None:
                is_tcp = waiting.requested.protocol == IpProtocol.TCP
                requested = TcpRelayRequested if is_tcp else RelayRequested
                self._state.outbox.events.append(requested(token, place.address))
                return
            place.is_given_up = True
        if any(place.is_found for place in waiting.places):
            self._forget(token)
            self._on_found(waiting, now)
        else:
            self._give_up(token)

    def _give_up(self, token: int) -> None:
        waiting = self._abandon(token)
        refusal = Refused(ErrorNumber.INSUFFICIENT_CAPACITY)
        self._state.outbox.count_error(refusal.error)
        self._state.outbox.send(waiting.request.path, waiting.request.failure(refusal))

    def _abandon(self, token: int) -> Waiting:
        waiting = self._forget(token)
        for place in waiting.places:
            self._let_go(place)
        self._state.quotas.give_back(waiting.quota_id)
        return waiting

    def _let_go(self, place: Place) -> None:
        for position, address in enumerate(place.claimed):
            self._state.ports.release(address)
            if position < place.opened:
                self._state.outbox.events.append(RelayReleased(address))
        place.claimed, place.opened = (), 0

    def _forget(self, token: int) -> Waiting:
        waiting = self._waiting.pop(token)
        del self._by_client[waiting.request.path]
        self._timers.cancel(token)
        return waiting
