"""The ground floor that every layer stands on, without I/O.

Start with ``Machine``: each protocol of hairpin is one. ``TransportAddress`` and
``Path`` say where bytes go, ``Transmit`` and ``Event`` are what a machine puts
out, ``Timers`` keeps its deadlines, ``ByteReader`` and ``DecodeError`` are for
reading bytes from the network. ``transport.dtls`` is DTLS 1.2 as a machine (extra
``dtls``); ``transport.aio`` drives machines with asyncio.
"""

from .address import IPAddress, TransportAddress
from .demux import DatagramKind, datagram_kind
from .errors import DecodeError
from .icmp import IcmpError
from .machine import (
    CloseRequested,
    ConnectRequested,
    Event,
    Machine,
    Path,
    RandomBytes,
    ReachabilityMachine,
    ResetRequested,
    StreamMachine,
    Transmit,
    TransportProtocol,
)
from .places import Places
from .reader import ByteReader
from .timers import Timers
from .token_bucket import TokenBucket

__all__ = [
    "ByteReader",
    "CloseRequested",
    "ConnectRequested",
    "DatagramKind",
    "DecodeError",
    "Event",
    "IPAddress",
    "IcmpError",
    "Machine",
    "Path",
    "Places",
    "RandomBytes",
    "ReachabilityMachine",
    "ResetRequested",
    "StreamMachine",
    "Timers",
    "TokenBucket",
    "TransportAddress",
    "Transmit",
    "TransportProtocol",
    "datagram_kind",
]
