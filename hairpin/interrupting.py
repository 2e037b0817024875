"""Ctrl-C in commands that end by themselves; for those that do not there is ``daemon``."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")


def run_interruptibly(main: Coroutine[None, None, T]) -> T:
    """``asyncio.run``, which hears of Ctrl-C at once.

    By itself it leaves SIGINT to a handler of Python's. When the signal comes just before the
    loop begins to wait, that is run when the loop wakes for something else, which may be as late
    as its next timer. A handler of the loop's own wakes it.

    Raises:
        KeyboardInterrupt: Ctrl-C has cancelled ``main``, and that has ended. A second one does
            not wait for the end.
    """
    if threading.current_thread() is not threading.main_thread():
        return asyncio.run(main)  # only the main thread has signals
    interrupted = threading.Event()
    try:
        return asyncio.run(_cancelled_by(interrupted, main))
    except asyncio.CancelledError:
        if interrupted.is_set():
            raise KeyboardInterrupt from None
        raise


async def _cancelled_by(interrupted: threading.Event, main: Coroutine[None, None, T]) -> T:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def interrupt() -> None:
        interrupted.set()
        loop.remove_signal_handler(signal.SIGINT)
        task.cancel()

    loop.add_signal_handler(signal.SIGINT, interrupt)
    return await main
