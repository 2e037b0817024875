"""A DTLS client of servers with issued certificates (RFC 7350, RFC 8489 section 6.2.3)."""

from __future__ import annotations

from collections.abc import Sequence

from transport.machine import Event, Path

from .association import HANDSHAKE_TIMEOUT, Association, AssociationState
from .events import DtlsEstablished
from .openssl import DtlsEngine, client_context
from .profile import DtlsRole
from .trust import DtlsTrust

MTU = 1200
"""Bytes of a datagram of the handshake; the path's is not known yet."""


class DtlsClients:
    """Makes associations that trust alike; ``protocols`` are offered by ALPN (RFC 7301).

    Raises:
        ValueError: one of the anchors is no certificate.
    """

    def __init__(self, trust: DtlsTrust, *, protocols: Sequence[str] = ()) -> None:
        self._trust = trust
        self._context = client_context(trust, protocols)

    def associate(
        self, path: Path, server_name: str, *, handshake_timeout: float = HANDSHAKE_TIMEOUT
    ) -> DtlsClient:
        """An association with the server at ``path.remote``, to be started.

        Raises:
            ValueError: ``server_name`` cannot be that of a server.
        """
        engine = DtlsEngine(self._context, DtlsRole.CLIENT, mtu=MTU)
        engine.expect_server(server_name, self._trust)
        return DtlsClient(
            engine, DtlsRole.CLIENT, path, mtu=MTU, handshake_timeout=handshake_timeout
        )


class DtlsClient(Association):
    """An association with a server. Made by ``DtlsClients``.

    start() --> poll_transmit(), next_timeout()
    datagrams --> receive() --> DtlsEstablished, DtlsDataReceived, DtlsClosed, DtlsFailed

    The server's certificate has been verified once it is established; before that,
    nothing of the application is sent.
    """

    def unreachable(self, path: Path, now: float) -> None:
        """A hard ICMP error came. Once established, it is not believed: anybody can forge it."""
        if self.state is AssociationState.HANDSHAKING:
            self._fail("nobody takes datagrams there")

    def _established(self) -> Event:
        return DtlsEstablished(self._engine.protocol)
