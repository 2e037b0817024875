"""An event loop that drains data sockets inside its selector.

Under light load a relay's cost is that of waking up, and most wake-ups concern nobody
but the data plane. Here they never become callbacks of the loop: the selector calls the
drain itself, waits on, and returns only when the loop has something to do.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import select
import selectors
import time
from collections.abc import Callable
from typing import TypeVarTuple, Unpack

Ts = TypeVarTuple("Ts")

Drain = Callable[[], None]
"""Reads one socket."""

_EVENTS_PER_POLL = 256

logger = logging.getLogger(__name__)

_Ready = list[tuple[selectors.SelectorKey, int]]


class DrainingSelector(selectors.EpollSelector):
    """A selector for asyncio that serves data sockets by itself."""

    def __init__(self) -> None:
        super().__init__()
        self._drains: dict[int, Drain] = {}
        # A second descriptor of the same epoll: each of the two is closed by its owner.
        self._epoll = select.epoll.fromfd(os.dup(self.fileno()))
        self._is_wanted = False

    def add_drain(self, fd: int, drain: Drain) -> None:
        """Call ``drain`` whenever ``fd`` is readable, or has an error to report."""
        self._epoll.register(fd, select.EPOLLIN)
        self._drains[fd] = drain

    def remove_drain(self, fd: int) -> None:
        """Forget a socket, before it is closed; it need not be there."""
        if self._drains.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def interrupt(self) -> None:
        """Let the loop look at its callbacks and timers: there is a new one."""
        self._is_wanted = True

    def select(self, timeout: float | None = None) -> _Ready:
        self._is_wanted = False
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                ready = self._serve(self._epoll.poll(timeout, _EVENTS_PER_POLL))
            except InterruptedError:
                return []
            if ready or self._is_wanted:
                return ready
            if deadline is not None:
                timeout = deadline - time.monotonic()
                if timeout <= 0:
                    return []

    def close(self) -> None:
        self._drains.clear()
        self._epoll.close()
        super().close()

    def _serve(self, events: list[tuple[int, int]]) -> _Ready:
        """Drain what is ours; what is not concerns the loop."""
        ready: _Ready = []
        drains = self._drains
        for fd, mask in events:
            drain = drains.get(fd)
            if drain is not None:
                try:
                    drain()
                except Exception:  # a bug; above us is nothing but the loop
                    logger.exception("draining failed")
            else:
                key = self.get_map().get(fd)
                if key is not None:
                    ready.append((key, _as_selector_events(mask) & key.events))
        return ready


def _as_selector_events(mask: int) -> int:
    readable = selectors.EVENT_READ if mask & ~select.EPOLLOUT else 0
    return readable | (selectors.EVENT_WRITE if mask & ~select.EPOLLIN else 0)


class RelayEventLoop(asyncio.SelectorEventLoop):
    """asyncio's loop over a ``DrainingSelector``; for processes that are relays above all.

    Run it with ``asyncio.Runner(loop_factory=RelayEventLoop)``.
    """

    def __init__(self) -> None:
        self._draining = DrainingSelector()
        super().__init__(self._draining)
        self.add_drain = self._draining.add_drain
        self.remove_drain = self._draining.remove_drain

    def call_soon(
        self,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        self._draining.interrupt()
        return super().call_soon(callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        self._draining.interrupt()
        return super().call_at(when, callback, *args, context=context)


def watch(loop: asyncio.AbstractEventLoop, fd: int, drain: Drain) -> None:
    """Drain a socket from whatever kind of loop this is."""
    if isinstance(loop, RelayEventLoop):
        loop.add_drain(fd, drain)
    else:
        loop.add_reader(fd, drain)


def unwatch(loop: asyncio.AbstractEventLoop, fd: int) -> None:
    """Undo ``watch``."""
    if isinstance(loop, RelayEventLoop):
        loop.remove_drain(fd)
    else:
        loop.remove_reader(fd)
