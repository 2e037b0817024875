"""Certificates of the tests' own, each its own authority, and servers' contexts with them."""

from __future__ import annotations

import datetime
import pathlib
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

YEAR = datetime.timedelta(days=365)


def make_certificate(
    folder: pathlib.Path, *names: str, expires_in: datetime.timedelta = YEAR
) -> tuple[pathlib.Path, pathlib.Path]:
    """For these DNS names; the files of the certificate and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"authority {serial}")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - 2 * YEAR)
        .not_valid_after(now + expires_in)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    stem = f"{names[0].replace('*', 'any')}-{certificate.serial_number}"
    files = folder / f"{stem}.pem", folder / f"{stem}.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def server_context(certificate: pathlib.Path, key: pathlib.Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["stun.turn", "stun.nat-discovery"])
    return context


def bundle(folder: pathlib.Path, *certificates: pathlib.Path) -> str:
    """A file of all of them, to be trusted."""
    file = folder / "trusted.pem"
    file.write_bytes(b"".join(each.read_bytes() for each in certificates))
    return str(file)
