"""A loop for tests with real sockets, to which a machine that stalls is as any other."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Mapping
from typing import Final

BUSY: Final = 0.0002
"""Seconds that one round of a loop that has something to do counts as, at most."""

REST: Final = 0.01
"""Seconds that the same loop counts at a time while there is nothing to do."""


class SteadySelector(selectors.DefaultSelector):
    """Keeps a clock that goes on while the loop is at rest, and next to nothing while it works."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self._seen = time.monotonic()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._pass(BUSY)
        while True:
            step = REST if timeout is None else min(timeout, REST)
            ready = super().select(step)
            self._pass(BUSY if ready or step <= 0 else step)
            if timeout is not None:
                timeout -= step
            if ready or (timeout is not None and timeout <= 0):
                return ready

    def _pass(self, most: float) -> None:
        now = time.monotonic()
        self.now += min(now - self._seen, most)
        self._seen = now


class SteadyLoop(asyncio.SelectorEventLoop):
    """No timer fires before what can be read was read, and answered, and the answer read.

    Its clock is that of a machine where nobody else has anything to do: what the process is
    stopped for does not count. So a client and a server in one test lose no answer to a stall,
    and send no request a second time for one; what nobody answers is still waited for as long
    as the test says.
    """

    def __init__(self) -> None:
        self._steady = SteadySelector()
        super().__init__(self._steady)

    def time(self) -> float:
        return self._steady.now


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """For the ``conftest.py`` of a folder whose tests run on this loop."""
    return {"steady": SteadyLoop}
