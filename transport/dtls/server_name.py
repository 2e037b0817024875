"""Whether a certificate is that of the server one has asked for (RFC 6125, RFC 8489 section
6.2.3)."""

from __future__ import annotations

import ipaddress

from cryptography import x509
from cryptography.x509.oid import NameOID


def names_server(certificate: x509.Certificate, name: str) -> bool:
    """Whether ``name``, a domain name or an IP address, is among those of the certificate.

    Of a wildcard, only a whole left-most label counts. The Common Name is looked at where
    there is no name of type dNSName, as RFC 6125 section 6.4.4 has it.
    """
    names = _subject_alternative_names(certificate)
    try:
        ip = ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        return ip in names.get_values_for_type(x509.IPAddress)
    patterns = names.get_values_for_type(x509.DNSName)
    if not patterns:
        found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        patterns = [str(each.value) for each in found]
    wanted = _labels(name)
    return any(_matches(_labels(pattern), wanted) for pattern in patterns)


def _subject_alternative_names(certificate: x509.Certificate) -> x509.GeneralNames:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):  # ValueError: malformed
        return x509.GeneralNames([])
    return x509.GeneralNames(extension.value)


def _matches(pattern: list[str], wanted: list[str]) -> bool:
    if len(pattern) != len(wanted) or not all(wanted):
        return False
    if pattern[0] == "*" and len(pattern) > 2:
        return pattern[1:] == wanted[1:]
    return pattern == wanted


def _labels(name: str) -> list[str]:
    """In lower case, and in the ASCII that certificates have."""
    text = name.removesuffix(".")
    try:
        text = text if text.isascii() else text.encode("idna").decode()
    except UnicodeError:
        return [""]
    return text.lower().split(".")
