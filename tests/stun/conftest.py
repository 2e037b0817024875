"""Tests with real sockets run on a loop that takes no notice of stalls."""

from tests.steady import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]
