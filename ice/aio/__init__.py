"""ICE with asyncio: the host's addresses, their sockets, and a connection to a peer.

Start with ``IceConnection``; ``open_host_sockets``, ``resolve`` and ``shared_pacer`` are for
drivers of larger machines that have an ``IceAgent`` inside.
"""

from .agent import ConnectionClosed, ConnectionFailed, IceConnection
from .interfaces import local_addresses
from .pacing import shared_pacer
from .resolver import resolve
from .sockets import open_host_sockets

__all__ = [
    "ConnectionClosed",
    "ConnectionFailed",
    "IceConnection",
    "local_addresses",
    "open_host_sockets",
    "resolve",
    "shared_pacer",
]
