"""A TURN client for users of this package alone: datagrams through a relay.

``peer_streams`` has the same for TCP connections.
"""

from __future__ import annotations

import collections
import functools
import ssl
from collections.abc import Callable
from typing import Final

from transport import Event, TransportAddress
from transport.aio import ClientTls, DatagramSocket
from turn.client import (
    ChannelRefused,
    DataReceived,
    IcmpReceived,
    PeerRefused,
    TurnClient,
)

from .in_use import AllocationInUse

MAX_QUEUED_DATAGRAMS: Final = 1024
"""Datagrams that wait for ``receive``; as in a socket's buffer, later ones are dropped."""

MAX_QUEUED_ICMP: Final = 64
"""ICMP errors that wait for ``receive_icmp``; the oldest goes."""


class Relay(AllocationInUse):
    """An allocation in use, for datagrams. Made by ``connect``.

    Peers must be let in first, with ``permit`` or ``bind_channel``; both last until the
    end.
    """

    def __init__(
        self,
        client: TurnClient,
        *,
        sock: DatagramSocket | None = None,
        tls: ssl.SSLContext | ClientTls | None = None,
        on_reached: Callable[[], None] | None = None,
    ) -> None:
        self.datagrams_dropped = 0
        self._received: collections.deque[tuple[TransportAddress, bytes]] = collections.deque()
        self._icmp: collections.deque[IcmpReceived] = collections.deque(maxlen=MAX_QUEUED_ICMP)
        super().__init__(client, sock=sock, tls=tls, on_reached=on_reached)

    async def bind_channel(self, peer: TransportAddress) -> None:
        """Let a peer in, and have its data go with less overhead.

        Raises:
            PeerRefused: the server forbids it.
            AllocationGone: there is no allocation any more.
            ValueError: it is not of the relayed transport address's family.
        """
        self._expect_alive()
        self._refusals.pop(peer, None)
        self._driver.call(lambda now: self.client.bind_channel(peer, now))
        await self._settled(peer, functools.partial(self.client.has_channel, peer))

    def send(self, peer: TransportAddress, *segments: bytes, dscp: int | None = None) -> bool:
        """Send datagrams; False if the peer has no permission. Like UDP, it may lose them."""
        return self._driver.call(lambda now: self.client.send(peer, segments, now, dscp=dscp))

    def send_unfragmented(self, peer: TransportAddress, data: bytes) -> bool:
        """Send a datagram that is lost, and not cut, where it is too long for the way.

        ``receive_icmp`` may tell. False if the peer has no permission, or the server does
        not know DONT-FRAGMENT.

        Raises:
            ValueError: the server was not asked: ``ClientConfig.dont_fragment`` does.
        """
        return self._driver.call(lambda now: self.client.send_unfragmented(peer, data, now))

    async def receive_icmp(self) -> IcmpReceived:
        """The next ICMP error for what was sent to a peer.

        Raises:
            AllocationGone: there will be none.
        """
        while not self._icmp:
            self._expect_alive()
            await self._next_change()
        return self._icmp.popleft()

    async def receive(self) -> tuple[TransportAddress, bytes]:
        """The next datagram and the peer that sent it.

        Raises:
            AllocationGone: there will be none.
        """
        while not self._received:
            self._expect_alive()
            await self._next_change()
        return self._received.popleft()

    def _on_further_event(self, event: Event) -> None:
        match event:
            case DataReceived(peer=peer, data=data):
                if len(self._received) < MAX_QUEUED_DATAGRAMS:
                    self._received.append((peer, data))
                else:
                    self.datagrams_dropped += 1
            case IcmpReceived():
                self._icmp.append(event)
            case ChannelRefused(peer=peer, code=code, reason=reason, phrase=phrase):
                self._refusals[peer] = PeerRefused(code, reason, phrase)
            case _:
                pass
