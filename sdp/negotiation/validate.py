"""What a peer's description must keep to (RFC 8829 section 5.8.3)."""

from __future__ import annotations

from collections.abc import Sequence

from sdp.attributes.extmap import ExtMap
from sdp.attributes.rid import Rid
from sdp.attributes.rtcp import RTCP_MUX_ONLY
from sdp.attributes.simulcast import Simulcast
from sdp.document import SessionDescription
from sdp.errors import DescriptionRefused

from .bundle import Bundle, check_groups
from .exchange import Slot
from .numbering import Format, format_of
from .offer import OfferedSection
from .remote import RemoteSection


def check_offer(
    document: SessionDescription, sections: Sequence[RemoteSection], slots: Sequence[Slot]
) -> None:
    """Raise DescriptionRefused, naming the m= section, for an offer that breaks a rule."""
    check_groups(document, sections)
    if len(sections) < len(slots):
        raise DescriptionRefused(
            None, f"{len(slots)} m= sections were there, the offer has {len(sections)}"
        )
    for section in sections:
        _check_section(section)
        if section.has_rtcp_mux is False and section.section.has(RTCP_MUX_ONLY):
            raise DescriptionRefused(section.index, "a=rtcp-mux-only without a=rtcp-mux")
    for slot, section in zip(slots, sections, strict=False):
        _check_slot(slot, section)


def check_answer(
    document: SessionDescription,
    sections: Sequence[RemoteSection],
    offered: Sequence[OfferedSection],
) -> None:
    """Raise DescriptionRefused, naming the m= section, for an answer that does not fit
    its offer (RFC 3264 section 6)."""
    check_groups(document, sections)
    if len(sections) != len(offered):
        raise DescriptionRefused(
            None, f"{len(offered)} m= sections were offered, {len(sections)} answered"
        )
    for ours, section in zip(offered, sections, strict=True):
        _check_section(section)
        _check_against_offer(ours, section)


def check_bundle(sections: Sequence[RemoteSection], bundle: Bundle) -> None:
    """Raise DescriptionRefused when sections that share a transport contradict.

    One RTP session gives a payload type one format (RFC 9143 section 9.1) and an
    identifier one header extension (RFC 8285 section 7).
    """
    formats: dict[int, Format] = {}
    uris: dict[int, str] = {}
    for index in bundle.members:
        section = sections[index]
        for codec in section.formats.codecs:
            if codec.payload_type is None:
                continue
            if formats.setdefault(codec.payload_type, format_of(codec)) != format_of(codec):
                raise DescriptionRefused(
                    index, f"payload type {codec.payload_type} means two formats"
                )
        for extension in section.section.get_all(ExtMap):
            if uris.setdefault(extension.id, extension.uri) != extension.uri:
                raise DescriptionRefused(index, f"extmap {extension.id} means two extensions")


def _check_section(section: RemoteSection) -> None:
    if section.disabled:
        return
    if section.formats.orphans:
        number = section.formats.orphans[0]
        raise DescriptionRefused(
            section.index, f"rtx {number} repairs a payload type that is not there"
        )
    simulcast = section.section.get(Simulcast)
    if simulcast is not None:
        rids = {rid.id for rid in section.section.get_all(Rid)}
        missing = [rid for rid in simulcast.rids if rid not in rids]
        if missing:
            raise DescriptionRefused(section.index, f"simulcast names rid {missing[0]}, not there")


def _check_slot(slot: Slot, section: RemoteSection) -> None:
    if slot.is_free:
        return
    if section.mid is not None and section.mid != slot.mid:
        raise DescriptionRefused(section.index, f"mid {slot.mid} became {section.mid}")
    if section.line.media != slot.line.media:
        raise DescriptionRefused(section.index, f"{slot.line.media} became {section.line.media}")


def _check_against_offer(ours: OfferedSection, section: RemoteSection) -> None:
    line = ours.slot.line
    if section.line.media != line.media:
        raise DescriptionRefused(
            section.index, f"{line.media} was offered, {section.line.media} answered"
        )
    if section.disabled:
        return
    if ours.is_rejected:
        raise DescriptionRefused(section.index, "a rejected section was accepted")
    if section.line.protocol != line.protocol:
        raise DescriptionRefused(
            section.index, f"{line.protocol} was offered, {section.line.protocol} answered"
        )
    if section.mid is not None and section.mid != ours.slot.mid:
        raise DescriptionRefused(
            section.index, f"mid {ours.slot.mid} was offered, {section.mid} answered"
        )
