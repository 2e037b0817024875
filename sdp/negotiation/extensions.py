"""RTP header extensions in an answer (RFC 8285 sections 6 and 7)."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from sdp.attributes.extmap import VALID_IDS, ExtMap

from .numbering import Numbering
from .report import ReportEntry, Verdict


def answer_extensions(
    index: int,
    offered: Sequence[ExtMap],
    supported: Collection[str],
    numbering: Numbering,
) -> tuple[list[ExtMap], list[ReportEntry]]:
    """Those we support, with the offer's id and the direction seen from our side.

    An id from 4096 on stands for any free one (section 7): then we choose it.
    """
    kept: list[ExtMap] = []
    report = []
    for extension in offered:
        reason = _reason_to_drop(extension, kept, supported)
        answered = None if reason else _answered(extension, offered, kept, numbering)
        if answered is None:
            reason = reason or "no identifier is free"
            report.append(ReportEntry(index, extension.uri, Verdict.DROPPED, reason))
            continue
        kept.append(answered)
        report.append(ReportEntry(index, extension.uri, Verdict.KEPT, f"id {answered.id}"))
    return kept, report


def _reason_to_drop(
    extension: ExtMap, kept: list[ExtMap], supported: Collection[str]
) -> str | None:
    if extension.uri not in supported:
        return "not supported here"
    if any(other.uri == extension.uri for other in kept):
        return "offered twice; the first counts"
    return None


def _answered(
    extension: ExtMap, offered: Sequence[ExtMap], kept: list[ExtMap], numbering: Numbering
) -> ExtMap | None:
    number: int | None = extension.id
    if extension.id not in VALID_IDS:
        number = numbering.free_extension_id(e.id for e in (*offered, *kept))
    if number is None:
        return None
    direction = extension.direction.reversed if extension.direction is not None else None
    return dataclasses.replace(extension, id=number, direction=direction)


def accepted_extensions(
    index: int, offered: dict[int, str], answered: Sequence[ExtMap]
) -> tuple[dict[int, str], list[ReportEntry]]:
    """For the offerer: what the answer kept of our offer; ids of our offer count."""
    uris = {extension.uri for extension in answered}
    kept = {number: uri for number, uri in offered.items() if uri in uris}
    report = [
        ReportEntry(index, uri, Verdict.KEPT, f"id {number}")
        if uri in uris
        else ReportEntry(index, uri, Verdict.DROPPED, "the peer does not support it")
        for number, uri in offered.items()
    ]
    return kept, report
