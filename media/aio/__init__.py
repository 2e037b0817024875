"""The asyncio side of media: peer connections, and players of media sources.

``PeerConnection`` is media to and from one peer; ``media.aio.player`` opens files and
plays them into the renditions that it sends.
"""

from .peer_connection import ConnectionFailed, PeerConnection
from .tracks import LocalTrack, RemoteTrack

__all__ = ["ConnectionFailed", "LocalTrack", "PeerConnection", "RemoteTrack"]
