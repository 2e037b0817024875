"""Trying targets as a machine says, each attempt in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from stun.resolution import AttemptAbandoned, AttemptRequested, AttemptsExhausted, Target
from transport import Event, Machine
from transport.aio import MachineDriver


class Closeable(Protocol):
    async def aclose(self) -> None: ...


class SelectionMachine(Machine, Protocol):
    """Says which attempts to make: ``Attempts``, or what a protocol makes of it."""

    def start(self, now: float) -> None: ...

    def reached(self, number: int, now: float) -> None: ...

    def succeeded(self, number: int, now: float) -> None: ...


C = TypeVar("C", bound=Closeable)


class Search(Generic[C]):
    """Finds the first attempt that succeeds.

    ``attempt(number, target)`` returns what it has opened; or None, after it has told the
    machine with ``call`` how it failed. It is cancelled when another was faster, and may take
    a moment to clean up then, which ``aclose`` waits for; or when ``is_closing``.
    """

    def __init__(
        self,
        machine: SelectionMachine,
        attempt: Callable[[int, Target], Awaitable[C | None]],
    ) -> None:
        self._machine = machine
        self._attempt = attempt
        self._driver = MachineDriver(machine, self._on_event)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._found: asyncio.Future[C | None] = asyncio.get_running_loop().create_future()
        self._untaken: C | None = None
        self.is_closing = False

    async def run(self) -> C | None:
        """What the winner has opened, which is the caller's then; None if none has won."""
        self._driver.call(self._machine.start)
        found = await asyncio.shield(self._found)
        self._untaken = None
        return found

    def call(self, verb: Callable[[float], None]) -> None:
        """Tell the machine something."""
        self._driver.call(verb)

    def reached(self, number: int) -> None:
        """The server of an attempt is there."""
        self.call(lambda now: self._machine.reached(number, now))

    async def aclose(self) -> None:
        """End what is left of the other attempts."""
        self.is_closing = True
        self._leaving.update(self._tasks.values())
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        await self._driver.aclose()
        if self._untaken is not None:
            await self._untaken.aclose()
        self._found.cancel()

    def _on_event(self, event: Event) -> None:
        match event:
            case AttemptRequested(number=number, target=target):
                task = asyncio.ensure_future(self._run(number, target))
                self._tasks[number] = task
                task.add_done_callback(lambda task: self._ended(number, task))
            case AttemptAbandoned(number=number):
                if abandoned := self._tasks.pop(number, None):
                    self._leaving.add(abandoned)
                    abandoned.cancel()
            case AttemptsExhausted() if not self._found.done():
                self._found.set_result(None)
            case _:
                pass

    async def _run(self, number: int, target: Target) -> None:
        opened = await self._attempt(number, target)
        if opened is None:
            return
        if self._found.done():
            await opened.aclose()
            return
        self._untaken = opened
        self._found.set_result(opened)
        self.call(lambda now: self._machine.succeeded(number, now))

    def _ended(self, number: int, task: asyncio.Task[None]) -> None:
        self._tasks.pop(number, None)
        self._leaving.discard(task)
        if not task.cancelled() and (error := task.exception()) and not self._found.done():
            self._found.set_exception(error)
