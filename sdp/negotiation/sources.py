"""The RTP streams that a description announces by SSRC (RFC 5576)."""

from __future__ import annotations

from sdp.attributes.ssrc import Ssrc, SsrcGroup
from sdp.section import MediaDescription

from .media import SourceSsrcs

FID = "FID"
"""A stream and its RTX stream (RFC 5576 section 4.2, RFC 4588 section 8.8)."""


def read_sources(section: MediaDescription) -> tuple[SourceSsrcs, ...]:
    """Each stream once, with its RTX stream and CNAME, in the order of the lines.

    Raises:
        SdpError: a line is malformed.
    """
    cnames: dict[int, str | None] = {}
    for line in section.get_all(Ssrc):
        cnames.setdefault(line.ssrc, None)
        if line.attribute == "cname":
            cnames[line.ssrc] = line.value
    rtx: dict[int, int] = {}
    for group in section.get_all(SsrcGroup):
        if group.semantics == FID and len(group.ssrcs) == 2:
            rtx.setdefault(*group.ssrcs)
            cnames.setdefault(group.ssrcs[0], None)
    repairs = set(rtx.values())
    return tuple(
        SourceSsrcs(ssrc, rtx.get(ssrc), cname)
        for ssrc, cname in cnames.items()
        if ssrc not in repairs
    )
