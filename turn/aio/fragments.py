"""Letting the network fragment what a relay sends (RFC 8656 section 14)."""

from __future__ import annotations

import socket

_IP_MTU_DISCOVER = 10
_IP_PMTUDISC_DONT = 0


def allow_fragments(sock: socket.socket) -> None:
    """Send with the DF bit 0: a socket is not told that of the packets it reads, and where
    it is not copied, section 14 has it taken for 0. Linux would set it."""
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_DONT)
