"""Where a 300 sends a client (RFC 8489 section 10)."""

from __future__ import annotations

from typing import NamedTuple

from transport import DecodeError, TransportAddress

from .attributes import AlternateDomain, AlternateServer
from .message import Message


class Alternate(NamedTuple):
    """An alternate server, and the name in its certificate where that is another."""

    server: TransportAddress
    domain: str | None


def alternate_of(response: Message, asked: TransportAddress) -> Alternate | None:
    """The first alternate server of the family of the one that was asked.

    Whether it is to be believed is for the caller to say (section 14.8).
    """
    try:
        servers = response.get_all(AlternateServer)
        domain = response.get(AlternateDomain)
    except DecodeError:
        return None
    for each in servers:
        if each.address.is_ipv6 == asked.is_ipv6:
            return Alternate(each.address, None if domain is None else domain.domain)
    return None
