"""Starting, saying ready, and stopping."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys

import pytest

from hairpin.daemon import LAST_PATIENCE, STOP_PATIENCE, Life, run_daemon
from hairpin.errors import HairpinError
from hairpin.http import bind, local_address
from transport import TransportAddress

FAR = 50.0
"""Seconds after which something will never happen."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_after_everything_was_closed(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    closed: list[str] = []

    async def start(stack: contextlib.AsyncExitStack) -> str:
        stack.callback(closed.append, "closed")
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)
        return "http://127.0.0.1:1/"

    run_daemon(start)

    assert closed == ["closed"]
    assert capsys.readouterr().out == "ready http://127.0.0.1:1/\n"


def test_a_signal_while_starting_ends_it_without_saying_ready(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def start(stack: contextlib.AsyncExitStack) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()
        return "never"

    run_daemon(start)

    assert capsys.readouterr().out == ""


def test_what_cannot_start_raises_and_closes_what_had_started() -> None:
    closed: list[str] = []

    async def start(stack: contextlib.AsyncExitStack) -> str:
        stack.callback(closed.append, "closed")
        raise HairpinError("no luck")

    with pytest.raises(HairpinError, match="no luck"):
        run_daemon(start)
    assert closed == ["closed"]


def test_it_ends_with_the_work_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    closed: list[str] = []
    may_fail = asyncio.Event()

    async def work() -> None:
        await may_fail.wait()
        raise HairpinError("the file has ended")

    async def start(life: Life) -> str:
        life.callback(closed.append, "closed")
        life.run_beside(work())
        asyncio.get_running_loop().call_soon(may_fail.set)
        return "now"

    with pytest.raises(HairpinError, match="the file has ended"):
        run_daemon(start)
    assert capsys.readouterr().out == "ready now\n"
    assert closed == ["closed"]


def test_work_that_fails_while_starting_ends_the_start(capsys: pytest.CaptureFixture[str]) -> None:
    async def work() -> None:
        raise HairpinError("refused")

    async def start(life: Life) -> str:
        life.run_beside(work())
        await asyncio.Event().wait()
        return "never"

    with pytest.raises(HairpinError, match="refused"):
        run_daemon(start)
    assert capsys.readouterr().out == ""


def test_a_stop_takes_two_seconds_at_most() -> None:
    assert STOP_PATIENCE + LAST_PATIENCE < 2


STUCK = """
import asyncio, os, signal, time
from hairpin.daemon import LAST_PATIENCE, STOP_PATIENCE, Life, run_daemon

async def start(life):
    loop = asyncio.get_running_loop()
    loop.run_in_executor(None, time.sleep, 600)
    life.push_async_callback(asyncio.Event().wait)
    loop.call_soon(os.kill, os.getpid(), signal.SIGTERM)
    return "stuck"

run_daemon(start)
"""


@pytest.mark.long  # The patience that is shown takes its time.
async def test_neither_a_thread_that_hangs_nor_an_end_that_waits_holds_it_up() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STUCK, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready stuck\n"

        assert await asyncio.wait_for(process.wait(), FAR) == 0
    finally:
        if process.returncode is None:
            process.kill()


def test_a_busy_port_is_named_with_the_flag_that_changes_it() -> None:
    with (
        contextlib.closing(bind(TransportAddress.parse("127.0.0.1", 0))) as first,
        pytest.raises(HairpinError, match=r"127\.0\.0\.1:\d+ is in use.*--listen"),
    ):
        bind(local_address(first))


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(HairpinError, match="not an address of this machine"):
        bind(TransportAddress.parse("192.0.2.1", 0))
