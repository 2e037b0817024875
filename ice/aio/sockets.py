"""Opening the sockets of host candidates."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from ice.interfaces import host_addresses
from transport import IPAddress, TransportAddress
from transport.aio import DatagramSocket, SocketFactory

from .interfaces import local_addresses

logger = logging.getLogger(__name__)


async def open_host_sockets(
    factory: SocketFactory,
    *,
    loopback: bool = False,
    addresses: Iterable[IPAddress] | None = None,
    ports: Iterable[int] = (0,),
) -> list[DatagramSocket]:
    """A socket on each usable address of this host, or on ``addresses`` if given.

    ``ports`` are tried in turn on each address; 0 lets the system choose. An address
    that cannot be bound is logged and left out.

    Raises:
        OSError: the kernel does not tell its addresses.
    """
    if addresses is None:
        addresses = host_addresses(local_addresses(), loopback=loopback)
    choices = tuple(ports)
    opened: list[DatagramSocket] = []
    try:
        for ip in addresses:
            sock = await _open(factory, ip, choices)
            if sock is not None:
                opened.append(sock)
    except BaseException:
        for sock in opened:
            sock.close()
        raise
    return opened


async def _open(
    factory: SocketFactory, ip: IPAddress, ports: tuple[int, ...]
) -> DatagramSocket | None:
    for port in ports:
        try:
            return await factory.open(TransportAddress(ip, port))
        except OSError as error:
            logger.debug("cannot bind %s port %d: %s", ip, port, error)
    logger.info("no socket on %s: none of %d ports is free", ip, len(ports))
    return None
