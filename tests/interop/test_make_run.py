"""``make run`` in a fresh clone, as a newcomer meets it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator

import pytest

from .conftest import need
from .reporting import Report

pytestmark = [pytest.mark.interop, pytest.mark.alone, pytest.mark.timeout(400)]

ROOT = pathlib.Path(__file__).parents[2]
FIRST_PATIENCE, SECOND_PATIENCE = 180.0, 20.0
STOP_PATIENCE = 20.0
"""Seconds, for a machine that is busy with other things; the figures are printed."""
LISTEN = "127.0.0.9:0"
"""An address of loopback where no other relay has the default port."""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone of a repository")
    folder = tmp_path_factory.mktemp("fresh") / "clone"
    subprocess.run([need("git"), "clone", "-q", str(ROOT), str(folder)], check=True)
    return folder


def installations(clone: pathlib.Path) -> dict[str, int]:
    """When make has installed something there."""
    return {each.name: each.stat().st_mtime_ns for each in clone.glob(".venv/.installed-*")}


def processes_of(session: int) -> list[str]:
    """The command lines of all that a session runs, whoever its parent is."""
    found: list[str] = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            _, _, fields = (folder / "stat").read_text().rpartition(") ")
            state, _, _, leader = fields.split()[:4]
            if int(leader) == session and state != "Z":
                found.append((folder / "cmdline").read_text().replace("\0", " "))
    return found


class Run:
    """A ``make run`` in a session of its own, as a terminal gives it one."""

    def __init__(self, process: asyncio.subprocess.Process, ready_after: float) -> None:
        self.process = process
        self.ready_after = ready_after

    async def end(self) -> float:
        """Seconds until make ended, once the signal was sent; it leaves nothing behind."""
        begun = time.monotonic()
        await asyncio.wait_for(self.process.wait(), STOP_PATIENCE)
        assert not processes_of(self.process.pid)
        return time.monotonic() - begun


@contextlib.asynccontextmanager
async def make_run(folder: pathlib.Path) -> AsyncIterator[Run]:
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(need("make"), "run", f"LISTEN={LISTEN}"),
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        line = await process.stdout.readline()
        assert line.startswith(b"ready http://127.0.0.9:"), line
        yield Run(process, time.monotonic() - begun)
    finally:
        if processes_of(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def test_a_fresh_clone_is_ready_soon_and_the_second_time_at_once(
    clone: pathlib.Path, report: Report
) -> None:
    shutil.rmtree(clone / ".venv", ignore_errors=True)
    async with make_run(clone) as first:
        os.killpg(first.process.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
        ended = await first.end()
    installed = installations(clone)
    async with make_run(clone) as second:
        second.process.send_signal(signal.SIGTERM)  # make alone
        terminated = await second.end()

    report(
        f"make run: ready after {first.ready_after:.1f} s in a fresh clone, "
        f"{second.ready_after:.1f} s the second time; Ctrl-C ends it in {ended:.1f} s, "
        f"SIGTERM of make alone in {terminated:.1f} s"
    )
    assert first.ready_after < FIRST_PATIENCE
    assert second.ready_after < SECOND_PATIENCE
    assert len(installed) == 1
    assert installations(clone) == installed
