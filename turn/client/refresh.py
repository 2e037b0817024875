"""Keeping the allocation, and letting it go (RFC 8656 section 8)."""

from __future__ import annotations

from stun import AddressFamily, AnyAttribute, Lifetime, Method, RequestedAddressFamily
from transport import DecodeError, Event

from .events import AddressFamilyReleased, FailureReason
from .limits import REFRESH_MARGIN, RETRY_PAUSE
from .requests import Failed, OnOutcome, Requests, Succeeded
from .session import ClientSession
from .state import ClientState
from .tokens import Tokens


class Refresh:
    """Refreshes the allocation before it expires, and deletes it when that is wanted.

    A refresh that fails is tried again until the allocation has expired: only 437 says
    that it is gone (section 8.3).
    """

    __slots__ = ("_expires_at", "_last_code", "_requests", "_session", "_tokens")

    def __init__(self, session: ClientSession, requests: Requests, tokens: Tokens) -> None:
        self._session = session
        self._requests = requests
        self._tokens = tokens
        self._expires_at = 0.0
        self._last_code: int | None = None

    def start(self, lifetime: int, sent_at: float, now: float) -> None:
        """The server has granted ``lifetime`` seconds to a request sent at ``sent_at``."""
        self._expires_at = sent_at + lifetime
        self._last_code = None
        margin = min(REFRESH_MARGIN, lifetime / 2)
        self._session.timers.set(self, max(self._expires_at - margin, now + 0.5))

    def due(self, now: float) -> None:
        if now >= self._expires_at:
            self._requests.cancel_all()
            self._session.lose(FailureReason.EXPIRED, self._last_code)
            return
        self._session.timers.set(self, self._expires_at)
        if self._tokens.is_due(now):
            self._tokens.ask_again(self._refresh)
        else:
            self._refresh(now)

    def _refresh(self, now: float) -> None:
        lifetime = self._session.config.lifetime
        self._request(lifetime, self._refreshed, now, family=self._family())

    def delete(self, now: float) -> None:
        """Ask the server to delete the allocation; whatever it says, that is the end."""

        def done(_outcome: Succeeded | Failed, _now: float) -> None:
            self._session.released()

        self._session.state = ClientState.RELEASING
        self._requests.cancel_all()
        self._session.stop_timers()
        self.ask_to_delete(done, now)

    def delete_family(self, family: AddressFamily, now: float) -> None:
        """Ask the server to delete one address of a dual allocation (section 8.1)."""

        def done(outcome: Succeeded | Failed, _now: float) -> None:
            if isinstance(outcome, Failed) and outcome.reason is FailureReason.MISMATCH:
                self._session.lose(outcome.reason, outcome.code)
            else:
                self._session.events.append(AddressFamilyReleased(family))

        self._request(0, done, now, family=family)

    def abandon(self, event: Event, now: float) -> None:
        """Report the end, and delete what the server has."""
        self._session.events.append(event)
        self.delete(now)

    def ask_to_delete(self, on_outcome: OnOutcome, now: float) -> None:
        """Send a Refresh request with lifetime 0."""
        self._request(0, on_outcome, now)

    def _request(
        self,
        lifetime: int | None,
        on_outcome: OnOutcome,
        now: float,
        *,
        family: AddressFamily | None = None,
    ) -> None:
        attributes: list[AnyAttribute] = [*self._session.common_attributes()]
        if lifetime is not None:
            attributes.append(Lifetime(lifetime))
        if family is not None:
            attributes.append(RequestedAddressFamily(family))
        self._requests.start(Method.REFRESH, attributes, on_outcome, now)

    def _family(self) -> AddressFamily | None:
        """The one that is left of a dual allocation, if one is: should the server not have
        heard that the other is to go, it is not refreshed."""
        session = self._session
        if session.config.dual and len(session.relayed_addresses) == 1:
            return AddressFamily.of(session.relayed_addresses[0])
        return None

    def _refreshed(self, outcome: Succeeded | Failed, now: float) -> None:
        session = self._session
        if isinstance(outcome, Succeeded):
            lifetime = read_lifetime(outcome)
            if lifetime:
                self.start(lifetime, outcome.sent_at, now)
                return
        elif outcome.reason is FailureReason.MISMATCH:
            session.lose(FailureReason.MISMATCH, outcome.code)
            return
        else:
            self._last_code = outcome.code
        session.timers.set(self, min(now + RETRY_PAUSE, max(self._expires_at, now)))


def read_lifetime(outcome: Succeeded) -> int:
    """The seconds that a response grants; 0 if it does not say, which helps nobody."""
    try:
        lifetime = outcome.response.get(Lifetime)
    except DecodeError:
        return 0
    return 0 if lifetime is None else lifetime.lifetime
