"""The signaling service and its clients on asyncio and aiohttp (extra ``signaling``).

``SignalingConnection`` is a client of one channel; ``make_application`` is the
service, ``ChannelHub`` the routing in it.
"""

from .client import (
    ChannelUnreachable,
    ConnectRefused,
    SignalingConnection,
    master_url,
    viewer_url,
)
from .hub import ChannelHub, Peer
from .server import ServiceSettings, make_application
from .websocket import ChannelLookup

__all__ = [
    "ChannelHub",
    "ChannelLookup",
    "ChannelUnreachable",
    "ConnectRefused",
    "Peer",
    "ServiceSettings",
    "SignalingConnection",
    "make_application",
    "master_url",
    "viewer_url",
]
