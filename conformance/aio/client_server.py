"""Scripts on sockets, one after the other, for a client that a person or a command runs."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from conformance.clients import (
    PortClosed,
    PortOpened,
    Script,
    ScriptedServer,
    Settings,
)
from conformance.outcome import RowResult, skipped
from transport import (
    CloseRequested,
    Event,
    Path,
    ResetRequested,
    TransportAddress,
    TransportProtocol,
)
from transport.aio import Acceptor, from_sockaddr, to_sockaddr

READ_BYTES: Final = 65_536
MAX_DATAGRAMS_PER_WAKE_UP: Final = 64
MAX_CONNECTIONS: Final = 64
MAX_SAID: Final = 4096
"""Bytes of what a client says on standard error that are kept: the last ones."""

LONGEST_SCRIPT: Final = 1800.0
"""Seconds for a script: more than any takes that has heard its client."""

REST: Final = 0.3
"""Seconds from the end of a client to the next one: what is on its way arrives."""

SO_TIMESTAMPNS: Final = 35
"""Of Linux: when the kernel got a datagram (socket(7)); Python has no name for it."""

ANCILLARY_BYTES: Final = 64
OLDEST: Final = 5.0
"""Seconds that a datagram waits for us at most."""

_TIMESPEC: Final = struct.Struct("qq")
_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER of a socket that closes with RST."""


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


class Listener:
    """The two addresses of one transport, and what goes over them.

    The second one, ``elsewhere``, is the same host's: a script redirects there, or sends from
    there what a client must not take.
    """

    def __init__(self, protocol: TransportProtocol, address: TransportAddress) -> None:
        self.protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._server: ScriptedServer | None = None
        self._on_change: Callable[[], None] = lambda: None
        self._sockets: dict[TransportAddress, socket.socket] = {}
        self._acceptors: list[Acceptor] = []
        self._streams: dict[Path, socket.socket] = {}
        self.listening = self._bind(address)
        self.elsewhere = self._bind(TransportAddress(address.ip, 0))

    def serve(self, server: ScriptedServer, on_change: Callable[[], None]) -> None:
        """From now on this machine gets what comes; ``on_change`` is called after that."""
        self._server = server
        self._on_change = on_change

    def rest(self) -> None:
        """Nobody gets what comes, and all connections end."""
        self._server = None
        for path in list(self._streams):
            self._end(path)
        self._reopen()

    def close(self) -> None:
        self.rest()
        for address in list(self._sockets):
            self._unbind(address)
        for acceptor in self._acceptors:
            acceptor.close()

    def drain(self, server: ScriptedServer) -> None:
        """Send what the machine sends, and do what it asks for."""
        while (transmit := server.poll_transmit()) is not None:
            for segment in transmit.segments:
                self._send(transmit.path, segment)
        while (event := server.poll_event()) is not None:
            self._do(event)

    # Inside

    def _bind(self, address: TransportAddress) -> TransportAddress:
        """Raises:
        OSError: it cannot be bound.
        """
        family = socket.AF_INET6 if address.is_ipv6 else socket.AF_INET
        is_stream = self.protocol.is_reliable
        sock = socket.socket(family, socket.SOCK_STREAM if is_stream else socket.SOCK_DGRAM)
        try:
            if is_stream:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            elif sys.platform == "linux":
                sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            sock.bind(to_sockaddr(address))
        except OSError:
            sock.close()
            raise
        bound = from_sockaddr(sock.getsockname())
        if is_stream:
            self._acceptors.append(
                Acceptor(
                    sock, lambda peer, remote: self._accept(bound, peer, remote), loop=self._loop
                )
            )
            return bound
        sock.setblocking(False)
        self._sockets[bound] = sock
        self._loop.add_reader(sock, self._readable, bound)
        return bound

    def _unbind(self, address: TransportAddress) -> None:
        sock = self._sockets.pop(address, None)
        if sock is not None:
            self._loop.remove_reader(sock)
            sock.close()

    def _reopen(self) -> None:
        if not self.protocol.is_reliable and self.listening not in self._sockets:
            self._bind(self.listening)

    def _readable(self, local: TransportAddress) -> None:
        for _ in range(MAX_DATAGRAMS_PER_WAKE_UP):
            sock = self._sockets.get(local)
            if sock is None:
                return
            try:
                data, extra, _, source = sock.recvmsg(READ_BYTES, ANCILLARY_BYTES)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error of what was sent before
            path = Path(self.protocol, local, from_sockaddr(source))
            self._hand_over(data, path, _age(extra))

    def _hand_over(self, data: bytes, path: Path, age: float = 0.0) -> None:
        if self._server is not None:
            now = self._loop.time()
            self._server.receive(data, path, now, at=now - age)
            self._on_change()

    def _accept(
        self, local: TransportAddress, sock: socket.socket, remote: TransportAddress
    ) -> None:
        if self._server is None or len(self._streams) >= MAX_CONNECTIONS:
            sock.close()
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        path = Path(self.protocol, local, remote)
        self._streams[path] = sock
        self._loop.add_reader(sock, self._stream_readable, path)
        self._server.connected(path, self._loop.time())
        self._on_change()

    def _stream_readable(self, path: Path) -> None:
        sock = self._streams.get(path)
        if sock is None:
            return
        try:
            data = sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._hand_over(data, path)
            return
        self._end(path)
        if self._server is not None:
            self._server.disconnected(path, "closed by the client", self._loop.time())
            self._on_change()

    def _end(self, path: Path, *, with_reset: bool = False) -> None:
        sock = self._streams.pop(path, None)
        if sock is None:
            return
        self._loop.remove_reader(sock)
        if with_reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        sock.close()

    def _send(self, path: Path, data: bytes) -> None:
        with contextlib.suppress(OSError):  # whoever is gone gets nothing
            if self.protocol.is_reliable:
                sock = self._streams.get(path)
                if sock is not None and sock.send(data) < len(data):
                    self._end(path)  # it reads nothing
            elif path.local in self._sockets:
                self._sockets[path.local].sendto(data, to_sockaddr(path.remote))

    def _do(self, event: Event) -> None:
        match event:
            case PortClosed():
                self._unbind(self.listening)
            case PortOpened():
                self._reopen()
            case CloseRequested(path=path):
                self._end(path)
            case ResetRequested(path=path):
                self._end(path, with_reset=True)
            case _:
                pass


def _age(extra: Sequence[tuple[int, int, bytes]]) -> float:
    """Seconds since a datagram came to this host, which may have been busy."""
    for level, kind, value in extra:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack(value[: _TIMESPEC.size])
            age = time.time() - seconds - nanoseconds / 1e9
            return age if 0 < age < OLDEST else 0.0  # or the clock was set
    return 0.0


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
        """Play one script, and come back when it has judged.

        Raises:
            OSError: the client cannot be started.
        """
        listener = self._listener_for(script)
        if listener is None:
            return RowResult(script.id, skipped(f"nothing listens on {script.over.value}"))
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
