"""A run against one server, that Ctrl-C stops with what is known so far."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from conformance import Report, Row, RowResult, Target, TargetUnusable
from conformance.aio import AsyncioWire, Limits, run
from transport import IPAddress

from .aim import Aim, find_targets

DEFAULT_PER_SECOND = 400
"""Datagrams: rows are done in about a minute, and no server is hurt."""

DEFAULT_JOBS = 8


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is run, and how hard."""

    rows: tuple[Row, ...]
    per_second: int = DEFAULT_PER_SECOND
    jobs: int = DEFAULT_JOBS
    """Rows at the same time."""


async def run_plan(
    aim: Aim,
    plan: Plan,
    *,
    on_begin: Callable[[Target, IPAddress], None],
    on_result: Callable[[RowResult], None],
) -> Report:
    """Run the rows; at the next address if nothing is at the first.

    ``on_begin`` is told the target and where it is tested from, before anything is sent.

    Raises:
        HairpinError: the certificates cannot be read.
        TargetUnusable: there is nothing to test, or it may not be.
    """
    trust = aim.trust()
    targets = await find_targets(aim)
    with _stop_at_interrupt() as stop:
        for target in targets:
            wire = AsyncioWire(per_second=plan.per_second, trust=trust)
            try:
                on_begin(target, wire.local_ip(target.address))
                return await run(
                    target,
                    rows=plan.rows,
                    slow=True,
                    limits=Limits(concurrency=plan.jobs, per_second=plan.per_second),
                    wire=wire,
                    on_result=on_result,
                    stop=stop,
                )
            except OSError as error:
                problem = TargetUnusable(f"{target.address}: {error.strerror or error}")
                if target is targets[-1]:
                    raise problem from error
            except TargetUnusable:
                if target is targets[-1]:
                    raise
            finally:
                await wire.aclose()
    raise TargetUnusable(f"{aim.uri.host} has no address")


@contextmanager
def _stop_at_interrupt() -> Iterator[asyncio.Event]:
    """Set at the first Ctrl-C; the second one is an ordinary KeyboardInterrupt."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread has signals
        return
    loop.add_signal_handler(signal.SIGINT, interrupted)
    try:
        yield stop
    finally:
        loop.remove_signal_handler(signal.SIGINT)
