"""Whose certificates the harness takes, over TLS and over DTLS alike."""

from __future__ import annotations

import dataclasses
import pathlib
import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transport.dtls import DtlsClients


@dataclasses.dataclass(frozen=True, slots=True)
class Trust:
    """The system's authorities, those in ``ca_file`` (PEM), or with ``is_insecure`` anybody."""

    ca_file: str | None = None
    is_insecure: bool = False

    def tls(self, protocols: Sequence[str] = ()) -> ssl.SSLContext:
        """For TLS; ``protocols`` are offered by ALPN (RFC 7301).

        Raises:
            OSError: the certificates cannot be read.
        """
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.is_insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context

    def dtls(self, protocols: Sequence[str] = ()) -> DtlsClients:
        """For DTLS, as for TLS.

        Raises:
            OSError: the certificates cannot be read, or DTLS is not installed here.
        """
        try:
            from transport.dtls import DtlsClients, DtlsTrust  # an extra
        except ImportError as error:
            raise OSError("DTLS needs pyOpenSSL: pip install 'hairpin[dtls]'") from error
        if self.is_insecure:
            return DtlsClients(
                DtlsTrust(checks_chain=False, checks_name=False), protocols=protocols
            )
        if self.ca_file is None:
            return DtlsClients(DtlsTrust(), protocols=protocols)
        try:
            trust = DtlsTrust.from_pem(pathlib.Path(self.ca_file).read_bytes())
            return DtlsClients(trust, protocols=protocols)
        except ValueError as error:
            raise OSError(str(error)) from error
