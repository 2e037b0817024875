"""What offer and answer agreed on for one m= section."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from sdp.attributes.direction import Direction
from sdp.attributes.msid import Msid
from sdp.kinds import MediaKind

from .codec import NegotiatedCodec


@dataclasses.dataclass(frozen=True, slots=True)
class SourceSsrcs:
    """One RTP stream: its SSRC, that of its RTX stream, and its CNAME."""

    ssrc: int
    rtx_ssrc: int | None = None
    cname: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class NegotiatedMedia:
    """One m= section, as the last answer left it.

    ``kind`` is None for a section that is neither audio nor video; such a section
    is always ``rejected``. ``direction`` is ours: what we may send and receive.
    ``codecs`` stand in the order of the answer, most preferred first.
    ``extensions`` maps the id on the wire to the header extension's URI.
    ``local_ssrcs`` and ``remote_ssrcs`` are what the descriptions announced; a peer
    that sends a=mid in the header may announce none.
    """

    index: int
    mid: str
    kind: MediaKind | None
    direction: Direction
    codecs: tuple[NegotiatedCodec, ...]
    extensions: Mapping[int, str]
    local_ssrcs: tuple[SourceSsrcs, ...]
    remote_ssrcs: tuple[SourceSsrcs, ...]
    msids: tuple[Msid, ...]
    rejected: bool
    rtcp_reduced_size: bool
    extmap_allow_mixed: bool
