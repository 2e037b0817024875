"""Getting access tokens for a client (RFC 7635): the application knows from whom."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable

from stun import AccessGrant
from transport.aio import MachineDriver
from turn.client import TurnClient

logger = logging.getLogger(__name__)

GrantProvider = Callable[[str], Awaitable[AccessGrant | None]]
"""Asks an authorization server for a token for the relay of this name; None if there is
none for us. What it raises counts as none, and is logged."""


class GrantSource:
    """Answers a client's requests for tokens, one at a time."""

    def __init__(self, provider: GrantProvider, client: TurnClient, driver: MachineDriver) -> None:
        self._provider = provider
        self._client = client
        self._driver = driver
        self._task: asyncio.Task[None] | None = None

    def request(self, server_name: str) -> None:
        """The client waits for a token."""
        self._task = asyncio.create_task(self._answer(server_name))

    async def aclose(self) -> None:
        """Stop asking."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _answer(self, server_name: str) -> None:
        grant = None
        try:
            grant = await self._provider(server_name)
        except Exception:  # an edge: the application's code, for which nobody waits
            logger.warning("no access token for %s", server_name, exc_info=True)
        if grant is None:
            self._driver.call(self._client.token_refused)
        else:
            self._driver.call(functools.partial(self._client.token_granted, grant))
