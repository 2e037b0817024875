"""Send indications (RFC 8656 section 11.2), which are never authenticated or answered."""

from __future__ import annotations

from stun import AddressFamily, Data, Message, XorPeerAddress
from transport import DecodeError

from .allocation import Allocation
from .relayed import relay_to_peer
from .state import ServerState
from .stats import DropReason
from .understood import UNDERSTOOD


def receive_send(state: ServerState, message: Message, allocation: Allocation) -> None:
    """Relay what the indication carries; it does not refresh the permission."""
    if message.unknown_comprehension_required(UNDERSTOOD):
        state.outbox.drop(DropReason.UNKNOWN_ATTRIBUTE)
        return
    try:
        peer = message.get(XorPeerAddress)
        data = message.get(Data)
    except DecodeError:
        peer = data = None
    if peer is None or data is None or AddressFamily.of(peer.address) != allocation.family:
        state.outbox.drop(DropReason.MALFORMED_INDICATION)
        return
    relay_to_peer(state, allocation, peer.address, data.data)
