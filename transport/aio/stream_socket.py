"""Where TCP sockets of ours come from, to listen or to connect with."""

from __future__ import annotations

import socket

from transport.address import TransportAddress


def stream_socket(like: TransportAddress) -> socket.socket:
    """A non-blocking TCP socket of the family of an address; an IPv6 one carries no IPv4.

    It may be bound where connections of a former one are still in TIME-WAIT.

    Raises:
        OSError: there is none.
    """
    family = socket.AF_INET6 if like.is_ipv6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        send_at_once(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if like.is_ipv6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def send_at_once(sock: socket.socket) -> None:
    """Have small messages not wait until those before are acknowledged (RFC 896).

    What is relayed is as urgent over TCP. asyncio does this to none but sockets that were made
    with the protocol's number, which accept() hands on from whoever made the listening one.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
