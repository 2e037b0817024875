"""Ctrl-C in commands that come to an end by themselves."""

from __future__ import annotations

import asyncio
import signal

import pytest

from hairpin.interrupting import run_interruptibly


def test_what_is_under_way_ends_before_the_interrupt_is_raised() -> None:
    ended: list[str] = []

    async def main() -> None:
        try:
            asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ended.append("main")

    with pytest.raises(KeyboardInterrupt):
        run_interruptibly(main())

    assert ended == ["main"]


def test_a_signal_wakes_the_loop_whenever_it_comes() -> None:
    """Between two instructions, too, where Python's own handler is run only when they go on."""

    async def main() -> int:
        waking = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(waking)
        return waking

    assert run_interruptibly(main()) != -1


def test_a_second_one_does_not_wait() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(signal.raise_signal, signal.SIGINT)
        try:
            await asyncio.sleep(60)
        finally:
            loop.call_soon(signal.raise_signal, signal.SIGINT)
            await asyncio.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        run_interruptibly(main())


def test_the_result_is_returned_and_the_handler_is_as_it_was() -> None:
    async def main() -> str:
        return "done"

    before = signal.getsignal(signal.SIGINT)

    assert run_interruptibly(main()) == "done"
    assert signal.getsignal(signal.SIGINT) is before


def test_a_cancellation_of_its_own_is_no_interrupt() -> None:
    async def main() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run_interruptibly(main())


async def test_beside_the_main_thread_there_are_no_signals() -> None:
    async def main() -> str:
        return "done"

    assert await asyncio.to_thread(run_interruptibly, main()) == "done"
