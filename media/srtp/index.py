"""Packet index, rollover counter and replay window (RFC 3711 sections 3.3.1, 3.3.2)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from .errors import SrtpError, SrtpFailure

_RTP_FIXED_LENGTH = 12

MAX_RTP_INDEX = (1 << 48) - 1
MAX_RTCP_INDEX = (1 << 31) - 1

MAX_STREAMS = 1024
"""SSRCs in one context. The state of an SSRC is kept as long as its key, as
forgetting it would let its packets be replayed, or its indexes be used again; a
peer that goes on making up SSRCs is refused instead."""

REPLAY_WINDOW = 1024
"""Packets. RFC 3711 asks for 64 or more; a burst of video reordered by a second
path is longer than that."""

unpack_sequence_and_ssrc = struct.Struct("!2xH4xI").unpack_from
"""The two fields of an RTP header that an index belongs to."""

_WINDOW_MASK = (1 << REPLAY_WINDOW) - 1


def estimate_index(sequence_number: int, highest: int) -> int:
    """The packet index that a sequence number stands for.

    ``highest`` is the greatest index seen so far. The estimate is the index that
    comes closest to it (RFC 3711 appendix A); at equal distance the rollover
    counter stays. There is nothing below index 0: before the first rollover a
    sequence number far above is taken as it stands.

    Raises:
        SrtpError: KEY_EXHAUSTED, it would be beyond the last index.
    """
    step = (sequence_number - highest) & 0xFFFF
    if step > 0x8000 or (step == 0x8000 and highest & 0x8000):
        step -= 0x10000
    index = highest + step
    if index > MAX_RTP_INDEX:
        raise SrtpError(SrtpFailure.KEY_EXHAUSTED)
    return index if index >= 0 else index + 0x10000


def next_index(sequence_number: int, last: int, *, count: int = 1) -> int:
    """The index of a packet to send, when ``last`` was the one used before.

    ``count`` is of how many packets it is the first.

    Raises:
        SrtpError: INDEX_REUSED, when the sequence number does not come after the last one
            or so far ahead that a receiver would take it for an old one; KEY_EXHAUSTED.
    """
    step = (sequence_number - last) & 0xFFFF
    if not 0 < step < 0x8000:
        raise SrtpError(SrtpFailure.INDEX_REUSED)
    if last + step + count > MAX_RTP_INDEX + 1:
        raise SrtpError(SrtpFailure.KEY_EXHAUSTED)
    return last + step


def check_run(headers: Sequence[bytes], payloads: Sequence[bytes]) -> None:
    """Look whether packets can be a run: one SSRC, consecutive sequence numbers.

    Only the ends are looked at. That no index serves twice does not rest on it.

    Raises:
        ValueError: they are no run.
    """
    if len(headers) != len(payloads):
        raise ValueError(f"{len(headers)} headers for {len(payloads)} payloads")
    if not headers:
        return
    first, ssrc = unpack_sequence_and_ssrc(headers[0])
    if unpack_sequence_and_ssrc(headers[-1]) != ((first + len(headers) - 1) & 0xFFFF, ssrc):
        raise ValueError("a run is of one SSRC, with consecutive sequence numbers")


def header_length(data: bytes, overhead: int) -> int:
    """Where the payload of an SRTP packet begins, behind CSRCs and extension.

    Raises:
        SrtpError: MALFORMED; less than ``overhead`` bytes follow.
    """
    size = len(data) - overhead
    if size < _RTP_FIXED_LENGTH:
        raise SrtpError(SrtpFailure.MALFORMED)
    first = data[0]
    if first >> 6 != 2:
        raise SrtpError(SrtpFailure.MALFORMED)
    end = _RTP_FIXED_LENGTH + 4 * (first & 0x0F)
    if first & 0x10:
        if size < end + 4:
            raise SrtpError(SrtpFailure.MALFORMED)
        end += 4 + 4 * (data[end + 2] << 8 | data[end + 3])
    if size < end:
        raise SrtpError(SrtpFailure.MALFORMED)
    return end


class SentIndexes:
    """The last index that each SSRC of ours has used."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[int, int] = {}

    def take(self, ssrc: int, sequence_number: int, *, count: int = 1) -> int:
        """The index of the first of ``count`` packets; none of theirs can be had again.

        They are spent before any is used: whatever an exception leaves behind, or the
        headers of a run say, no index serves twice. The first rollover counter is 0.

        Raises:
            SrtpError: INDEX_REUSED, KEY_EXHAUSTED or TOO_MANY_STREAMS.
        """
        last = self._last.get(ssrc)
        if last is None:
            if len(self._last) >= MAX_STREAMS:
                raise SrtpError(SrtpFailure.TOO_MANY_STREAMS)
            last = sequence_number - 1
        first = next_index(sequence_number, last, count=count)
        self._last[ssrc] = first + count - 1
        return first


class ReplayWindow:
    """Which of the last REPLAY_WINDOW indexes have been accepted."""

    __slots__ = ("_accepted", "highest")

    def __init__(self) -> None:
        self.highest = -1
        self._accepted = 0  # bit n: the index n below the highest

    def locate(self, sequence_number: int) -> int:
        """The index of an RTP packet, which may still be a forgery.

        Raises:
            SrtpError: REPLAYED, TOO_OLD or KEY_EXHAUSTED.
        """
        highest = self.highest
        if highest < 0:
            return sequence_number
        step = (sequence_number - highest) & 0xFFFF
        if 0 < step < 0x8000 and highest < MAX_RTP_INDEX - 0x8000:  # as nearly always
            return highest + step
        index = estimate_index(sequence_number, highest)
        self.check(index)
        return index

    def check(self, index: int) -> None:
        """Refuse an index that was accepted before, or may have been.

        Raises:
            SrtpError: REPLAYED or TOO_OLD.
        """
        age = self.highest - index
        if age < 0:
            return
        if age >= REPLAY_WINDOW:
            raise SrtpError(SrtpFailure.TOO_OLD)
        if self._accepted >> age & 1:
            raise SrtpError(SrtpFailure.REPLAYED)

    def accept(self, index: int) -> None:
        """Note an index, once its packet has been authenticated."""
        step = index - self.highest
        if step == 1:
            self._accepted = self._accepted << 1 & _WINDOW_MASK | 1
            self.highest = index
            return
        if step <= 0:
            self._accepted |= 1 << -step
            return
        # A shift by more than the window would only build a number to cut off again.
        kept = self._accepted << step & _WINDOW_MASK if step < REPLAY_WINDOW else 0
        self._accepted = kept | 1
        self.highest = index


def window_of(windows: dict[int, ReplayWindow], ssrc: int) -> ReplayWindow:
    """The SSRC's window; a new one joins the table only when a packet has proved its SSRC.

    Raises:
        SrtpError: TOO_MANY_STREAMS.
    """
    window = windows.get(ssrc)
    if window is not None:
        return window
    if len(windows) >= MAX_STREAMS:
        raise SrtpError(SrtpFailure.TOO_MANY_STREAMS)
    return ReplayWindow()
