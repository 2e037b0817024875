"""Names that a name server does not answer for."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest

from ice import ResolveRequested
from ice.aio import resolve
from stun.aio import MAX_LOOKUPS


class SilentNameServer:
    """Answers nothing until ``answer``."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answered: list[str] = []
        self._may_answer = threading.Event()
        self._threads_before = set(threading.enumerate())

    def getaddrinfo(self, host: str, *_: object, **__: object) -> list[object]:
        self.asked.append(host)
        self._may_answer.wait(50.0)
        self.answered.append(host)
        raise socket.gaierror(socket.EAI_AGAIN, "nobody answers")

    def answer(self) -> None:
        """Answer everybody, those too whose thread has only just begun."""
        self._may_answer.set()
        for thread in set(threading.enumerate()) - self._threads_before:
            thread.join()


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[SilentNameServer]:
    server = SilentNameServer()
    monkeypatch.setattr(socket, "getaddrinfo", server.getaddrinfo)
    yield server
    server.answer()


def request(number: int = 0) -> ResolveRequested:
    return ResolveRequested(number, f"stun{number}.example.org")


def test_a_lookup_that_hangs_does_not_hold_up_the_end_of_the_loop(
    silent: SilentNameServer,
) -> None:
    async def main() -> None:
        lookup = asyncio.ensure_future(resolve(request()))
        await asyncio.sleep(0)
        lookup.cancel()
        await asyncio.gather(lookup, return_exceptions=True)

    asyncio.run(main())

    assert silent.answered == []


async def test_lookups_under_way_are_bounded(silent: SilentNameServer) -> None:
    lookups = [asyncio.ensure_future(resolve(request(n))) for n in range(MAX_LOOKUPS)]
    await asyncio.sleep(0)

    assert await resolve(request(MAX_LOOKUPS)) == []
    assert f"stun{MAX_LOOKUPS}.example.org" not in silent.asked

    silent.answer()
    assert await asyncio.gather(*lookups) == [[]] * MAX_LOOKUPS
