"""Standard input, line by line, for commands that scripts talk to."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import AsyncIterator

MAX_LINE_BYTES = 1024 * 1024
"""A browser's offer of many tracks has some 100 KB. What is longer is handed on in parts."""

MAX_WAITING = 64
"""Pieces of input that wait to be read; whoever writes more waits."""

_PIECE_BYTES = 64 * 1024


async def input_lines(descriptor: int | None = None) -> AsyncIterator[bytes]:
    """The lines of standard input, or of another descriptor, until it ends.

    A thread reads, as not every kind of file can be waited for by an event loop. It is left
    to itself when the loop ends: nothing else would interrupt it.
    """
    source = sys.stdin.fileno() if descriptor is None else descriptor
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[bytes] = asyncio.Queue(MAX_WAITING)

    def read() -> None:
        piece = b"-"
        while piece:
            try:
                piece = os.read(source, _PIECE_BYTES)
            except OSError:
                piece = b""
            if loop.is_closed():
                return  # nobody reads any more
            with contextlib.suppress(RuntimeError):  # it was closed just now
                asyncio.run_coroutine_threadsafe(pieces.put(piece), loop).result()

    threading.Thread(target=read, name="input", daemon=True).start()
    rest = b""
    while piece := await pieces.get():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line
        if len(rest) > MAX_LINE_BYTES:
            yield rest
            rest = b""
    if rest:
        yield rest
