"""STUN over real sockets, with asyncio.

``connect`` finds a server that answers, and gives a ``Client`` for requests to it;
``discover_behavior`` examines the NAT between this host and a server (RFC 5780). ``resolve``
and ``Search`` are what ``connect`` is made of: where a URI leads to, and who of those serves.
"""

from .behavior import discover_behavior, local_ip_towards
from .client import ALPN, Binding, Client, Mechanism, connect
from .names import MAX_LOOKUPS, look_up_addresses
from .opening import open_way
from .resolver import Resolver, SystemResolver, resolve
from .search import Search

__all__ = [
    "ALPN",
    "MAX_LOOKUPS",
    "Binding",
    "Client",
    "Mechanism",
    "Resolver",
    "Search",
    "SystemResolver",
    "connect",
    "discover_behavior",
    "local_ip_towards",
    "look_up_addresses",
    "open_way",
    "resolve",
]
