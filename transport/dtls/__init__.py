"""DTLS 1.2 as machines without I/O (RFC 6347). Needs the extra ``dtls`` (pyOpenSSL).

For WebRTC (RFC 5764): make one ``DtlsCertificate``, put its ``fingerprint()`` into the
offer or answer, and start a ``DtlsConnection`` once ICE has a pair. ``DtlsConnected``
brings the SRTP profile and keys; before any media, compare its ``peer_fingerprint()``
with what was signaled.

For servers with issued certificates, such as those of STUN and TURN (RFC 7350):
``DtlsClients`` makes associations with them, ``DtlsServer`` is one, with a
``DtlsIdentity``.
"""

from .association import HANDSHAKE_TIMEOUT
from .certificate import FINGERPRINT_HASHES, DtlsCertificate
from .client import DtlsClient, DtlsClients
from .connection import DtlsConnection
from .events import (
    ClientConnected,
    ClientDataReceived,
    ClientDisconnected,
    DtlsClosed,
    DtlsConnected,
    DtlsDataReceived,
    DtlsEstablished,
    DtlsFailed,
)
from .profile import DEFAULT_PROFILES, DtlsRole, SrtpKeys, SrtpProfile
from .server import DropReason, DtlsServer
from .trust import DtlsIdentity, DtlsTrust

__all__ = [
    "DEFAULT_PROFILES",
    "FINGERPRINT_HASHES",
    "HANDSHAKE_TIMEOUT",
    "ClientConnected",
    "ClientDataReceived",
    "ClientDisconnected",
    "DropReason",
    "DtlsCertificate",
    "DtlsClient",
    "DtlsClients",
    "DtlsClosed",
    "DtlsConnected",
    "DtlsConnection",
    "DtlsDataReceived",
    "DtlsEstablished",
    "DtlsFailed",
    "DtlsIdentity",
    "DtlsRole",
    "DtlsServer",
    "DtlsTrust",
    "SrtpKeys",
    "SrtpProfile",
]
