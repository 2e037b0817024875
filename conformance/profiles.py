"""What switches features on in servers that are well known.

A profile changes no verdict: it only says, where a row is skipped because the server does not
offer what it needs, how that server is told to.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from .row import Feature

_COTURN: Final = {
    Feature.LONG_TERM: "coturn: --lt-cred-mech --realm REALM",
    Feature.TURN: "coturn: --lt-cred-mech --realm REALM --user NAME:PASSWORD",
    Feature.PEER: "coturn: --allow-loopback-peers or --allowed-peer-ip, where peers are refused",
    Feature.IPV6_RELAY: "coturn: a second --relay-ip, which is IPv6",
    Feature.TCP_RELAY: "coturn: without --no-tcp-relay",
    Feature.STREAM: "coturn: without --no-tcp",
    Feature.MOBILITY: "coturn: --mobility",
    Feature.THIRD_PARTY: "coturn: --oauth",
    Feature.BEHAVIOR: "coturn: a second --listening-ip",
}
_HAIRPIN: Final = {
    Feature.TURN: "hairpin relay: --user NAME:PASSWORD",
    Feature.PEER: "hairpin relay: --allow-peer IP, for an address of the harness's host",
    Feature.IPV6_RELAY: "hairpin relay: --relay-address, once more for IPv6",
    Feature.STREAM: "hairpin relay: --listen tcp://HOST:PORT beside udp://",
    Feature.TCP_RELAY: "hairpin relay: --enable tcp-relay",
    Feature.MOBILITY: "hairpin relay: --enable mobility",
    Feature.THIRD_PARTY: "hairpin relay: --enable third-party-auth --oauth-key KID:BASE64",
    Feature.BEHAVIOR: "hairpin relay: --enable nat-discovery --alternate-address IP:PORT",
}

PROFILES: Final[Mapping[str, Mapping[Feature, str]]] = MappingProxyType(
    {"coturn": _COTURN, "hairpin": _HAIRPIN}
)
"""Name of a server -> feature -> hint."""
