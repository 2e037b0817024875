"""The numbers of STUN and TURN by name (RFC 8489 section 18, RFC 8656 section 18).

They stand here once more, apart from ``stun``: a harness that read its numbers from the
code under test would agree with it in every mistake.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

MAGIC_COOKIE: Final = 0x2112A442
FINGERPRINT_XOR: Final = 0x5354554E
HEADER_BYTES: Final = 20
FORBIDDEN: Final = 403
"""The code of the error (RFC 8656 section 19)."""
COOKIE_PREFIX: Final = "obMatJos2"
"""What a nonce with security feature bits begins with (RFC 8489 section 9.2)."""


class Class(enum.IntEnum):
    """The two class bits of the type field."""

    REQUEST = 0
    INDICATION = 1
    SUCCESS = 2
    ERROR = 3


class Method(enum.IntEnum):
    BINDING = 0x001
    ALLOCATE = 0x003
    REFRESH = 0x004
    SEND = 0x006
    DATA = 0x007
    CREATE_PERMISSION = 0x008
    CHANNEL_BIND = 0x009
    CONNECT = 0x00A
    CONNECTION_BIND = 0x00B
    CONNECTION_ATTEMPT = 0x00C


class Attr(enum.IntEnum):
    """Attribute types."""

    MAPPED_ADDRESS = 0x0001
    CHANGE_REQUEST = 0x0003
    USERNAME = 0x0006
    MESSAGE_INTEGRITY = 0x0008
    ERROR_CODE = 0x0009
    UNKNOWN_ATTRIBUTES = 0x000A
    CHANNEL_NUMBER = 0x000C
    LIFETIME = 0x000D
    XOR_PEER_ADDRESS = 0x0012
    DATA = 0x0013
    REALM = 0x0014
    NONCE = 0x0015
    XOR_RELAYED_ADDRESS = 0x0016
    REQUESTED_ADDRESS_FAMILY = 0x0017
    EVEN_PORT = 0x0018
    REQUESTED_TRANSPORT = 0x0019
    DONT_FRAGMENT = 0x001A
    ACCESS_TOKEN = 0x001B
    MESSAGE_INTEGRITY_SHA256 = 0x001C
    PASSWORD_ALGORITHM = 0x001D
    USERHASH = 0x001E
    XOR_MAPPED_ADDRESS = 0x0020
    RESERVATION_TOKEN = 0x0022
    PRIORITY = 0x0024
    USE_CANDIDATE = 0x0025
    PADDING = 0x0026
    RESPONSE_PORT = 0x0027
    CONNECTION_ID = 0x002A
    ADDITIONAL_ADDRESS_FAMILY = 0x8000
    ADDRESS_ERROR_CODE = 0x8001
    PASSWORD_ALGORITHMS = 0x8002
    ALTERNATE_DOMAIN = 0x8003
    ICMP = 0x8004
    SOFTWARE = 0x8022
    ALTERNATE_SERVER = 0x8023
    CACHE_TIMEOUT = 0x8027
    FINGERPRINT = 0x8028
    ICE_CONTROLLED = 0x8029
    ICE_CONTROLLING = 0x802A
    RESPONSE_ORIGIN = 0x802B
    OTHER_ADDRESS = 0x802C
    THIRD_PARTY_AUTHORIZATION = 0x802E
    MOBILITY_TICKET = 0x8030


XOR_ADDRESSES: Final = frozenset(
    {Attr.XOR_MAPPED_ADDRESS, Attr.XOR_PEER_ADDRESS, Attr.XOR_RELAYED_ADDRESS}
)
PLAIN_ADDRESSES: Final = frozenset(
    {Attr.MAPPED_ADDRESS, Attr.ALTERNATE_SERVER, Attr.RESPONSE_ORIGIN, Attr.OTHER_ADDRESS}
)
TEXTS: Final = frozenset(
    {
        Attr.USERNAME,
        Attr.REALM,
        Attr.NONCE,
        Attr.SOFTWARE,
        Attr.ALTERNATE_DOMAIN,
        Attr.THIRD_PARTY_AUTHORIZATION,
    }
)

ERRORS: Final[Mapping[int, str]] = MappingProxyType(
    {
        300: "Try Alternate",
        400: "Bad Request",
        401: "Unauthenticated",
        403: "Forbidden",
        405: "Mobility Forbidden",
        420: "Unknown Attribute",
        437: "Allocation Mismatch",
        438: "Stale Nonce",
        440: "Address Family not Supported",
        441: "Wrong Credentials",
        442: "Unsupported Transport Protocol",
        443: "Peer Address Family Mismatch",
        446: "Connection Already Exists",
        447: "Connection Timeout or Failure",
        486: "Allocation Quota Reached",
        487: "Role Conflict",
        500: "Server Error",
        508: "Insufficient Capacity",
    }
)


def attribute_name(number: int) -> str:
    """As the RFCs write it; the number where they do not know it."""
    try:
        return Attr(number).name.replace("_", "-")
    except ValueError:
        return f"0x{number:04X}"


def method_name(number: int) -> str:
    try:
        return "".join(word.capitalize() for word in Method(number).name.split("_"))
    except ValueError:
        return f"method 0x{number:03X}"
