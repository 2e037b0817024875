"""Whom a client believes, and what a server shows: certificates of a public key
infrastructure, unlike those of WebRTC."""

from __future__ import annotations

import binascii
import dataclasses
import re
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
"""Only taken apart here: authorities are older than what a strict parser takes."""

ServerKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclasses.dataclass(frozen=True, slots=True)
class DtlsTrust:
    """Whom a client believes.

    ``anchors`` are certificates in DER that issue those of servers, or None for what the
    system believes. ``checks_chain`` is off only for who takes anybody, ``checks_name``
    for who takes anybody whom the anchors know.
    """

    anchors: tuple[bytes, ...] | None = None
    checks_chain: bool = True
    checks_name: bool = True

    @classmethod
    def from_pem(cls, anchors: bytes) -> Self:
        """Whom a file of certificates names.

        Raises:
            ValueError: it holds none.
        """
        found = tuple(binascii.a2b_base64(each) for each in _PEM.findall(anchors))
        if not found:
            raise ValueError("no certificate in PEM form")
        return cls(found)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class DtlsIdentity:
    """What a server shows: its certificate, those between it and an anchor, and its key."""

    chain: tuple[x509.Certificate, ...]
    key: ServerKey = dataclasses.field(repr=False)

    @classmethod
    def from_pem(cls, chain: bytes, key: bytes) -> Self:
        """From what the usual two files hold.

        Raises:
            ValueError: they hold something else, or the key is that of another certificate.
        """
        certificates = tuple(x509.load_pem_x509_certificates(chain))
        try:
            private = load_pem_private_key(key, password=None)
        except TypeError as error:
            raise ValueError("the private key is encrypted") from error
        if not isinstance(private, ServerKey):
            raise ValueError("the private key is neither RSA nor of an elliptic curve")
        if private.public_key() != certificates[0].public_key():
            raise ValueError("the private key is not that of the certificate")
        return cls(certificates, private)
