"""Setting a peer's offer: finding a transceiver for each section (RFC 8829 section 5.10)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from sdp.attributes.direction import Direction
from sdp.attributes.extmap import ExtMap
from sdp.document import SessionDescription
from sdp.errors import DescriptionRefused
from sdp.kinds import MediaKind

from .answer import RemoteOffer
from .bundle import find_bundle
from .exchange import Exchange, Slot
from .numbering import Numbering
from .remote import RemoteSection, read_offer_sections
from .transceiver import Transceiver
from .transport import TransportDescription, read_transport
from .validate import check_bundle, check_offer

NewTransceiver = Callable[[MediaKind], Transceiver]


def receive_offer(
    document: SessionDescription,
    current: Exchange,
    transceivers: Sequence[Transceiver],
    numbering: Numbering,
    new_transceiver: NewTransceiver,
) -> RemoteOffer:
    """The offer with its sections matched to transceivers.

    Raises:
        DescriptionRefused: it breaks a rule of offer/answer.
        SdpError: an attribute that is needed is malformed.
    """
    sections = read_offer_sections(document)
    check_offer(document, sections, current.slots)
    bundle = find_bundle(document, sections, lambda s: s.kind is not None and not s.disabled)
    check_bundle(sections, bundle)
    transport = read_transport(document, bundle)
    if transport is not None:
        _check_restart(transport, current, bundle.tagged)
    for section in sections:
        numbering.offered_by_peer(section.formats)
        numbering.extensions_offered_by_peer(section.section.get_all(ExtMap))
    numbering.mids_seen(s.mid for s in sections if s.mid is not None)
    slots = _associate(sections, current, transceivers, numbering, new_transceiver)
    return RemoteOffer(document, sections, bundle, transport, slots)


def _check_restart(transport: TransportDescription, current: Exchange, tagged: int | None) -> None:
    """A new DTLS association comes with an ICE restart (RFC 8829 section 5.8.3)."""
    before = current.remote_transport
    if before is None or transport.continues(before):
        return
    if transport.has_credentials_of(before):
        raise DescriptionRefused(tagged, "fingerprint or tls-id changed without an ICE restart")


def _associate(
    sections: Sequence[RemoteSection],
    current: Exchange,
    transceivers: Sequence[Transceiver],
    numbering: Numbering,
    new_transceiver: NewTransceiver,
) -> tuple[Slot, ...]:
    kept = [_kept(section, current) for section in sections]
    used = {id(slot.transceiver) for slot in kept if slot is not None}
    free = [t for t in transceivers if not t.stopped and id(t) not in used and t.mid is None]
    slots: list[Slot] = []
    for section, slot in zip(sections, kept, strict=True):
        if slot is None:
            mid = section.mid or numbering.mid([s.mid for s in slots])
            transceiver = _find(section, free, new_transceiver)
            slot = Slot(mid, section.kind, section.line, transceiver, Direction.INACTIVE)
        slots.append(slot)
    return tuple(slots)


def _kept(section: RemoteSection, current: Exchange) -> Slot | None:
    """The slot as it was, unless the section is new or takes a free slot."""
    if section.index >= len(current.slots):
        return None
    slot = current.slots[section.index]
    if slot.is_free and (not section.disabled or section.mid != slot.mid):
        return None
    return dataclasses.replace(slot, line=section.line)


def _find(
    section: RemoteSection, free: list[Transceiver], new_transceiver: NewTransceiver
) -> Transceiver | None:
    """The first transceiver of the kind that has no section yet, or a new one.

    RFC 8829 takes only those of addTrack here. We take any: an application that
    answers says beforehand what it wants to send.
    """
    if section.kind is None or section.disabled:
        return None
    for transceiver in free:
        if transceiver.kind is section.kind:
            free.remove(transceiver)
            return transceiver
    return new_transceiver(section.kind)
