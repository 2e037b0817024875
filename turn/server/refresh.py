"""Refresh (RFC 8656 section 8.2)."""

from __future__ import annotations

from collections.abc import Sequence

from stun import AnyAttribute, Lifetime, RequestedAddressFamily
from stun import ErrorNumber as Error

from .allocation import Allocation
from .events import AllocationEnd
from .request import Refused, Request
from .state import ServerState


def refresh(state: ServerState, request: Request, allocation: Allocation) -> Sequence[AnyAttribute]:
    """Set the allocation's time-to-expiry anew, or delete it with a lifetime of 0.

    Raises:
        Refused: the address family is not the allocation's.
        DecodeError: an attribute is malformed.
    """
    family = request.message.get(RequestedAddressFamily)
    requested = request.message.get(Lifetime)
    if family is not None and family.family != allocation.family:
        raise Refused(Error.PEER_ADDRESS_FAMILY_MISMATCH)
    if requested is not None and requested.lifetime == 0:
        state.end(allocation, AllocationEnd.DELETED)
        return (Lifetime(0),)
    lifetime = state.lifetime(None if requested is None else requested.lifetime)
    allocation.expires_at = request.now + lifetime
    state.allocations.arm(allocation)
    return (Lifetime(lifetime),)
