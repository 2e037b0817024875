"""Relayed transport addresses that are held for a later allocation (RFC 8656 section 7.2)."""

from __future__ import annotations

from transport import Timers, TransportAddress

from .events import RelayReleased
from .limits import RESERVATION_LIFETIME
from .state import ServerState

TOKEN_BYTES = 8
"""RFC 8656 section 18.10; nobody guesses 64 random bits within a reservation's life."""


class Reservations:
    """The next ports that EVEN-PORT has asked for, by token; their sockets are bound.

    A token is good once, for whoever knows it.
    """

    __slots__ = ("_held", "_state", "_timers")

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._held: dict[bytes, TransportAddress] = {}
        self._timers: Timers[bytes] = Timers()

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, token: bytes) -> bool:
        return token in self._held

    def hold(self, relayed: TransportAddress, now: float) -> bytes:
        """Hold an address whose socket is bound; the token that stands for it."""
        token = self._state.random_bytes(TOKEN_BYTES)
        self._held[token] = relayed
        self._timers.set(token, now + RESERVATION_LIFETIME)
        return token

    def take(self, token: bytes) -> TransportAddress:
        """The address of a token that is held, which from now on is the caller's."""
        self._timers.cancel(token)
        return self._held.pop(token)

    def close(self) -> None:
        for token in tuple(self._held):
            self._let_go(token)

    def next_timeout(self) -> float | None:
        return self._timers.next_timeout()

    def handle_timeout(self, now: float) -> None:
        """Let go what nobody has come for."""
        for token in self._timers.expired(now):
            self._let_go(token)

    def _let_go(self, token: bytes) -> None:
        relayed = self.take(token)
        self._state.ports.release(relayed)
        self._state.outbox.events.append(RelayReleased(relayed))
