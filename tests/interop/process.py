"""hairpin's own commands as processes, as a user starts them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence


class Command:
    """A running command; ``address`` is what its ready line named."""

    def __init__(self, process: asyncio.subprocess.Process, log: list[str]) -> None:
        self.process = process
        self.address = ""
        self.log = log

    async def stop(self, *, within: float = 10.0) -> int:
        """Interrupt it and return its exit status; it must end within ten seconds."""
        self.process.send_signal(signal.SIGINT)
        return await asyncio.wait_for(self.process.wait(), within)


async def communicate(process: asyncio.subprocess.Process, *, within: float) -> tuple[bytes, bytes]:
    """What a process has written when it ends.

    Raises:
        TimeoutError: it had to be ended.
    """
    try:
        return await asyncio.wait_for(process.communicate(), within)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


@contextlib.asynccontextmanager
async def hairpin(
    *arguments: str,
    ready_within: float = 50.0,
    environment: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> AsyncIterator[Command]:
    """Run ``hairpin ARGUMENTS`` until the body is done; it is there when it said ready.

    ``environment`` is added to ours. ``prefix`` is a command that becomes the one it is given.
    """
    ours = (*prefix, sys.executable, "-c", "from hairpin.cli import main; main()")
    async with running(
        *ours, *arguments, ready_within=ready_within, environment=environment
    ) as command:
        yield command


@contextlib.asynccontextmanager
async def running(
    *command_line: str,
    ready_within: float = 50.0,
    environment: Mapping[str, str] | None = None,
    folder: pathlib.Path | None = None,
) -> AsyncIterator[Command]:
    """Any command line that says ready, in ``folder``, until the body is done."""
    process = await asyncio.create_subprocess_exec(
        *command_line,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    log: list[str] = []
    command = Command(process, log)
    reading = asyncio.ensure_future(_read_log(process, log))
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), ready_within)
        assert line.startswith(b"ready "), (line, log)
        command.address = line.decode().split(maxsplit=1)[1].strip()
        yield command
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(process.wait(), 3)
            except TimeoutError:
                process.kill()
                await process.wait()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _read_log(process: asyncio.subprocess.Process, log: list[str]) -> None:
    assert process.stderr is not None
    async for line in process.stderr:
        log.append(line.decode(errors="replace").rstrip())
