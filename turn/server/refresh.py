"""Refresh (RFC 8656 section 8.2)."""

from __future__ import annotations

from collections.abc import Sequence

from stun import AnyAttribute, Lifetime, RequestedAddressFamily
from stun import ErrorNumber as Error

from .allocation import Allocation, RelayedAddress
from .events import AllocationEnd
from .request import Refused, Request
from .state import ServerState


def refresh(state: ServerState, request: Request, allocation: Allocation) -> Sequence[AnyAttribute]:
    """Set the allocation's time-to-expiry anew, or delete it with a lifetime of 0.

    With REQUESTED-ADDRESS-FAMILY only the address of that family (section 8.1).

    Raises:
        Refused: the allocation has no address of the family.
        DecodeError: an attribute is malformed.
    """
    family = request.message.get(RequestedAddressFamily)
    requested = request.message.get(Lifetime)
    meant = [
        each for each in allocation.addresses if family is None or each.family == family.family
    ]
    if not meant:
        raise Refused(Error.PEER_ADDRESS_FAMILY_MISMATCH)
    if requested is not None and requested.lifetime == 0:
        _delete(state, request, allocation, meant)
        return (Lifetime(0),)
    _take_token(request, allocation)
    ends_at = allocation.credential_ends_at
    lifetime = state.lifetime(
        None if requested is None else requested.lifetime,
        at_most=None if ends_at is None else ends_at - request.now,
    )
    for address in meant:
        address.expires_at = request.now + lifetime
    state.allocations.arm(allocation)
    return (Lifetime(lifetime),)


def _take_token(request: Request, allocation: Allocation) -> None:
    """From now on the key of a new access token is the client's (RFC 7635 section 9)."""
    if request.token_ends_at is not None:
        allocation.credential_ends_at = request.token_ends_at
        allocation.username = request.proof.username
        allocation.key = request.proof.key_bytes


def _delete(
    state: ServerState, request: Request, allocation: Allocation, meant: Sequence[RelayedAddress]
) -> None:
    if len(meant) == len(allocation.addresses):
        state.ended.remember(allocation.client, allocation.transaction_id, request.now)
        state.end(allocation, AllocationEnd.DELETED)
        return
    for address in meant:
        state.end_address(allocation, address)
    state.allocations.arm(allocation)
