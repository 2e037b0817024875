"""Channels: a number in place of a peer's address (RFC 8656 section 12)."""

from __future__ import annotations

import enum
import struct
from typing import Final

from stun import ChannelNumber, ErrorNumber, Method, XorPeerAddress
from transport import TransportAddress
from turn.channel_data import MAX_CHANNEL, MIN_CHANNEL

from .events import AllocationLost, ChannelBound, ChannelRefused, FailureReason
from .limits import (
    CHANNEL_LIFETIME,
    CHANNEL_REST,
    MAX_CHANNELS,
    REFRESH_MARGIN,
    RETRY_PAUSE,
)
from .permissions import Permissions
from .refresh import Refresh
from .requests import Failed, Requests, Succeeded
from .session import ClientSession

_pack_head = struct.Struct("!HH").pack
_PADDING: Final = (b"", b"\0\0\0", b"\0\0", b"\0")


class BindingState(enum.Enum):
    """PENDING -> BOUND -> RESTING; what is released or refused lapses on the way."""

    PENDING = "the server has not confirmed it yet"
    BOUND = "data may be sent on it"
    LAPSING = "the server may have it still, but we do not want it any more"
    RESTING = "it has expired; neither number nor peer may be bound otherwise yet"


class ChannelBinding:
    """A number and the peer that it stands for.

    It is sure to be bound until ``expires_at``. As a request whose answer was lost may
    have reached the server, the server may have it until ``held_until``.
    """

    __slots__ = (
        "expires_at",
        "held_until",
        "is_confirmed",
        "number",
        "peer",
        "state",
        "under_way",
        "wake_at",
    )

    def __init__(self, number: int, peer: TransportAddress) -> None:
        self.number = number
        self.peer = peer
        self.state = BindingState.PENDING
        self.is_confirmed = False
        self.under_way = False
        self.expires_at = 0.0
        self.held_until = 0.0
        self.wake_at: float | None = None

    def frame(self, data: bytes) -> bytes:
        """A ChannelData message as it goes over UDP.

        Raises:
            ValueError: the data are too long.
        """
        return _head(self.number, data) + data

    def frame_padded(self, data: bytes) -> bytes:
        """A ChannelData message as it goes over TCP and TLS (section 12.5).

        Raises:
            ValueError: the data are too long.
        """
        return _head(self.number, data) + data + _PADDING[len(data) & 3]


def _head(number: int, data: bytes) -> bytes:
    try:
        return _pack_head(number, len(data))
    except struct.error as error:
        raise ValueError(f"{len(data)} bytes do not fit into ChannelData") from error


class Channels:
    """Binds channels and refreshes them.

    A number never stands for two peers within its lifetime and rest, nor a peer for
    two numbers.
    """

    __slots__ = (
        "_by_number",
        "_by_peer",
        "_next",
        "_permissions",
        "_refresh",
        "_requests",
        "_session",
        "bound",
    )

    def __init__(
        self,
        session: ClientSession,
        requests: Requests,
        permissions: Permissions,
        refresh: Refresh,
    ) -> None:
        self._session = session
        self._requests = requests
        self._permissions = permissions
        self._refresh = refresh
        self._by_peer: dict[TransportAddress, ChannelBinding] = {}
        self._by_number: dict[int, ChannelBinding] = {}
        self._next = MIN_CHANNEL
        self.bound: dict[TransportAddress, ChannelBinding] = {}
        """By peer, those that data may be sent on."""

    def peer(self, number: int) -> TransportAddress | None:
        """Whose data comes on a channel: it may come as soon as the ChannelBind is sent."""
        binding = self._by_number.get(number)
        if binding is None or binding.state is BindingState.RESTING:
            return None
        return binding.peer

    def bind(self, peer: TransportAddress, now: float) -> None:
        """Want a channel to a peer. An event tells how it went.

        Raises:
            ValueError: the peer is not of the relayed transport address's family.
        """
        self._session.check_family(peer)
        binding = self._by_peer.get(peer) or self._new_binding(peer)
        if binding is None:
            self._refuse(peer, Failed(FailureReason.LIMIT_REACHED))
        elif binding.state is BindingState.BOUND:
            self._session.events.append(ChannelBound(peer, binding.number))
        elif binding.under_way:
            binding.state = BindingState.PENDING
        elif self._request(binding, now):
            binding.state = BindingState.PENDING
            binding.wake_at = None
            self._by_peer[peer] = self._by_number[binding.number] = binding
            self._arm()
        else:
            self._refuse(peer, Failed(FailureReason.LIMIT_REACHED))

    def release(self, peer: TransportAddress) -> None:
        """Refresh it no more; data goes in Send indications. It need not be there."""
        binding = self._by_peer.get(peer)
        if binding is not None and binding.state is not BindingState.RESTING:
            binding.state = BindingState.LAPSING
            if self.bound.pop(peer, None) is not None:
                binding.wake_at = binding.expires_at
            self._arm()

    def forget_unreachable(self) -> None:
        """A relayed transport address is gone: so are the channels of its family."""
        for peer in list(self._by_peer):
            if not self._session.reaches(peer.ip):
                self.release(peer)

    def due(self, now: float) -> None:
        for binding in list(self._by_number.values()):
            if binding.wake_at is not None and binding.wake_at <= now:
                self._wake(binding, now)
        self._arm()

    def _wake(self, binding: ChannelBinding, now: float) -> None:
        if binding.state is BindingState.RESTING:
            del self._by_number[binding.number], self._by_peer[binding.peer]
        elif now >= binding.expires_at:
            self._rest(binding)
        else:
            binding.wake_at = binding.expires_at
            self._request(binding, now)

    def _rest(self, binding: ChannelBinding) -> None:
        """It has expired; the request under way, if there is one, may still succeed."""
        was_bound = self.bound.pop(binding.peer, None) is not None
        if was_bound and not binding.under_way:
            self._refuse(binding.peer, Failed(FailureReason.EXPIRED))
        binding.state = BindingState.RESTING
        binding.wake_at = binding.held_until + CHANNEL_REST

    def _new_binding(self, peer: TransportAddress) -> ChannelBinding | None:
        if len(self._by_number) >= MAX_CHANNELS:
            return None
        # All numbers take their turn, so that each rests as long as it can.
        while self._next in self._by_number:
            self._next = _after(self._next)
        number, self._next = self._next, _after(self._next)
        return ChannelBinding(number, peer)

    def _request(self, binding: ChannelBinding, now: float) -> bool:
        """Send a ChannelBind request; False if there is no room for its permission."""

        def concluded(outcome: Succeeded | Failed, now: float) -> None:
            self._concluded(binding, outcome, now)

        if not self._permissions.expect(binding.peer.ip):
            return False
        binding.under_way = True
        attributes = (ChannelNumber(binding.number), XorPeerAddress(binding.peer))
        self._requests.start(Method.CHANNEL_BIND, attributes, concluded, now)
        return True

    def _concluded(self, binding: ChannelBinding, outcome: Succeeded | Failed, now: float) -> None:
        binding.under_way = False
        binding.held_until = now + CHANNEL_LIFETIME
        if isinstance(outcome, Succeeded):
            self._confirm(binding, outcome)
        elif outcome.reason is FailureReason.MISMATCH:
            self._session.lose(outcome.reason, outcome.code)
            return
        elif outcome.code == ErrorNumber.BAD_REQUEST and binding.is_confirmed:
            # Number and peer were right once: the server remembers otherwise (section 12.3).
            self._refresh.abandon(AllocationLost(outcome.reason, outcome.code), now)
            return
        else:
            self._permissions.disappoint(binding.peer.ip)
            self._fail(binding, outcome, now)
        self._arm()

    def _confirm(self, binding: ChannelBinding, outcome: Succeeded) -> None:
        self._permissions.confirm(binding.peer.ip, outcome.sent_at)
        binding.is_confirmed = True
        binding.expires_at = outcome.sent_at + CHANNEL_LIFETIME
        if binding.state is BindingState.LAPSING:
            binding.wake_at = binding.expires_at
            return
        self._permissions.keep(binding.peer.ip)
        binding.state = BindingState.BOUND
        binding.wake_at = binding.expires_at - REFRESH_MARGIN
        if binding.peer not in self.bound:
            self.bound[binding.peer] = binding
            self._session.events.append(ChannelBound(binding.peer, binding.number))

    def _fail(self, binding: ChannelBinding, outcome: Failed, now: float) -> None:
        if binding.state is BindingState.BOUND and outcome.is_passing:
            binding.wake_at = min(now + RETRY_PAUSE, binding.expires_at)
            return
        self.bound.pop(binding.peer, None)
        if binding.state is not BindingState.LAPSING:
            self._refuse(binding.peer, outcome)
        binding.state = BindingState.LAPSING
        binding.expires_at = binding.wake_at = binding.held_until

    def _refuse(self, peer: TransportAddress, failed: Failed) -> None:
        refused = ChannelRefused(peer, failed.code, failed.reason, failed.phrase)
        self._session.events.append(refused)

    def _arm(self) -> None:
        times = (binding.wake_at for binding in self._by_number.values())
        wake_at = min((at for at in times if at is not None), default=None)
        if wake_at is None:
            self._session.timers.cancel(self)
        else:
            self._session.timers.set(self, wake_at)


def _after(number: int) -> int:
    return MIN_CHANNEL if number == MAX_CHANNEL else number + 1
