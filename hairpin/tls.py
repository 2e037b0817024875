"""Certificates and keys in files that a user named."""

from __future__ import annotations

import pathlib
import ssl

from .errors import HairpinError

_OTHER_KEY = ("KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
"""What OpenSSL says of a key that is not the certificate's: of the same kind, or another."""


class _Encrypted(Exception):
    """The private key asks for a passphrase; there is nobody to type it."""


def server_context(certificate: str, key: str) -> ssl.SSLContext:
    """For a server that shows the chain in ``certificate``; both files are PEM.

    Raises:
        HairpinError: a file cannot be read, is something else, or they do not fit.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    check_certificates(certificate, "--tls-cert")
    _read(key, "--tls-key")
    try:
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except _Encrypted as error:
        raise HairpinError(
            f"--tls-key {key} is encrypted: write it without a passphrase first"
        ) from error
    except ssl.SSLError as error:
        if error.reason in _OTHER_KEY:
            raise HairpinError(
                f"--tls-key {key} is not the key of the certificate in {certificate}"
            ) from error
        raise HairpinError(f"--tls-key {key} holds no private key in PEM form") from error
    return context


def check_certificates(path: str, name: str) -> None:
    """Make sure that a file holds certificates; ``name`` is who named it.

    Raises:
        HairpinError: it cannot be read, or holds none.
    """
    text = _read(path, name)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as error:
        raise HairpinError(f"{name} {path} holds no certificate in PEM form") from error


def _read(path: str, name: str) -> str:
    try:
        return pathlib.Path(path).read_text(encoding="ascii", errors="ignore")
    except OSError as error:
        raise HairpinError(f"{name} {path}: {error.strerror}") from error


def _no_passphrase() -> str:
    raise _Encrypted
