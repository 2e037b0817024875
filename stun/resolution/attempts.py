"""Trying targets until one serves (RFC 8489 sections 8.1 and 10, RFC 8305 section 5)."""

from __future__ import annotations

import collections
import dataclasses
import itertools
from collections.abc import Iterable
from typing import Final

from transport import Event, Path, Transmit, TransportAddress, TransportProtocol

from .target import Target

ATTEMPT_DELAY: Final = 0.25
"""Seconds until the next address of the same server is tried beside the last (RFC 8305
section 5)."""

SERVER_DELAY: Final = 5.0
"""Seconds until the next server, or transport, is tried beside one that says nothing. Over
UDP that has left requests at 0, 0.5, 1.5 and 3.5 s unanswered; it may answer still."""

MAX_REDIRECTIONS: Final = 3
"""Alternate servers followed, of all targets together."""

REDIRECTION_MEMORY: Final = 300.0
"""Seconds for which no redirection leads to a server that was asked (RFC 8489 section 10)."""


@dataclasses.dataclass(frozen=True, slots=True)
class AttemptRequested(Event):
    """Try this target. What comes of it is told by its number."""

    number: int
    target: Target


@dataclasses.dataclass(frozen=True, slots=True)
class AttemptAbandoned(Event):
    """Give this attempt up: another one has an answer. It need not be told of any more."""

    number: int


@dataclasses.dataclass(frozen=True, slots=True)
class AttemptsExhausted(Event):
    """Nothing is left to try."""


class Attempts:
    """Says when which target is to be tried, and which attempt to go on with.

    The addresses of one server are tried 250 ms apart, beside each other; another server, or
    the same over another transport, when all of them have failed or say nothing for 5 s. The
    first attempt that ``reached`` its server is gone on with alone, and the others come back
    only if it fails. Times are those of RFC 8305; the order is that of the targets.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        *,
        attempt_delay: float = ATTEMPT_DELAY,
        server_delay: float = SERVER_DELAY,
    ) -> None:
        self._waiting = collections.deque(targets)
        self._running: dict[int, Target] = {}
        self._favourite: int | None = None
        self._attempt_delay = attempt_delay
        self._server_delay = server_delay
        self._next_at: float | None = None
        self._numbers = itertools.count()
        self._tried: dict[tuple[TransportProtocol, TransportAddress], float] = {}
        self._redirections = 0
        self._events: collections.deque[Event] = collections.deque()
        self._is_over = False

    def start(self, now: float) -> None:
        """Make the first attempt."""
        self._launch_or_end(now)

    # What became of an attempt. An unknown number is one that was abandoned.

    def reached(self, number: int, now: float) -> None:
        """The server is there, though it has not done yet what is asked of it."""
        if number in self._running and self._favourite is None:
            self._favourite = number
            self._next_at = None
            self._waiting.extendleft(reversed(self._abandon_all_but(number)))

    def succeeded(self, number: int, now: float) -> None:
        """That is it; all others are abandoned."""
        if number in self._running:
            self._abandon_all_but(number)
            self._waiting.clear()
            self._next_at = None
            self._is_over = True

    def failed(self, number: int, now: float) -> None:
        """Go on with the next."""
        target = self._forget(number)
        if target is not None:
            self._go_on(target, now)

    def refused(self, number: int, now: float) -> None:
        """The server does not want us, at whatever address: go on with another one."""
        target = self._forget(number)
        if target is not None:
            host = target.host
            self._waiting = collections.deque(each for each in self._waiting if each.host != host)
            for other in [key for key, each in self._running.items() if each.host == host]:
                del self._running[other]
                self._events.append(AttemptAbandoned(other))
            self._go_on(target, now)

    def again(self, number: int, now: float) -> None:
        """Try the same target once more, from another local port."""
        target = self._forget(number)
        if target is not None:
            self._launch(target, now)

    def redirected(
        self, number: int, alternate: TransportAddress, domain: str | None, now: float
    ) -> bool:
        """The server says who will serve (RFC 8489 section 10): before all others, if new.

        The certificate has to name ``domain``, or else what it had to name before. False if
        it was asked before, or there were too many redirections.
        """
        target = self._forget(number)
        if target is None:
            return False
        tried_at = self._tried.get((target.transport, alternate))
        is_new = tried_at is None or now - tried_at >= REDIRECTION_MEMORY
        if self._redirections < MAX_REDIRECTIONS and is_new:
            self._redirections += 1
            name = domain or target.server_name
            self._launch(Target(target.transport, alternate, domain or alternate.host, name), now)
            return True
        self._go_on(target, now)
        return False

    # Machine

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """It has no socket."""

    def handle_timeout(self, now: float) -> None:
        if self._next_at is not None and now >= self._next_at:
            self._launch_or_end(now)

    def next_timeout(self) -> float | None:
        return self._next_at

    def poll_transmit(self) -> Transmit | None:
        return None

    def poll_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def _forget(self, number: int) -> Target | None:
        if number == self._favourite:
            self._favourite = None
        return self._running.pop(number, None)

    def _go_on(self, failed: Target, now: float) -> None:
        """Another address of the same server has its turn at once, another server when no
        attempt is left that may succeed."""
        is_same = bool(self._waiting) and self._waiting[0].server == failed.server
        if self._favourite is None and (is_same or not self._running):
            self._launch_or_end(now)

    def _launch_or_end(self, now: float) -> None:
        self._next_at = None
        if self._waiting:
            self._launch(self._waiting.popleft(), now)
        elif not self._running and not self._is_over:
            self._is_over = True
            self._events.append(AttemptsExhausted())

    def _launch(self, target: Target, now: float) -> None:
        number = next(self._numbers)
        self._running[number] = target
        self._tried[target.transport, target.address] = now
        self._events.append(AttemptRequested(number, target))
        if self._waiting:
            is_same = self._waiting[0].server == target.server
            self._next_at = now + (self._attempt_delay if is_same else self._server_delay)

    def _abandon_all_but(self, number: int) -> list[Target]:
        others = [key for key in self._running if key != number]
        self._events.extend(map(AttemptAbandoned, others))
        return [self._running.pop(key) for key in others]
