"""Certificates as an authority issues them to servers."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from transport.dtls import DtlsIdentity

NAME = "relay.example"
LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
FAR_AHEAD = datetime.datetime(2049, 1, 1, tzinfo=datetime.UTC)

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else [])


def certificate(
    key: Key,
    *,
    issuer: tuple[x509.Name, Key] | None = None,
    common_name: str = NAME,
    dns: Sequence[str] = (NAME,),
    ips: Sequence[str] = (),
    until: datetime.datetime = FAR_AHEAD,
    is_authority: bool = False,
) -> x509.Certificate:
    """Issued by somebody, or by itself."""
    name = subject(common_name)
    issued_by, signing_key = issuer or (name, key)
    names: list[x509.GeneralName] = [x509.DNSName(each) for each in dns]
    names += [x509.IPAddress(ipaddress.ip_address(each)) for each in ips]
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issued_by)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(LONG_AGO)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signing_key, hashes.SHA256())


def der(made: x509.Certificate) -> bytes:
    return made.public_bytes(Encoding.DER)


def pem(*chain: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in chain)


def key_pem(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


KEY = ec.generate_private_key(ec.SECP256R1())
SELF_ISSUED = certificate(KEY, is_authority=True)
IDENTITY = DtlsIdentity((SELF_ISSUED,), KEY)
ANCHORS = (der(SELF_ISSUED),)
