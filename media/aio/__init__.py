"""The asyncio side of media: peer connections, players of media sources, recorders.

``PeerConnection`` is media to and from one peer; ``media.aio.player`` opens files and
plays them into the renditions that it sends; ``media.aio.recorder`` writes what it
receives into a file.
"""

from .peer_connection import ConnectionFailed, PeerConnection
from .tracks import LocalTrack, RemoteTrack

__all__ = ["ConnectionFailed", "LocalTrack", "PeerConnection", "RemoteTrack"]
