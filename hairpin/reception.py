"""What a viewer has received, for whoever shows it, and on its way into a file."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Collection, Sequence

from media import CodecName, MediaKind
from media.aio import PeerConnection
from media.aio.recorder import FileRecorder
from media.session import DEFAULT_CODECS, CandidatePairStats, InboundRtpStats, UnitReceived
from sdp import RtpCodec


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """How reception goes: counts since the beginning, and the way it takes now."""

    seconds: float = 0.0
    video: int = 0
    audio: int = 0
    payload_bytes: int = 0
    lost: int = 0
    pair: str = ""


class Reception:
    """Counts what comes over a viewer's connections, and hands it to a recorder."""

    def __init__(self, recorder: FileRecorder | None = None) -> None:
        self.recorder = recorder
        self.begun = asyncio.Event()
        """Set when the first unit came."""
        self._clock = asyncio.get_running_loop().time
        self._begun_at = 0.0
        self._frames = dict.fromkeys(MediaKind, 0)
        self._bytes = 0
        self._lost_before = 0

    def begin(self, kinds: Collection[MediaKind]) -> None:
        """A connection is there that will deliver these kinds of media."""
        if self.recorder is not None:
            self.recorder.begin(kinds)

    def push(self, received: UnitReceived) -> None:
        """Take a unit."""
        if self.recorder is not None:
            self.recorder.push(received)
            if self.recorder.error is not None:
                return
        if not self.begun.is_set():
            self._begun_at = self._clock()
            self.begun.set()
        self._frames[received.unit.codec.kind] += 1
        self._bytes += received.unit.size_bytes

    async def end(self, connection: PeerConnection) -> None:
        """A connection is over; what it has lost stays counted."""
        self._lost_before += (await _way(connection))[0]

    async def figures(self, connection: PeerConnection | None) -> Figures:
        """How it goes now, over this connection."""
        lost, pair = (0, "") if connection is None else await _way(connection)
        return Figures(
            self._clock() - self._begun_at if self.begun.is_set() else 0.0,
            self._frames[MediaKind.VIDEO],
            self._frames[MediaKind.AUDIO],
            self._bytes,
            self._lost_before + lost,
            pair,
        )

    def video_codecs(self) -> Sequence[RtpCodec]:
        """What to ask a master for: what the file takes first, and nothing else once it is
        clear which codec it holds."""
        codecs = [codec for codec in DEFAULT_CODECS if codec.kind is MediaKind.VIDEO]
        if self.recorder is None:
            return codecs
        held = self.recorder.video_codec
        if held is not None:
            return [codec for codec in codecs if codec.is_rtx or codec.name == held]
        taken = self.recorder.container.codecs
        return sorted(codecs, key=lambda c: not c.is_rtx and _name(c) not in taken)


def _name(codec: RtpCodec) -> CodecName | None:
    return next((name for name in CodecName if name == codec.name), None)


async def _way(connection: PeerConnection) -> tuple[int, str]:
    """Packets lost so far, and the types of the pair that is in use."""
    lost, pair = 0, ""
    for record in (await connection.get_stats()).values():
        if isinstance(record, InboundRtpStats):
            lost += max(0, record.packets_lost)
        elif isinstance(record, CandidatePairStats):
            pair = pair_types(record)
    return lost, pair


def pair_types(pair: CandidatePairStats) -> str:
    """Such as ``host/relay``: ours, then the peer's (RFC 8839 section 5.1, cand-type)."""
    return "/".join(_type(text) for text in (pair.local_candidate, pair.remote_candidate))


def _type(candidate: str) -> str:
    words = candidate.split()
    return words[words.index("typ") + 1]
