"""Permissions and CreatePermission (RFC 8656 sections 9 and 10.2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from stun import AnyAttribute, XorPeerAddress
from stun import ErrorNumber as Error
from transport import IPAddress, TransportAddress

from .allocation import PERMISSION_LIFETIME, Allocation
from .limits import MAX_PERMISSIONS
from .request import Refused, Request
from .state import ServerState


def create_permission(
    state: ServerState, request: Request, allocation: Allocation
) -> Sequence[AnyAttribute]:
    """Install or refresh a permission for each address, or for none if one is refused.

    Raises:
        Refused: with the error to answer.
        DecodeError: an address is malformed.
    """
    peers = {each.address for each in request.message.get_all(XorPeerAddress)}
    if not peers:
        raise Refused(Error.BAD_REQUEST)
    ips = {peer.ip for peer in peers}
    if any(allocation.toward(ip) is None for ip in ips):
        raise Refused(Error.PEER_ADDRESS_FAMILY_MISMATCH)
    check_capacity(allocation, ips)
    if not all(_is_admitted(state, peer) for peer in peers):
        raise Refused(Error.FORBIDDEN)
    for ip in ips:
        install(state, allocation, ip, request.now)
    return ()


def check_capacity(allocation: Allocation, ips: Collection[IPAddress]) -> None:
    """Raise Refused unless there is room for permissions for these addresses."""
    new = sum(ip not in allocation.permissions for ip in ips)
    if new and len(allocation.permissions) + new > MAX_PERMISSIONS:
        raise Refused(Error.INSUFFICIENT_CAPACITY)


def install(state: ServerState, allocation: Allocation, ip: IPAddress, now: float) -> None:
    """Install the permission, or let it begin anew."""
    is_new = ip not in allocation.permissions
    expires_at = now + PERMISSION_LIFETIME
    allocation.permissions[ip] = expires_at
    state.allocations.arm_by(allocation, expires_at)
    if is_new:
        for binding in allocation.channels.values():
            if binding.peer.ip == ip:
                state.publisher.update(allocation, binding)


def _is_admitted(state: ServerState, peer: TransportAddress) -> bool:
    if state.allocations.known_as(peer) is not None:
        return True
    return state.policy.admits_permission(peer)
