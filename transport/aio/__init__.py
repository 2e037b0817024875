"""asyncio under the machines: sockets, streams, and the one pump that drives them.

Start with ``MachineDriver``: it feeds any ``transport.Machine`` from the sockets and
streams it is given, and does what the machine asks for. Sockets come from a
``SocketFactory``: ``KernelSockets`` is the kernel's, netsim has another.
"""

from .accepting import Acceptor
from .connected import ConnectedSocket
from .connection import MAX_UNSENT_BYTES, DetachedStream, StreamFramer, StreamSwitch
from .datagram import (
    MAX_DATAGRAMS_PER_WAKE_UP,
    ConnectedDatagramSocket,
    ConnectingSocketFactory,
    DatagramSocket,
    DropReason,
    SocketFactory,
    SocketStats,
    UnfragmentingSocket,
)
from .driver import DriverStats, MachineDriver
from .fragments import allow_fragments
from .kernel import MAX_BYTES_PER_CALL, MAX_SEGMENTS_PER_CALL, KernelSocket
from .kernel_sockets import KernelSockets
from .server_tls import ALPN, restrict, server_context
from .sockaddr import ANY_ADDRESS, SocketAddress, from_sockaddr, to_sockaddr
from .stream_socket import stream_socket
from .streams import MAX_STREAMS, StreamWriter
from .tls import ClientTls

__all__ = [
    "ANY_ADDRESS",
    "ALPN",
    "MAX_BYTES_PER_CALL",
    "MAX_DATAGRAMS_PER_WAKE_UP",
    "MAX_SEGMENTS_PER_CALL",
    "MAX_STREAMS",
    "MAX_UNSENT_BYTES",
    "Acceptor",
    "ClientTls",
    "ConnectedDatagramSocket",
    "ConnectedSocket",
    "ConnectingSocketFactory",
    "DatagramSocket",
    "DetachedStream",
    "DriverStats",
    "DropReason",
    "KernelSocket",
    "KernelSockets",
    "MachineDriver",
    "SocketAddress",
    "SocketFactory",
    "SocketStats",
    "StreamFramer",
    "StreamSwitch",
    "StreamWriter",
    "UnfragmentingSocket",
    "allow_fragments",
    "from_sockaddr",
    "restrict",
    "server_context",
    "stream_socket",
    "to_sockaddr",
]
