"""The coded pictures and packets of a file, to be compared with those of another."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.bitstream import nal_type, split_annex_b, split_length_prefixed


def picture_hashes(path: Path) -> list[str]:
    """One for each coded picture, in decoding order: of its slices alone, or of VP8 all."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [
            hashlib.sha256(_picture(stream, bytes(packet))).hexdigest()
            for packet in container.demux(stream)
            if packet.size
        ]


def audio_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


def decoded_frames(path: Path) -> tuple[int, int]:
    """How many pictures and audio frames come out, decoding all of the file."""
    pictures = sounds = 0
    with av.open(str(path)) as container:
        for frame in container.decode():
            pictures += isinstance(frame, VideoFrame)
            sounds += isinstance(frame, AudioFrame)
    return pictures, sounds


def _picture(stream: VideoStream, sample: bytes) -> bytes:
    if stream.codec_context.name != "h264":
        return sample
    extradata = stream.codec_context.extradata or b""
    is_avc = extradata[:1] == b"\x01"
    nals = split_length_prefixed(sample) if is_avc else split_annex_b(sample)
    return b"".join(nal for nal in nals if 1 <= nal_type(nal) <= 5)
