"""The association of a client that has proven its address (RFC 6347 section 4.2.1)."""

from __future__ import annotations

from transport.errors import DecodeError
from transport.machine import Event, Path

from .association import Association, AssociationState
from .events import DtlsEstablished
from .hello import HelloAssembler, HelloFragment, hello_fragments
from .openssl import DtlsEngine, EngineFailed
from .profile import DtlsRole


class AcceptedClient(Association):
    """Begins with the ClientHello that brought a good cookie, or its first fragment.

    ``parameters`` tell that ClientHello from one with which the client begins anew.
    """

    def __init__(
        self,
        engine: DtlsEngine,
        path: Path,
        first: HelloFragment,
        *,
        parameters: bytes,
        mtu: int,
        handshake_timeout: float,
    ) -> None:
        super().__init__(
            engine, DtlsRole.SERVER, path, mtu=mtu, handshake_timeout=handshake_timeout
        )
        self.parameters = parameters
        self.is_established = False
        self._hello: HelloAssembler | None = HelloAssembler(first)

    def start(self, now: float) -> None:
        """Wait for the rest of the handshake, which has begun."""
        super().start(now)
        self._limit_handshake(now)

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """Take one datagram; what is not DTLS, forged or repeated changes nothing."""
        if self._hello is None:
            super().receive(data, path, now)
            return
        if self.state is not AssociationState.HANDSHAKING:
            return
        try:
            for fragment in hello_fragments(data):
                whole = self._hello.push(fragment)
                if whole is not None:
                    self._begin(whole, now)
                    break
        except DecodeError:
            return  # of somebody else, or of another attempt

    def _begin(self, client_hello: bytes, now: float) -> None:
        self._hello = None
        try:
            self._engine.listen(client_hello)
        except EngineFailed as error:
            self._fail(str(error))
            return
        self._advance(now)

    def _established(self) -> Event:
        self.is_established = True
        return DtlsEstablished(self._engine.protocol)
