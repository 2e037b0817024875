"""Clients that come over DTLS (RFC 7350). Imported only where there are such: an extra."""

from __future__ import annotations

from collections.abc import Sequence

from transport import Path, RandomBytes, Transmit
from transport.aio import ALPN
from transport.dtls import (
    ClientConnected,
    ClientDataReceived,
    ClientDisconnected,
    DtlsIdentity,
    DtlsServer,
)
from turn.server import TurnServer


class SecuredClients:
    """DTLS under a TURN server, which sees paths with that transport."""

    def __init__(
        self, server: TurnServer, identity: DtlsIdentity, *, random_bytes: RandomBytes
    ) -> None:
        self._server = server
        self._dtls = DtlsServer(identity, random_bytes=random_bytes, protocols=ALPN)
        self._now = 0.0

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """Take a datagram, whose path is that of the socket."""
        self._dtls.receive(data, path, now)
        self._hand_over(now)

    def send(self, path: Path, segments: Sequence[bytes]) -> None:
        """Send what the server has for a client."""
        self._dtls.send(path, segments)

    def disconnect(self, path: Path) -> None:
        """End an association that the server has no use for."""
        self._dtls.disconnect(path, self._now)
        self._hand_over(self._now)

    def close(self, now: float) -> None:
        """Say goodbye to all."""
        self._dtls.close(now)
        self._hand_over(now)

    def handle_timeout(self, now: float) -> None:
        self._dtls.handle_timeout(now)
        self._hand_over(now)

    def next_timeout(self) -> float | None:
        return self._dtls.next_timeout()

    def poll_transmit(self) -> Transmit | None:
        return self._dtls.poll_transmit()

    def _hand_over(self, now: float) -> None:
        self._now = now
        while (event := self._dtls.poll_event()) is not None:
            match event:
                case ClientConnected(path):
                    self._server.connected(path, now)
                case ClientDataReceived(path, data):
                    self._server.receive(data, path, now)
                case ClientDisconnected(path, reason):
                    self._server.disconnected(path, reason, now)
