"""What both sides have for one section of an offer (RFC 3264 section 6.1)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from sdp.attributes.direction import Direction
from sdp.attributes.extmap import ALLOW_MIXED, ExtMap
from sdp.attributes.msid import Msid
from sdp.attributes.simulcast import Simulcast
from sdp.document import SessionDescription
from sdp.kinds import MediaKind
from sdp.section import MediaDescription

from .codec import NegotiatedCodec, RtpCodec
from .codecs import (
    CodecPair,
    answered_codec,
    dropped_entries,
    in_local_order,
    kept_entry,
    pair_codecs,
)
from .exchange import Slot
from .extensions import answer_extensions
from .media import NegotiatedMedia
from .numbering import Numbering
from .policy import MissingProfile
from .remote import RemoteSection
from .report import ReportEntry, Verdict
from .sources import read_sources
from .writer import sources


@dataclasses.dataclass(frozen=True, slots=True)
class AnswerContext:
    """What an answer is made from."""

    codecs: Sequence[RtpCodec]
    extensions: Sequence[tuple[MediaKind, str]]
    numbering: Numbering
    missing_profile: MissingProfile
    cname: str


@dataclasses.dataclass(frozen=True, slots=True)
class Accepted:
    """What is agreed on for one section."""

    media: NegotiatedMedia
    extensions: tuple[ExtMap, ...]


def agree(
    context: AnswerContext,
    document: SessionDescription,
    section: RemoteSection,
    slot: Slot,
    report: list[ReportEntry],
) -> Accepted | None:
    """What both sides have for a section, or None when no codec is left."""
    transceiver = slot.transceiver
    if transceiver is None:
        return None
    codecs = _negotiate_codecs(context, section, slot, report)
    if not codecs:
        return None
    for codec in codecs:
        context.numbering.agreed(codec.local, codec.receive)
    supported = {uri for kind, uri in context.extensions if kind is section.kind}
    offered = section.section.get_all(ExtMap)
    extensions, entries = answer_extensions(section.index, offered, supported, context.numbering)
    report += entries
    _report_simulcast(section, report)
    for extension in extensions:
        context.numbering.extension_agreed(extension.id, extension.uri)
    direction = section.direction.answered(transceiver.direction)
    repaired = any(codec.receive.rtx_payload_type is not None for codec in codecs)
    ours = sources(transceiver, context.cname, repaired=repaired)
    media = NegotiatedMedia(
        index=section.index,
        mid=slot.mid,
        kind=section.kind,
        direction=direction,
        codecs=codecs,
        extensions={extension.id: extension.uri for extension in extensions},
        local_ssrcs=(ours,) if direction.sends else (),
        remote_ssrcs=read_sources(section.section),
        msids=tuple(section.section.get_all(Msid)),
        rejected=False,
        rtcp_reduced_size=section.has_rtcp_rsize,
        extmap_allow_mixed=allows_mixed(document, section.section),
    )
    return Accepted(media, tuple(extensions))


def _negotiate_codecs(
    context: AnswerContext, section: RemoteSection, slot: Slot, report: list[ReportEntry]
) -> tuple[NegotiatedCodec, ...]:
    preferred = None if slot.transceiver is None else slot.transceiver.codecs
    own = [c for c in (preferred or context.codecs) if c.kind is section.kind]
    remote = section.formats.codecs
    pairs, reasons = pair_codecs(own, remote, context.missing_profile)
    if preferred is not None:
        pairs = in_local_order(pairs, own)
    repaired = any(codec.is_rtx for codec in own)
    codecs = [_answered(pair, context, repaired=repaired) for pair in pairs]
    report += [kept_entry(section.index, p.remote, c) for p, c in zip(pairs, codecs, strict=True)]
    report += dropped_entries(section.index, remote, reasons)
    report += [
        ReportEntry(section.index, f"payload type {n}", Verdict.DROPPED, "no a=rtpmap explains it")
        for n in section.formats.unmapped
    ]
    return tuple(codecs)


def _answered(pair: CodecPair, context: AnswerContext, *, repaired: bool) -> NegotiatedCodec:
    return answered_codec(pair, repaired=repaired, missing=context.missing_profile)


def _report_simulcast(section: RemoteSection, report: list[ReportEntry]) -> None:
    """Simulcast is refused by leaving it out of the answer (RFC 8853 section 5.3.2)."""
    if section.section.has(Simulcast.NAME):
        reason = "one stream per section is taken; the answer leaves simulcast and rid out"
        report.append(ReportEntry(section.index, "simulcast", Verdict.DROPPED, reason))


def allows_mixed(document: SessionDescription, section: MediaDescription) -> bool:
    return document.session.has(ALLOW_MIXED) or section.has(ALLOW_MIXED)


def rejected_media(index: int, slot: Slot) -> NegotiatedMedia:
    """A section that carries nothing."""
    return NegotiatedMedia(
        index=index,
        mid=slot.mid,
        kind=slot.kind,
        direction=Direction.INACTIVE,
        codecs=(),
        extensions={},
        local_ssrcs=(),
        remote_ssrcs=(),
        msids=(),
        rejected=True,
        rtcp_reduced_size=False,
        extmap_allow_mixed=False,
    )
