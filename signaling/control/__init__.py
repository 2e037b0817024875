"""The control plane of signaling channels, without I/O.

``ControlPlane.execute`` runs one operation of the API, given its path and body, inside
a transaction of ``Tables``; the Outcome has the response and what follows from it. One
file per group of operations; ``wire`` has how they look as JSON, ``quotas`` the limits.
"""

from .access_keys import add_key
from .addresses import ROLE_PATHS, Endpoints, Reached
from .channels import add_channel
from .operation import ChannelDeleted, ChannelUpdated, Empty, Outcome
from .plane import OPERATION_PATHS, ControlPlane
from .quotas import RateLimiter, ServiceQuotas
from .tables import ChannelNamespace, MemoryTables, StoredKey, Tables
from .validation import parse_arn
from .wire import Shape, encode_response

__all__ = [
    "OPERATION_PATHS",
    "ROLE_PATHS",
    "ChannelDeleted",
    "ChannelNamespace",
    "ChannelUpdated",
    "ControlPlane",
    "Empty",
    "Endpoints",
    "MemoryTables",
    "Outcome",
    "RateLimiter",
    "Reached",
    "ServiceQuotas",
    "Shape",
    "StoredKey",
    "Tables",
    "add_channel",
    "add_key",
    "encode_response",
    "parse_arn",
]
