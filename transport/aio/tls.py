"""How this side of a TLS or DTLS connection makes sure of the server (RFC 8489 section 6.2.3).

The one place where contexts of TLS clients are made.
"""

from __future__ import annotations

import dataclasses
import ssl
from typing import Final

CIPHERS: Final = ":".join(
    (
        # RFC 8489 section 6.2.3: both of AES128-GCM with RSA are there, nothing without
        # forward secrecy, and nothing of DES and RC4. TLS 1.3 has a list of its own.
        "ECDHE+AESGCM",
        "ECDHE+CHACHA20",
        "DHE+AESGCM",
        "!aNULL",
        "!aDSS",
    )
)


@dataclasses.dataclass(frozen=True, slots=True)
class ClientTls:
    """What a client trusts, and what it says that it speaks.

    ``ca`` is a file of certificates in PEM form to trust in place of the system's;
    ``alpn`` are the names of protocols that are offered (RFC 7443 for STUN and TURN).
    """

    ca: str | None = None
    alpn: tuple[str, ...] = ()

    def context(self) -> ssl.SSLContext:
        """A context that verifies the server's certificate and its name.

        The name is a DNS-ID or CN-ID, perhaps with a wildcard as its first label, or an IP
        address where no name is known (RFC 6125). TLS is 1.2 at least (RFC 8996), and
        compresses nothing.

        Raises:
            OSError: the file cannot be read; ssl.SSLError, which is one, if it makes no sense.
        """
        context = ssl.create_default_context(cafile=self.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_COMPRESSION
        context.set_ciphers(CIPHERS)
        if self.alpn:
            context.set_alpn_protocols(list(self.alpn))
        return context
