"""DTLS 1.2 that agrees on SRTP keys (RFC 6347, RFC 5764), as a machine without I/O.

Make one ``DtlsCertificate``, put its ``fingerprint()`` into the offer or answer, and
start a ``DtlsConnection`` once ICE has a pair. ``DtlsConnected`` brings the SRTP
profile and keys; before any media, compare its ``peer_fingerprint()`` with what was
signaled. Needs the extra ``dtls`` (pyOpenSSL).
"""

from .certificate import FINGERPRINT_HASHES, DtlsCertificate
from .connection import HANDSHAKE_TIMEOUT, DtlsConnection
from .events import DtlsClosed, DtlsConnected, DtlsDataReceived, DtlsFailed
from .profile import DEFAULT_PROFILES, DtlsRole, SrtpKeys, SrtpProfile

__all__ = [
    "DEFAULT_PROFILES",
    "FINGERPRINT_HASHES",
    "HANDSHAKE_TIMEOUT",
    "DtlsCertificate",
    "DtlsClosed",
    "DtlsConnected",
    "DtlsConnection",
    "DtlsDataReceived",
    "DtlsFailed",
    "DtlsRole",
    "SrtpKeys",
    "SrtpProfile",
]
