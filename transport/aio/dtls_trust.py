"""The same trust for DTLS as for TLS: pyOpenSSL and the ssl module share no contexts."""

from __future__ import annotations

import pathlib
import ssl

from transport.dtls import DtlsClients, DtlsTrust

from .tls import ClientTls


def dtls_clients(tls: ssl.SSLContext | ClientTls) -> DtlsClients:
    """Clients that trust whom ``tls`` does, and offer the protocols that it says.

    Raises:
        OSError: the file of certificates cannot be read.
        ValueError: it holds none, or the context some that it does not tell of.
    """
    if isinstance(tls, ClientTls):
        trust = DtlsTrust()
        if tls.ca is not None:
            trust = DtlsTrust.from_pem(pathlib.Path(tls.ca).read_bytes())
        return DtlsClients(trust, protocols=tls.alpn)
    return DtlsClients(_trust_of(tls))


def _trust_of(context: ssl.SSLContext) -> DtlsTrust:
    """A context lists authorities alone; of those in a folder, as the system's mostly are,
    it knows nothing before it has met them."""
    known = context.cert_store_stats()
    if known["x509"] > known["x509_ca"]:
        raise ValueError("for DTLS, a certificate that is no authority's goes into a ClientTls")
    return DtlsTrust(
        tuple(context.get_ca_certs(binary_form=True)) or None,
        checks_chain=context.verify_mode is ssl.CERT_REQUIRED,
        checks_name=context.check_hostname,
    )
