"""Keeping the peer's consent to receive (RFC 7675 section 5)."""

from __future__ import annotations

import enum

from stun import ErrorCode, ErrorNumber, Message, MessageClass
from transport import DecodeError, Path

from .check_message import RequestFactory
from .checklist import ValidPair
from .context import AgentContext, ComponentKey, SessionTimers, TimerKind
from .drops import DropReason
from .priority import as_peer_reflexive

BASIC_PERIOD = 5.0
"""Seconds; each interval is drawn from 0.8 to 1.2 times this, so never below 4 s."""

SILENT_AFTER = 2
"""Checks without an answer, the one under way included: the one before is 4 s old."""

DISCONNECTED_AFTER = 3
"""The same for IceState.DISCONNECTED: some 15 s after the last answer, at half of 30 s."""


class ConsentAnswer(enum.Enum):
    """What a response to a consent check says."""

    FRESH = "fresh"
    REVOKED = "revoked"
    VOID = "void"


class Consent:
    """The consent checks of one component, on the pair that it sends on.

    Each is a transaction of its own and is sent once; any answer to one that is
    outstanding renews consent for 30 seconds.
    """

    def __init__(self, context: AgentContext, timers: SessionTimers, key: ComponentKey) -> None:
        self._context = context
        self._timers = timers
        self._key = key
        self._sent: dict[bytes, float] = {}
        """Time of sending by transaction id; at most eight fit into 30 seconds."""
        self.pair: ValidPair | None = None

    @property
    def is_silent(self) -> bool:
        return len(self._sent) >= SILENT_AFTER

    @property
    def is_disconnected(self) -> bool:
        return len(self._sent) >= DISCONNECTED_AFTER

    def follow(self, pair: ValidPair | None, now: float) -> None:
        """Mind this pair from now on; its own checks have just proven consent."""
        if pair is None:
            self.stop()
            return
        self._timers.set((TimerKind.CONSENT_EXPIRY, self._key), pair.consent_ends_at)
        if pair is self.pair:
            return
        self.pair = pair
        self._sent.clear()
        self._arm(now)

    def stop(self) -> None:
        """Forget the pair and what is outstanding: late answers change nothing."""
        self.pair = None
        self._sent.clear()
        self._timers.cancel((TimerKind.CONSENT_CHECK, self._key))
        self._timers.cancel((TimerKind.CONSENT_EXPIRY, self._key))

    def check(self, requests: RequestFactory, now: float) -> None:
        """It is time for the next check."""
        if self.pair is None:
            return
        priority = as_peer_reflexive(self.pair.generator.local_priority)
        request = requests.request(self._context.role, priority=priority)
        self._sent[request[8:20]] = now
        self._context.consent_checks_sent += 1
        self._context.send(self.pair.generator.path, request)
        self._arm(now)

    def knows(self, transaction_id: bytes) -> bool:
        return transaction_id in self._sent

    def receive(
        self, message: Message, requests: RequestFactory, path: Path, now: float
    ) -> ConsentAnswer:
        """Take a response to a check that is outstanding."""
        pair = self.pair
        if pair is None or path != pair.generator.path:
            return ConsentAnswer.VOID
        if not message.verify_integrity(requests.key):
            self._context.drop(DropReason.BAD_RESPONSE_INTEGRITY)
            return ConsentAnswer.VOID
        if message.message_class is MessageClass.ERROR:
            return _read_error(message)
        sent_at = self._sent[message.transaction_id]
        # Checks before this one need no answer any more; later ones may still get theirs.
        self._sent = {key: at for key, at in self._sent.items() if at > sent_at}
        pair.answered(now, now - sent_at)
        self._timers.set((TimerKind.CONSENT_EXPIRY, self._key), pair.consent_ends_at)
        return ConsentAnswer.FRESH

    def _arm(self, now: float) -> None:
        fraction = int.from_bytes(self._context.random_bytes(4), "big") / 2**32
        interval = BASIC_PERIOD * (0.8 + 0.4 * fraction)
        self._timers.set((TimerKind.CONSENT_CHECK, self._key), now + interval)


def _read_error(message: Message) -> ConsentAnswer:
    try:
        error = message.get(ErrorCode)
    except DecodeError:
        return ConsentAnswer.VOID
    if error is not None and error.code == ErrorNumber.FORBIDDEN:
        return ConsentAnswer.REVOKED
    return ConsentAnswer.VOID
