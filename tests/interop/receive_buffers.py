"""What the system has dropped because nobody read it in time."""

from __future__ import annotations

import pathlib


def dropped_datagrams() -> int:
    """So far, of all UDP sockets of this network: as many may a receiver be short of.

    A browser's socket has room for little more than half a second of a film, and a process that
    is stopped for longer reads none.
    """
    names, numbers = (
        line.split()
        for line in pathlib.Path("/proc/net/snmp").read_text().splitlines()
        if line.startswith("Udp:")
    )
    return int(dict(zip(names, numbers, strict=True))["RcvbufErrors"])
