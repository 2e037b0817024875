"""Which form of the source each viewer gets, and why that one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from media.aio.tracks import codec_of
from media.source import PROFILES, Origin, SourceStream
from sdp import NegotiatedMedia, ReportEntry, Verdict

from .broadcast import CODEC_NAMES, Broadcast

MAX_REASONS = 2
"""Browsers offer H.264 in half a dozen variants; the first ones are what they like best."""


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """What a viewer gets for its audio or video.

    ``refused`` is what would have been passed through, if the viewer had taken it, and
    ``reason`` why it does not.
    """

    stream: SourceStream
    refused: SourceStream | None = None
    reason: str = ""

    def __str__(self) -> str:
        name = _describe(self.stream)
        if self.stream.origin is Origin.PASSTHROUGH:
            return f"gets {name}, passed through"
        if self.refused is None:
            return f"gets {name}, encoded once for all"
        return (
            f"does not take {_describe(self.refused)} as it is, and gets {name},"
            f" encoded once for all such viewers: {self.reason}"
        )


def choices(
    broadcast: Broadcast, sections: Sequence[NegotiatedMedia], report: Sequence[ReportEntry]
) -> Iterator[Choice]:
    """What is sent for each section, out of its negotiation and the report of that."""
    for media in sections:
        stream = _chosen(broadcast, media)
        if stream is None:
            continue
        refused = _passed_over(broadcast, stream)
        if refused is None:
            yield Choice(stream)
        else:
            yield Choice(stream, refused, _why_refused(refused, media, report))


def _chosen(broadcast: Broadcast, media: NegotiatedMedia) -> SourceStream | None:
    """The first format agreed on decides."""
    if media.rejected or not media.direction.sends:
        return None
    offered = {codec_of(rendition): stream for stream, rendition in broadcast.renditions.items()}
    return next((offered[codec.local] for codec in media.codecs if codec.local in offered), None)


def _passed_over(broadcast: Broadcast, stream: SourceStream) -> SourceStream | None:
    """The stream that would be passed through, when this one is encoded instead."""
    if stream.origin is Origin.PASSTHROUGH:
        return None
    untouched = (one for one in broadcast.renditions if one.origin is Origin.PASSTHROUGH)
    return next((one for one in untouched if one.kind is stream.kind), None)


def _why_refused(
    stream: SourceStream, media: NegotiatedMedia, report: Sequence[ReportEntry]
) -> str:
    codec = f" {stream.codec.value.lower()}/"
    reasons = [
        entry.reason
        for entry in report
        if entry.index == media.index
        and entry.verdict is Verdict.DROPPED
        and codec in f" {entry.subject.lower()}"
    ]
    details = "; ".join(list(dict.fromkeys(reasons))[:MAX_REASONS])
    return f"it offers no {_describe(stream)}" + (f" ({details})" if details else "")


def _describe(stream: SourceStream) -> str:
    """A codec, and the profile if it has one."""
    name = CODEC_NAMES[stream.codec]
    if stream.profile_level_id is None:
        return name
    profile = int(stream.profile_level_id[:2], 16)
    return f"{name} {PROFILES.get(profile, profile)}"
