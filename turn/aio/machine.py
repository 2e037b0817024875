"""The server as the one machine of its driver."""

from __future__ import annotations

import collections
from collections.abc import Collection
from typing import TYPE_CHECKING

from transport import (
    CloseRequested,
    DatagramKind,
    Event,
    Path,
    Transmit,
    TransportAddress,
    TransportProtocol,
    datagram_kind,
)
from turn.server import TurnServer

from .plane import UserSpacePlane

if TYPE_CHECKING:
    from .secured import SecuredClients

_UDP, _DTLS = TransportProtocol.UDP, TransportProtocol.DTLS


class RelayMachine:
    """Tells clients from peers by the socket; a ``StreamMachine``.

    ``secured`` takes what is DTLS at the addresses ``dtls``; at those of them that are
    not among ``udp``, that is everything.
    """

    def __init__(
        self,
        server: TurnServer,
        plane: UserSpacePlane,
        *,
        udp: Collection[TransportAddress],
        dtls: Collection[TransportAddress] = (),
        secured: SecuredClients | None = None,
    ) -> None:
        self._server = server
        self._plane = plane
        self._udp = udp
        self._dtls = dtls
        self._secured = secured
        self._events: collections.deque[Event] = collections.deque()

    def receive(self, data: bytes, path: Path, now: float) -> None:
        if path.transport is not _UDP:
            self._server.receive(data, path, now)
        elif self._plane.is_relayed(path.local):
            self._server.receive_relayed(data, path.remote, path.local, now)
        elif self._secured is not None and self._is_dtls(data, path.local):
            self._secured.receive(data, path, now)
        else:
            self._server.receive(data, path, now)

    def connected(self, path: Path, now: float) -> None:
        self._server.connected(path, now)

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        self._server.disconnected(path, reason, now)

    def close(self, now: float) -> None:
        """End everything, and say so to those who have an association."""
        self._server.close(now)
        if self._secured is not None:
            self._secured.close(now)

    def handle_timeout(self, now: float) -> None:
        self._server.handle_timeout(now)
        if self._secured is not None:
            self._secured.handle_timeout(now)

    def next_timeout(self) -> float | None:
        deadline = self._server.next_timeout()
        if self._secured is None:
            return deadline
        both = (deadline, self._secured.next_timeout())
        return min((each for each in both if each is not None), default=None)

    def poll_transmit(self) -> Transmit | None:
        if self._secured is None:
            return self._server.poll_transmit()
        while (transmit := self._server.poll_transmit()) is not None:
            if transmit.path.transport is not _DTLS:
                return transmit
            self._secured.send(transmit.path, transmit.segments)
        self._sort_events(self._secured)
        return self._secured.poll_transmit()

    def poll_event(self) -> Event | None:
        if self._secured is None:
            return self._server.poll_event()
        return self._events.popleft() if self._events else None

    def _sort_events(self, secured: SecuredClients) -> None:
        """Close associations while there is still time to say goodbye."""
        while (event := self._server.poll_event()) is not None:
            if isinstance(event, CloseRequested) and event.path.transport is _DTLS:
                secured.disconnect(event.path)
            else:
                self._events.append(event)

    def _is_dtls(self, data: bytes, local: TransportAddress) -> bool:
        if local not in self._dtls:
            return False
        return local not in self._udp or datagram_kind(data) is DatagramKind.DTLS
