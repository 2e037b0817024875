"""OpenSSL as a DTLS 1.2 engine in memory: the one file that imports pyOpenSSL.

OpenSSL keeps a retransmission timer (RFC 6347 section 4.2.4: 1 s, doubled each time)
that runs on the real clock whatever clock the machine above runs on.
"""

from __future__ import annotations

import ipaddress
import weakref
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL, crypto

from .certificate import DtlsCertificate
from .profile import EXPORTER_LABEL, DtlsRole, SrtpProfile
from .server_name import names_server
from .trust import DtlsIdentity, DtlsTrust

_DTLS_1_2 = 0xFEFD
_SERVER_CIPHERS = (
    # RFC 8827 section 6.5: this one MUST be there, and forward secrecy always.
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    # Peers whose certificate is RSA.
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-CHACHA20-POLY1305",
)
_CIPHERS = (
    *_SERVER_CIPHERS,
    # Embedded peers of WebRTC without AEAD.
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA256",
    "ECDHE-RSA-AES128-SHA",
)
_MAX_RECORD_BYTES = 1 << 14
_READ_BYTES = 65536
"""More than a record holds (2^14), and than OpenSSL writes at one call."""

_UNTRUSTED = {
    9: "not valid yet",
    10: "out of date",
    18: "issued by itself, and not known here",
    19: "issued by nobody that is known here",
    20: "issued by nobody that is known here",
    21: "issued by nobody that is known here",
    23: "revoked",
}
"""In plain words, by X509_V_ERR_*."""


class EngineFailed(Exception):
    """The association cannot go on; the argument says why in plain words."""


class EngineClosed(Exception):
    """The peer sent close_notify."""


_Contexts = dict[tuple[SrtpProfile, ...], SSL.Context]
_contexts: weakref.WeakKeyDictionary[DtlsCertificate, _Contexts] = weakref.WeakKeyDictionary()


def srtp_context(certificate: DtlsCertificate, profiles: tuple[SrtpProfile, ...]) -> SSL.Context:
    """For WebRTC. One for all associations alike: making it costs as much as a handshake."""
    shared = _contexts.setdefault(certificate, {})
    if profiles not in shared:
        shared[profiles] = _new_srtp_context(certificate, profiles)
    return shared[profiles]


def _new_srtp_context(
    certificate: DtlsCertificate, profiles: tuple[SrtpProfile, ...]
) -> SSL.Context:
    context = _new_context(_CIPHERS)
    # The peer must show a certificate; that it is the right one is told by its
    # fingerprint alone (RFC 8827 section 6.5), which the owner compares.
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_unused: True)
    context.use_certificate(certificate.certificate)
    context.use_privatekey(certificate.key)
    context.set_tlsext_use_srtp(":".join(p.openssl_name for p in profiles).encode())
    return context


def server_context(identity: DtlsIdentity, protocols: Sequence[str]) -> SSL.Context:
    """For a server with a certificate that was issued to it; clients show none.

    ``protocols`` are those of ALPN (RFC 7301) that it speaks. A client that names others
    alone is served all the same: most name none.
    """
    context = _new_context(_SERVER_CIPHERS)
    leaf, *others = identity.chain
    context.use_certificate(leaf)
    for certificate in others:
        context.add_extra_chain_cert(certificate)
    context.use_privatekey(identity.key)
    known = [each.encode() for each in protocols]
    context.set_alpn_select_callback(
        lambda _, offered: next(
            (each for each in offered if each in known), SSL.NO_OVERLAPPING_PROTOCOLS
        )
    )
    # ``cookies`` has seen to it before there was an engine.
    context.set_cookie_generate_callback(lambda _: b"never sent")
    context.set_cookie_verify_callback(lambda *_: True)
    return context


def client_context(trust: DtlsTrust, protocols: Sequence[str]) -> SSL.Context:
    """For clients of servers with such certificates; ``protocols`` are offered by ALPN.

    Raises:
        ValueError: one of the anchors is no certificate.
    """
    context = _new_context(_SERVER_CIPHERS)
    if trust.anchors is None:
        context.set_default_verify_paths()
    else:
        store = context.get_cert_store()
        assert store is not None
        try:
            for anchor in trust.anchors:
                store.add_cert(crypto.load_certificate(crypto.FILETYPE_ASN1, anchor))
        except crypto.Error as error:
            raise ValueError("an anchor that is no certificate") from error
    if protocols:
        context.set_alpn_protos([each.encode() for each in protocols])
    return context


def _new_context(ciphers: Sequence[str]) -> SSL.Context:
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_min_proto_version(_DTLS_1_2)
    context.set_max_proto_version(_DTLS_1_2)
    # Without NO_QUERY_MTU, OpenSSL asks the memory BIO, is told 256, and believes it.
    context.set_options(
        SSL.OP_NO_QUERY_MTU
        | SSL.OP_NO_TICKET
        | SSL.OP_NO_RENEGOTIATION
        | SSL.OP_NO_COMPRESSION
        | SSL.OP_CIPHER_SERVER_PREFERENCE
    )
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_cipher_list(":".join(ciphers).encode())
    return context


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


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
        context: SSL.Context,
        role: DtlsRole,
        *,
        mtu: int,
    ) -> None:
        self._connection = SSL.Connection(context)
        self._refusal = ""
        self._connection.set_ciphertext_mtu(mtu)
        if role is DtlsRole.CLIENT:
            self._connection.set_connect_state()
        else:
            self._connection.set_accept_state()

    def expect_server(self, name: str, trust: DtlsTrust) -> None:
        """Go on with the handshake only if the server's certificate is good for ``name``."""
        if not _is_ip(name):
            self._connection.set_tlsext_host_name(name.encode("idna"))
        if not trust.checks_chain:
            return

        def is_wanted(certificate: x509.Certificate) -> bool:
            return not trust.checks_name or names_server(certificate, name)

        def verify(_: SSL.Connection, shown: crypto.X509, error: int, depth: int, ok: int) -> bool:
            if not ok:
                self._refusal = _UNTRUSTED.get(error, f"not trusted (OpenSSL's error {error})")
            elif depth == 0 and not is_wanted(shown.to_cryptography()):
                self._refusal = f"for another name than {name}"
            return not self._refusal

        self._connection.set_verify(SSL.VERIFY_PEER, verify)

    def listen(self, client_hello: bytes) -> None:
        """Begin with a ClientHello, whole and in one record, whose cookie was good.

        Records and messages are numbered on from there (RFC 6347 section 4.2.1), as if
        this engine had asked for the cookie.
        """
        self._connection.bio_write(client_hello)
        try:
            self._connection.DTLSv1_listen()
        except SSL.WantReadError:
            raise EngineFailed("no ClientHello") from None
        except SSL.Error as error:
            raise EngineFailed(_reason(error)) from error

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
            refusal = f"the certificate is {self._refusal}" if self._refusal else ""
            raise EngineFailed(refusal or _reason(error)) from error
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
    def max_record_bytes(self) -> int:
        """The longest application data of a record; the network may have to fragment it."""
        return _MAX_RECORD_BYTES

    @property
    def protocol(self) -> str | None:
        """What ALPN has agreed on, if anything."""
        return self._connection.get_alpn_proto_negotiated().decode() or None

    def profile(self, offered: Sequence[SrtpProfile]) -> SrtpProfile | None:
        """What ``use_srtp`` (RFC 5764 section 4.1) has agreed on, if anything."""
        name = self._connection.get_selected_srtp_profile().decode()
        return next((p for p in offered if p.openssl_name == name), None)

    def export(self, length: int) -> bytes:
        """Keying material for SRTP (RFC 5705, RFC 5764 section 4.2)."""
        return self._connection.export_keying_material(EXPORTER_LABEL, length)

    def peer_certificate(self) -> bytes | None:
        """The peer's certificate in DER, once it was shown."""
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        return None if certificate is None else certificate.public_bytes(Encoding.DER)
