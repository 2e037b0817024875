"""Tests with real sockets run on a loop that takes no notice of stalls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from tests.steady import SteadyLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"steady": SteadyLoop}
