"""The address that m= and c= show (RFC 8839 section 4.2.1.2)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from sdp.lines.connection import Connection

_PREFERENCE = {"relay": 0, "srflx": 1, "host": 2}
"""RFC 8839 section 4.2.1.2 asks for the candidate most likely to work with a peer that
knows no ICE."""

NONE_YET = (9, Connection("IN", "IP4", "0.0.0.0"))
"""No candidate is known yet (RFC 8840 section 4.1.1)."""


def default_candidate(candidates: Iterable[str]) -> tuple[int, Connection]:
    """Port and address of the default candidate; candidates are ``candidate:...`` text."""
    found = []
    for text in candidates:
        words = text.split(" ")
        if len(words) < 8 or words[1] != "1" or words[2].lower() != "udp":
            continue
        try:
            address, port = ipaddress.ip_address(words[4]), int(words[5])
        except ValueError:
            continue  # A name: it hides the address, so it is not shown here either.
        if not address.is_loopback and 0 < port <= 0xFFFF:
            found.append((_PREFERENCE.get(words[7], 3), address.version, port, str(address)))
    if not found:
        return NONE_YET
    _, version, port, host = min(found, key=lambda entry: entry[:2])
    return port, Connection("IN", f"IP{version}", host)
