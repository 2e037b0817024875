"""c=: where the media goes (RFC 8866 section 5.7)."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from typing import Self

from sdp.errors import SdpError
from sdp.grammar import INTEGER, TOKEN, VISIBLE, match

_CONNECTION = re.compile(rf"({TOKEN}) ({TOKEN}) ({VISIBLE})")
_IP4_MULTICAST = re.compile(rf"([0-9.]+)/([1-9][0-9]{{0,2}}|0)(?:/({INTEGER}))?")
_IP6_MULTICAST = re.compile(rf"([0-9A-Fa-f:.]+)/({INTEGER})")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_MULTICAST4 = re.compile(rf"(?:22[4-9]|23[0-9])(?:\.{_OCTET}){{3}}")
_MAX_TTL = 255


@dataclasses.dataclass(frozen=True, slots=True)
class Connection:
    """A connection address with the TTL and the number of multicast addresses."""

    nettype: str
    addrtype: str
    address: str
    ttl: int | None = None
    count: int = 1

    @classmethod
    def parse(cls, value: str) -> Self:
        nettype, addrtype, text = match(_CONNECTION, value, "connection").groups()
        column = len(value) - len(text)
        match nettype, addrtype:
            case "IN", "IP4":
                return cls._parse_ip4(text, column)
            case "IN", "IP6":
                return cls._parse_ip6(text, column)
            case _:
                return cls(nettype, addrtype, text)

    @classmethod
    def _parse_ip4(cls, text: str, column: int) -> Self:
        if (found := _IP4_MULTICAST.fullmatch(text)) is not None:
            address, ttl, count = found.groups()
            if not _MULTICAST4.fullmatch(address):
                raise SdpError.in_value(column, "a TTL is for a multicast address")
            if int(ttl) > _MAX_TTL:
                raise SdpError.in_value(column, "a TTL is from 0 to 255")
            return cls("IN", "IP4", address, int(ttl), int(count or 1))
        if _MULTICAST4.fullmatch(text):
            raise SdpError.in_value(column, "an IPv4 multicast address needs a TTL")
        _check_host(text, column)
        return cls("IN", "IP4", text)

    @classmethod
    def _parse_ip6(cls, text: str, column: int) -> Self:
        if (found := _IP6_MULTICAST.fullmatch(text)) is not None:
            address, count = found.groups()
            if not _is_multicast6(address):
                raise SdpError.in_value(column, "a count is for a multicast address")
            return cls("IN", "IP6", address, None, int(count))
        _check_host(text, column)
        return cls("IN", "IP6", text)

    def __str__(self) -> str:
        text = f"{self.nettype} {self.addrtype} {self.address}"
        if self.ttl is not None:
            text += f"/{self.ttl}"
        return text if self.count == 1 else f"{text}/{self.count}"


def _is_multicast6(text: str) -> bool:
    try:
        return ipaddress.IPv6Address(text).is_multicast
    except ValueError:
        return False


def _check_host(text: str, column: int) -> None:
    """An address or a name; the grammar's extn-addr lets anything without a slash by."""
    if "/" in text:
        raise SdpError.in_value(column + text.index("/"), "a slash is for multicast")
