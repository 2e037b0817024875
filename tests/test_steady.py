"""The loop of tests with real sockets takes no notice of stalls."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from .steady import SteadyLoop


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=SteadyLoop) as runner:
        runner.run(main())


@pytest.mark.long  # it stalls
def test_an_answer_is_not_too_late_because_the_process_was_stopped() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        client, server = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with client, server:
            client.setblocking(False)
            server.setblocking(False)

            def answer() -> None:
                time.sleep(0.1)  # as a process does that is stopped
                server.send(server.recv(10))

            loop.add_reader(server, answer)
            async with asyncio.timeout(0.05):
                for number in (b"1", b"2", b"3"):
                    client.send(number)
                    assert await loop.sock_recv(client, 10) == number
            loop.remove_reader(server)

    run(main)


@pytest.mark.parametrize("is_busy", [False, True], ids=["at rest", "busy"])
def test_what_nobody_answers_is_given_up(is_busy: bool) -> None:
    async def spin() -> None:
        while True:  # noqa: ASYNC110 - it waits for nothing
            await asyncio.sleep(0)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        spinning = asyncio.create_task(spin()) if is_busy else None
        begun, really = loop.time(), time.monotonic()

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(loop.create_future(), 0.03)

        assert loop.time() - begun >= 0.03
        assert time.monotonic() - really >= 0.02
        if spinning is not None:
            spinning.cancel()

    run(main)


def test_a_thread_is_waited_for_without_a_timer() -> None:
    async def main() -> None:
        waited: Awaitable[None] = asyncio.to_thread(time.sleep, 0.03)
        await waited

    run(main)
