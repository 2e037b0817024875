"""TLS of servers, as RFC 8489 section 6.2.3 and RFC 7443 want it."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Final

from .tls import CIPHERS

ALPN: Final = ("stun.turn", "stun.nat-discovery")
"""What clients may call what they speak (RFC 7443)."""


def server_context(
    certificate: str, key: str, *, protocols: Sequence[str] = ALPN
) -> ssl.SSLContext:
    """For a server that shows the chain in ``certificate``; both are names of PEM files.

    ``protocols`` are what ALPN accepts. A client that names none, or others, is served
    all the same.

    Raises:
        OSError: a file cannot be read, or holds something else (ssl.SSLError).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    restrict(context)
    context.set_alpn_protocols(list(protocols))
    context.load_cert_chain(certificate, key)
    return context


def restrict(context: ssl.SSLContext) -> None:
    """No version before TLS 1.2 (RFC 8996), forward secrecy, and no compression."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
