"""Which of several servers to ask (RFC 8489 sections 8.1 and 10)."""

from __future__ import annotations

from collections.abc import Iterable

from stun.resolution import Attempts, Target
from transport import Event, Path, Transmit

from .events import FailureReason, RequestFailed


class ServerSelection:
    """Has targets tried until one answers with success; a Machine around ``Attempts``.

    Each attempt is a request of a ``StunClient`` of the caller's, who tells what became of
    it. ``failure`` is what to tell if nothing succeeds: the last error that a server has
    answered, or else the last failure.
    """

    def __init__(self, targets: Iterable[Target]) -> None:
        self.failure: RequestFailed | None = None
        self._attempts = Attempts(targets)
        self._has_answer = False

    def start(self, now: float) -> None:
        self._attempts.start(now)

    def reached(self, number: int, now: float) -> None:
        """Its server is there (``ServerReached``)."""
        self._attempts.reached(number, now)

    def succeeded(self, number: int, now: float) -> None:
        """It has answered."""
        self._attempts.succeeded(number, now)

    def request_failed(self, number: int, failure: RequestFailed, now: float) -> None:
        """What RequestFailed says decides what is tried next."""
        if failure.code is not None or not self._has_answer:
            self.failure = failure
        self._has_answer = self._has_answer or failure.code is not None
        alternate, domain = failure.alternate, failure.alternate_domain
        if alternate is not None:
            # What comes of it says more than the redirection.
            self._has_answer = not self._attempts.redirected(number, alternate, domain, now)
        elif failure.reason is FailureReason.UNAUTHENTICATED:
            self._attempts.refused(number, now)
        else:
            self._attempts.failed(number, now)

    # Machine

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """It has no socket."""

    def handle_timeout(self, now: float) -> None:
        self._attempts.handle_timeout(now)

    def next_timeout(self) -> float | None:
        return self._attempts.next_timeout()

    def poll_transmit(self) -> Transmit | None:
        return None

    def poll_event(self) -> Event | None:
        return self._attempts.poll_event()
