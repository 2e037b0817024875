"""Recording what a peer sends, as it was encoded, without I/O.

``Recorder`` takes received units and gives the samples of a file, with times on one
timeline for audio and video; ``Container`` says what goes into which kind of file.
``media.aio.recorder`` writes them to disk.
"""

from .container import CODEC_NAMES, Container
from .errors import RecorderError
from .recorder import Recorder, RecorderStats
from .sample import RecordedSample, RecordingFormat, VideoFormat

__all__ = [
    "CODEC_NAMES",
    "Container",
    "RecordedSample",
    "Recorder",
    "RecorderError",
    "RecorderStats",
    "RecordingFormat",
    "VideoFormat",
]
