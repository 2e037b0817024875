"""Which file formats there are, and what goes into each of them."""

from __future__ import annotations

import enum
import os

from media.units import CodecName, MediaKind

from .errors import RecorderError

CODEC_NAMES = {CodecName.H264: "H.264", CodecName.VP8: "VP8", CodecName.OPUS: "Opus"}


class Container(enum.Enum):
    """A file format; the value is the ending of a file's name.

    H.264 in WebM is against WebM's own guidelines, and VP8 in MP4 is played by next to
    nothing: neither is written.
    """

    MP4 = ".mp4"
    WEBM = ".webm"
    MATROSKA = ".mkv"

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> Container:
        """The format that the ending of a file's name asks for.

        Raises:
            RecorderError: it is none of ours.
        """
        ending = os.path.splitext(path)[1].lower()
        for container in cls:
            if container.value == ending:
                return container
        known = ", ".join(container.value for container in cls)
        raise RecorderError(f"{os.fspath(path)}: a recording ends in one of {known}")

    @property
    def codecs(self) -> tuple[CodecName, ...]:
        """What goes into it."""
        match self:
            case Container.MP4:
                return (CodecName.H264, CodecName.OPUS)
            case Container.WEBM:
                return (CodecName.VP8, CodecName.OPUS)
            case Container.MATROSKA:
                return tuple(CodecName)

    def ticks_per_second(self, kind: MediaKind) -> int:
        """The clock of its time stamps. MP4 keeps that of RTP; Matroska counts milliseconds."""
        if self is not Container.MP4:
            return 1000
        return 48_000 if kind is MediaKind.AUDIO else 90_000

    def require(self, codec: CodecName) -> None:
        """
        Raises:
            RecorderError: the codec does not go into it; says which files it does go into.
        """
        if codec in self.codecs:
            return
        others = [container.value for container in Container if codec in container.codecs]
        raise RecorderError(
            f"{CODEC_NAMES[codec]} does not go into {self.value} files: record it to a file "
            f"that ends in {' or '.join(others)}"
        )
