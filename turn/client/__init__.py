"""The client's side of TURN (RFC 8656): a server relays for us.

Start with ``TurnClient``, a Machine for one allocation on one server. It reports what
``events`` lists, ends for a ``FailureReason``, and keeps its tables within ``limits``.
Clients that share a ``ServerMemory`` save each other the round trip for the nonce.
"""

from .client import ClientStats, TurnClient
from .config import ClientConfig, PortWish, ServerMemory
from .drops import DropReason
from .errors import (
    AllocationError,
    AllocationGone,
    ClientStateError,
    MoveRefused,
    PeerRefused,
    TurnClientError,
)
from .events import (
    AddressFamilyRefused,
    AddressFamilyReleased,
    Allocated,
    AllocationFailed,
    AllocationLost,
    AllocationReleased,
    ChannelBound,
    ChannelRefused,
    DataReceived,
    FailureReason,
    IcmpReceived,
    Moved,
    MoveFailed,
    PermissionInstalled,
    PermissionRefused,
    ServerReached,
    TokenRequested,
)
from .selection import ServerSelection
from .state import ClientState
from .tcp_events import PeerConnected, PeerConnectFailed, PeerConnectionAttempted

__all__ = [
    "TurnClient",
    "ClientConfig",
    "PortWish",
    "ServerMemory",
    "ServerSelection",
    "ClientState",
    "ClientStats",
    "TurnClientError",
    "ClientStateError",
    "AllocationError",
    "AllocationGone",
    "MoveRefused",
    "PeerRefused",
    "FailureReason",
    "DropReason",
    "Allocated",
    "AddressFamilyRefused",
    "AddressFamilyReleased",
    "AllocationFailed",
    "AllocationLost",
    "AllocationReleased",
    "PermissionInstalled",
    "PermissionRefused",
    "ChannelBound",
    "ChannelRefused",
    "DataReceived",
    "IcmpReceived",
    "PeerConnected",
    "PeerConnectFailed",
    "PeerConnectionAttempted",
    "ServerReached",
    "Moved",
    "MoveFailed",
    "TokenRequested",
]
