"""Whether the network may cut what a socket sends (ip(7) and ipv6(7))."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

_IP_MTU_DISCOVER = 10
_IP_PMTUDISC_DO = 2
_IP_PMTUDISC_OMIT = 5
_IPV6_DONTFRAG = 62


def allow_fragments(sock: socket.socket) -> None:
    """Send with the DF bit 0, which Linux would set.

    IP_PMTUDISC_DONT would do that too, but then no ICMP error comes for the datagrams of
    ``unfragmented`` that are too big. Over IPv6 this host alone may cut, and does.
    """
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_OMIT)


@contextlib.contextmanager
def unfragmented(sock: socket.socket) -> Iterator[None]:
    """What is sent within is not cut on its way: with the DF bit 1 over IPv4."""
    if sock.family == socket.AF_INET6:
        level, option, value, usual = socket.IPPROTO_IPV6, _IPV6_DONTFRAG, 1, 0
    else:
        level, option, value = socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_DO
        usual = sock.getsockopt(level, option)
    sock.setsockopt(level, option, value)
    try:
        yield
    finally:
        sock.setsockopt(level, option, usual)
