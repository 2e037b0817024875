"""Ports for programs that cannot say which one the system chose."""

from __future__ import annotations

import itertools
import random
import socket
from collections.abc import Iterator, Sequence

LOWEST, HIGHEST = 20_000, 32_000
"""Below the range that other programs' sockets are given from, so that none of them takes a
port between this look at it and its use: coturn then tries to bind it again and again."""

BLOCK = 200
"""Ports that one process of ours has to itself: test files are run beside each other."""


def _ports() -> Iterator[int]:
    """Those of a block that no other process has, over and over.

    It is claimed by an abstract address, which the system keeps to a network as it does ports,
    and frees with the process. Every other port: turnutils_peer takes the next one, too.
    """
    starts = list(range(LOWEST, HIGHEST, BLOCK))
    random.shuffle(starts)
    for start in starts:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as claim:
            try:
                claim.bind(f"\0hairpin tests {start}")
            except OSError:
                continue
            yield from itertools.cycle(range(start, start + BLOCK, 2))
    raise OSError("every block of ports is taken")


_unused = _ports()


def free_port(*hosts: str) -> int:
    """Free for UDP and TCP at these addresses (127.0.0.1, if there are none), as is the next."""
    for port in _unused:
        if all(
            _is_free(host, each) for host in hosts or ("127.0.0.1",) for each in (port, port + 1)
        ):
            return port
    raise AssertionError("they are given over and over")


def free_ports(count: int, hosts: Sequence[str] = ()) -> list[int]:
    """So many different ones."""
    return [free_port(*hosts) for _ in range(count)]


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(family, kind) as sock:
            try:
                sock.bind((host, port))
            except OSError:
                return False
    return True
