"""How far a run is, on standard error."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from conformance import RowResult, Target, Verdict
from conformance.describing_values import counted
from hairpin.daemon import announce
from transport import IPAddress

from .running import Plan


def announce_run(target: Target, plan: Plan, local: IPAddress) -> None:
    """Say what will be sent, before it is."""
    peers = f", with peers at {target.peer_ip or local}" if target.is_turn else ""
    rows = counted(len(plan.rows), "row")
    rate = f"at most {plan.per_second} datagrams a second"
    announce(f"{target}: {rows}, {rate} from {local}{peers}")


@contextlib.contextmanager
def show_progress(
    total: int, *, begin: str = "finding out what is offered"
) -> Iterator[Callable[[RowResult], None]]:
    """A bar on a terminal, nothing in a log."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    counts = dict.fromkeys((Verdict.PASS, Verdict.FAIL, Verdict.INFO, Verdict.SKIP), 0)
    words = TextColumn("{task.description}")
    columns = (words, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as progress:
        task = progress.add_task(begin, total=total)

        def on_result(result: RowResult) -> None:
            counts[result.outcome.verdict] += 1
            known = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items())
            progress.update(task, advance=1, description=known)

        yield on_result
