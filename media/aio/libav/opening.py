"""Opening files, cameras and addresses, and saying in plain words why that failed."""

from __future__ import annotations

import errno
import os

import av
from av.container import InputContainer

from media.source import MediaSourceError, SourceAddress, SourceKind

OPEN_TIMEOUT = 4.5
"""Seconds for each of two steps: the connection, and enough samples to know what they are."""

READ_TIMEOUT = 10.0
"""Seconds for a camera or server that does not go on."""

_RTSP = {"rtsp_flags": "prefer_tcp"}
"""What gets through firewalls, and loses nothing; a camera that speaks UDP alone is heard too."""

_SESSION_DESCRIPTION = {"protocol_whitelist": "file,crypto,data,rtp,udp,tcp"}


def open_container(address: SourceAddress) -> InputContainer:
    """Open what the user named; this takes up to twice ``OPEN_TIMEOUT``.

    Raises:
        MediaSourceError: it cannot be opened.
    """
    try:
        return _open(address)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaSourceError(address.name, _problem(address, error)) from error


def _open(address: SourceAddress) -> InputContainer:
    timeout = (OPEN_TIMEOUT, READ_TIMEOUT)
    text = address.text
    match address.kind:
        case SourceKind.CAMERA:
            return av.open(text, "r", format="v4l2", timeout=timeout)
        case SourceKind.NETWORK:
            options = _RTSP if text.lower().startswith("rtsp") else {}
            return av.open(text, "r", options=options, timeout=timeout)
        case _:
            options = _SESSION_DESCRIPTION if text.endswith(".sdp") else {}
            # Without a scheme of its own, a colon in a file's name would be taken for one.
            known = f"file:{text}" if os.path.lexists(text) else text
            return av.open(known, "r", options=options, timeout=timeout)


def _problem(address: SourceAddress, error: Exception) -> str:
    # Not the error's own text, which has the whole address with its password in it.
    reason = getattr(error, "strerror", None) or "FFmpeg does not say why"
    match address.kind, error:
        case SourceKind.CAMERA, FileNotFoundError():
            return "there is no such camera"
        case SourceKind.NETWORK, FileNotFoundError():
            return "there is nothing at this address"
        case _, FileNotFoundError():
            return "there is no such file"
        case _, PermissionError():
            return "it may not be read by this user"
        case _, IsADirectoryError():
            return "it is a folder, not a file"
        case _, av.InvalidDataError():
            return "it is no audio or video that can be read"
        case SourceKind.NETWORK, av.error.ExitError():
            return f"it did not answer within {OPEN_TIMEOUT:.0f} seconds"
        case SourceKind.NETWORK, OSError(errno=errno.EIO):  # all that FFmpeg says of a name
            return "it cannot be reached: no host of this name, or it does not answer"
        case SourceKind.NETWORK, _:
            return f"it cannot be reached: {reason}"
        case _:
            return f"it cannot be opened: {reason}"
