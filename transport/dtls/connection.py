"""A DTLS association that agrees on SRTP keys, as a machine (RFC 5764)."""

from __future__ import annotations

from collections.abc import Sequence

from transport.machine import Event, Path

from .association import Association
from .certificate import DtlsCertificate, fingerprint
from .events import DtlsConnected
from .openssl import DtlsEngine, EngineFailed, srtp_context
from .profile import DEFAULT_PROFILES, DtlsRole, SrtpKeys, SrtpProfile


class DtlsConnection(Association):
    """One association over one path.

    start() --> poll_transmit(), next_timeout()
    datagrams --> receive() --> DtlsConnected, DtlsDataReceived, DtlsClosed, DtlsFailed

    ``path`` is what every Transmit carries; ``receive`` takes datagrams from any path,
    since ICE may have moved the data to another pair, and has checked where it came from.
    A server waits for a ClientHello without a limit; that the peer is gone is for ICE
    to find out.
    """

    def __init__(
        self,
        certificate: DtlsCertificate,
        role: DtlsRole,
        path: Path,
        *,
        srtp_profiles: Sequence[SrtpProfile] = DEFAULT_PROFILES,
        mtu: int = 1200,
    ) -> None:
        """
        Raises:
            ValueError: no SRTP profile is offered.
        """
        if not srtp_profiles:
            raise ValueError("at least one SRTP profile must be offered")
        self._profiles = tuple(srtp_profiles)
        engine = DtlsEngine(srtp_context(certificate, self._profiles), role, mtu=mtu)
        super().__init__(engine, role, path, mtu=mtu)

    @property
    def max_data_bytes(self) -> int:
        """The longest application data that makes one datagram within the MTU."""
        return self._engine.max_data_bytes

    def peer_fingerprint(self, hash_name: str = "sha-256") -> str:
        """The fingerprint of the certificate that the peer has shown.

        Raises:
            ValueError: ``hash_name`` is not one of RFC 8122's.
            RuntimeError: no certificate was shown yet.
        """
        certificate = self._engine.peer_certificate()
        if certificate is None:
            raise RuntimeError("the peer has not shown its certificate yet")
        return fingerprint(certificate, hash_name)

    def _established(self) -> Event:
        profile = self._engine.profile(self._profiles)
        if profile is None:
            # RFC 5764 section 4.1.2 leaves it to us: OpenSSL finds nothing wrong with it.
            raise EngineFailed("the peer agreed to no SRTP protection profile")
        material = self._engine.export(profile.material_length)
        keys = SrtpKeys.from_material(material, profile, self.role)
        return DtlsConnected(profile, keys, self.peer_fingerprint)
