"""asyncio under the machines: sockets, streams, and the one pump that drives them.

``MachineDriver`` feeds any ``transport.Machine`` from sockets of a ``SocketFactory``
(``KernelSockets`` is the kernel's) and does what the machine asks for.
"""

from .datagram import (
    MAX_DATAGRAMS_PER_WAKE_UP,
    DatagramSocket,
    DropReason,
    SocketFactory,
    SocketStats,
)

__all__ = [
    "MAX_DATAGRAMS_PER_WAKE_UP",
    "DatagramSocket",
    "DropReason",
    "SocketFactory",
    "SocketStats",
]
