"""Playing media sources in real time: one thread for each, behind a bounded queue."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import threading
from collections.abc import AsyncIterator, Callable, Mapping

from media.fanout import Rendition
from media.source import MediaSource, SourceDescription, SourceStream
from media.units import AccessUnit

from .feed import Demand, SourceFeed, SourceUnit
from .lead_queue import LeadQueue
from .libav import LibavInput

MAX_LATENESS = 0.5
"""Seconds; a process that was held up longer goes on from where it is, and does not send
everything it has missed at once."""

CLOSE_TIMEOUT = 2.0
"""Seconds to wait for the thread; a camera that does not answer may hold it longer."""


class PlayedSource:
    """A file or stream that FFmpeg can open, playing by the event loop's clock.

    Made by ``open_source``.
    """

    def __init__(self, spec: str, *, loop: bool) -> None:
        event_loop = asyncio.get_running_loop()
        self._spec = spec
        self._loop = loop
        self._demand = Demand()
        self._queue = LeadQueue(event_loop)
        self._opened: asyncio.Future[SourceDescription] = event_loop.create_future()
        self._ended = asyncio.Event()
        self._event_loop = event_loop
        self._thread = threading.Thread(target=self._run, name=f"media {spec}", daemon=True)

    @property
    def description(self) -> SourceDescription:
        return self._opened.result()

    async def open(self) -> None:
        """Open the source; it plays once ``units`` is iterated.

        Raises:
            MediaSourceError: it cannot be opened, or holds nothing to play.
        """
        self._thread.start()
        await self._opened

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
            raise ValueError(f"{self._spec} offers no {stream}")
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
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), CLOSE_TIMEOUT)
            self._thread.join()  # setting the event was the last thing it did

    def _run(self) -> None:
        """The thread: open, then make units until nobody wants more."""
        try:
            source = LibavInput(self._spec)
        except BaseException as error:  # who opens it would wait for ever
            self._in_loop(functools.partial(self._opened.set_exception, error))
        else:
            self._in_loop(lambda: self._opened.set_result(source.description))
            self._make_units(source)
        self._in_loop(self._ended.set)

    def _make_units(self, source: LibavInput) -> None:
        with contextlib.closing(source):
            self._queue.wait_for_reader()
            try:
                for unit in SourceFeed(source, self._demand, loop=self._loop).units():
                    if not self._queue.put(unit):
                        return
            except BaseException as error:  # who reads the units would wait for ever
                self._queue.finish(error)
            else:
                self._queue.finish()

    def _in_loop(self, callback: Callable[[], object]) -> None:
        def call() -> None:
            if not self._opened.cancelled():
                callback()

        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            self._event_loop.call_soon_threadsafe(call)


@contextlib.asynccontextmanager
async def open_source(
    spec: str | os.PathLike[str], *, loop: bool = True
) -> AsyncIterator[PlayedSource]:
    """Open whatever FFmpeg can open - a file, an address - and close it at the end.

    ``loop`` plays files again and again. Use the streams that are wanted, then iterate
    ``units``:

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
