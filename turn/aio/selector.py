"""An event loop that serves data sockets inside its selector.

Under light load a relay's cost is that of waking up, and most wake-ups concern nobody
but the data plane. Here they never become callbacks of the loop: the selector serves the
socket itself, waits on, and returns only when the loop has something to do.

Who had to wait for a datagram has mostly come for one alone: then just that one is taken,
and the next poll tells whether there are more, which costs less than a read in vain.
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
from typing import Protocol, TypeVarTuple, Unpack

Ts = TypeVarTuple("Ts")

_EVENTS_PER_POLL = 256

ASLEEP = 5e-6
"""Seconds: a poll that took longer has waited. One that did not takes a fifth of it."""

logger = logging.getLogger(__name__)

_Ready = list[tuple[selectors.SelectorKey, int]]


class Readable(Protocol):
    """A socket that is read when there is something to read."""

    def fileno(self) -> int: ...

    def take_one(self) -> None:
        """Read one datagram: there is hardly another."""
        ...

    def drain(self) -> None:
        """Read many datagrams: there seem to be some."""
        ...


class DrainingSelector(selectors.EpollSelector):
    """A selector for asyncio that serves data sockets by itself."""

    def __init__(self) -> None:
        super().__init__()
        self._one: dict[int, Callable[[], None]] = {}
        self._many: dict[int, Callable[[], None]] = {}
        # A second descriptor of the same epoll: each of the two is closed by its owner.
        self._epoll = select.epoll.fromfd(os.dup(self.fileno()))
        self._is_wanted = False

    def watch(self, readable: Readable) -> None:
        """Serve a socket whenever it is readable, or has an error to report."""
        fd = readable.fileno()
        self._epoll.register(fd, select.EPOLLIN)
        self._one[fd] = readable.take_one
        self._many[fd] = readable.drain

    def unwatch(self, readable: Readable) -> None:
        """Forget a socket, before it is closed; it need not be there."""
        fd = readable.fileno()
        if self._one.pop(fd, None) is not None:
            del self._many[fd]
            self._epoll.unregister(fd)

    def interrupt(self) -> None:
        """Let the loop look at its callbacks and timers: there is a new one."""
        self._is_wanted = True

    def select(self, timeout: float | None = None) -> _Ready:
        self._is_wanted = False
        clock, poll = time.monotonic, self._epoll.poll
        now = clock()
        deadline = None if timeout is None else now + timeout
        while True:
            try:
                events = poll(timeout, _EVENTS_PER_POLL)
            except InterruptedError:
                return []
            serve = self._one if clock() - now > ASLEEP else self._many
            ready: _Ready = []
            for fd, mask in events:
                if fd in serve:
                    try:
                        serve[fd]()
                    except Exception:  # a bug; above us is nothing but the loop
                        logger.exception("reading from a data socket failed")
                elif (key := self.get_map().get(fd)) is not None:
                    ready.append((key, _as_selector_events(mask) & key.events))
            if ready or self._is_wanted:
                return ready
            now = clock()
            if deadline is not None and (timeout := deadline - now) <= 0:
                return ready

    def close(self) -> None:
        self._one.clear()
        self._many.clear()
        self._epoll.close()
        super().close()


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
        self.watch = self._draining.watch
        self.unwatch = self._draining.unwatch

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


def watch(loop: asyncio.AbstractEventLoop, readable: Readable) -> None:
    """Have a socket served by whatever kind of loop this is."""
    if isinstance(loop, RelayEventLoop):
        loop.watch(readable)
    else:
        loop.add_reader(readable.fileno(), readable.drain)


def unwatch(loop: asyncio.AbstractEventLoop, readable: Readable) -> None:
    """Undo ``watch``."""
    if isinstance(loop, RelayEventLoop):
        loop.unwatch(readable)
    else:
        loop.remove_reader(readable.fileno())
