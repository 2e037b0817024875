"""Ports for programs that cannot say which one the system chose."""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence

LOWEST, HIGHEST = 20_000, 32_000
"""Below the range that other programs' sockets are given from, so that none of them takes a
port between this look at it and its use: coturn then tries to bind it again and again."""


def free_port(*hosts: str) -> int:
    """Free for UDP and TCP at these addresses (127.0.0.1, if there are none)."""
    while True:
        port = random.randint(LOWEST, HIGHEST)
        if all(_is_free(host, port) for host in hosts or ("127.0.0.1",)):
            return port


def free_ports(count: int, hosts: Sequence[str] = ()) -> list[int]:
    """So many different ones."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port(*hosts))
    return list(found)


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(family, kind) as sock:
            try:
                sock.bind((host, port))
            except OSError:
                return False
    return True
