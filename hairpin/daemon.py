"""The life of a command that runs until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine

from transport import TransportAddress

from .errors import HairpinError

logger = logging.getLogger(__name__)

STOP_PATIENCE = 1.2
"""Seconds that everything has to end after a signal; then it is cancelled."""

LAST_PATIENCE = 0.2
"""Seconds more until the process goes, whatever still runs: a thread that waits for a name
server or a camera cannot be cancelled."""


def announce(text: str) -> None:
    """Say something to whoever watches; standard output is for scripts."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a command's own voice


def announce_ready(address: str) -> None:
    """The one line on standard output that scripts wait for."""
    print(f"ready {address}", flush=True)  # noqa: T201 - a command's own voice


class Life(contextlib.AsyncExitStack):
    """What a daemon has brought up, to be ended in reverse, and the work beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Fails with the first work that does; done without that, all is done."""

    def run_beside(self, work: Coroutine[None, None, None]) -> None:
        """Run ``work`` until the daemon ends; the daemon ends with what it raises."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._watch)
        self.push_async_callback(_end, task)

    def end(self) -> None:
        """Let the daemon end: there is nothing left to do."""
        if not self.failed.done():
            self.failed.set_result(None)

    def _watch(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        if self.failed.done():
            logger.warning("failed as well: %s", error)
        else:
            self.failed.set_exception(error)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


Starter = Callable[[Life], Awaitable[str]]
"""Brings everything up, leaves its end on the stack, returns what follows ``ready``."""


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
        HairpinError: it could not be brought up, or could not go on. So does whatever
            else ``start`` or the work beside it raised.
    """
    stop = _Stop(STOP_PATIENCE + drain)
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(_run(start, stop))
    finally:
        stop.ended()


class _Stop:
    """The first SIGINT or SIGTERM, and how long everything then has to end."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self._timer = threading.Timer(patience + LAST_PATIENCE, _leave)
        self._timer.daemon = True

    def watch(self) -> asyncio.Future[None]:
        """A future that is done at the first signal."""
        loop = asyncio.get_running_loop()
        stopped: asyncio.Future[None] = loop.create_future()

        def stop() -> None:
            if not stopped.done():
                stopped.set_result(None)
                self._timer.start()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        return stopped

    def ended(self) -> None:
        """Everything did."""
        self._timer.cancel()


def _leave() -> None:
    logger.warning("leaving what does not end")
    os._exit(0)


async def _run(start: Starter, stop: _Stop) -> None:
    stopped = stop.watch()
    life = Life()
    try:
        starting = asyncio.ensure_future(start(life))
        await _first_of(starting, stopped, life.failed)
        if starting.done():
            announce_ready(starting.result())
            await _first_of(stopped, life.failed)
        else:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
        if life.failed.done():
            life.failed.result()
    finally:
        try:
            await asyncio.wait_for(life.aclose(), stop.patience)
        except TimeoutError:
            logger.warning("not everything ended within %.1f s; leaving it", stop.patience)


async def _first_of(*futures: asyncio.Future[str] | asyncio.Future[None]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


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
