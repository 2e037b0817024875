"""Moving application data between a client and its peers (RFC 8656 sections 11.2, 11.3,
12.5 and 12.7).

Between two allocations of this relay data is switched here, without a datagram to
ourselves: the permissions of both count, as they would on the wire.
"""

from __future__ import annotations

from stun import Data, MessageClass, Method, XorPeerAddress, encode_message
from transport import Path, Transmit, TransportAddress, TransportProtocol
from turn.channel_data import ChannelData

from .allocation import Allocation
from .state import ServerState
from .stats import DropReason

TRANSACTION_ID_BYTES = 12

_MAX_INDICATED_BYTES = 65_504
"""What a Data indication holds beside an IPv6 XOR-PEER-ADDRESS: the length of a message
has 16 bits. UDP over IPv6 carries 23 bytes more; UDP to the client carries less."""


def relay_to_peer(
    state: ServerState,
    allocation: Allocation,
    peer: TransportAddress,
    data: bytes,
    *,
    dont_fragment: bool = False,
) -> None:
    """Send from the relayed transport address to a peer, if there is a permission."""
    own = allocation.toward(peer.ip)
    if own is None or peer.ip not in allocation.permissions:
        state.outbox.drop(DropReason.NO_PERMISSION)
        return
    other = state.allocations.known_as(peer)
    if other is None and not _is_reachable(state, peer):
        state.outbox.drop(DropReason.FORBIDDEN_PEER)
        return
    allocation.meter.sent_packets += 1
    allocation.meter.sent_bytes += len(data)
    if other is None:
        path = Path(TransportProtocol.UDP, own.local, peer)
        state.outbox.transmits.append(Transmit(path, (data,), dont_fragment=dont_fragment))
    else:
        relay_to_client(state, other, own.advertised, data)


def relay_to_client(
    state: ServerState, allocation: Allocation, peer: TransportAddress, data: bytes
) -> None:
    """Hand a peer's datagram to the client, if there is a permission."""
    if peer.ip not in allocation.permissions:
        state.outbox.drop(DropReason.NO_PERMISSION)
        return
    binding = allocation.channels_by_peer.get(peer)
    if binding is None and len(data) > _MAX_INDICATED_BYTES:
        state.outbox.drop(DropReason.TOO_LONG)
        return
    allocation.meter.received_packets += 1
    allocation.meter.received_bytes += len(data)
    if binding is None:
        message = _data_indication(state, peer, data)
    elif allocation.client.transport.is_reliable:
        message = ChannelData(binding.number, data).encode_padded()
    else:
        message = ChannelData(binding.number, data).encode()
    state.outbox.send(allocation.client, message)


def _is_reachable(state: ServerState, peer: TransportAddress) -> bool:
    """A permission names no port, so the port is looked at here, and at our own addresses
    the peer as a whole."""
    policy = state.policy
    if policy.is_own(peer.ip):
        return policy.admits(peer)
    return not policy.is_denied_port(peer.port)


def _data_indication(state: ServerState, peer: TransportAddress, data: bytes) -> bytes:
    transaction_id = state.random_bytes(TRANSACTION_ID_BYTES)
    attributes = (XorPeerAddress(peer), Data(data))
    return encode_message(Method.DATA, MessageClass.INDICATION, transaction_id, attributes)
