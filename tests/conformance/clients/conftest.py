"""Clients that are processes have the clock of this machine, and so has asyncio's own loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"usual": asyncio.SelectorEventLoop}
