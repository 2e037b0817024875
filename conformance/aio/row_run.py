"""A row that is run, and the verdict that it comes to in any case."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from conformance.outcome import (
    NotOffered,
    Outcome,
    OutOfReach,
    RowResult,
    Unanswered,
    Verdict,
    Violated,
    Violation,
    skipped,
)
from conformance.probe import Probe
from conformance.room import SETTLE, tell_of_no_room
from conformance.row import Row
from conformance.survey import Survey
from conformance.target import Target
from conformance.wire import Wire
from transport import DecodeError, TransportProtocol

logger = logging.getLogger(__name__)

ROW_TIMEOUT: Final = 60.0
"""Seconds for a row that is not slow: more than any has to wait for."""

SLOW_TIMEOUT: Final = 4500.0
"""An hour, for nonces to go stale, and some more."""

RECOVERY: Final = 5.0
"""Seconds that a server has for itself after a row that is alone."""

LOOK_EVERY: Final = 0.1
"""Seconds between looks at a server that is waited for."""


class RowRun:
    """One row, and what comes of it."""

    def __init__(self, row: Row, target: Target, wire: Wire, survey: Survey) -> None:
        self.row = row
        self.result = RowResult(row.id, skipped("not run"))
        self.violations: list[Violation] = []
        self.is_begun = False
        self.is_done = False
        self.is_doubtful = False
        """What was seen may be because the server is gone."""
        self._target = target
        self._wire = wire
        self._survey = survey

    async def run(self) -> None:
        reason = self._survey.why_not(self.row.needs)
        if reason is not None:
            self.skip(reason)
            return
        self.is_begun, self.is_doubtful = True, False
        probe = Probe(self._target, self._wire, self._survey)
        begun = self._wire.now()
        try:
            outcome = await self._outcome(probe)
            self.violations = probe.violations
            frames = tuple(probe.record.frames)
        finally:
            await self._close(probe)
        self.result = RowResult(self.row.id, outcome, frames, self._wire.now() - begun)

    async def _close(self, probe: Probe) -> None:
        try:
            await probe.close()
        except Exception:  # the other rows go on: the server forgets what is left behind
            logger.exception("closing after %s", self.row.id)

    def skip(self, reason: str) -> None:
        """There is no verdict, whatever was seen."""
        self.result = RowResult(self.row.id, skipped(reason))
        self.violations.clear()

    @property
    def found_no_room(self) -> bool:
        """Whether it has not passed, and there was no room for one of its allocations."""
        if self.result.outcome.verdict not in (Verdict.FAIL, Verdict.SKIP):
            return False
        return tell_of_no_room(self.result.frames)

    async def run_alone(self) -> None:
        """Run it while no other row is, and once more if there is no room at first."""
        await self.run()
        if self.found_no_room and not self.row.alone:
            await self._wire.sleep(SETTLE)
            await self.run()

    async def let_recover(self) -> None:
        """Wait, for a while, until the server takes connections again.

        A row may have had all that it takes from one address, and servers see the ends of
        connections late.
        """
        if self._target.transport is not TransportProtocol.UDP:
            await self.is_answered_within(RECOVERY)

    async def is_answered_within(self, seconds: float) -> bool:
        """Whether the server answers a Binding request, by then at the latest."""
        deadline = self._wire.now() + seconds
        while self._wire.now() < deadline:
            probe = Probe(self._target, self._wire, self._survey)
            try:
                await probe.is_alive()
                return True
            except (NotOffered, Violated, DecodeError, OSError):
                await self._wire.sleep(LOOK_EVERY)
            finally:
                await probe.close()
        return False

    async def _outcome(self, probe: Probe) -> Outcome:
        seconds = SLOW_TIMEOUT if self.row.slow else ROW_TIMEOUT
        try:
            async with asyncio.timeout(seconds):
                return await self.row.run(probe) or Outcome(Verdict.PASS)
        except Violated as error:
            self.is_doubtful = True
            if self.row.about_answers and isinstance(error, Unanswered):
                return skipped(error.detail)
            return Outcome(Verdict.FAIL, error.detail, error.mark)
        except NotOffered as error:
            self.is_doubtful = isinstance(error, OutOfReach)
            return skipped(error.detail)
        except DecodeError as error:
            return skipped(f"an answer on the way to it cannot be read: {error}")
        except TimeoutError:
            return skipped(f"not done after {seconds:g} s")
        except OSError as error:
            return skipped(f"this host does not let the row be run: {error}")
        except Exception as error:
            # The edge of the harness: a fault of its own is no verdict on the server.
            logger.exception("%s", self.row.id)
            return skipped(f"a fault of this harness: {error!r}")
