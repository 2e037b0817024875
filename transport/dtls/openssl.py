"""OpenSSL as a DTLS 1.2 engine in memory: the one file that imports pyOpenSSL.

OpenSSL keeps a retransmission timer (RFC 6347 section 4.2.4: 1 s, doubled each time)
that runs on the real clock whatever clock the machine above runs on.
"""

from __future__ import annotations

import weakref

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from .certificate import DtlsCertificate
from .profile import EXPORTER_LABEL, DtlsRole, SrtpProfile

_DTLS_1_2 = 0xFEFD
_CIPHERS = ":".join(
    (
        # RFC 8827 section 6.5: this one MUST be there, and forward secrecy always.
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        # Peers whose certificate is RSA.
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-CHACHA20-POLY1305",
        # Embedded peers without AEAD.
        "ECDHE-ECDSA-AES128-SHA256",
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-RSA-AES128-SHA256",
        "ECDHE-RSA-AES128-SHA",
    )
)
_READ_BYTES = 65536
"""More than a record holds (2^14), and than OpenSSL writes at one call."""


class EngineFailed(Exception):
    """The association cannot go on; the argument says why in plain words."""


class EngineClosed(Exception):
    """The peer sent close_notify."""


_Contexts = dict[tuple[SrtpProfile, ...], SSL.Context]
_contexts: weakref.WeakKeyDictionary[DtlsCertificate, _Contexts] = weakref.WeakKeyDictionary()


def _context(certificate: DtlsCertificate, profiles: tuple[SrtpProfile, ...]) -> SSL.Context:
    """One for all associations alike: making it costs as much as a handshake."""
    shared = _contexts.setdefault(certificate, {})
    if profiles not in shared:
        shared[profiles] = _new_context(certificate, profiles)
    return shared[profiles]


def _new_context(certificate: DtlsCertificate, profiles: tuple[SrtpProfile, ...]) -> SSL.Context:
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_min_proto_version(_DTLS_1_2)
    context.set_max_proto_version(_DTLS_1_2)
    # Without NO_QUERY_MTU, OpenSSL asks the memory BIO, is told 256, and believes it.
    context.set_options(
        SSL.OP_NO_QUERY_MTU
        | SSL.OP_NO_TICKET
        | SSL.OP_NO_RENEGOTIATION
        | SSL.OP_CIPHER_SERVER_PREFERENCE
    )
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_cipher_list(_CIPHERS.encode())
    # The peer must show a certificate; that it is the right one is told by its
    # fingerprint alone (RFC 8827 section 6.5), which the owner compares.
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_unused: True)
    context.use_certificate(certificate.certificate)
    context.use_privatekey(certificate.key)
    context.set_tlsext_use_srtp(":".join(p.openssl_name for p in profiles).encode())
    return context


def _reason(error: SSL.Error) -> str:
    """OpenSSL's words; its queue holds the cause first."""
    queue = error.args[0] if error.args else ()
    texts = [str(entry[-1]) for entry in queue] if isinstance(queue, (list, tuple)) else []
    return ", ".join(text for text in texts if text) or "DTLS failed without a reason"


class DtlsEngine:
    """One DTLS association between memory buffers.

    Every call may raise EngineFailed, and ``read`` EngineClosed. What it wants sent is
    fetched with ``output`` afterwards, also after a failure (the alert).
    """

    def __init__(
        self,
        certificate: DtlsCertificate,
        role: DtlsRole,
        profiles: tuple[SrtpProfile, ...],
        *,
        mtu: int,
    ) -> None:
        self._profiles = profiles
        self._connection = SSL.Connection(_context(certificate, profiles))
        self._connection.set_ciphertext_mtu(mtu)
        if role is DtlsRole.CLIENT:
            self._connection.set_connect_state()
        else:
            self._connection.set_accept_state()

    def write(self, datagram: bytes) -> None:
        """Hand over what came from the peer."""
        self._connection.bio_write(datagram)

    def handshake(self) -> bool:
        """Go on with the handshake; True once it is done."""
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.ZeroReturnError:
            raise EngineFailed("the peer closed during the handshake") from None
        except SSL.Error as error:
            raise EngineFailed(_reason(error)) from error
        return True

    def read(self) -> bytes | None:
        """The next record of application data, or None."""
        try:
            return self._connection.recv(_READ_BYTES)
        except SSL.WantReadError:
            return None
        except SSL.ZeroReturnError:
            raise EngineClosed from None
        except SSL.Error as error:
            raise EngineFailed(_reason(error)) from error

    def send(self, data: bytes) -> None:
        try:
            self._connection.send(data)
        except SSL.Error as error:
            raise EngineFailed(_reason(error)) from error

    def output(self) -> bytes:
        """All that is to be sent: whole records, one after the other."""
        chunks = []
        while True:
            try:
                chunks.append(self._connection.bio_read(_READ_BYTES))
            except SSL.WantReadError:
                return b"".join(chunks)

    def shutdown(self) -> None:
        """Write close_notify."""
        try:
            self._connection.shutdown()
        except SSL.Error as error:
            raise EngineFailed(_reason(error)) from error

    def timeout(self) -> float | None:
        """In how many real seconds OpenSSL's timer is due."""
        return self._connection.DTLSv1_get_timeout()

    def handle_timeout(self) -> None:
        """Write the last flight anew, if OpenSSL finds that it is time."""
        try:
            self._connection.DTLSv1_handle_timeout()
        except SSL.Error as error:
            raise EngineFailed(_reason(error)) from error

    @property
    def max_data_bytes(self) -> int:
        """The longest application data that makes one datagram within the MTU."""
        return self._connection.get_cleartext_mtu()

    @property
    def profile(self) -> SrtpProfile | None:
        """What ``use_srtp`` (RFC 5764 section 4.1) has agreed on, if anything."""
        name = self._connection.get_selected_srtp_profile().decode()
        return next((p for p in self._profiles if p.openssl_name == name), None)

    def export(self, length: int) -> bytes:
        """Keying material for SRTP (RFC 5705, RFC 5764 section 4.2)."""
        return self._connection.export_keying_material(EXPORTER_LABEL, length)

    def peer_certificate(self) -> bytes | None:
        """The peer's certificate in DER, once it was shown."""
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        return None if certificate is None else certificate.public_bytes(Encoding.DER)
