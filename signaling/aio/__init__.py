"""The signaling service and its clients on asyncio and aiohttp (extra ``signaling``).

``make_application`` is the service, on a ``SqliteStore`` and a ``ChannelHub``, which
routes its messages. ``ControlClient`` calls the service's operations;
``SignalingConnection`` is a client of one channel.
"""

from signaling.control import ServiceQuotas

from .client import ConnectRefused, SignalingConnection, master_url, viewer_url
from .control_client import AccessKeyInfo, ChannelEndpoints, ControlClient
from .http import local_address
from .hub import ChannelHub, Peer
from .server import Naming, ServiceSettings, make_application
from .sqlite_store import SqliteStore
from .sqlite_tables import StoreError
from .tls import ChannelUnreachable

__all__ = [
    "AccessKeyInfo",
    "ChannelEndpoints",
    "ChannelHub",
    "ChannelUnreachable",
    "ConnectRefused",
    "ControlClient",
    "Naming",
    "Peer",
    "ServiceQuotas",
    "ServiceSettings",
    "SignalingConnection",
    "SqliteStore",
    "StoreError",
    "local_address",
    "make_application",
    "master_url",
    "viewer_url",
]
