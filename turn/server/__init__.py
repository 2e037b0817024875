"""The TURN server (RFC 8656) as a machine, which answers Binding requests too.

Start with ``ServerConfig`` and ``TurnServer``. The server asks for sockets by
``RelayRequested``; it publishes what a data plane may move by itself to a
``ForwardingTable``, and relays the rest. One file stands for each procedure of the RFC.
"""

from .config import IPNetwork, ServerConfig
from .events import (
    AllocationCreated,
    AllocationEnd,
    AllocationEnded,
    RelayReleased,
    RelayRequested,
)
from .forwarding import ForwardingEntry, ForwardingTable, Meter, NoForwarding, SwitchTarget
from .server import TurnServer
from .stats import AllocationSnapshot, DropReason, ServerStats
from .tcp.events import (
    ConnectionsJoined,
    PeerCloseRequested,
    PeerConnectRequested,
    TcpRelayRequested,
)

__all__ = [
    "AllocationCreated",
    "AllocationEnd",
    "AllocationEnded",
    "AllocationSnapshot",
    "ConnectionsJoined",
    "DropReason",
    "ForwardingEntry",
    "ForwardingTable",
    "IPNetwork",
    "Meter",
    "NoForwarding",
    "PeerCloseRequested",
    "PeerConnectRequested",
    "RelayReleased",
    "RelayRequested",
    "ServerConfig",
    "ServerStats",
    "SwitchTarget",
    "TcpRelayRequested",
    "TurnServer",
]
