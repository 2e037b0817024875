"""TURN over real sockets, with asyncio.

Start with ``RelayServer``: a TURN server with a data plane in user space, which moves
bound channels past the machine. ``RelayEventLoop`` is the loop it likes best. To use a
server, ``connect`` gives a ``Relay`` for datagrams, ``connect_tcp`` one for connections.
"""

from .alternates import AlternateUnavailable, bind_alternates
from .client import Relay
from .connecting import connect, connect_tcp
from .grants import GrantProvider
from .listeners import (
    Endpoint,
    EndpointUnavailable,
    Listener,
    ServerCertificate,
    bind_endpoints,
)
from .peer_streams import TcpRelay
from .plane import PlaneStats, UserSpacePlane
from .selector import DrainingSelector, RelayEventLoop
from .server import RelayServer

__all__ = [
    "AlternateUnavailable",
    "DrainingSelector",
    "Endpoint",
    "EndpointUnavailable",
    "GrantProvider",
    "Listener",
    "PlaneStats",
    "Relay",
    "RelayEventLoop",
    "RelayServer",
    "ServerCertificate",
    "TcpRelay",
    "UserSpacePlane",
    "bind_alternates",
    "bind_endpoints",
    "connect",
    "connect_tcp",
]
