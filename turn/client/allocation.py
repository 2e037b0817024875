"""Getting an allocation (RFC 8656 section 7)."""

from __future__ import annotations

from stun import (
    AddressFamily,
    Alternate,
    DontFragment,
    ErrorNumber,
    Lifetime,
    Message,
    Method,
    MobilityTicket,
    RequestedTransport,
    ReservationToken,
    UnknownAttributes,
    XorRelayedAddress,
    alternate_of,
    reflexive_address,
)
from transport import DecodeError, TransportAddress
from turn.draft_numbers import address_error_code

from .config import RefusedFamily
from .events import AddressFamilyRefused, Allocated, AllocationFailed, FailureReason
from .limits import CAPACITY_PAUSE, MAX_ALLOCATE_TRIES, MISMATCH_PAUSE
from .refresh import Refresh, read_lifetime
from .requests import Failed, Requests, Succeeded
from .session import ClientSession
from .state import ClientState
from .wanted import wanted_attributes, wanted_families

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
        session = self._session
        session.state = ClientState.ALLOCATING
        refused = session.memory.refused(session.path.remote, now)
        wanted = wanted_families(session.config)
        if wanted and all(family in refused for family in wanted):
            self._give_up(refused[wanted[0]], now)
            return
        session.use_memory()
        self._request(now)

    def _give_up(self, refused: RefusedFamily, now: float) -> None:
        """The server has said that there is no use in asking (section 7.3)."""
        retry_after = None if refused.until is None else refused.until - now
        self._session.events.append(
            AllocationFailed(refused.code, FailureReason.REFUSED, retry_after=retry_after)
        )
        self._session.close()

    def _request(self, now: float) -> None:
        session = self._session
        lifetime = session.config.lifetime
        refused = session.memory.refused(session.path.remote, now)
        attributes = (
            RequestedTransport(session.config.protocol),
            *(() if lifetime is None else (Lifetime(lifetime),)),
            *wanted_attributes(session.config, refused, dont_fragment=session.dont_fragment),
            *session.common_attributes(),
            *((MobilityTicket(),) if self._wants_ticket() else ()),
        )
        self._requests.start(Method.ALLOCATE, attributes, self._concluded, now)

    def _wants_ticket(self) -> bool:
        session = self._session
        return session.config.mobility and not session.memory.is_immobile(session.path.remote)

    def _concluded(self, outcome: Succeeded | Failed, now: float) -> None:
        session = self._session
        if session.is_abandoned:
            self._end_abandoned(outcome, now)
        elif isinstance(outcome, Succeeded):
            self._allocated(outcome, now)
        elif outcome.code == ErrorNumber.MOBILITY_FORBIDDEN and self._wants_ticket():
            # RFC 8016 section 3.1.4: ask again, for an allocation that stays where it is.
            session.memory.note_immobile(session.path.remote)
            self._request(now)
        elif outcome.code == ErrorNumber.ALLOCATION_MISMATCH:
            self._mismatched(outcome, now)
        elif session.dont_fragment and _knows_no_dont_fragment(outcome):
            session.dont_fragment = False
            self._request(now)
        elif outcome.code == ErrorNumber.UNAUTHENTICATED and session.is_preset:
            # A server may answer 401, not 438, to a nonce that it does not know any more.
            session.start_over()
            self._request(now)
        else:
            self._fail(outcome)

    def _end_abandoned(self, outcome: Succeeded | Failed, now: float) -> None:
        if isinstance(outcome, Succeeded):
            self._refresh.delete(now)
        else:
            self._session.released()

    def _allocated(self, outcome: Succeeded, now: float) -> None:
        session = self._session
        relayed = self._relayed_addresses(outcome.response)
        mapped = reflexive_address(outcome.response)
        lifetime = read_lifetime(outcome)
        if not relayed or mapped is None or not lifetime:
            # Section 7.3: delete what we cannot use, and do not ask for it again.
            failed = AllocationFailed(None, FailureReason.UNUSABLE_RESPONSE, retry_after=None)
            self._refresh.abandon(failed, now)
            return
        session.state = ClientState.ALLOCATED
        session.relayed_addresses = relayed
        session.take_ticket(outcome.response)
        session.events.append(
            Allocated(
                relayed[0],
                mapped,
                lifetime,
                additional=relayed[1] if len(relayed) > 1 else None,
                reservation_token=_reservation_token(outcome.response),
                dont_fragment=session.dont_fragment,
            )
        )
        if session.config.dual and len(relayed) == 1:
            self._note_refusal(outcome.response, now)
        self._refresh.start(lifetime, outcome.sent_at, now)

    def _relayed_addresses(self, response: Message) -> tuple[TransportAddress, ...]:
        """Those of the families that we want, IPv4 first (section 7.3)."""
        config = self._session.config
        try:
            attributes = response.get_all(XorRelayedAddress)
        except DecodeError:
            return ()
        first: dict[AddressFamily, TransportAddress] = {}
        for attribute in attributes:
            first.setdefault(AddressFamily.of(attribute.address), attribute.address)
        if config.dual:
            return tuple(first[family] for family in AddressFamily if family in first)
        if config.family is not None:
            return (first[config.family],) if config.family in first else ()
        return tuple(first.values())[:1]

    def _note_refusal(self, response: Message, now: float) -> None:
        """Why one of two families is missing, if the server says so (section 7.3)."""
        session = self._session
        try:
            error = address_error_code(response)
        except DecodeError:
            return
        if error is None or error.family not in list(AddressFamily):
            return
        family = AddressFamily(error.family)
        pause = _PAUSES.get(error.code)
        until = None if pause is None else now + pause
        session.memory.refuse(session.path.remote, RefusedFamily(family, error.code, until))
        session.events.append(AddressFamilyRefused(family, error.code, error.reason, pause))

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
        if found := self._alternate(outcome):
            reason, (alternate, domain) = FailureReason.REDIRECTED, found
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

    def _alternate(self, outcome: Failed) -> Alternate | None:
        """Where the server sends us, if it proves that it is the server."""
        if outcome.code != ErrorNumber.TRY_ALTERNATE or not outcome.is_proven:
            return None
        response = outcome.response
        return None if response is None else alternate_of(response, self._session.path.remote)


def _knows_no_dont_fragment(outcome: Failed) -> bool:
    """Whether DONT-FRAGMENT is what the server did not understand (section 7.4)."""
    if outcome.code != ErrorNumber.UNKNOWN_ATTRIBUTE or outcome.response is None:
        return False
    try:
        unknown = outcome.response.get(UnknownAttributes)
    except DecodeError:
        return False
    return unknown is not None and DontFragment.TYPE in unknown.types


def _reservation_token(response: Message) -> bytes | None:
    try:
        token = response.get(ReservationToken)
    except DecodeError:
        return None
    return None if token is None else token.token
