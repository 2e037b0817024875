"""The codecs of a media description (RFC 8866 section 6.6, RFC 3551, RFC 4588)."""

from __future__ import annotations

import dataclasses

from sdp.attributes.fmtp import Fmtp
from sdp.attributes.rtcp_fb import RtcpFeedback
from sdp.attributes.rtpmap import STATIC, RtpMap
from sdp.kinds import MediaKind
from sdp.section import MediaDescription

from .codec import RtpCodec


@dataclasses.dataclass(frozen=True, slots=True)
class Formats:
    """``codecs`` in the order of the m= line, RTX folded into what it repairs.

    ``unmapped`` are payload types that nothing says the meaning of, ``orphans`` RTX
    payload types whose apt names none of the m= line.
    """

    codecs: tuple[RtpCodec, ...]
    unmapped: tuple[int, ...]
    orphans: tuple[int, ...]


def read_formats(section: MediaDescription, kind: MediaKind) -> Formats:
    """All formats that the m= line lists; the first line about a format counts.

    Raises:
        SdpError: an attribute of a format is malformed.
    """
    maps = _maps(section)
    numbers = list(dict.fromkeys(section.media.payload_types))
    parameters = _parameters(section)
    repairs, orphans = _repairs(numbers, maps, parameters)
    feedback = section.get_all(RtcpFeedback)
    codecs = []
    for number in numbers:
        mapped = maps.get(number)
        if mapped is None or mapped.encoding.lower() == "rtx":
            continue
        codecs.append(
            RtpCodec(
                kind,
                mapped.encoding,
                mapped.clock_rate,
                channels=mapped.channels,
                payload_type=number,
                parameters=parameters.get(number, ()),
                feedback=_feedback_of(number, feedback),
                rtx_payload_type=repairs.get(number),
            )
        )
    unmapped = tuple(number for number in numbers if number not in maps)
    return Formats(tuple(codecs), unmapped, tuple(orphans))


def _maps(section: MediaDescription) -> dict[int, RtpMap]:
    maps: dict[int, RtpMap] = {}
    for found in section.get_all(RtpMap):
        maps.setdefault(found.payload_type, found)
    for number in section.media.payload_types:
        if number in STATIC:
            maps.setdefault(number, STATIC[number])
    return maps


def _parameters(section: MediaDescription) -> dict[int, tuple[tuple[str, str], ...]]:
    parameters: dict[int, tuple[tuple[str, str], ...]] = {}
    for fmtp in section.get_all(Fmtp):
        if fmtp.format.isascii() and fmtp.format.isdigit() and len(fmtp.format) <= 3:
            parameters.setdefault(int(fmtp.format), fmtp.parameters)
    return parameters


def _repairs(
    numbers: list[int],
    maps: dict[int, RtpMap],
    parameters: dict[int, tuple[tuple[str, str], ...]],
) -> tuple[dict[int, int], list[int]]:
    """RTX payload types by what they repair, and those that repair nothing here."""
    repairs: dict[int, int] = {}
    orphans = []
    for number in numbers:
        mapped = maps.get(number)
        if mapped is None or mapped.encoding.lower() != "rtx":
            continue
        apt = dict(parameters.get(number, ())).get("apt", "")
        primary = int(apt) if apt.isascii() and apt.isdigit() and len(apt) <= 3 else -1
        base = maps.get(primary)
        if primary not in numbers:
            orphans.append(number)
        elif base is not None and base.clock_rate == mapped.clock_rate:
            repairs.setdefault(primary, number)
    return repairs, orphans


def _feedback_of(number: int, feedback: list[RtcpFeedback]) -> tuple[str, ...]:
    wanted = (f.value for f in feedback if f.payload_type in (None, number))
    return tuple(dict.fromkeys(wanted))
