"""ICMP errors about what was relayed (RFC 8656 sections 11.5 and 18.13)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from stun import Icmp, MessageClass, Method, XorPeerAddress, encode_message
from transport import IcmpError

from .allocation import Allocation
from .relayed import TRANSACTION_ID_BYTES
from .state import ServerState
from .stats import DropReason

_RELAYED_TYPES: Final[Mapping[int, Collection[int]]] = {4: (3, 11), 6: (1, 2, 3)}
"""By IP version: destination unreachable, packet too big (a code of the former in
ICMPv4), time exceeded."""

_TOO_BIG: Final = {4: (3, 4), 6: (2, 0)}
"""Type and code that come with the MTU of the next hop."""


def relay_icmp(state: ServerState, allocation: Allocation, error: IcmpError, now: float) -> None:
    """Tell the client in a Data indication, also where a channel is bound (section 12.5).

    The permission that counts is that of the peer, not of who sent the ICMP message.
    """
    peer = error.destination
    version = peer.ip.version
    if error.icmp_type not in _RELAYED_TYPES[version]:
        state.outbox.drop(DropReason.ICMP_TYPE)
    elif peer.ip not in allocation.permissions:
        state.outbox.drop(DropReason.NO_PERMISSION)
    elif not allocation.icmp_errors.take(now):
        state.outbox.drop(DropReason.RATE_LIMITED)
    else:
        kind = (error.icmp_type, error.icmp_code)
        mtu = error.mtu if kind == _TOO_BIG[version] else 0
        attributes = (XorPeerAddress(peer), Icmp(*kind, mtu))
        transaction_id = state.random_bytes(TRANSACTION_ID_BYTES)
        indication = encode_message(
            Method.DATA, MessageClass.INDICATION, transaction_id, attributes
        )
        state.outbox.send(allocation.client, indication)
