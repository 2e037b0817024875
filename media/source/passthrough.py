"""Whether coded media can be sent as it is, and making access units of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from fractions import Fraction
from typing import Protocol

from media.bitstream import (
    AvcDecoderConfiguration,
    NalType,
    ParameterSets,
    SequenceParameterSet,
    is_vp8_keyframe,
    join_annex_b,
    nal_type,
    split_annex_b,
    split_length_prefixed,
)
from media.units import AccessUnit, CodecName
from transport import DecodeError

from .gop_cache import MAX_GOP_BYTES, MAX_GOP_SECONDS

PROFILES = {66: "Baseline", 77: "Main", 88: "Extended", 100: "High"}
PASSTHROUGH_PROFILES = frozenset({66, 77, 100})
"""profile_idc that browsers decode (RFC 7742 section 6.2 and what they offer)."""


@dataclasses.dataclass(frozen=True, slots=True)
class VideoFindings:
    """What a look at the first packets of a video track has shown.

    ``keyframe_interval``, in seconds, and ``group_bytes`` are those of the longest and the
    largest group of pictures; None when it could not be measured, as with live sources.
    ``rotation`` is how the pictures have to be turned, in degrees counterclockwise;
    ``pixel_aspect`` is the width of a pixel by its height.
    """

    codec_name: str
    in_display_order: bool
    keyframe_interval: float | None = None
    parameter_set: SequenceParameterSet | None = None
    group_bytes: int | None = None
    rotation: int = 0
    pixel_aspect: Fraction = Fraction(1)


def video_obstacle(findings: VideoFindings) -> str | None:
    """Why the video has to be encoded anew, in plain words; None when it need not."""
    if findings.codec_name not in ("h264", "vp8"):
        return f"browsers take no {findings.codec_name} over WebRTC"
    if findings.codec_name == "h264" and (problem := _profile_obstacle(findings.parameter_set)):
        return problem
    if not findings.in_display_order:
        return "its frames are not in display order (B frames)"
    return _shape_obstacle(findings) or _group_obstacle(findings)


def _shape_obstacle(findings: VideoFindings) -> str | None:
    """What containers say of pictures reaches no browser over RTP."""
    if findings.rotation:
        return f"it is to be turned by {abs(findings.rotation)} degrees"
    if findings.pixel_aspect != 1:
        return "its pixels are not square"
    return None


def _group_obstacle(findings: VideoFindings) -> str | None:
    if (findings.keyframe_interval or 0.0) > MAX_GOP_SECONDS:
        return f"its key frames are more than {MAX_GOP_SECONDS:.0f} seconds apart"
    if (findings.group_bytes or 0) > MAX_GOP_BYTES:
        return f"its key frames are more than {MAX_GOP_BYTES >> 20} MB apart"
    return None


def audio_obstacle(codec_name: str, channels: int) -> str | None:
    """Why the audio has to be encoded anew, in plain words; None when it need not."""
    if codec_name != "opus":
        return f"WebRTC carries Opus, not {codec_name}"
    if channels > 2:
        return f"it has {channels} channels, and Opus in WebRTC has two (RFC 7587 section 4.3)"
    return None


def _profile_obstacle(parameter_set: SequenceParameterSet | None) -> str | None:
    if parameter_set is None:
        return "it has no sequence parameter set"
    profile = parameter_set.profile_idc
    if profile not in PASSTHROUGH_PROFILES:
        return f"browsers take no H.264 profile {PROFILES.get(profile, profile)}"
    if parameter_set.interlaced:
        return "it is interlaced"
    return None


class Passthrough(Protocol):
    """Makes access units of a container's samples."""

    def unit(self, sample: bytes, timestamp: int) -> AccessUnit | None:
        """The access unit, or None if the sample is damaged or holds nothing."""
        ...


class H264Passthrough:
    """Samples of H.264, behind lengths or start codes as the extradata says.

    Units come out as Annex B, with the parameter sets in front of every IDR picture
    (RFC 6184 section 8.4).
    """

    def __init__(self, extradata: bytes) -> None:
        self._length_size: int | None = None
        self._parameter_sets = ParameterSets()
        try:
            if extradata[:1] == b"\x01":
                configuration = AvcDecoderConfiguration.decode(extradata)
                self._length_size = configuration.length_size
                self._parameter_sets.remember(configuration.parameter_sets)
            else:
                self._parameter_sets.remember(split_annex_b(extradata))
        except DecodeError:
            self._length_size = (extradata[4] & 0x03) + 1 if len(extradata) > 4 else 4

    def unit(self, sample: bytes, timestamp: int) -> AccessUnit | None:
        try:
            nals = self._split(sample)
        except DecodeError:
            return None
        nals = [nal for nal in nals if nal_type(nal) != NalType.ACCESS_UNIT_DELIMITER]
        if not nals:
            return None
        keyframe = any(nal_type(nal) == NalType.IDR_SLICE for nal in nals)
        data = join_annex_b(self._parameter_sets.before_idr(nals))
        return AccessUnit(CodecName.H264, data, timestamp, keyframe)

    def parameter_set(self, samples: Iterable[bytes] = ()) -> SequenceParameterSet | None:
        """The sequence parameter set in force, looked for in these samples too."""
        for sample in samples:
            self.unit(sample, 0)
        for nal in self._parameter_sets.nals:
            if nal_type(nal) == NalType.SPS:
                return SequenceParameterSet.decode(nal)
        return None

    def _split(self, sample: bytes) -> list[bytes]:
        if self._length_size is None:
            return split_annex_b(sample)
        return split_length_prefixed(sample, self._length_size)


class Vp8Passthrough:
    """Samples of VP8 are frames already."""

    def unit(self, sample: bytes, timestamp: int) -> AccessUnit | None:
        if not sample:
            return None
        return AccessUnit(CodecName.VP8, sample, timestamp, is_vp8_keyframe(sample))
