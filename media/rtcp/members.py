"""Who takes part in a session, as far as RTCP timing counts them (RFC 3550 section 6.3)."""

from __future__ import annotations

MEMBER_TIMEOUT_INTERVALS = 5
SENDER_TIMEOUT_INTERVALS = 2

MAX_MEMBERS = 1024
"""As many SSRCs as an SRTP context lets through; more would not lengthen intervals usefully."""


class RtcpMembers:
    """The SSRCs heard of, ours among them, and which of them send."""

    __slots__ = ("_heard", "_ours", "_sent")

    def __init__(self) -> None:
        self._heard: dict[int, float] = {}
        self._sent: dict[int, float] = {}
        self._ours: set[int] = set()

    def __len__(self) -> int:
        return len(self._heard.keys() | self._ours)

    @property
    def senders(self) -> int:
        return len(self._sent)

    @property
    def we_sent(self) -> bool:
        """Whether a source of ours sent RTP within the last two intervals."""
        return not self._ours.isdisjoint(self._sent)

    def add_ours(self, ssrc: int) -> None:
        """A source of ours, which stays a member."""
        self._ours.add(ssrc)

    def rtcp_received(self, ssrc: int, now: float) -> None:
        """A report or description came from that source."""
        if ssrc in self._heard or len(self._heard) < MAX_MEMBERS:
            self._heard[ssrc] = now

    def rtp_received(self, ssrc: int, now: float) -> None:
        """A packet of media came from that source."""
        self.rtcp_received(ssrc, now)
        if ssrc in self._heard:
            self._sent[ssrc] = now

    def rtp_sent(self, ssrc: int, now: float) -> None:
        """A source of ours sent a packet of media."""
        self._ours.add(ssrc)
        self._sent[ssrc] = now

    def remove(self, ssrc: int) -> None:
        """The source said goodbye; it need not be known. A peer cannot say it for ours."""
        if ssrc not in self._ours:
            self._heard.pop(ssrc, None)
            self._sent.pop(ssrc, None)

    def expire(self, now: float, interval: float) -> None:
        """Forget who was silent for too many intervals (6.3.5)."""
        oldest = now - MEMBER_TIMEOUT_INTERVALS * interval
        self._heard = {ssrc: at for ssrc, at in self._heard.items() if at >= oldest}
        oldest = now - SENDER_TIMEOUT_INTERVALS * interval
        self._sent = {ssrc: at for ssrc, at in self._sent.items() if at >= oldest}
