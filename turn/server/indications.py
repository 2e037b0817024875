"""Send indications (RFC 8656 section 11.2), which are never authenticated or answered."""

from __future__ import annotations

from stun import Data, DontFragment, IpProtocol, Message, XorPeerAddress
from transport import DecodeError, IPAddress, Path

from .allocation import Allocation
from .relayed import relay_to_peer
from .state import ServerState
from .stats import DropReason
from .understood import UNDERSTOOD


def receive_send(state: ServerState, message: Message, allocation: Allocation) -> None:
    """Relay what the indication carries; it does not refresh the permission."""
    if allocation.protocol != IpProtocol.UDP:
        state.outbox.drop(DropReason.NOT_OF_UDP)
        return
    if message.unknown_comprehension_required(UNDERSTOOD):
        state.outbox.drop(DropReason.UNKNOWN_ATTRIBUTE)
        return
    try:
        peer = message.get(XorPeerAddress)
        data = message.get(Data)
        dont_fragment = message.get(DontFragment)
    except DecodeError:
        peer = data = dont_fragment = None
    if peer is None or data is None or allocation.toward(peer.address.ip) is None:
        state.outbox.drop(DropReason.MALFORMED_INDICATION)
        return
    is_whole = dont_fragment is not None and _is_obeyed(allocation.client, peer.address.ip)
    relay_to_peer(state, allocation, peer.address, data.data, dont_fragment=is_whole)


def _is_obeyed(client: Path, peer: IPAddress) -> bool:
    """Whether DONT-FRAGMENT counts: where one of both sides has IPv6 it has to be ignored,
    unless the client's data comes in a stream (RFC 8656 section 13)."""
    return client.transport.is_reliable or client.remote.ip.version == peer.version == 4
