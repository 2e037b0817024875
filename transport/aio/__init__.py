"""asyncio under the machines: sockets, streams, and the one pump that drives them.

Start with ``MachineDriver``: it feeds any ``transport.Machine`` from the sockets and
streams it is given, and does what the machine asks for. Sockets come from a
``SocketFactory``: ``KernelSockets`` is the kernel's, netsim has another.
"""

from .datagram import (
    MAX_DATAGRAMS_PER_WAKE_UP,
    DatagramSocket,
    DropReason,
    SocketFactory,
    SocketStats,
)
from .driver import DriverStats, MachineDriver
from .kernel import KernelSocket, KernelSockets
from .streams import MAX_STREAMS, MAX_UNSENT_BYTES, StreamFramer

__all__ = [
    "MAX_DATAGRAMS_PER_WAKE_UP",
    "MAX_STREAMS",
    "MAX_UNSENT_BYTES",
    "DatagramSocket",
    "DriverStats",
    "DropReason",
    "KernelSocket",
    "KernelSockets",
    "MachineDriver",
    "SocketFactory",
    "SocketStats",
    "StreamFramer",
]
