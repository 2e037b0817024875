"""The m= sections of a peer's description, read once for all procedures."""

from __future__ import annotations

import dataclasses

from sdp.attributes.direction import Direction
from sdp.attributes.group import BUNDLE, BUNDLE_ONLY, Group, Mid
from sdp.attributes.rtcp import RTCP_MUX, RTCP_RSIZE
from sdp.document import SessionDescription
from sdp.kinds import MediaKind
from sdp.lines.media import MediaLine
from sdp.section import MediaDescription

from .formats import Formats, read_formats


@dataclasses.dataclass(frozen=True, slots=True)
class RemoteSection:
    """One section: ``kind`` is None for what is not RTP audio or video.

    ``disabled`` is a port of 0 that means what it says: not that of a bundle-only
    section (RFC 9143 section 6).
    """

    index: int
    section: MediaDescription
    line: MediaLine
    mid: str | None
    kind: MediaKind | None
    direction: Direction
    disabled: bool
    formats: Formats

    @property
    def has_rtcp_mux(self) -> bool:
        return self.section.has(RTCP_MUX)

    @property
    def has_rtcp_rsize(self) -> bool:
        return self.section.has(RTCP_RSIZE)


_KINDS = {kind.value: kind for kind in MediaKind}
_NO_FORMATS = Formats((), (), ())


def bundle_groups(document: SessionDescription) -> list[Group]:
    """The BUNDLE groups.

    Raises:
        SdpError: a group is malformed.
    """
    return [group for group in document.session.get_all(Group) if group.semantics == BUNDLE]


def read_offer_sections(document: SessionDescription) -> tuple[RemoteSection, ...]:
    """Sections of an offer, where bundle-only with port 0 is no rejection.

    Raises:
        SdpError: a line that is looked at is malformed.
    """
    bundled = {mid for group in bundle_groups(document) for mid in group.mids}
    return tuple(
        _read(document, index, section, bundled) for index, section in enumerate(document.media)
    )


def read_answer_sections(document: SessionDescription) -> tuple[RemoteSection, ...]:
    """Sections of an answer, where port 0 always means rejected.

    Raises:
        SdpError: a line that is looked at is malformed.
    """
    return tuple(
        _read(document, index, section, set()) for index, section in enumerate(document.media)
    )


def _read(
    document: SessionDescription, index: int, section: MediaDescription, bundled: set[str]
) -> RemoteSection:
    line = section.media
    mid = section.get(Mid)
    kind = _KINDS.get(line.media) if line.is_rtp else None
    bundle_only = section.has(BUNDLE_ONLY) and mid is not None and mid.value in bundled
    disabled = line.port == 0 and not bundle_only
    return RemoteSection(
        index,
        section,
        line,
        None if mid is None else mid.value,
        kind,
        document.direction(section),
        disabled,
        read_formats(section, kind) if kind is not None and not disabled else _NO_FORMATS,
    )
