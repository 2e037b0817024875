"""Descriptions of ours: what offers and answers write alike (RFC 8829 section 5.2.1)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from sdp.attributes.direction import Direction
from sdp.attributes.extmap import ExtMap
from sdp.attributes.fmtp import Fmtp, parameters_text
from sdp.attributes.group import BUNDLE_ONLY, Mid
from sdp.attributes.ice import CANDIDATE, END_OF_CANDIDATES, IcePwd, IceUfrag
from sdp.attributes.msid import Msid
from sdp.attributes.rtcp import RTCP_MUX, RTCP_MUX_ONLY, RTCP_RSIZE, Rtcp
from sdp.attributes.rtcp_fb import RtcpFeedback
from sdp.attributes.rtpmap import RtpMap
from sdp.attributes.setup import Setup
from sdp.attributes.ssrc import Ssrc, SsrcGroup
from sdp.attributes.tls_id import TlsId
from sdp.document import SessionDescription
from sdp.kinds import MediaKind
from sdp.lines.media import MediaLine
from sdp.section import MediaDescription

from .codec import RtpCodec
from .default_candidate import NONE_YET, default_candidate
from .media import SourceSsrcs
from .sources import FID
from .transceiver import Transceiver
from .transport import TransportDescription

PROTOCOL = "UDP/TLS/RTP/SAVPF"
"""What our offers say (RFC 8829 section 5.1.2)."""

OPUS_MAXPTIME = 120
"""Milliseconds that one Opus packet holds at most (RFC 7587 section 4.2)."""


@dataclasses.dataclass(frozen=True, slots=True)
class SectionPlan:
    """An m= section that is not rejected. ``mid`` None leaves a=mid out.

    ``transport`` None means bundle-only: another section's transport is used.
    """

    kind: MediaKind
    protocol: str
    mid: str | None
    direction: Direction
    codecs: tuple[RtpCodec, ...]
    extensions: tuple[ExtMap, ...]
    transceiver: Transceiver
    transport: TransportDescription | None
    setup: Setup
    rtcp_mux_only: bool
    rtcp_line: bool
    rtcp_rsize: bool


def write_section(document: SessionDescription, plan: SectionPlan, cname: str) -> None:
    """Append an m= section with all its attributes."""
    section = _begin(document, plan)
    if plan.mid is not None:
        section.add(Mid(plan.mid))
    section.add_text(plan.direction.value)
    if plan.direction.sends:
        write_msids(section, plan.transceiver)
    _write_transport(section, plan)
    for extension in plan.extensions:
        section.add(extension)
    for codec in plan.codecs:
        _write_codec(section, codec)
    if plan.kind is MediaKind.AUDIO:
        section.add_text("maxptime", str(OPUS_MAXPTIME))
    if plan.direction.sends:
        repaired = any(codec.rtx_payload_type is not None for codec in plan.codecs)
        write_sources(section, sources(plan.transceiver, cname, repaired=repaired))


def write_rejected(document: SessionDescription, line: MediaLine, mid: str | None) -> None:
    """Append a section with port 0 (RFC 3264 section 6): type, protocol and formats as
    they were, and the mid, by which some peers match sections."""
    rejected = dataclasses.replace(line, port=0, port_count=1)
    section = document.add_media(rejected, NONE_YET[1])
    if mid is not None:
        section.add(Mid(mid))
    section.add_text(Direction.INACTIVE.value)


def sources(transceiver: Transceiver, cname: str, *, repaired: bool) -> SourceSsrcs:
    """What we send with. Every stream is announced: some peers find streams by SSRC only."""
    return SourceSsrcs(transceiver.ssrc, transceiver.rtx_ssrc if repaired else None, cname)


def write_sources(section: MediaDescription, stream: SourceSsrcs) -> None:
    ssrcs = [stream.ssrc]
    if stream.rtx_ssrc is not None:
        ssrcs.append(stream.rtx_ssrc)
        section.add(SsrcGroup(FID, tuple(ssrcs)))
    for ssrc in ssrcs:
        section.add(Ssrc(ssrc, "cname", stream.cname))


def write_msids(section: MediaDescription, transceiver: Transceiver) -> None:
    """One line per media stream; "-" says that the track belongs to none."""
    for stream in transceiver.stream_ids or ("-",):
        section.add(Msid(stream, transceiver.track_id))


def _begin(document: SessionDescription, plan: SectionPlan) -> MediaDescription:
    formats: list[str] = []
    for codec in plan.codecs:
        numbers = (codec.payload_type, codec.rtx_payload_type)
        formats += [str(number) for number in numbers if number is not None]
    port, connection = NONE_YET
    if plan.transport is None:
        port = 0
    else:
        port, connection = default_candidate(plan.transport.candidates)
    line = MediaLine(plan.kind.value, port, plan.protocol, tuple(formats))
    return document.add_media(line, connection)


def _write_transport(section: MediaDescription, plan: SectionPlan) -> None:
    """The BUNDLE attributes, in each section that has a transport.

    RFC 9143 section 7.1.3 wants them in the tagged section alone once a group exists.
    Browsers repeat them, and other peers refuse sections without credentials, so we
    repeat them too.
    """
    if plan.transport is None:
        section.add_text(BUNDLE_ONLY)
        return
    transport = plan.transport
    section.add(IceUfrag(transport.ice_ufrag))
    section.add(IcePwd(transport.ice_pwd))
    for fingerprint in transport.fingerprints:
        section.add(fingerprint)
    section.add_text(Setup.NAME, plan.setup.value)
    if transport.tls_id is not None:
        section.add(TlsId(transport.tls_id))
    if plan.rtcp_line:
        section.add(Rtcp(9, "IN", "IP4", "0.0.0.0"))
    section.add_text(RTCP_MUX)
    if plan.rtcp_mux_only:
        section.add_text(RTCP_MUX_ONLY)
    if plan.rtcp_rsize:
        section.add_text(RTCP_RSIZE)
    for candidate in transport.candidates:
        section.add_text(CANDIDATE, candidate.removeprefix("a=").removeprefix("candidate:"))
    if transport.end_of_candidates:
        section.add_text(END_OF_CANDIDATES)


def _write_codec(section: MediaDescription, codec: RtpCodec) -> None:
    number = codec.payload_type
    if number is None:
        raise ValueError("a codec in a description has a payload type")
    channels = str(codec.channels) if codec.channels > 1 else None
    section.add(RtpMap(number, codec.name, codec.clock_rate, channels))
    for feedback in codec.feedback:
        section.add(RtcpFeedback(number, feedback))
    if codec.parameters:
        section.add(Fmtp(str(number), parameters_text(codec.parameters)))
    if codec.rtx_payload_type is not None:
        section.add(RtpMap(codec.rtx_payload_type, "rtx", codec.clock_rate))
        section.add(Fmtp(str(codec.rtx_payload_type), f"apt={number}"))


def lip_sync_groups(sections: Sequence[tuple[str, Transceiver]]) -> list[tuple[str, ...]]:
    """Mids of the sections that share a media stream (RFC 8829 section 5.2.1)."""
    streams: dict[str, list[str]] = {}
    for mid, transceiver in sections:
        for stream in transceiver.stream_ids:
            streams.setdefault(stream, []).append(mid)
    return list(dict.fromkeys(tuple(mids) for mids in streams.values() if len(mids) > 1))
