"""The way to a server: a path, and over UDP a socket of its own."""

from __future__ import annotations

from stun.resolution import Target
from transport import Path, TransportProtocol
from transport.aio import ANY_ADDRESS, ConnectingSocketFactory, DatagramSocket, SocketFactory


async def open_way(target: Target, sockets: SocketFactory) -> tuple[Path, DatagramSocket | None]:
    """A connected socket if ``sockets`` has them: a closed port is found out at once then.

    TCP, TLS and DTLS are the driver's to connect.

    Raises:
        OSError: there is no way to the target, or no socket is left.
    """
    remote = target.address
    if target.transport is not TransportProtocol.UDP:
        return Path(target.transport, ANY_ADDRESS[remote.ip.version], remote), None
    sock: DatagramSocket
    if isinstance(sockets, ConnectingSocketFactory):
        sock = await sockets.open_connected(remote)
    else:
        sock = await sockets.open(ANY_ADDRESS[remote.ip.version])
    return Path(target.transport, sock.local, remote), sock
