"""Coming back to a camera or server that was lost."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol

from media.source import MediaSourceError, SourceDescription

logger = logging.getLogger(__name__)

RETRY_DELAYS = (0.5, 1.0, 2.0)
"""Seconds before each try to open it again; the last repeats."""

PATIENCE = 60.0
"""Seconds after which a source that stays away is given up: a camera starts again in less,
and whoever supervises the command wants to know."""

Wait = Callable[[float], bool]
"""Waits so many seconds, or until nobody needs the source any more: then True."""


class Reopenable(Protocol):
    """What can be lost, and opened again."""

    @property
    def description(self) -> SourceDescription: ...

    def reopen(self) -> None:
        """Raises MediaSourceError as long as it cannot be."""
        ...


class Reconnection:
    """Opens a source again after it was lost.

    A source that opens but gives nothing counts as lost all the time.
    """

    def __init__(
        self, source: Reopenable, wait: Wait, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = source
        self._wait = wait
        self._clock = clock
        self._lost_at: float | None = None
        self._tries = 0

    def succeeded(self) -> None:
        """Something came."""
        if self._lost_at is not None:
            self._lost_at = None
            self._tries = 0
            logger.warning("%s: it is back", self._source.description.name)

    def come_back(self, problem: str) -> bool:
        """Open the source again; False when nobody needs it any more.

        Raises:
            MediaSourceError: it stays away, or came back as something else.
        """
        before = self._source.description
        name = before.name
        if self._lost_at is None:
            self._lost_at = self._clock()
            logger.warning("%s: %s; trying again", name, problem)
        while self._clock() - self._lost_at < PATIENCE:
            if self._wait(RETRY_DELAYS[min(self._tries, len(RETRY_DELAYS) - 1)]):
                return False
            self._tries += 1
            try:
                self._source.reopen()
            except MediaSourceError as error:
                problem = error.problem
                continue
            if self._source.description.streams != before.streams:
                raise MediaSourceError(name, "it came back with other codecs; start again")
            return True
        raise MediaSourceError(name, f"it was lost, and stays away for a minute: {problem}")
