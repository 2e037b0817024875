"""Waits for foreign programs that do not say when they are ready.

``python answering.py udp://HOST:PORT tcp://HOST:PORT`` ends with 0 once each of them answers: over
UDP with any datagram, over TCP by taking the connection. It imports nothing of ours and is a
program of its own so that it can be run in a network namespace.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import time
import urllib.parse
from collections.abc import Sequence

PATIENCE = 60.0
"""Seconds: of a program that works it takes a fraction of one."""
PAUSE = 0.02
PATIENCE_WITH_UDP = 0.2
BINDING_REQUEST = bytes.fromhex("00010000 2112a442") + bytes(range(12))
"""Of RFC 8489 section 5, without attributes: a server answers it, an echo sends it back."""


async def until_all_answer(*uris: str, prefix: Sequence[str] = ()) -> None:
    """``prefix`` is a command that becomes the one it is given.

    Raises:
        AssertionError: one did not answer within a minute; it is named.
    """
    process = await asyncio.create_subprocess_exec(
        *(*prefix, sys.executable, __file__, *uris), stderr=asyncio.subprocess.PIPE
    )
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, said.decode()


def main(uris: Sequence[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    for uri in uris:
        scheme, _, where = uri.partition("://")
        place = urllib.parse.urlsplit(f"//{where}")
        assert place.hostname is not None
        assert place.port is not None
        answers = {"udp": _answers_over_udp, "tcp": _answers_over_tcp}[scheme]
        while not answers(place.hostname, place.port):
            if time.monotonic() > deadline:
                sys.exit(f"{uri} has not answered for {PATIENCE:.0f} s")
            time.sleep(PAUSE)  # of a foreign program there is no other sign


def _answers_over_udp(host: str, port: int) -> bool:
    with socket.socket(_family(host), socket.SOCK_DGRAM) as sock:
        sock.settimeout(PATIENCE_WITH_UDP)
        with contextlib.suppress(OSError):
            sock.connect((host, port))
            sock.send(BINDING_REQUEST)
            return bool(sock.recv(2048))
    return False


def _answers_over_tcp(host: str, port: int) -> bool:
    with socket.socket(_family(host), socket.SOCK_STREAM) as sock:
        return sock.connect_ex((host, port)) == os.EX_OK


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


if __name__ == "__main__":
    main(sys.argv[1:])
