"""TURN over real sockets, with asyncio.

Start with ``RelayServer``: a TURN server with a data plane in user space, which moves
bound channels past the machine. ``RelayEventLoop`` is the loop it likes best. To use a
server, ``connect`` gives a ``Relay``.
"""

from .alternates import AlternateUnavailable, bind_alternates
from .client import Relay
from .connecting import connect
from .listeners import (
    Endpoint,
    EndpointUnavailable,
    Listener,
    ServerCertificate,
    bind_endpoints,
)
from .plane import PlaneStats, UserSpacePlane
from .selector import DrainingSelector, RelayEventLoop
from .server import RelayServer

__all__ = [
    "AlternateUnavailable",
    "DrainingSelector",
    "Endpoint",
    "EndpointUnavailable",
    "Listener",
    "PlaneStats",
    "Relay",
    "RelayEventLoop",
    "RelayServer",
    "ServerCertificate",
    "UserSpacePlane",
    "bind_alternates",
    "bind_endpoints",
    "connect",
]
