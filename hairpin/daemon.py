"""The life of a command that runs until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

from transport import TransportAddress

from .errors import HairpinError

logger = logging.getLogger(__name__)

STOP_PATIENCE = 1.5
"""Seconds that everything has to end after a signal; then it is cancelled."""

Starter = Callable[[contextlib.AsyncExitStack], Awaitable[str]]
"""Brings everything up, leaves its end on the stack, returns what follows ``ready``."""


def announce(text: str) -> None:
    """Say something to whoever watches; standard output is for scripts."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a command's own voice


def announce_ready(address: str) -> None:
    """The one line on standard output that scripts wait for."""
    print(f"ready {address}", flush=True)  # noqa: T201 - a command's own voice


def run_daemon(
    start: Starter,
    *,
    drain: float = 0.0,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Run until SIGINT or SIGTERM, then end everything and return.

    ``drain`` is how many seconds longer than ``STOP_PATIENCE`` the end may take.
    ``loop_factory`` is for who needs another loop than asyncio's own.

    Raises:
        HairpinError: it could not be brought up.
    """
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(_run(start, STOP_PATIENCE + drain))


async def _run(start: Starter, patience: float) -> None:
    stopped = _stop_signal()
    stack = contextlib.AsyncExitStack()
    try:
        starting = asyncio.ensure_future(start(stack))
        either: list[asyncio.Future[str] | asyncio.Future[None]] = [starting, stopped]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            announce_ready(starting.result())
            await stopped
        else:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
    finally:
        try:
            await asyncio.wait_for(stack.aclose(), patience)
        except TimeoutError:
            logger.warning("not everything ended within %.1f s; leaving it", patience)


def _stop_signal() -> asyncio.Future[None]:
    """A future that is done at the first SIGINT or SIGTERM."""
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[None] = loop.create_future()

    def stop() -> None:
        if not stopped.done():
            stopped.set_result(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    return stopped


@contextlib.asynccontextmanager
async def background(work: Awaitable[None]) -> AsyncIterator[asyncio.Future[None]]:
    """Run ``work`` beside the body, and end it with the body."""
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def listening_error(address: TransportAddress, flag: str, error: OSError) -> HairpinError:
    """Why an address cannot be listened on, and the flag that changes it."""
    if error.errno == errno.EADDRINUSE:
        why = "is in use"
    elif error.errno == errno.EADDRNOTAVAIL:
        why = "is not an address of this machine"
    elif error.errno in (errno.EACCES, errno.EPERM):
        why = "may not be listened on by this user"
    else:
        why = f"cannot be listened on ({error.strerror or error})"
    return HairpinError(f"{address} {why}: choose another with {flag} HOST:PORT")
