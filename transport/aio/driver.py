"""The one pump of the house: it feeds a machine, and does what the machine asks for."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import TypeVar

from transport.address import TransportAddress
from transport.machine import (
    CloseRequested,
    ConnectRequested,
    Event,
    Machine,
    Path,
    ReachabilityMachine,
    ResetRequested,
    StreamMachine,
    Transmit,
    TransportProtocol,
)

from .connection import DetachedStream, StreamFramer, StreamSwitch
from .datagram import ConnectedDatagramSocket, DatagramSocket, UnfragmentingSocket
from .streams import Streams, StreamWriter
from .tls import ClientTls

logger = logging.getLogger(__name__)

T = TypeVar("T")

PAUSE_AFTER_FAILURE = 1.0
"""A machine whose timeout raised may be due still: without a pause the loop would spin."""


@dataclasses.dataclass(frozen=True, slots=True)
class DriverStats:
    """Counters since the driver was made."""

    unroutable_datagrams: int = 0
    """To be sent from an address that no socket of the driver has."""
    dropped_messages: int = 0
    """For a stream that was gone, or whose peer does not read."""
    failures: int = 0
    """Exceptions out of the machine or the event handler; each is a bug, and logged."""


def _ignore(event: Event) -> None:
    """What a closed driver does with events."""


class MachineDriver:
    """Gives a machine sockets, streams and a timer.

    Every change to the machine goes through ``call(verb)``, which runs ``verb(now)`` and
    drains, or is followed by ``drain()``. Events go to ``on_event``, one after the other,
    which may itself use ``call``. ``now`` is the loop's time.

    An exception out of the machine or out of ``on_event`` is a bug: it is logged with its
    traceback, the first one becomes the result of ``failed``, and the driver goes on with
    the next datagram, for one peer's datagram must not end the service for all. ``aclose``
    cancels a ``failed`` that is still open.

    ``framer`` is needed for streams and DTLS associations alone, ``tls`` for those that the
    machine asks for: by default the system's certificate authorities are trusted. ``switch``
    sees what streams carry before the machine does.
    ConnectRequested, CloseRequested and ResetRequested of a StreamMachine are done here, and
    not handed to ``on_event``. An association has a socket of its own, and each of its
    records is a message. What could not be opened is reported with the unspecified address
    as ``path.local``.
    """

    def __init__(
        self,
        machine: Machine,
        on_event: Callable[[Event], None],
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        framer: Callable[[], StreamFramer] | None = None,
        switch: StreamSwitch | None = None,
        tls: ssl.SSLContext | ClientTls | None = None,
    ) -> None:
        """
        Raises:
            TypeError: a framer for a machine that speaks over no streams.
        """
        self._machine = machine
        self._on_event = on_event
        self._loop = loop or asyncio.get_running_loop()
        self._sockets: dict[TransportAddress, DatagramSocket] = {}
        # Of the datagram before: mostly all go the same way.
        self._last_local: TransportAddress | None = None
        self._last_socket: DatagramSocket | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._now = self._loop.time()
        self._not_before = self._now
        self._is_draining = False
        self._is_closed = False
        self._unroutable = 0
        self._failures = 0
        self._dropped_messages = 0
        self._streams: Streams | None = None
        if framer is not None:
            if not isinstance(machine, StreamMachine):
                raise TypeError(f"{type(machine).__name__} speaks over no streams")
            sink = _StreamSink(self, machine, switch)
            self._streams = Streams(sink, framer, loop=self._loop, tls=tls)
        self.failed: asyncio.Future[Exception] = self._loop.create_future()

    def add_socket(self, sock: DatagramSocket) -> None:
        """Read from a socket, and send from it what leaves from its address."""
        if self._is_closed:
            sock.close()
            return
        self._sockets[sock.local] = sock
        self._last_local = None
        machine = self._machine
        if isinstance(sock, ConnectedDatagramSocket) and isinstance(machine, ReachabilityMachine):
            sock.start(functools.partial(self._readable_or_refused, sock, machine))
        else:
            sock.start(functools.partial(self._readable, sock))

    def remove_socket(self, local: TransportAddress) -> None:
        """Close a socket; it need not be there."""
        sock = self._sockets.pop(local, None)
        self._last_local = None
        if sock is not None:
            sock.close()

    def add_listener(self, listener: socket.socket, *, tls: ssl.SSLContext | None = None) -> None:
        """Accept streams from a bound TCP socket, which is the driver's from now on.

        With a context, over TLS.
        """
        self._need_streams().listen(listener, tls=tls)

    async def add_stream(self, sock: socket.socket) -> None:
        """Take over an open TCP connection; it is closed with the driver."""
        await self._need_streams().adopt(sock)

    def detach_stream(self, path: Path, protocol: asyncio.BaseProtocol) -> DetachedStream | None:
        """Give a stream away: from now on its bytes, as they are, go to ``protocol``.

        To be called for an event, before the next bytes are read. Its ``connection_made``
        is not called, reading is paused; None if the stream is gone. The machine hears of
        it no more.
        """
        return self._need_streams().detach(path, protocol)

    def stream_writer(self, path: Path) -> StreamWriter | None:
        """For a ``switch`` that writes to a stream by itself; None if the stream is gone."""
        return None if self._streams is None else self._streams.writer(path)

    def call(self, verb: Callable[[float], T]) -> T:
        """Run a verb of the machine at the time it is, and do what comes of it.

        What the verb raises (misuse by the caller) is raised here, after draining.
        """
        try:
            return verb(self.now())
        finally:
            self.drain()

    def now(self) -> float:
        """The loop's time, never less than any that the machine has seen."""
        self._now = max(self._now, self._loop.time())
        return self._now

    def drain(self) -> None:
        """Do all that the machine has queued, and mind its next deadline. Never raises.

        Called by an event handler, it leaves that to the drain that is under way.
        """
        if self._is_draining or self._is_closed:
            return
        self._is_draining = True
        try:
            while self._drain_one() and not self._is_closed:
                pass
            if self._streams is not None:
                self._streams.flush()
            self._arm_timer()
        except Exception as error:
            self.report(error)
        finally:
            self._is_draining = False

    def stats(self) -> DriverStats:
        dropped = self._streams.dropped_messages if self._streams else self._dropped_messages
        return DriverStats(self._unroutable, dropped, self._failures)

    async def aclose(self) -> None:
        """Close every socket and stream. The machine is not called any more."""
        self.close()
        streams = self._streams
        if streams is not None:
            await streams.aclose()
            self._dropped_messages = streams.dropped_messages
            self._streams = None

    def close(self) -> None:
        """What ``aclose`` does, for a driver without streams; it may be called by ``on_event``."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for sock in self._sockets.values():
            sock.close()
        self._sockets.clear()
        self._last_local = None
        self.failed.cancel()
        # No circle is left: the machine goes with the last who knows the driver, or it,
        # and does not wait for the garbage collector.
        self._on_event = _ignore

    def feed(self, step: Callable[[float], None]) -> None:
        """Run one step of the machine for the outside world: it cannot raise."""
        if self._is_closed:
            return
        try:
            step(self.now())
        except Exception as error:
            self.report(error)

    def report(self, error: Exception) -> None:
        """Note a bug, wherever under the driver it was caught."""
        self._failures += 1
        logger.error("%s failed", type(self._machine).__name__, exc_info=error)
        if not self.failed.done():
            self.failed.set_result(error)

    def _drain_one(self) -> bool:
        """Send what waits, then hand out one event; whether there was any.

        One event only: what its handler makes the machine send leaves before the next.
        """
        poll = self._machine.poll_transmit
        transmit = poll()
        while transmit is not None:
            following = poll()
            if following is not None and _continues(transmit, following):
                segments = [*transmit.segments]
                while following is not None and _continues(transmit, following):
                    segments += following.segments
                    following = poll()
                transmit = dataclasses.replace(transmit, segments=segments)
            self._send(transmit)
            transmit = following
        event = self._machine.poll_event()
        if event is None:
            return False
        self._dispatch(event)
        return True

    def _send(self, transmit: Transmit) -> None:
        path = transmit.path
        if path.transport is TransportProtocol.UDP:
            if path.local is not self._last_local:
                self._last_local = path.local
                self._last_socket = self._sockets.get(path.local)
            sock = self._last_socket
            if transmit.dont_fragment and isinstance(sock, UnfragmentingSocket):
                sock.send_unfragmented(transmit.segments, path.remote, transmit.dscp)
                return
            if sock is not None:
                sock.send(transmit.segments, path.remote, transmit.dscp)
                return
        elif self._streams is not None:
            self._streams.write(path, transmit.segments)
            return
        self._unroutable += len(transmit.segments)

    def _dispatch(self, event: Event) -> None:
        if self._streams is not None and isinstance(event, ConnectRequested):
            self._streams.connect(event)
        elif self._streams is not None and isinstance(event, CloseRequested):
            self._streams.close(event.path)
        elif self._streams is not None and isinstance(event, ResetRequested):
            self._streams.reset(event.path)
        else:
            try:
                self._on_event(event)
            except Exception as error:
                self.report(error)

    def _readable(self, sock: DatagramSocket) -> None:
        """One batch of one socket: the others, and the timer, come before the next."""
        try:
            batch = sock.receive()
        except Exception as error:
            self.report(error)
            return
        receive, local, udp = self._machine.receive, sock.local, TransportProtocol.UDP
        now = self.now()
        path: Path | None = None
        for data, source in batch:
            if self._is_closed:
                return
            if path is None or source is not path.remote:
                path = Path(udp, local, source)
            try:
                receive(data, path, now)
            except Exception as error:
                self.report(error)
        if batch:
            self.drain()

    def _readable_or_refused(
        self, sock: ConnectedDatagramSocket, machine: ReachabilityMachine
    ) -> None:
        self._readable(sock)
        if sock.take_refusal():
            path = Path(TransportProtocol.UDP, sock.local, sock.remote)
            self.feed(functools.partial(machine.unreachable, path))
            self.drain()

    def _arm_timer(self) -> None:
        """Move the timer when the deadline is earlier; when it is later, let it fire idly."""
        deadline = self._machine.next_timeout()
        if deadline is None or self._is_closed:
            return
        deadline = max(deadline, self._not_before)
        if self._timer is not None:
            if self._timer.when() <= deadline:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._timer_fired, deadline)

    def _timer_fired(self, deadline: float) -> None:
        self._timer = None
        # call_at fires up to one tick of the clock early.
        self._now = max(self._now, deadline)
        failures = self._failures
        self.feed(self._machine.handle_timeout)
        if self._failures > failures:
            self._not_before = self.now() + PAUSE_AFTER_FAILURE
        self.drain()

    def _need_streams(self) -> Streams:
        if self._streams is None:
            raise RuntimeError("this driver was made without a framer for streams")
        return self._streams


def _continues(first: Transmit, following: Transmit) -> bool:
    """Whether both may leave in one call. Addresses that are equal are not looked for: where
    many datagrams go the same way, they mostly are the same."""
    path, other = first.path, following.path
    return (
        path.remote is other.remote
        and path.local is other.local
        and path.transport is other.transport
        and first.dscp == following.dscp
        and first.dont_fragment == following.dont_fragment
    )


class _StreamSink:
    """Tells the machine what its streams do."""

    def __init__(
        self, driver: MachineDriver, machine: StreamMachine, switch: StreamSwitch | None
    ) -> None:
        self._driver = driver
        self._machine = machine
        self._switch = switch

    def stream_connected(self, path: Path) -> None:
        self._driver.feed(lambda now: self._machine.connected(path, now))
        self._driver.drain()

    def stream_received(self, path: Path, messages: Sequence[bytes]) -> None:
        if self._switch is not None:
            try:
                messages = self._switch.take(path, messages)
            except Exception as error:
                self._driver.report(error)
                return
        for message in messages:
            self._driver.feed(functools.partial(self._machine.receive, message, path))
        if messages:
            self._driver.drain()

    def stream_disconnected(self, path: Path, reason: str) -> None:
        self._driver.feed(lambda now: self._machine.disconnected(path, reason, now))
        self._driver.drain()
