"""Creating an answer (RFC 8829 section 5.3, RFC 9143 section 7.3)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from sdp.attributes.direction import Direction
from sdp.attributes.extmap import ALLOW_MIXED, ExtMap
from sdp.attributes.group import BUNDLE, LIP_SYNC, Group
from sdp.attributes.ice import IceOptions, IcePacing
from sdp.attributes.msid import Msid
from sdp.attributes.setup import Setup
from sdp.attributes.simulcast import Simulcast
from sdp.document import SessionDescription
from sdp.kinds import MediaKind
from sdp.lines.origin import Origin
from sdp.section import MediaDescription

from .bundle import Bundle
from .codec import NegotiatedCodec, RtpCodec
from .codecs import (
    CodecPair,
    answered_codec,
    dropped_entries,
    in_local_order,
    kept_entry,
    pair_codecs,
)
from .exchange import Exchange, Slot
from .extensions import answer_extensions
from .media import NegotiatedMedia
from .numbering import Numbering
from .policy import MissingProfile
from .remote import RemoteSection
from .report import ReportEntry, Verdict
from .sources import read_sources
from .transport import TransportDescription, answered_role
from .writer import SectionPlan, lip_sync_groups, sources, write_rejected, write_section


@dataclasses.dataclass(frozen=True, slots=True)
class RemoteOffer:
    """A peer's offer that was set, its sections, and their slots here."""

    document: SessionDescription
    sections: tuple[RemoteSection, ...]
    bundle: Bundle
    transport: TransportDescription | None
    slots: tuple[Slot, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """An answer of ours, and what it settles."""

    document: SessionDescription
    exchange: Exchange
    report: tuple[ReportEntry, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class AnswerContext:
    """What an answer is made from."""

    codecs: Sequence[RtpCodec]
    extensions: Sequence[tuple[MediaKind, str]]
    numbering: Numbering
    missing_profile: MissingProfile
    cname: str


@dataclasses.dataclass(frozen=True, slots=True)
class _Accepted:
    """What is agreed on for one section."""

    media: NegotiatedMedia
    extensions: tuple[ExtMap, ...]


def create_answer(
    context: AnswerContext,
    offer: RemoteOffer,
    current: Exchange,
    local: TransportDescription,
    origin: Origin,
) -> Answer:
    """The answer to an offer that was set.

    Raises:
        DescriptionRefused: the offer leaves no DTLS role.
    """
    report: list[ReportEntry] = []
    accepted: dict[int, _Accepted] = {}
    for section, slot in zip(offer.sections, offer.slots, strict=True):
        reason = _reason_to_reject(offer, section, slot)
        agreed = None if reason else _negotiate(context, offer, section, slot, report)
        if agreed is not None:
            accepted[section.index] = agreed
        else:
            subject = f"m={section.line.media}"
            reason = reason or "no codec in common"
            report.append(ReportEntry(section.index, subject, Verdict.DROPPED, reason))
    role = _role(offer, current, local) if accepted else None
    offered_options = () if offer.transport is None else offer.transport.ice_options
    options = tuple(token for token in local.ice_options if token in offered_options)
    local = dataclasses.replace(local, ice_options=options)
    document = SessionDescription.build(origin)
    _write_session(document, offer, local, accepted)
    for section, slot in zip(offer.sections, offer.slots, strict=True):
        agreed = accepted.get(section.index)
        if agreed is None or role is None:
            write_rejected(document, section.line, section.mid)
        else:
            plan = _plan_section(offer, section, slot, agreed, local, role)
            write_section(document, plan, context.cname)
    exchange = _exchange(offer, accepted, local, role)
    return Answer(document, exchange, tuple(report))


def _reason_to_reject(offer: RemoteOffer, section: RemoteSection, slot: Slot) -> str | None:
    """Why a section cannot be accepted at all (RFC 8829 section 5.3.1), or None."""
    if section.disabled:
        return "the offer disables it"
    if section.kind is None:
        return f"{section.line.media} over {section.line.protocol} is not supported"
    if not section.has_rtcp_mux and not _tagged_has_mux(offer):
        return "without rtcp-mux it would need a second transport"
    if section.index not in offer.bundle.members:
        return "it is not bundled with the first usable section, and one transport is all"
    if slot.transceiver is None:
        return f"nothing here takes {section.line.media}"
    if slot.transceiver.stopped:
        return "its transceiver was stopped"
    return None


def _tagged_has_mux(offer: RemoteOffer) -> bool:
    """a=rtcp-mux is IDENTICAL: the tagged section's holds for the group (RFC 8859)."""
    bundle = offer.bundle
    if not bundle.is_group or bundle.tagged is None:
        return False
    return offer.sections[bundle.tagged].has_rtcp_mux


def _negotiate(
    context: AnswerContext,
    offer: RemoteOffer,
    section: RemoteSection,
    slot: Slot,
    report: list[ReportEntry],
) -> _Accepted | None:
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
        extmap_allow_mixed=allows_mixed(offer.document, section.section),
    )
    return _Accepted(media, tuple(extensions))


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


def _role(offer: RemoteOffer, current: Exchange, local: TransportDescription) -> Setup | None:
    if offer.transport is None or offer.bundle.tagged is None:
        return None
    continues = (
        current.remote_transport is not None
        and current.local_transport is not None
        and offer.transport.continues(current.remote_transport)
        and local.continues(current.local_transport)
    )
    return answered_role(
        offer.transport.setup,
        local.setup,
        current.role if continues else None,
        offer.bundle.tagged,
    )


def _write_session(
    document: SessionDescription,
    offer: RemoteOffer,
    local: TransportDescription,
    accepted: dict[int, _Accepted],
) -> None:
    session = document.session
    bundled = [i for i in offer.bundle.members if i in accepted]
    if offer.bundle.is_group and bundled:
        mids = [offer.sections[i].mid for i in bundled]
        session.add(Group(BUNDLE, tuple(mid for mid in mids if mid is not None)))
    _write_lip_sync(document, offer, accepted)
    if offer.document.session.has(ALLOW_MIXED):
        session.add_text(ALLOW_MIXED)
    if local.ice_options:
        session.add(IceOptions(local.ice_options))
    if local.ice_pacing is not None:
        session.add(IcePacing(local.ice_pacing))


def _write_lip_sync(
    document: SessionDescription, offer: RemoteOffer, accepted: dict[int, _Accepted]
) -> None:
    """Of an offered LS group, those that share a stream here or have none (5.3.1)."""
    for group in offer.document.session.get_all(Group):
        if group.semantics != LIP_SYNC:
            continue
        slots = [offer.slots[i] for i in accepted if offer.slots[i].mid in group.mids]
        pairs = [(s.mid, s.transceiver) for s in slots if s.transceiver is not None]
        free = tuple(mid for mid, t in pairs if not t.stream_ids)
        shared = lip_sync_groups(pairs)
        mids = shared[0] + free if shared else free
        if len(mids) > 1:
            document.session.add(Group(LIP_SYNC, mids))


def _plan_section(
    offer: RemoteOffer,
    section: RemoteSection,
    slot: Slot,
    agreed: _Accepted,
    local: TransportDescription,
    role: Setup,
) -> SectionPlan:
    if slot.transceiver is None or section.kind is None:
        raise ValueError("an accepted section has a transceiver")
    return SectionPlan(
        kind=section.kind,
        protocol=section.line.protocol,
        mid=section.mid,
        direction=agreed.media.direction,
        codecs=tuple(codec.receive for codec in agreed.media.codecs),
        extensions=agreed.extensions,
        transceiver=slot.transceiver,
        transport=local,
        setup=role,
        rtcp_mux_only=False,
        rtcp_line=False,
        rtcp_rsize=section.has_rtcp_rsize,
    )


def _exchange(
    offer: RemoteOffer,
    accepted: dict[int, _Accepted],
    local: TransportDescription,
    role: Setup | None,
) -> Exchange:
    slots = []
    for section, slot in zip(offer.sections, offer.slots, strict=True):
        agreed = accepted.get(section.index)
        media = agreed.media if agreed is not None else rejected_media(section.index, slot)
        wanted = Direction.INACTIVE if slot.transceiver is None else slot.transceiver.direction
        slots.append(dataclasses.replace(slot, media=media, wanted=wanted))
    bundled = [i for i in offer.bundle.members if i in accepted]
    tagged = offer.bundle.tagged if offer.bundle.tagged in accepted else next(iter(bundled), None)
    return Exchange(
        slots=tuple(slots),
        # Where nothing is left, the transport goes too (RFC 8829 section 5.11).
        local_transport=local if accepted else None,
        remote_transport=offer.transport if accepted else None,
        role=role,
        tagged=tagged,
        sharing=offer.bundle.sharing,
        answered=True,
    )


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
