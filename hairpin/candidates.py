"""ICE candidates between a peer connection and a signaling channel."""

from __future__ import annotations

import logging

from media.aio import PeerConnection
from media.session import LocalCandidate, SessionError
from sdp import SdpError
from signaling import RemoteCandidate
from transport import DecodeError

logger = logging.getLogger(__name__)


def signaled(found: LocalCandidate) -> RemoteCandidate | None:
    """A local candidate as it is sent; KVS has no end of candidates: it is not sent."""
    if not found.candidate:
        return None
    return RemoteCandidate(found.candidate, found.mid, found.media_index, found.username_fragment)


async def take_candidate(connection: PeerConnection, candidate: RemoteCandidate, who: str) -> None:
    """Give a connection what its peer sent; one that cannot be read is dropped."""
    try:
        await connection.add_ice_candidate(
            candidate.candidate,
            mid=candidate.sdp_mid,
            media_index=candidate.sdp_m_line_index,
            username_fragment=candidate.username_fragment,
        )
    except (DecodeError, SdpError, SessionError) as error:
        logger.info("dropped a candidate of %s: %s", who, error)
