"""Recording into a file (drives ``media.recorder``), which a thread of its own writes."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import threading
from collections.abc import Callable, Collection

from media.recorder import (
    Container,
    RecordedSample,
    Recorder,
    RecorderError,
    RecorderStats,
    RecordingFormat,
)
from media.session import UnitReceived
from media.units import CodecName, MediaKind

from .backlog import Backlog
from .libav import LibavOutput

logger = logging.getLogger(__name__)

MAX_BACKLOG_BYTES = 64 * 1024 * 1024
"""Samples that wait for the disk: half a minute of 16 Mbit/s. Beyond, they are dropped."""

CLOSE_TIMEOUT = 5.0
"""Seconds to wait for the end of the file to be written."""


class FileRecorder:
    """Records what peer connections receive, as it comes, into one file.

    The ending of its name decides the format::

        async with FileRecorder("porch.mp4") as recorder:
            recorder.begin([MediaKind.VIDEO, MediaKind.AUDIO])
            async for received in track:
                recorder.push(received)

    ``begin`` is called for each connection, before what comes over it. A file that is
    there already is refused, or with ``overwrite`` replaced once there is something to
    write. ``failed`` fails when the recording cannot go on; what came before is kept.

    Raises:
        RecorderError: no such file can be written; on entering, this one cannot.
    """

    def __init__(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        self._loop = asyncio.get_running_loop()
        self._path = os.fspath(path)
        self._container = Container.of(path)
        self._overwrite = overwrite
        self._recorder = Recorder(self._container)
        self._backlog: Backlog[RecordedSample] = Backlog(MAX_BACKLOG_BYTES)
        self._thread: threading.Thread | None = None
        self._is_new = False
        self._needs_keyframe = False
        self._ended = asyncio.Event()
        self.failed: asyncio.Future[None] = self._loop.create_future()
        self.samples_dropped = 0
        """The disk was too slow for them."""

    async def __aenter__(self) -> FileRecorder:
        self._reserve()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    @property
    def stats(self) -> RecorderStats:
        return self._recorder.stats

    @property
    def container(self) -> Container:
        return self._container

    @property
    def video_codec(self) -> CodecName | None:
        """What the video is recorded as, once it began; connections to come need it too."""
        return self._recorder.codec

    @property
    def has_begun(self) -> bool:
        """Whether there is something in the file."""
        return self._thread is not None

    @property
    def error(self) -> RecorderError | None:
        """Why the recording did not go on."""
        failure = self.failed.exception() if self.failed.done() else None
        return failure if isinstance(failure, RecorderError) else None

    def begin(self, kinds: Collection[MediaKind]) -> None:
        """A connection is there that will deliver these kinds of media."""
        self._recorder.begin(kinds, self._loop.time())
        self._write_samples()

    def push(self, received: UnitReceived) -> None:
        """Take what was received; after a failure nothing is taken."""
        if self.failed.done():
            return
        changes = self.stats.parameter_changes
        try:
            self._recorder.push(received, self._loop.time())
        except RecorderError as error:
            self._fail(error)
            return
        if self.stats.parameter_changes > changes:
            logger.warning(
                "%s: the video changed its parameters; they are kept in mid-stream, which not "
                "every player follows",
                self._path,
            )
        self._write_samples()

    async def aclose(self) -> None:
        """Write the file's end. A file that nothing came for is taken away again."""
        if not self.failed.done():
            self._recorder.finish(self._loop.time())
            self._write_samples()
        self._backlog.close()
        if self._thread is None:
            if self._is_new:
                with contextlib.suppress(OSError):
                    os.unlink(self._path)
            return
        try:
            await asyncio.wait_for(self._ended.wait(), CLOSE_TIMEOUT)
        except TimeoutError:
            logger.warning("%s: its end is still being written", self._path)
        else:
            self._thread.join()  # setting the event was the last thing it did

    def _reserve(self) -> None:
        """See now whether the file can be written, and not after an hour of waiting."""
        flags = os.O_WRONLY | os.O_CREAT | (0 if self._overwrite else os.O_EXCL)
        existed = os.path.lexists(self._path)
        try:
            os.close(os.open(self._path, flags, 0o666))
        except FileExistsError as error:
            raise RecorderError(f"{self._path} is there already") from error
        except OSError as error:
            raise RecorderError(f"{self._path} cannot be written: {error.strerror}") from error
        self._is_new = not existed

    def _write_samples(self) -> None:
        while (sample := self._recorder.poll_sample()) is not None:
            if self._thread is None:
                assert self._recorder.format is not None  # it comes with the first sample
                self._begin_writing(self._recorder.format)
            self._put(sample)

    def _put(self, sample: RecordedSample) -> None:
        is_video = sample.kind is MediaKind.VIDEO
        if is_video and sample.keyframe:
            self._needs_keyframe = False
        if is_video and self._needs_keyframe:
            self.samples_dropped += 1
        elif not self._backlog.put(sample, sample.size_bytes):
            self.samples_dropped += 1
            self._needs_keyframe |= is_video

    def _begin_writing(self, fmt: RecordingFormat) -> None:
        self._thread = threading.Thread(
            target=self._write, args=(fmt,), name=f"recorder {self._path}", daemon=True
        )
        self._thread.start()

    def _write(self, fmt: RecordingFormat) -> None:
        """The thread: everything that may block."""
        try:
            output = LibavOutput(self._path, self._container, fmt)
            try:
                for sample in self._backlog:
                    output.write(sample)
            finally:
                output.close()
        except BaseException as error:  # who waits for the file would never hear of it
            self._in_loop(functools.partial(self._fail, error))
        self._in_loop(self._ended.set)

    def _fail(self, error: BaseException) -> None:
        self._backlog.close()
        if not self.failed.done():
            self.failed.set_exception(error)

    def _in_loop(self, callback: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(callback)
