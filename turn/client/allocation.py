"""Getting an allocation (RFC 8656 section 7)."""

from __future__ import annotations

from stun import (
    AddressFamily,
    AlternateDomain,
    AlternateServer,
    ErrorNumber,
    IpProtocol,
    Lifetime,
    Message,
    Method,
    RequestedTransport,
    XorRelayedAddress,
    reflexive_address,
)
from transport import DecodeError, TransportAddress

from .events import Allocated, AllocationFailed, FailureReason
from .limits import CAPACITY_PAUSE, MAX_ALLOCATE_TRIES, MISMATCH_PAUSE
from .refresh import Refresh, read_lifetime
from .requests import Failed, Requests, Succeeded
from .session import ClientSession
from .state import ClientState

_PAUSES: dict[int, float | None] = {
    ErrorNumber.BAD_REQUEST: None,
    ErrorNumber.UNAUTHENTICATED: None,
    ErrorNumber.FORBIDDEN: None,
    ErrorNumber.UNKNOWN_ATTRIBUTE: None,
    ErrorNumber.ADDRESS_FAMILY_NOT_SUPPORTED: None,
    ErrorNumber.WRONG_CREDENTIALS: None,
    ErrorNumber.UNSUPPORTED_TRANSPORT_PROTOCOL: None,
    ErrorNumber.ALLOCATION_MISMATCH: MISMATCH_PAUSE,
    ErrorNumber.ALLOCATION_QUOTA_REACHED: CAPACITY_PAUSE,
    ErrorNumber.INSUFFICIENT_CAPACITY: CAPACITY_PAUSE,
}
"""Seconds until the same server may be asked again; None for never (section 7.4)."""


class Allocation:
    """Allocate requests until one succeeds or there is no use in another."""

    __slots__ = ("_mismatches", "_refresh", "_requests", "_session")

    def __init__(self, session: ClientSession, requests: Requests, refresh: Refresh) -> None:
        self._session = session
        self._requests = requests
        self._refresh = refresh
        self._mismatches = 0

    def start(self, now: float) -> None:
        """Send the first Allocate request."""
        self._session.state = ClientState.ALLOCATING
        self._session.use_memory()
        self._request(now)

    def _request(self, now: float) -> None:
        session = self._session
        lifetime = session.config.lifetime
        attributes = (
            RequestedTransport(IpProtocol.UDP),
            *(() if lifetime is None else (Lifetime(lifetime),)),
            *session.family_attributes(),
            *session.common_attributes(),
        )
        self._requests.start(Method.ALLOCATE, attributes, self._concluded, now)

    def _concluded(self, outcome: Succeeded | Failed, now: float) -> None:
        session = self._session
        if isinstance(outcome, Succeeded):
            self._allocated(outcome, now)
        elif outcome.code == ErrorNumber.ALLOCATION_MISMATCH:
            self._mismatched(outcome, now)
        elif outcome.code == ErrorNumber.UNAUTHENTICATED and session.is_preset:
            # A server may answer 401, not 438, to a nonce that it does not know any more.
            session.start_over()
            self._request(now)
        else:
            self._fail(outcome)

    def _allocated(self, outcome: Succeeded, now: float) -> None:
        session = self._session
        relayed = self._relayed_address(outcome.response)
        mapped = reflexive_address(outcome.response)
        lifetime = read_lifetime(outcome)
        if relayed is None or mapped is None or not lifetime:
            # Section 7.3: delete what we cannot use, and do not ask for it again.
            failed = AllocationFailed(None, FailureReason.UNUSABLE_RESPONSE, retry_after=None)
            self._refresh.abandon(failed, now)
            return
        session.state = ClientState.ALLOCATED
        session.relayed = relayed
        session.events.append(Allocated(relayed, mapped, lifetime))
        self._refresh.start(lifetime, outcome.sent_at, now)

    def _relayed_address(self, response: Message) -> TransportAddress | None:
        """The one of the family that we want (section 7.3)."""
        family = self._session.config.family
        try:
            relayed = response.get_all(XorRelayedAddress)
        except DecodeError:
            return None
        for attribute in relayed:
            if family is None or AddressFamily.of(attribute.address) is family:
                return attribute.address
        return None

    def _mismatched(self, outcome: Failed, now: float) -> None:
        """The server has an allocation on this 5-tuple, perhaps our own of a former life.

        If so, deleting it helps. If it is another user's the server says 441, and only
        another local port does (section 7.4).
        """
        self._mismatches += 1
        if self._mismatches >= MAX_ALLOCATE_TRIES:
            self._fail(outcome)
            return

        def deleted(deletion: Succeeded | Failed, now: float) -> None:
            gone = isinstance(deletion, Succeeded) or (
                deletion.code == ErrorNumber.ALLOCATION_MISMATCH
            )
            if gone:
                self._request(now)
            else:
                self._fail(outcome)

        self._refresh.ask_to_delete(deleted, now)

    def _fail(self, outcome: Failed) -> None:
        reason, alternate, domain = outcome.reason, None, None
        if outcome.code == ErrorNumber.TRY_ALTERNATE and outcome.response and outcome.is_proven:
            alternate, domain = self._alternate(outcome.response)
            if alternate is not None:
                reason = FailureReason.REDIRECTED
        self._session.events.append(
            AllocationFailed(
                outcome.code,
                reason,
                outcome.phrase,
                alternate,
                domain,
                retry_after=0.0 if outcome.code is None else _PAUSES.get(outcome.code, 0.0),
            )
        )
        self._session.close()

    def _alternate(self, response: Message) -> tuple[TransportAddress | None, str | None]:
        """The first alternate server of our family, and its domain (RFC 8489 section 10)."""
        wants_ipv6 = self._session.path.remote.is_ipv6
        try:
            servers = response.get_all(AlternateServer)
            domain = response.get(AlternateDomain)
        except DecodeError:
            return None, None
        name = None if domain is None else domain.domain
        for server in servers:
            if server.address.is_ipv6 == wants_ipv6:
                return server.address, name
        return None, None
