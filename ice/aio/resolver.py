"""The names of servers, looked up without holding up the loop."""

from __future__ import annotations

import logging

from ice import ResolveRequested
from stun.aio import look_up_addresses
from transport import IPAddress

logger = logging.getLogger(__name__)


async def resolve(request: ResolveRequested) -> list[IPAddress]:
    """The addresses of a name in the order that the system prefers; [] if it has none."""
    try:
        return await look_up_addresses(request.host)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label that is no DNS label
        logger.warning("the server %s has no address: %s", request.host, error)
        return []
