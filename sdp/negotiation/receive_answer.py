"""Setting a peer's answer to an offer of ours (RFC 8829 section 5.11)."""

from __future__ import annotations

import dataclasses

from sdp.attributes.extmap import ExtMap
from sdp.attributes.group import BUNDLE_ONLY
from sdp.attributes.msid import Msid
from sdp.attributes.setup import Setup
from sdp.document import SessionDescription
from sdp.errors import DescriptionRefused
from sdp.lines.media import MediaLine

from .agreement import allows_mixed, rejected_media
from .bundle import Bundle, find_bundle
from .codec import NegotiatedCodec
from .codecs import dropped_entries, kept_entry, offered_codec, pair_codecs
from .exchange import Exchange
from .extensions import accepted_extensions
from .media import NegotiatedMedia
from .offer import Offer, OfferedSection
from .policy import MissingProfile
from .remote import RemoteSection, read_answer_sections
from .report import ReportEntry, Verdict
from .sources import read_sources
from .transport import TransportDescription, offered_role, read_transport
from .validate import check_answer, check_bundle
from .writer import sources


def receive_answer(
    document: SessionDescription,
    offer: Offer,
    current: Exchange,
    *,
    missing: MissingProfile,
    cname: str,
) -> tuple[Exchange, tuple[ReportEntry, ...]]:
    """What the answer settles.

    Raises:
        DescriptionRefused: it does not fit the offer.
        SdpError: an attribute that is needed is malformed.
    """
    sections = read_answer_sections(document)
    check_answer(document, sections, offer.sections)
    bundle = find_bundle(document, sections, lambda s: s.kind is not None and not s.disabled)
    check_bundle(sections, bundle)
    transport = read_transport(document, bundle)
    report: list[ReportEntry] = []
    slots = []
    for ours, section in zip(offer.sections, sections, strict=True):
        media = _negotiate(document, ours, section, bundle, report, missing=missing, cname=cname)
        slots.append(dataclasses.replace(ours.slot, media=media, line=_line(ours, section)))
    role = None
    if transport is not None and bundle.tagged is not None:
        _check_restart(transport, offer, current, bundle.tagged)
        role = _role(transport, current, bundle.tagged)
    exchange = Exchange(
        slots=tuple(slots),
        # Where nothing is left, the transport goes too (RFC 8829 section 5.11).
        local_transport=None if transport is None else offer.transport,
        remote_transport=transport,
        role=role,
        tagged=bundle.tagged,
        sharing=bundle.sharing,
        answered=True,
    )
    return exchange, tuple(report)


def _line(ours: OfferedSection, section: RemoteSection) -> MediaLine:
    return dataclasses.replace(ours.slot.line, formats=section.line.formats)


def _role(transport: TransportDescription, current: Exchange, tagged: int) -> Setup:
    """Our role: what the answer leaves; of an association that goes on, the same.

    Raises:
        DescriptionRefused: the answer changes the role of an association that goes on
            (RFC 8842 section 5.5).
    """
    role = offered_role(transport.setup, tagged)
    before = current.remote_transport
    if before is not None and transport.continues(before) and current.role not in (None, role):
        raise DescriptionRefused(tagged, "the DTLS role changed in an association that goes on")
    return role


def _check_restart(
    transport: TransportDescription, offer: Offer, current: Exchange, tagged: int
) -> None:
    """New ICE credentials answer an ICE restart and nothing else (section 5.10)."""
    before, ours = current.remote_transport, current.local_transport
    if before is None or ours is None:
        return
    restarted = not offer.transport.has_credentials_of(ours)
    changed = not transport.has_credentials_of(before)
    if changed and not restarted:
        raise DescriptionRefused(tagged, "ICE credentials changed without an ICE restart")
    if restarted and not changed:
        raise DescriptionRefused(tagged, "an ICE restart was answered with old credentials")
    if not changed and not transport.continues(before):
        raise DescriptionRefused(tagged, "fingerprint or tls-id changed without an ICE restart")


def _negotiate(
    document: SessionDescription,
    ours: OfferedSection,
    section: RemoteSection,
    bundle: Bundle,
    report: list[ReportEntry],
    *,
    missing: MissingProfile,
    cname: str,
) -> NegotiatedMedia:
    reason = _reason_to_drop(ours, section, bundle, document)
    codecs = () if reason else _negotiate_codecs(ours, section, report, missing)
    transceiver = ours.slot.transceiver
    if not codecs or transceiver is None:
        reason = reason or "no codec in common"
        subject = f"m={section.line.media}"
        report.append(ReportEntry(section.index, subject, Verdict.DROPPED, reason))
        return rejected_media(section.index, ours.slot)
    offered = {extension.id: extension.uri for extension in ours.extensions}
    extensions, entries = accepted_extensions(
        section.index, offered, section.section.get_all(ExtMap)
    )
    report += entries
    direction = ours.direction & section.direction.reversed
    repaired = any(codec.receive.rtx_payload_type is not None for codec in ours.codecs)
    stream = sources(transceiver, cname, repaired=repaired)
    return NegotiatedMedia(
        index=section.index,
        mid=ours.slot.mid,
        kind=section.kind,
        direction=direction,
        codecs=codecs,
        extensions=extensions,
        local_ssrcs=(stream,) if direction.sends else (),
        remote_ssrcs=read_sources(section.section),
        msids=tuple(section.section.get_all(Msid)),
        rejected=False,
        rtcp_reduced_size=section.has_rtcp_rsize,
        extmap_allow_mixed=allows_mixed(document, section.section),
    )


def _reason_to_drop(
    ours: OfferedSection, section: RemoteSection, bundle: Bundle, document: SessionDescription
) -> str | None:
    """Why a section carries nothing, or None.

    Raises:
        DescriptionRefused: RTCP is not multiplexed, or a=bundle-only stands there.
    """
    if section.disabled:
        return "we had rejected it" if ours.is_rejected else "the peer rejected it"
    if section.index not in bundle.members:
        return "the peer did not bundle it, and one transport is all"
    if section.section.has(BUNDLE_ONLY):
        raise DescriptionRefused(section.index, "an answer never says a=bundle-only")
    if not section.has_rtcp_mux and not _tagged_has_mux(bundle, document):
        raise DescriptionRefused(section.index, "a=rtcp-mux is missing, and we require it")
    return None


def _tagged_has_mux(bundle: Bundle, document: SessionDescription) -> bool:
    """a=rtcp-mux is IDENTICAL: the tagged section's holds for the group (RFC 8859)."""
    return (
        bundle.is_group
        and bundle.tagged is not None
        and document.media[bundle.tagged].has("rtcp-mux")
    )


def _negotiate_codecs(
    ours: OfferedSection,
    section: RemoteSection,
    report: list[ReportEntry],
    missing: MissingProfile,
) -> tuple[NegotiatedCodec, ...]:
    offered = {id(codec.receive): codec for codec in ours.codecs}
    own = [codec.receive for codec in ours.codecs]
    pairs, reasons = pair_codecs(own, section.formats.codecs, missing)
    codecs = [offered_codec(offered[id(pair.local)], pair.remote, missing) for pair in pairs]
    report += [kept_entry(section.index, p.remote, c) for p, c in zip(pairs, codecs, strict=True)]
    report += dropped_entries(section.index, section.formats.codecs, reasons)
    answered = {id(pair.local) for pair in pairs}
    report += [
        ReportEntry(section.index, str(codec), Verdict.DROPPED, "the peer does not take it")
        for codec in own
        if id(codec) not in answered
    ]
    return tuple(codecs)
