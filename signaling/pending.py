"""Messages that wait for an absent peer, at most for the channel's message TTL."""

from __future__ import annotations

import collections
import dataclasses

from .messages import Action

MAX_RECIPIENTS = 64
"""A master may address viewers that never come; ten can be there, some may be on their way."""

MAX_CANDIDATES_PER_SENDER = 100
"""ICE uses at most 100 pairs (RFC 8445 section 6.1.2.5), so more candidates gain nothing."""

MAX_MESSAGES_PER_RECIPIENT = 1200
"""Ten viewers with an offer, an answer and their candidates each."""


MAX_CHARACTERS_PER_RECIPIENT = 4 * 1024 * 1024
"""Payloads that wait for one peer. Ten viewers' offers and candidates are a tenth of it;
without it, payloads of the greatest size would make 78 MB of the message count."""


@dataclasses.dataclass(frozen=True, slots=True)
class WaitingMessage:
    """One message on its way: ``sender`` and the recipient are None for the master."""

    sender: str | None
    action: Action
    payload: str
    expiry: float


class PendingMessages:
    """First in, first out for each recipient; a newer offer or answer replaces the older.

    What goes with a replaced description goes too: the candidates that followed
    it belong to a session that its sender has given up.
    """

    def __init__(self) -> None:
        self._queues: collections.OrderedDict[str | None, list[WaitingMessage]] = (
            collections.OrderedDict()
        )
        self.dropped = 0

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def add(self, recipient: str | None, message: WaitingMessage) -> None:
        """Keep a message; the oldest give way when a bound is reached."""
        queue = self._queues.setdefault(recipient, [])
        if message.action is Action.ICE_CANDIDATE:
            self._make_room_for_candidate(queue, message.sender)
        else:
            queue[:] = _without_superseded(queue, message)
        queue.append(message)
        while _is_too_much(queue):
            del queue[0]
            self.dropped += 1
        if len(self._queues) > MAX_RECIPIENTS:
            _, oldest = self._queues.popitem(last=False)
            self.dropped += len(oldest)

    def take(self, recipient: str | None, now: float) -> list[WaitingMessage]:
        """All that waits for ``recipient`` and has not expired, oldest first."""
        return [m for m in self._queues.pop(recipient, []) if m.expiry > now]

    def expire(self, now: float) -> None:
        """Forget what has waited too long."""
        for recipient, queue in list(self._queues.items()):
            queue[:] = [m for m in queue if m.expiry > now]
            if not queue:
                del self._queues[recipient]

    def next_expiry(self) -> float | None:
        return min((m.expiry for queue in self._queues.values() for m in queue), default=None)

    def _make_room_for_candidate(self, queue: list[WaitingMessage], sender: str | None) -> None:
        waiting = [m for m in queue if m.sender == sender and m.action is Action.ICE_CANDIDATE]
        if len(waiting) >= MAX_CANDIDATES_PER_SENDER:
            queue.remove(waiting[0])
            self.dropped += 1


def _without_superseded(queue: list[WaitingMessage], newer: WaitingMessage) -> list[WaitingMessage]:
    kept: list[WaitingMessage] = []
    superseded = False
    for message in queue:
        if message.sender != newer.sender:
            kept.append(message)
        elif message.action is newer.action:
            superseded = True
        elif not (superseded and message.action is Action.ICE_CANDIDATE):
            kept.append(message)
    return kept


def _is_too_much(queue: list[WaitingMessage]) -> bool:
    if len(queue) > MAX_MESSAGES_PER_RECIPIENT:
        return True
    return sum(len(message.payload) for message in queue) > MAX_CHARACTERS_PER_RECIPIENT
