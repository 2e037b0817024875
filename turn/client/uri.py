"""TURN URIs (RFC 7065): ``turn:host[:port][?transport=udp]`` and ``turns:``."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from typing import Final, Self

from transport import DecodeError, TransportProtocol

TURN_PORT: Final = 3478
TURNS_PORT: Final = 5349

_FORM: Final = re.compile(
    r"(?P<scheme>turns?):"
    r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._~-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?:\?transport=(?P<transport>udp|tcp))?",
    re.ASCII | re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True, slots=True)
class TurnUri:
    """Where a server is, and how to speak to it.

    ``host`` is a name, or an IP address without brackets. ``turns:`` over TCP is TLS,
    over UDP it is DTLS (RFC 7065 section 3.1); without a transport, what is usual: UDP,
    and TLS for ``turns:``.
    """

    host: str
    port: int
    transport: TransportProtocol

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Raises:
            DecodeError: this is no TURN URI.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise DecodeError("TURN URI", "not turn:host[:port][?transport=udp|tcp]")
        is_secure = found["scheme"].lower() == "turns"
        port = int(found["port"]) if found["port"] else (TURNS_PORT if is_secure else TURN_PORT)
        if not 0 < port <= 0xFFFF:
            raise DecodeError("TURN URI", f"port {port}")
        asked = (found["transport"] or ("tcp" if is_secure else "udp")).lower()
        return cls(_host(found["host"]), port, _TRANSPORTS[is_secure, asked])


_TRANSPORTS: Final = {
    (False, "udp"): TransportProtocol.UDP,
    (False, "tcp"): TransportProtocol.TCP,
    (True, "udp"): TransportProtocol.DTLS,
    (True, "tcp"): TransportProtocol.TLS,
}


def _host(text: str) -> str:
    if not text.startswith("["):
        return text
    try:
        return str(ipaddress.IPv6Address(text[1:-1]))
    except ValueError as error:
        raise DecodeError("TURN URI", "no IPv6 address in the brackets") from error
