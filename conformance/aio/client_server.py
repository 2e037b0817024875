"""Scripts on sockets, one after the other, for a client that a person or a command runs."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import Any, Final

from conformance.clients import Script, ScriptedServer, Settings
from conformance.outcome import RowResult, Verdict, skipped

from .client_command import ClientCommand
from .client_listener import Listener

LONGEST_SCRIPT: Final = 1800.0
"""Seconds for a script: more than any takes that has heard its client."""

PLAYS: Final = 3
"""Of a timed script: a machine that is busy makes a client late, but not each time."""

REST: Final = 0.3
"""Seconds from the end of a client to the next one: what is on its way arrives."""

Start = Callable[[Script, Listener], asyncio.Task[ClientCommand] | None]


class ClientServer:
    """Plays scripts to a client at the same addresses.

    ``start`` is called for each, when the server is ready: it tells a person what the client
    is to do, or has it started.
    """

    def __init__(
        self,
        listeners: Sequence[Listener],
        *,
        settings: Settings,
        start: Start,
    ) -> None:
        self._listeners = tuple(listeners)
        self._settings = settings
        self._start = start
        self._known: frozenset[bytes] = frozenset()

    async def play(self, script: Script) -> RowResult:
        """Play one script, and come back when it has judged. One that is timed fails a client
        that has not done better in another play; one that does nothing then has not.

        Raises:
            OSError: the client cannot be started.
        """
        listener = self._listener_for(script)
        if listener is None:
            return RowResult(script.id, skipped(f"nothing listens on {script.over.value}"))
        result = await self._play_once(script, listener)
        for _ in range(PLAYS - 1 if script.timed else 0):
            if result.outcome.verdict is not Verdict.FAIL:
                break
            again = await self._play_once(script, listener)
            if again.outcome.verdict is Verdict.SKIP:
                break
            result = again
        return result

    async def _play_once(self, script: Script, listener: Listener) -> RowResult:
        server = ScriptedServer(
            script,
            listening=listener.listening,
            elsewhere=listener.elsewhere,
            protocol=listener.protocol,
            random_bytes=os.urandom,
            settings=self._settings,
            known=self._known,
        )
        try:
            result = await _Performance(server, listener).run(self._start(script, listener))
        finally:
            listener.rest()
        self._known |= server.ids
        return result

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()

    def _listener_for(self, script: Script) -> Listener | None:
        taken = (each for each in self._listeners if script.over.takes(each.protocol))
        return next(taken, None)


def _explained(result: RowResult, starting: asyncio.Task[ClientCommand] | None) -> RowResult:
    """Why nothing has come, where the client can be asked."""
    if result.frames or starting is None or not starting.done():
        return result
    how = starting.result().how_it_ended
    if how is None:
        return result
    outcome = dataclasses.replace(result.outcome, detail=f"{result.outcome.detail}; {how}")
    return dataclasses.replace(result, outcome=outcome)


class _Performance:
    """One script, its timer, and its client."""

    def __init__(self, server: ScriptedServer, listener: Listener) -> None:
        self._server = server
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._done: asyncio.Future[RowResult] = self._loop.create_future()

    async def run(self, starting: asyncio.Task[ClientCommand] | None) -> RowResult:
        self._listener.serve(self._server, self._changed)
        self._server.start(self._loop.time())
        self._changed()
        watching = None if starting is None else asyncio.ensure_future(self._watch(starting))
        try:
            async with asyncio.timeout(LONGEST_SCRIPT):
                if watching is not None:
                    either: tuple[asyncio.Future[Any], ...] = (self._done, watching)
                    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                    if watching.done():
                        await watching  # for its error
                return _explained(await self._done, starting)
        except TimeoutError:
            return RowResult(self._server.script.id, skipped("the script came to no end"))
        finally:
            if self._timer is not None:
                self._timer.cancel()
            await self._stop(starting, watching)

    async def _watch(self, starting: asyncio.Task[ClientCommand]) -> None:
        client = await asyncio.shield(starting)
        succeeded = await client.wait()
        at = self._loop.time()
        await asyncio.sleep(REST)  # what it has sent is heard before
        self._server.client_ended(self._loop.time(), succeeded=succeeded, at=at)
        self._changed()

    async def _stop(
        self,
        starting: asyncio.Task[ClientCommand] | None,
        watching: asyncio.Future[None] | None,
    ) -> None:
        if watching is not None:
            watching.cancel()
        if starting is not None:
            with contextlib.suppress(OSError):
                await (await starting).stop()

    def _changed(self) -> None:
        self._listener.drain(self._server)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._server.result is not None:
            if not self._done.done():
                self._done.set_result(self._server.result)
            return
        deadline = self._server.next_timeout()
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._time_out, deadline)

    def _time_out(self, deadline: float) -> None:
        self._server.handle_timeout(max(deadline, self._loop.time()))
        self._changed()
