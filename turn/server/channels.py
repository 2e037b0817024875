"""Channels: ChannelBind and ChannelData (RFC 8656 section 12)."""

from __future__ import annotations

from collections.abc import Sequence

from stun import AnyAttribute, IpProtocol, XorPeerAddress
from stun import ChannelNumber as ChannelNumberAttribute
from stun import ErrorNumber as Error
from transport import DecodeError, TransportAddress
from turn.channel_data import MAX_CHANNEL, MIN_CHANNEL, ChannelData

from .allocation import CHANNEL_LIFETIME, Allocation, ChannelBinding
from .limits import MAX_CHANNELS
from .permissions import check_capacity, install
from .relayed import relay_to_peer
from .request import Refused, Request
from .state import ServerState
from .stats import DropReason


def bind_channel(
    state: ServerState, request: Request, allocation: Allocation
) -> Sequence[AnyAttribute]:
    """Create or refresh a channel binding, and the permission that goes with it.

    Raises:
        Refused: with the error to answer.
        DecodeError: an attribute is malformed.
    """
    if allocation.protocol != IpProtocol.UDP:
        raise Refused(Error.BAD_REQUEST)
    number = request.message.get(ChannelNumberAttribute)
    peer = request.message.get(XorPeerAddress)
    if number is None or peer is None:
        raise Refused(Error.BAD_REQUEST)
    binding = _matching_binding(allocation, number.number, peer.address)
    _check_peer(state, allocation, peer.address)
    if binding is None and len(allocation.channels) >= MAX_CHANNELS:
        raise Refused(Error.INSUFFICIENT_CAPACITY)
    check_capacity(allocation, (peer.address.ip,))
    expires_at = request.now + CHANNEL_LIFETIME
    if binding is None:
        binding = ChannelBinding(number.number, peer.address, expires_at)
        allocation.channels[binding.number] = binding
        allocation.channels_by_peer[binding.peer] = binding
    binding.expires_at = expires_at
    state.allocations.arm_by(allocation, expires_at)
    install(state, allocation, binding.peer.ip, request.now)
    state.publisher.update(allocation, binding)
    return ()


def receive_channel_data(state: ServerState, data: bytes, allocation: Allocation) -> None:
    """Relay what a client sends on a channel (section 12.6)."""
    try:
        message = ChannelData.decode(data)
    except DecodeError:
        state.outbox.drop(DropReason.MALFORMED_CHANNEL_DATA)
        return
    binding = allocation.channels.get(message.number)
    if binding is None:
        state.outbox.drop(DropReason.NO_CHANNEL)
    else:
        relay_to_peer(state, allocation, binding.peer, message.data)


def _matching_binding(
    allocation: Allocation, number: int, peer: TransportAddress
) -> ChannelBinding | None:
    """The binding of just this number and this peer; Refused if either is taken."""
    if not MIN_CHANNEL <= number <= MAX_CHANNEL or peer.port == 0:
        raise Refused(Error.BAD_REQUEST)
    binding = allocation.channels.get(number)
    if binding is not allocation.channels_by_peer.get(peer):
        raise Refused(Error.BAD_REQUEST)
    return binding


def _check_peer(state: ServerState, allocation: Allocation, peer: TransportAddress) -> None:
    if allocation.toward(peer.ip) is None:
        raise Refused(Error.PEER_ADDRESS_FAMILY_MISMATCH)
    if state.allocations.known_as(peer) is None and not state.policy.admits(peer):
        raise Refused(Error.FORBIDDEN)
