"""Which of several servers to get an allocation from (RFC 5928 section 3, RFC 8656 section 7.4)."""

from __future__ import annotations

import collections
from collections.abc import Iterable

from stun import ErrorNumber
from stun.resolution import AttemptRequested, Attempts, Target
from transport import Event, Path, Transmit

from .config import ServerMemory
from .events import AllocationFailed, FailureReason
from .limits import MAX_LOCAL_PORTS

_TEMPORARY = (
    ErrorNumber.ALLOCATION_MISMATCH,
    ErrorNumber.ALLOCATION_QUOTA_REACHED,
    ErrorNumber.INSUFFICIENT_CAPACITY,
)
"""After these a server is left alone for a while, by all clients of the process."""


class ServerSelection:
    """Has targets tried until an Allocate succeeds; a Machine around ``Attempts``.

    Each attempt is a ``TurnClient`` of the caller's, who tells what became of it. A server
    that ``memory`` knows to have refused for want of resources is skipped for the time that
    RFC 8656 section 7.4 says. ``failure`` is what to tell if nothing succeeds: the last error
    that a server has answered, or else the last failure.
    """

    def __init__(self, targets: Iterable[Target], memory: ServerMemory) -> None:
        self.failure: AllocationFailed | None = None
        self._attempts = Attempts(targets)
        self._has_answer = False
        self._memory = memory
        self._running: dict[int, Target] = {}
        self._ports: collections.Counter[Target] = collections.Counter()
        self._now = 0.0

    def start(self, now: float) -> None:
        self._now = now
        self._attempts.start(now)

    def reached(self, number: int, now: float) -> None:
        """Its server is there (``ServerReached``)."""
        self._attempts.reached(number, now)

    def succeeded(self, number: int, now: float) -> None:
        """There is an allocation."""
        self._attempts.succeeded(number, now)

    def unusable(self, number: int, reason: str, now: float) -> None:
        """Not even a socket could be opened towards the target."""
        self._note(AllocationFailed(None, FailureReason.UNREACHABLE, reason))
        self._attempts.failed(number, now)

    def allocation_failed(self, number: int, failure: AllocationFailed, now: float) -> None:
        """What AllocationFailed says decides what is tried next."""
        self._now = now
        self._note(failure)
        target = self._running.pop(number)
        alternate, domain = failure.alternate, failure.alternate_domain
        if alternate is not None:
            # What comes of it says more than the redirection.
            self._has_answer = not self._attempts.redirected(number, alternate, domain, now)
        elif failure.reason is FailureReason.MISMATCH and self._has_port_left(target):
            self._attempts.again(number, now)
        elif failure.retry_after is None and failure.code is not None:
            self._attempts.refused(number, now)
        else:
            if failure.code in _TEMPORARY:
                self._memory.bar(target.address, failure, now)
            self._attempts.failed(number, now)

    # Machine

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """It has no socket."""

    def handle_timeout(self, now: float) -> None:
        self._now = now
        self._attempts.handle_timeout(now)

    def next_timeout(self) -> float | None:
        return self._attempts.next_timeout()

    def poll_transmit(self) -> Transmit | None:
        return None

    def poll_event(self) -> Event | None:
        while (event := self._attempts.poll_event()) is not None:
            if not isinstance(event, AttemptRequested):
                return event
            barred = self._memory.barred(event.target.address, self._now)
            if barred is None:
                self._running[event.number] = event.target
                return event
            self._note(barred)
            self._attempts.failed(event.number, self._now)
        return None

    def _has_port_left(self, target: Target) -> bool:
        """Three 5-tuples are tried before a server is given up (RFC 8656 section 7.4)."""
        self._ports[target] += 1
        return self._ports[target] < MAX_LOCAL_PORTS

    def _note(self, failure: AllocationFailed) -> None:
        if failure.code is not None or not self._has_answer:
            self.failure = failure
        self._has_answer = self._has_answer or failure.code is not None
