"""Playing media sources in real time: one thread for each, behind a bounded queue."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Protocol

from media.fanout import Rendition
from media.source import (
    MediaSource,
    MediaSourceError,
    SourceAddress,
    SourceDescription,
    SourceKind,
    SourceStream,
)
from media.units import AccessUnit

from .card_feed import CardFeed
from .demand import Demand, SourceUnit, TimeReached
from .feed import SourceFeed
from .lead_queue import LeadQueue
from .libav import LibavInput

MAX_LATENESS = 0.5
"""Seconds; a process that was held up longer goes on from where it is, and does not send
everything it has missed at once."""

OPEN_TIMEOUT = 10.0
"""Seconds for a camera or server to say what it has; looking up a name, above all, knows no
end of its own."""

CLOSE_TIMEOUT = 1.0
"""Seconds to wait for the thread; a camera that does not answer may hold it longer."""


class Feed(Protocol):
    """What the thread takes units from; all of it may block."""

    @property
    def description(self) -> SourceDescription: ...

    def units(self) -> Iterator[SourceUnit | TimeReached]: ...

    def close(self) -> None: ...


class PlayedSource:
    """A file, camera or address that FFmpeg can open, or the test card, playing by the event
    loop's clock.

    Made by ``open_source``.
    """

    def __init__(self, spec: str, *, loop: bool) -> None:
        event_loop = asyncio.get_running_loop()
        self._address = SourceAddress.parse(spec)
        self._loop = loop
        self._demand = Demand()
        self._queue = LeadQueue(event_loop)
        self._opened: asyncio.Future[SourceDescription] = event_loop.create_future()
        self._ended = asyncio.Event()
        self._event_loop = event_loop
        self._thread = threading.Thread(
            target=self._run, name=f"media {self._address.name}", daemon=True
        )

    @property
    def description(self) -> SourceDescription:
        return self._opened.result()

    async def open(self) -> None:
        """Open the source; it plays once ``units`` is iterated.

        Raises:
            MediaSourceError: it cannot be opened, or holds nothing to play.
        """
        self._thread.start()
        timeout = OPEN_TIMEOUT if self._address.is_remote else None
        try:
            async with asyncio.timeout(timeout):
                await asyncio.shield(self._opened)
        except TimeoutError as error:
            problem = f"it did not answer within {OPEN_TIMEOUT:.0f} seconds"
            raise MediaSourceError(self._address.name, problem) from error

    async def units(self) -> AsyncIterator[tuple[SourceStream, AccessUnit]]:
        """The access units of all streams, each when it is due; for one reader.

        Raises:
            MediaSourceError: the source cannot go on.
        """
        clock = self._event_loop.time
        is_live = self.description.live
        start: float | None = None
        while (item := await self._queue.get()) is not None:
            if start is None:
                start = clock() - item.time
            late = clock() - (start + item.time)
            if late < 0 and not is_live:
                await asyncio.sleep(-late)
            elif late > MAX_LATENESS:
                start += late
            self._queue.played(item.time)
            if isinstance(item, SourceUnit):
                yield item.stream, item.unit

    def use(self, stream: SourceStream) -> None:
        """Have a stream made; to be released as often as it was used.

        Raises:
            ValueError: the source does not offer that stream.
        """
        if stream not in self.description.streams:
            raise ValueError(f"{self._address.name} offers no {stream}")
        self._demand.use(stream)

    def release(self, stream: SourceStream) -> None:
        """One user fewer; the last one stops its encoder."""
        self._demand.release(stream)

    def request_keyframe(self, stream: SourceStream) -> None:
        """Let the next frame be a keyframe; nothing happens where it is passed through."""
        if stream in self._demand.streams:
            self._demand.request_keyframe(stream)

    def set_bitrate(self, stream: SourceStream, bitrate: int) -> None:
        """Let the stream's encoder follow a target, in bit/s."""
        self._demand.bitrates[stream] = bitrate

    async def aclose(self) -> None:
        """Stop playing; the thread ends, and the file is closed."""
        self._queue.close()
        self._opened.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), CLOSE_TIMEOUT)
            self._thread.join()  # setting the event was the last thing it did

    def _run(self) -> None:
        """The thread: open, then make units until nobody wants more."""
        try:
            feed = self._open_feed()
        except BaseException as error:  # who opens it would wait for ever
            self._in_loop(functools.partial(self._has_opened, error))
        else:
            self._in_loop(functools.partial(self._has_opened, feed.description))
            self._make_units(feed)
        self._in_loop(self._ended.set)

    def _open_feed(self) -> Feed:
        if self._address.kind is SourceKind.TEST_CARD:
            return CardFeed(self._demand)
        source = LibavInput(self._address.text)
        wait = self._queue.wait_for_close
        return SourceFeed(source, self._demand, loop=self._loop, wait=wait)

    def _make_units(self, feed: Feed) -> None:
        with contextlib.closing(feed):
            self._queue.wait_for_reader()
            try:
                for unit in feed.units():
                    if not self._queue.put(unit):
                        return
            except BaseException as error:  # who reads the units would wait for ever
                self._queue.finish(error)
            else:
                self._queue.finish()

    def _has_opened(self, result: SourceDescription | BaseException) -> None:
        if self._opened.done():
            return  # who opens it gave up
        if isinstance(result, BaseException):
            self._opened.set_exception(result)
        else:
            self._opened.set_result(result)

    def _in_loop(self, callback: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            self._event_loop.call_soon_threadsafe(callback)


@contextlib.asynccontextmanager
async def open_source(
    spec: str | os.PathLike[str], *, loop: bool = True
) -> AsyncIterator[PlayedSource]:
    """Open whatever FFmpeg can open - a file, a camera, an address - or the test card, and
    close it at the end.

    ``loop`` plays files again and again, and opens anew what was lost. Use the streams that
    are wanted, then iterate ``units``:

        async with open_source("clip.mp4") as source:
            stream = source.description.streams[0]
            source.use(stream)
            async for stream, unit in source.units():
                ...

    Raises:
        MediaSourceError: it cannot be opened, or holds nothing to play.
    """
    source = PlayedSource(os.fspath(spec), loop=loop)
    try:
        await source.open()
        yield source
    finally:
        await source.aclose()


async def play_into(source: MediaSource, renditions: Mapping[SourceStream, Rendition]) -> None:
    """Play a source into the renditions of its streams, until it ends.

    Streams of this source in ``renditions`` have to be used and released by those who
    attach viewers to them; the mapping may change meanwhile.

    Raises:
        MediaSourceError: the source cannot go on.
        PayloadTooLarge: a unit cannot be packetized.
    """
    clock = asyncio.get_running_loop().time
    async for stream, unit in source.units():
        rendition = renditions.get(stream)
        if rendition is not None:
            rendition.push(unit, clock())
            if rendition.take_keyframe_request(clock()):
                source.request_keyframe(stream)
