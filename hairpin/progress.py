"""How a viewer's reception goes, on standard error."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterator

from .daemon import announce
from .reception import Figures

LIVE_INTERVAL = 0.5
"""Seconds between two readings on a terminal, where each takes the place of the last."""

LOG_INTERVAL = 5.0
"""The same for lines in a log."""


async def show_progress(read: Callable[[], Awaitable[Figures]], target: str) -> None:
    """Show figures until cancelled: on a terminal in one line that changes, else in lines."""
    clock = asyncio.get_running_loop().time
    is_live = sys.stderr.isatty()
    with _live_line() if is_live else contextlib.nullcontext(announce) as show:
        before, read_at = Figures(), clock()
        while True:
            await asyncio.sleep(LIVE_INTERVAL if is_live else LOG_INTERVAL)
            figures, now = await read(), clock()
            bits = 8 * (figures.payload_bytes - before.payload_bytes)
            show(describe(figures, bits / (now - read_at), target))
            before, read_at = figures, now


def describe(figures: Figures, bits_per_second: float, target: str = "") -> str:
    """Figures in one line."""
    minutes, seconds = divmod(int(figures.seconds), 60)
    parts = [
        f"{minutes:02}:{seconds:02}",
        f"{figures.video} frames",
        f"{figures.audio} audio packets",
        f"{bits_per_second / 1000:.0f} kbit/s",
        f"{figures.lost} packets lost",
        figures.pair or "not connected",
    ]
    return "  ".join([*parts, f"to {target}"] if target else parts)


@contextlib.contextmanager
def _live_line() -> Iterator[Callable[[str], None]]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True)
    with Live(
        Text(),
        console=console,
        auto_refresh=False,
        redirect_stdout=False,  # the line that says ready is for scripts
    ) as live:
        yield lambda line: live.update(Text(line, no_wrap=True), refresh=True)
