"""Creating an offer (RFC 8829 section 5.2, RFC 9143 section 7.2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from sdp.attributes.direction import Direction
from sdp.attributes.extmap import ALLOW_MIXED, ExtMap
from sdp.attributes.group import BUNDLE, LIP_SYNC, Group
from sdp.attributes.ice import IceOptions, IcePacing
from sdp.attributes.setup import Setup
from sdp.document import SessionDescription
from sdp.kinds import MediaKind
from sdp.lines.media import MediaLine
from sdp.lines.origin import Origin

from .codec import NegotiatedCodec, RtpCodec
from .exchange import Exchange, Slot
from .media import NegotiatedMedia
from .numbering import Numbering
from .policy import BundlePolicy
from .transceiver import Transceiver
from .transport import TransportDescription
from .writer import PROTOCOL, SectionPlan, lip_sync_groups, write_rejected, write_section


@dataclasses.dataclass(frozen=True, slots=True)
class OfferedSection:
    """One section of an offer of ours. ``transceiver`` None: it is offered rejected."""

    slot: Slot
    direction: Direction
    codecs: tuple[NegotiatedCodec, ...] = ()
    extensions: tuple[ExtMap, ...] = ()

    @property
    def is_rejected(self) -> bool:
        return not self.codecs


@dataclasses.dataclass(frozen=True, slots=True)
class Offer:
    """An offer with what its numbers mean here."""

    document: SessionDescription
    sections: tuple[OfferedSection, ...]
    transport: TransportDescription
    tagged: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class OfferContext:
    """What an offer is made from."""

    transceivers: Sequence[Transceiver]
    codecs: Sequence[RtpCodec]
    extensions: Sequence[tuple[MediaKind, str]]
    numbering: Numbering
    bundle: BundlePolicy
    cname: str


def create_offer(
    context: OfferContext, current: Exchange, local: TransportDescription, origin: Origin
) -> Offer:
    """The next offer: every slot so far in its place, then new transceivers.

    Raises:
        DescriptionRefused: there are more codecs than payload types.
    """
    sections = _plan(context, current)
    document = SessionDescription.build(origin)
    live = [i for i, section in enumerate(sections) if not section.is_rejected]
    tagged = _tagged(current, live)
    before = current.local_transport
    if before is not None and before.has_credentials_of(local):
        # RFC 8839 section 4.4.1.1: the ICE options change with an ICE restart only.
        local = dataclasses.replace(local, ice_options=before.ice_options)
    _write_session(document, local, [sections[i] for i in _tagged_first(live, tagged)])
    for index, section in enumerate(sections):
        _write(document, context, current, local, section, is_tagged=index == tagged)
    return Offer(document, tuple(sections), local, tagged)


def _plan(context: OfferContext, current: Exchange) -> list[OfferedSection]:
    associated = {id(slot.transceiver) for slot in current.slots if not slot.is_free}
    new = [t for t in context.transceivers if not t.stopped and id(t) not in associated]
    mids: list[str] = []
    sections = []
    for slot in current.slots:
        if slot.is_free and new:
            sections.append(_new(context, new.pop(0), mids))
        else:
            sections.append(_again(context, slot))
    return sections + [_new(context, transceiver, mids) for transceiver in new]


def _new(context: OfferContext, transceiver: Transceiver, mids: list[str]) -> OfferedSection:
    """A section for a transceiver that has none."""
    # A second offer before the answer keeps what the first one proposed.
    mid = transceiver.mid or context.numbering.mid(mids)
    mids.append(mid)
    return _described(context, mid, transceiver, None)


def _again(context: OfferContext, slot: Slot) -> OfferedSection:
    """A section that was there before; rejected ones stay so (RFC 3264 section 8.2)."""
    transceiver = slot.transceiver
    if slot.is_free or transceiver is None or transceiver.stopped:
        return OfferedSection(slot, Direction.INACTIVE)
    return _described(context, slot.mid, transceiver, slot.media)


def _described(
    context: OfferContext, mid: str, transceiver: Transceiver, before: NegotiatedMedia | None
) -> OfferedSection:
    kind = transceiver.kind
    codecs = _codecs(context, transceiver, before)
    formats = tuple(str(codec.receive.payload_type) for codec in codecs)
    slot = Slot(
        mid,
        kind,
        MediaLine(kind.value, 9, PROTOCOL, formats or ("0",)),
        transceiver,
        transceiver.direction,
        before,
    )
    extensions = _extensions(context, kind, before)
    return OfferedSection(slot, transceiver.direction, codecs, extensions)


def _codecs(
    context: OfferContext, transceiver: Transceiver, before: NegotiatedMedia | None
) -> tuple[NegotiatedCodec, ...]:
    """Our codecs, numbered; those of the last answer first, with its numbers."""
    own = context.codecs if transceiver.codecs is None else transceiver.codecs
    entries = [codec for codec in own if codec.kind is transceiver.kind]
    repaired = any(codec.is_rtx for codec in entries)
    entries = [codec for codec in entries if not codec.is_rtx]
    known = {} if before is None else {c.local: c for c in before.codecs}
    if transceiver.codecs is None:
        order = {key: place for place, key in enumerate(known)}
        entries.sort(key=lambda codec: order.get(codec, len(order)))
    return tuple(
        _numbered(context.numbering, codec, known.get(codec), repaired=repaired)
        for codec in entries
    )


def _numbered(
    numbering: Numbering, codec: RtpCodec, before: NegotiatedCodec | None, *, repaired: bool
) -> NegotiatedCodec:
    number = None if before is None else before.receive.payload_type
    rtx = None if before is None else before.receive.rtx_payload_type
    if number is None:
        number = numbering.number(codec)
    if rtx is None and repaired:
        rtx = numbering.number_rtx(codec)
    # RFC 8829 section 5.2.2: feedback that the last answer left out does not come back.
    feedback = codec.feedback if before is None else before.receive.feedback
    receive = dataclasses.replace(
        codec, payload_type=number, rtx_payload_type=rtx, feedback=feedback
    )
    return NegotiatedCodec(codec, receive, receive)


def _extensions(
    context: OfferContext, kind: MediaKind, before: NegotiatedMedia | None
) -> tuple[ExtMap, ...]:
    """RFC 8829 section 5.2.2: after an answer, only what that answer kept."""
    if before is not None:
        return tuple(ExtMap(number, uri) for number, uri in before.extensions.items())
    uris = dict.fromkeys(uri for of, uri in context.extensions if of is kind)
    return tuple(ExtMap(context.numbering.extension_id(uri), uri) for uri in uris)


def _tagged(current: Exchange, live: list[int]) -> int | None:
    """The tagged section stays; a new one is the first live one (RFC 9143 section 7.5)."""
    if current.tagged in live:
        return current.tagged
    return live[0] if live else None


def _tagged_first(live: list[int], tagged: int | None) -> list[int]:
    return sorted(live, key=lambda index: index != tagged)


def _write_session(
    document: SessionDescription, local: TransportDescription, bundled: list[OfferedSection]
) -> None:
    session = document.session
    if bundled:
        session.add(Group(BUNDLE, tuple(section.slot.mid for section in bundled)))
    pairs = [(s.slot.mid, s.slot.transceiver) for s in bundled]
    sending = [(mid, t) for mid, t in pairs if t is not None and t.direction.sends]
    for mids in lip_sync_groups(sending):
        session.add(Group(LIP_SYNC, mids))
    session.add_text(ALLOW_MIXED)
    if local.ice_options:
        session.add(IceOptions(local.ice_options))
    if local.ice_pacing is not None:
        session.add(IcePacing(local.ice_pacing))


def _write(
    document: SessionDescription,
    context: OfferContext,
    current: Exchange,
    local: TransportDescription,
    section: OfferedSection,
    *,
    is_tagged: bool,
) -> None:
    slot = section.slot
    if section.is_rejected or slot.kind is None or slot.transceiver is None:
        write_rejected(document, slot.line, slot.mid)
        return
    is_new = slot.media is None
    bundle_only = context.bundle is BundlePolicy.BUNDLE_ONLY and is_new and not is_tagged
    plan = SectionPlan(
        kind=slot.kind,
        protocol=PROTOCOL,
        mid=slot.mid,
        direction=section.direction,
        codecs=tuple(codec.receive for codec in section.codecs),
        extensions=section.extensions,
        transceiver=slot.transceiver,
        transport=None if bundle_only else local,
        setup=Setup.ACTPASS,
        # RFC 8829 section 5.2.2: neither line comes back once mux was answered.
        rtcp_mux_only=not current.answered,
        rtcp_line=not current.answered,
        rtcp_rsize=is_new or (slot.media is not None and slot.media.rtcp_reduced_size),
    )
    write_section(document, plan, context.cname)
