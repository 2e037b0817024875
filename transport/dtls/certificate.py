"""Self-signed certificates and their fingerprints (RFC 8827 section 6.5, RFC 8122 section 5)."""

from __future__ import annotations

import datetime
import hashlib
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from transport.machine import RandomBytes

FINGERPRINT_HASHES = ("sha-1", "sha-224", "sha-256", "sha-384", "sha-512")
"""The hash names of RFC 8122 section 5, without the broken MD2 and MD5."""

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_KEY_RANDOM_BYTES = 40
"""64 bits more than the order has, so that the remainder is not biased (FIPS 186-5 A.2.1)."""

# No WebRTC peer looks at the dates, since the fingerprint alone is what counts
# (RFC 8827 section 6.5). All that UTCTime can say spares us a clock, and peers whose
# clock is wrong a refusal.
_NOT_BEFORE = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_NOT_AFTER = datetime.datetime(2049, 12, 31, tzinfo=datetime.UTC)
_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "WebRTC")])


def fingerprint(der: bytes, hash_name: str = "sha-256") -> str:
    """The fingerprint of a certificate in DER, as SDP writes it: ``AA:BB:..``.

    Raises:
        ValueError: ``hash_name`` is none of ``FINGERPRINT_HASHES``, in any case.
    """
    name = hash_name.lower()
    if name not in FINGERPRINT_HASHES:
        raise ValueError(f"no fingerprint is made with {hash_name!r}")
    return hashlib.new(name.replace("-", ""), der).digest().hex(":").upper()


class DtlsCertificate:
    """An ECDSA P-256 key and the certificate that shows it.

    One serves any number of associations, one after the other or at once; peers that
    see the same certificate twice can tell that it is the same host.
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self.key = key
        self.certificate = certificate
        self._der = certificate.public_bytes(Encoding.DER)

    @classmethod
    def generate(cls, random_bytes: RandomBytes) -> Self:
        """A new key, and a certificate signed with it that names nobody (0.1 ms)."""
        secret = int.from_bytes(random_bytes(_KEY_RANDOM_BYTES), "big") % (_P256_ORDER - 1) + 1
        key = ec.derive_private_key(secret, ec.SECP256R1())
        serial_number = int.from_bytes(random_bytes(8), "big") >> 1 | 1
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_NAME)
            .issuer_name(_NAME)
            .public_key(key.public_key())
            .serial_number(serial_number)
            .not_valid_before(_NOT_BEFORE)
            .not_valid_after(_NOT_AFTER)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate)

    def fingerprint(self, hash_name: str = "sha-256") -> str:
        """What ``a=fingerprint`` says of it, after the hash name.

        Raises:
            ValueError: ``hash_name`` is none of ``FINGERPRINT_HASHES``.
        """
        return fingerprint(self._der, hash_name)
