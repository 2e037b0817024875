"""A client under test that a command starts: its process, and what it has to say."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from typing import Final

READ_BYTES: Final = 65_536
MAX_SAID: Final = 4096
"""Bytes of what a client says on standard error that are kept: the last ones."""


class ClientCommand:
    """A client as a process; ``status_tells`` where exit status 0 says that it succeeded."""

    def __init__(self, process: asyncio.subprocess.Process, *, status_tells: bool) -> None:
        self._process = process
        self._status_tells = status_tells
        self._said = b""
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, words: Sequence[str], *, status_tells: bool) -> ClientCommand:
        """Raises:
        OSError: it cannot be started.
        """
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=quiet,
            stdout=quiet,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        return cls(process, status_tells=status_tells)

    async def wait(self) -> bool | None:
        """Until it has ended; whether it succeeded, if that is told."""
        status = await self._process.wait()
        return status == 0 if self._status_tells else None

    @property
    def how_it_ended(self) -> str | None:
        """Its exit status and the last line of what it had to say; None while it runs."""
        status = self._process.returncode
        if status is None:
            return None
        how = f"with status {status}" if status >= 0 else f"by signal {-status}"
        lines = self._said.decode(errors="replace").split("\n")
        words = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f"its command ended {how}" + (f": {words}" if words else "")

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        while said := await self._process.stderr.read(READ_BYTES):
            self._said = (self._said + said)[-MAX_SAID:]

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL two seconds later, to all that it has started."""
        try:
            await self._end()
        finally:
            self._listening.cancel()

    async def _end(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), 2.0)
                return
