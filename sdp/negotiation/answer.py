"""Creating an answer (RFC 8829 section 5.3, RFC 9143 section 7.3)."""

from __future__ import annotations

import dataclasses

from sdp.attributes.direction import Direction
from sdp.attributes.extmap import ALLOW_MIXED
from sdp.attributes.group import BUNDLE, LIP_SYNC, Group
from sdp.attributes.ice import IceOptions, IcePacing
from sdp.attributes.setup import Setup
from sdp.document import SessionDescription
from sdp.lines.origin import Origin

from .agreement import Accepted, AnswerContext, agree, rejected_media
from .bundle import Bundle
from .exchange import Exchange, Slot
from .remote import RemoteSection
from .report import ReportEntry, Verdict
from .transport import TransportDescription, answered_role
from .writer import SectionPlan, lip_sync_groups, write_rejected, write_section


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
    accepted: dict[int, Accepted] = {}
    for section, slot in zip(offer.sections, offer.slots, strict=True):
        reason = _reason_to_reject(offer, section, slot)
        agreed = None if reason else agree(context, offer.document, section, slot, report)
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
    accepted: dict[int, Accepted],
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
    document: SessionDescription, offer: RemoteOffer, accepted: dict[int, Accepted]
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
    agreed: Accepted,
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
    accepted: dict[int, Accepted],
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
