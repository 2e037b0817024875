"""What a script works with: what the client sends, time, and a right server to fall back on."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Generator

from conformance.client import Attribute
from conformance.codes import Method, method_name
from conformance.outcome import NotOffered
from transport import (
    CloseRequested,
    Event,
    Path,
    RandomBytes,
    ResetRequested,
    TransportAddress,
    TransportProtocol,
)

from .events import ClientEnded, PortClosed, PortOpened, StreamLife
from .heard import Heard, is_request
from .right import Relayed, RightServer
from .settings import Settings


class Until:
    """What the coroutine of a script gives to its machine: when to go on at the latest."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __await__(self) -> Generator[Until, None, None]:
        yield self


class Stage:
    """The server's side of one script.

    What the client sends waits until it is asked for (``hear``); ``play`` and ``await_next``
    have the right server answer it. ``send`` and its kin send. Nothing here is answered by
    itself.
    """

    def __init__(
        self,
        settings: Settings,
        random_bytes: RandomBytes,
        *,
        listening: TransportAddress,
        elsewhere: TransportAddress,
        protocol: TransportProtocol,
        begun: float,
    ) -> None:
        self.settings = settings
        self.listening = listening
        self.elsewhere = elsewhere
        self.protocol = protocol
        self.random_bytes = random_bytes
        self.right = RightServer(settings, random_bytes)
        self.now = begun
        self.heard: list[Heard] = []
        """All that came, in its order."""
        self.streams: list[StreamLife] = []
        self.ended: ClientEnded | None = None
        self.inbox: collections.deque[Heard] = collections.deque()
        self.outbox: collections.deque[tuple[Path, bytes]] = collections.deque()
        self.events: collections.deque[Event] = collections.deque()

    @property
    def is_stream(self) -> bool:
        return self.protocol.is_reliable

    # Hearing

    async def hear(self, seconds: float) -> Heard | None:
        """The next message, or None if none comes in that time, or ever."""
        until = self.now + seconds
        while not self.inbox:
            if self.now >= until or self.ended is not None:
                return None
            await Until(until)
        return self.inbox.popleft()

    async def first(self, *methods: int) -> Heard:
        """The client's first request; of one of these methods, where a client may begin with
        Binding, too.

        Raises:
            NotOffered: there is none, or it is of another method.
        """
        heard = await self.hear(self.settings.patience)
        if heard is not None and methods and Method.BINDING not in methods and _is_binding(heard):
            self.answer(heard)
            later = await self.seek(lambda each: not _is_binding(each), self.settings.pause)
            heard = later or heard
        if heard is None:
            raise NotOffered("the client sends nothing")
        if not heard.is_request or heard.message is None:
            raise NotOffered("the client does not begin with a request")
        if methods and heard.method not in methods:
            names = " or ".join(method_name(each) for each in methods)
            begun = method_name(heard.message.method)
            raise NotOffered(f"the client begins with {begun}, not with {names}")
        return heard

    async def collect(self, seconds: float) -> list[Heard]:
        """What comes in that time; it is not answered."""
        until = self.now + seconds
        found = []
        while (heard := await self.hear(until - self.now)) is not None:
            found.append(heard)
        return found

    async def play(self, seconds: float) -> list[Heard]:
        """What comes in that time; it is answered by the right server."""
        until = self.now + seconds
        found = []
        while (heard := await self.hear(until - self.now)) is not None:
            found.append(heard)
            self.answer(heard)
        return found

    async def seek(self, wanted: Callable[[Heard], bool], seconds: float) -> Heard | None:
        """The first message that is wanted, unanswered; the right server answers those before."""
        until = self.now + seconds
        while (heard := await self.hear(until - self.now)) is not None:
            if wanted(heard):
                return heard
            self.answer(heard)
        return None

    async def await_next(
        self, method: int, *, seconds: float | None = None, signed: bool = True
    ) -> Heard:
        """The next request of a method, with credentials unless that does not matter.

        Raises:
            NotOffered: there is none; what is judged comes later.
        """
        wanted = is_request(method, signed=signed)
        found = await self.seek(wanted, self.settings.pause if seconds is None else seconds)
        if found is None:
            kind = "an authenticated" if signed else "a"
            raise NotOffered(
                f"the client sends no {kind.split()[-1]} {method_name(method)} request"
            )
        return found

    async def begin(self, *methods: int) -> Heard:
        """The client's first request with credentials, an Allocate unless there are others,
        after the challenge that it needs.

        Raises:
            NotOffered: there is none.
        """
        first = await self.first(*(methods or (Method.ALLOCATE,)))
        if first.is_signed:
            return first
        self.challenge(first)
        return await self.await_retry(first)

    async def await_retry(self, request: Heard) -> Heard:
        """A request of the same method in another transaction, with credentials.

        Raises:
            NotOffered: there is none.
        """
        until = self.now + self.settings.pause
        while (heard := await self.hear(until - self.now)) is not None:
            is_other = heard.transaction_id != request.transaction_id
            if is_other and heard.method == request.method and heard.is_signed:
                return heard
        raise NotOffered("the client does not come back with credentials")

    async def pause(self, seconds: float) -> None:
        """Let time pass; what comes waits."""
        until = self.now + seconds
        while self.now < until:
            await Until(until)

    async def end(self, seconds: float) -> ClientEnded | None:
        """How the client has ended, or None if it does not tell in that time."""
        until = self.now + seconds
        while self.ended is None and self.now < until:
            await Until(until)
        return self.ended

    async def told_end(self, seconds: float) -> ClientEnded:
        """How the client has ended.

        Raises:
            NotOffered: nobody tells.
        """
        ended = await self.end(seconds)
        if ended is None or ended.succeeded is None:
            raise NotOffered("it is not told how the client has ended (--status-tells)")
        return ended

    # Sending

    def answer(self, heard: Heard) -> None:
        """As the right server does."""
        for reply in self.right.answers(heard):
            self.send(reply, heard.path)

    def succeed(self, heard: Heard, *attributes: Attribute) -> None:
        self.send(self.right.success(heard, *attributes), heard.path)

    def refuse(self, heard: Heard, code: int, *attributes: Attribute) -> None:
        """An error response, signed as the request is."""
        self.send(self.right.error(heard, code, *attributes), heard.path)

    def refuse_unsigned(self, heard: Heard, code: int, *attributes: Attribute) -> None:
        reply = self.right.unsigned_error(heard, code, *attributes)
        self.send(reply.build(), heard.path)

    def challenge(self, heard: Heard, *attributes: Attribute, code: int = 401) -> None:
        self.send(self.right.challenge(heard, *attributes, code=code), heard.path)

    def send(self, data: bytes, path: Path) -> None:
        """A datagram, or bytes of a stream."""
        self.outbox.append((path, data))

    def send_from_elsewhere(self, data: bytes, path: Path) -> None:
        """A datagram that comes from another port of the server's host."""
        self.send(data, dataclasses.replace(path, local=self.elsewhere))

    def close_port(self) -> None:
        self.events.append(PortClosed())

    def open_port(self) -> None:
        self.events.append(PortOpened())

    def close(self, path: Path) -> None:
        """End a connection."""
        self.events.append(CloseRequested(path))

    def reset(self, path: Path) -> None:
        """End a connection at once (RST)."""
        self.events.append(ResetRequested(path))

    # Judging

    def is_closed(self, path: Path) -> bool:
        """Whether it is a connection that has come to its end."""
        return any(life.closed is not None and life.path == path for life in self.streams)

    def allocation_of(self, heard: Heard) -> Relayed:
        """The allocation that a message belongs to.

        Raises:
            NotOffered: there is none.
        """
        known = self.right.allocations.get(heard.path)
        if known is None:
            raise NotOffered("the client's next request belongs to no allocation")
        return known

    def since(self, at: float) -> list[Heard]:
        return [each for each in self.heard if each.at >= at]

    def transactions(self, *methods: int) -> list[bytes]:
        """The ids of the requests so far, each once, in their order."""
        ids = (
            each.transaction_id
            for each in self.heard
            if each.is_request and (not methods or each.method in methods)
        )
        return list(dict.fromkeys(each for each in ids if each is not None))


def _is_binding(heard: Heard) -> bool:
    return heard.is_request and heard.method == Method.BINDING and not heard.is_signed
