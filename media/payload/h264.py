"""RTP payload format for H.264 (RFC 6184): single NAL units, STAP-A and FU-A."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from media.bitstream import NalType, ParameterSets, join_annex_b, nal_type, split_annex_b
from media.rtp import RtpPacket
from media.units import AccessUnit, CodecName
from transport import ByteReader, DecodeError

from .assembler import Frame, FrameAssembler
from .fragment import DepacketizerStats, DropReason, Fragment, PayloadTooLarge, cut_equally

STAP_A = 24
FU_A = 28

FU_START = 0x80
FU_END = 0x40

_NRI = 0x60
_F_AND_NRI = 0xE0
_TYPE = 0x1F

NOT_SENT = frozenset(
    {
        NalType.ACCESS_UNIT_DELIMITER,
        NalType.END_OF_SEQUENCE,
        NalType.END_OF_STREAM,
        NalType.FILLER,
    }
)
"""NAL units that say what RTP says by itself, or nothing: they would cost packets."""


class H264Packetizer:
    """Packetization mode 1, non-interleaved (RFC 6184 section 6.3).

    Small NAL units next to each other share a STAP-A, large ones are cut into FU-As of
    equal size. The parameter sets, given here or seen in band, go before every IDR
    picture that lacks them (section 8.4).
    """

    def __init__(self, max_payload: int, *, parameter_sets: Iterable[bytes] = ()) -> None:
        if max_payload < 3:
            raise ValueError(f"an FU-A has at least 3 bytes, not {max_payload}")
        self._max_payload = max_payload
        self._parameter_sets = ParameterSets(parameter_sets)

    def packetize(self, unit: AccessUnit) -> list[Fragment]:
        """The payloads of one access unit; none if it holds no NAL unit."""
        payloads: list[bytes] = []
        batch: list[bytes] = []
        batch_bytes = 1
        for nal in nals_to_send(unit, self._parameter_sets):
            if batch and batch_bytes + 2 + len(nal) > self._max_payload:
                payloads.append(_aggregate(batch))
                batch, batch_bytes = [], 1
            if len(nal) > self._max_payload:
                payloads += _fragment(nal, self._max_payload)
            else:
                batch.append(nal)
                batch_bytes += 2 + len(nal)
        if batch:
            payloads.append(_aggregate(batch))
        return with_marker(payloads)


class H264SingleNalPacketizer:
    """Packetization mode 0, for peers that can do no other (RFC 6184 section 6.2)."""

    def __init__(self, max_payload: int, *, parameter_sets: Iterable[bytes] = ()) -> None:
        self._max_payload = max_payload
        self._parameter_sets = ParameterSets(parameter_sets)

    def packetize(self, unit: AccessUnit) -> list[Fragment]:
        """One payload for each NAL unit.

        Raises:
            PayloadTooLarge: a NAL unit is larger than a payload; none of the access
                unit can be sent. The encoder has to make smaller slices.
        """
        nals = nals_to_send(unit, self._parameter_sets)
        largest = max(map(len, nals), default=0)
        if largest > self._max_payload:
            raise PayloadTooLarge(largest, self._max_payload)
        return with_marker(nals)


class H264Depacketizer:
    """Puts access units together again, from either packetization mode.

    Units come out as Annex B with start codes of four bytes. After a gap the first
    access unit counts only if it begins with a sequence parameter set: of any other
    the beginning may be among what was lost.
    """

    def __init__(self) -> None:
        self.stats = DepacketizerStats()
        self._assembler = FrameAssembler(_starts_access_unit, self.stats)
        self._ready: deque[AccessUnit] = deque()

    def push(self, packet: RtpPacket) -> AccessUnit | None:
        for frame in self._assembler.push(packet):
            self._take(frame)
        return self._ready.popleft() if self._ready else None

    def _take(self, frame: Frame) -> None:
        try:
            nals = _nal_units(frame.payloads)
        except DecodeError:
            self.stats.dropped[DropReason.MALFORMED] += 1
            return
        if nals:
            keyframe = any(nal_type(nal) == NalType.IDR_SLICE for nal in nals)
            data = join_annex_b(nals)
            self._ready.append(AccessUnit(CodecName.H264, data, frame.timestamp, keyframe))
            self.stats.units += 1
            self.stats.keyframes += keyframe


def nals_to_send(unit: AccessUnit, parameter_sets: ParameterSets) -> list[bytes]:
    """What of an access unit goes into packets, parameter sets in front of an IDR."""
    nals = [nal for nal in split_annex_b(unit.data) if nal_type(nal) not in NOT_SENT]
    return parameter_sets.before_idr(nals)


def with_marker(payloads: list[bytes]) -> list[Fragment]:
    """Fragments of one access unit: the last carries the marker bit."""
    last = len(payloads) - 1
    return [Fragment(payload, index == last) for index, payload in enumerate(payloads)]


def _aggregate(nals: list[bytes]) -> bytes:
    """A STAP-A (section 5.7.1), or the NAL unit itself if it is alone."""
    if len(nals) == 1:
        return nals[0]
    forbidden = max(nal[0] & 0x80 for nal in nals)
    importance = max(nal[0] & _NRI for nal in nals)
    parts = [bytes([forbidden | importance | STAP_A])]
    for nal in nals:
        parts += (len(nal).to_bytes(2, "big"), nal)
    return b"".join(parts)


def _fragment(nal: bytes, max_payload: int) -> list[bytes]:
    """FU-As (section 5.8), equally long but for the last."""
    indicator = nal[0] & _F_AND_NRI | FU_A
    kind = nal[0] & _TYPE
    offsets = cut_equally(len(nal) - 1, max_payload - 2)
    payloads = []
    for offset in offsets:
        start = FU_START if offset == 0 else 0
        end = FU_END if offset == offsets[-1] else 0
        head = bytes([indicator, start | end | kind])
        payloads.append(head + nal[1 + offset : 1 + offset + offsets.step])
    return payloads


def _starts_access_unit(payload: bytes) -> bool:
    kind = payload[0] & _TYPE
    if kind == STAP_A and len(payload) > 3:
        kind = payload[3] & _TYPE
    elif kind == FU_A and len(payload) > 1 and payload[1] & FU_START:
        kind = payload[1] & _TYPE
    return kind in (NalType.ACCESS_UNIT_DELIMITER, NalType.SPS)


def _nal_units(payloads: Iterable[bytes]) -> list[bytes]:
    """All NAL units of an access unit, in decoding order (sections 5.6 to 5.8)."""
    nals: list[bytes] = []
    unit = _FragmentationUnit()
    for payload in payloads:
        kind = payload[0] & _TYPE
        if kind == FU_A:
            nals += unit.push(payload)
            continue
        unit.expect_whole()
        match kind:
            case n if 1 <= n <= 23:
                nals.append(payload)
            case n if n == STAP_A:
                nals += _disaggregate(payload)
            case 0 | 30 | 31:
                continue  # reserved: MUST be ignored (section 5.4)
            case _:
                raise DecodeError("H.264 payload", f"type {kind} is of the interleaved mode")
    unit.expect_whole()
    return nals


class _FragmentationUnit:
    """The FU-As of one NAL unit (section 5.8)."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def push(self, payload: bytes) -> list[bytes]:
        """The NAL unit, if this was its last fragment."""
        if len(payload) < 3:
            raise DecodeError("FU-A", "no fragment")
        head = payload[1]
        if head & FU_START and head & FU_END:
            raise DecodeError("FU-A", "start and end in one fragment")
        if bool(head & FU_START) == bool(self._parts):
            raise DecodeError("FU-A", "out of place")
        if head & FU_START:
            self._parts.append(bytes([payload[0] & _F_AND_NRI | head & _TYPE]))
        elif head & _TYPE != self._parts[0][0] & _TYPE:
            raise DecodeError("FU-A", "of another NAL unit type")
        self._parts.append(payload[2:])
        if not head & FU_END:
            return []
        nal = b"".join(self._parts)
        self._parts = []
        return [nal]

    def expect_whole(self) -> None:
        if self._parts:
            raise DecodeError("FU-A", "without its end")


def _disaggregate(payload: bytes) -> list[bytes]:
    reader = ByteReader(payload, "STAP-A")
    reader.skip(1)
    nals = []
    while reader.remaining:
        nal = reader.take(reader.uint16())
        if not nal:
            raise DecodeError("STAP-A", "an empty NAL unit")
        nals.append(nal)
    return nals
