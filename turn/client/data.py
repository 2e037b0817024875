"""Data to and from peers (RFC 8656 sections 11, 12.5 and 12.6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from stun import (
    KNOWN_TYPES,
    TRANSACTION_ID_BYTES,
    AnyAttribute,
    Data,
    DontFragment,
    Icmp,
    Message,
    MessageClass,
    Method,
    XorPeerAddress,
    encode_message,
)
from transport import DecodeError, Transmit, TransportAddress

from .channels import Channels
from .drops import DropReason
from .events import DataReceived, IcmpReceived
from .permissions import Permissions
from .session import ClientSession
from .state import ClientState

CHANNEL_HEAD_BYTES: Final = 4


class Relaying:
    """Wraps what goes to peers, and unwraps what comes from them."""

    __slots__ = ("_channels", "_permissions", "_session")

    def __init__(
        self, session: ClientSession, permissions: Permissions, channels: Channels
    ) -> None:
        self._session = session
        self._permissions = permissions
        self._channels = channels

    def send(self, peer: TransportAddress, segments: Sequence[bytes], dscp: int | None) -> bool:
        """A run of equal datagrams stays one; False if there is no allocation, or the peer has
        no permission."""
        session = self._session
        if session.state is not ClientState.ALLOCATED:
            session.drops.add(DropReason.NOT_ALLOCATED)
            return False
        binding = self._channels.bound.get(peer)
        if binding is not None:
            is_stream = session.path.transport.is_reliable
            frame = binding.frame_padded if is_stream else binding.frame
            wrapped = [frame(data) for data in segments]
        elif self._permissions.allows(peer.ip):
            wrapped = [self._send_indication(peer, data) for data in segments]
        else:
            session.drops.add(DropReason.SEND_WITHOUT_PERMISSION)
            return False
        session.transmits.append(Transmit(session.path, wrapped, dscp))
        return True

    def send_unfragmented(self, peer: TransportAddress, data: bytes) -> bool:
        """DONT-FRAGMENT goes in Send indications alone, also where a channel is bound.

        Raises:
            ValueError: the server was not asked for it.
        """
        session = self._session
        if not session.config.dont_fragment:
            raise ValueError("the configuration has not asked for DONT-FRAGMENT")
        if session.state is not ClientState.ALLOCATED:
            session.drops.add(DropReason.NOT_ALLOCATED)
            return False
        if not session.dont_fragment:
            session.drops.add(DropReason.DONT_FRAGMENT_UNKNOWN)
            return False
        if not self._permissions.allows(peer.ip):
            session.drops.add(DropReason.SEND_WITHOUT_PERMISSION)
            return False
        message = self._send_indication(peer, data, DontFragment())
        session.transmits.append(Transmit(session.path, (message,)))
        return True

    def _send_indication(
        self, peer: TransportAddress, data: bytes, *further: AnyAttribute
    ) -> bytes:
        return encode_message(
            Method.SEND,
            MessageClass.INDICATION,
            self._session.random_bytes(TRANSACTION_ID_BYTES),
            (XorPeerAddress(peer), Data(data), *further),
        )

    def receive_channel_data(self, data: bytes) -> None:
        """Take a message whose first byte is that of a channel number.

        What follows the length that it states is padding (section 12.5).
        """
        session = self._session
        end = CHANNEL_HEAD_BYTES + (data[2] << 8 | data[3]) if len(data) >= 4 else len(data) + 1
        if end > len(data):
            session.drops.add(DropReason.SHORT_CHANNEL_DATA)
            return
        peer = self._channels.peer(data[0] << 8 | data[1])
        if peer is None:
            session.drops.add(DropReason.UNKNOWN_CHANNEL)
            return
        session.events.append(DataReceived(peer, data[CHANNEL_HEAD_BYTES:end]))

    def receive_indication(self, message: Message) -> None:
        """Take a Data indication (sections 11.4 and 11.6)."""
        session = self._session
        if message.unknown_comprehension_required(KNOWN_TYPES):
            session.drops.add(DropReason.UNKNOWN_ATTRIBUTE)
            return
        try:
            peer = message.get(XorPeerAddress)
            content = message.get(Data) or message.get(Icmp)
        except DecodeError:
            session.drops.add(DropReason.MALFORMED)
            return
        if peer is None or content is None:
            session.drops.add(DropReason.INCOMPLETE_INDICATION)
        elif not self._permissions.expects(peer.address.ip):
            session.drops.add(DropReason.NO_PERMISSION)
        elif isinstance(content, Data):
            session.events.append(DataReceived(peer.address, content.data))
        else:
            icmp = (content.icmp_type, content.icmp_code, content.error_data)
            session.events.append(IcmpReceived(peer.address, *icmp))
