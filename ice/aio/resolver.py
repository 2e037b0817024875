"""The names of servers, looked up without holding up the loop."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
from socket import SOCK_DGRAM

from ice import ResolveRequested
from transport import IPAddress

logger = logging.getLogger(__name__)


async def resolve(request: ResolveRequested) -> list[IPAddress]:
    """The addresses of a name in the order that the system prefers; [] if it has none.

    ``getaddrinfo`` runs in a thread of the loop's executor.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(request.host, None, type=SOCK_DGRAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label that is no DNS label
        logger.warning("the server %s has no address: %s", request.host, error)
        return []
    addresses: list[IPAddress] = []
    for *_, sockaddr in found:
        with contextlib.suppress(ValueError):
            addresses.append(ipaddress.ip_address(sockaddr[0]))
    return addresses
