"""Datagrams of RTCP: compound packets and reduced-size ones (RFC 3550 6.1, RFC 5506)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from transport import DecodeError

from .description import App, Goodbye, SourceDescription
from .feedback import (
    REMB_IDENTIFIER,
    FullIntraRequest,
    GenericNack,
    PictureLossIndication,
    ReceiverEstimatedMaximumBitrate,
)
from .header import (
    HEADER_LENGTH,
    PACKET_TYPE_APP,
    PACKET_TYPE_BYE,
    PACKET_TYPE_PSFB,
    PACKET_TYPE_RR,
    PACKET_TYPE_RTPFB,
    PACKET_TYPE_SDES,
    PACKET_TYPE_SR,
    UnknownRtcp,
)
from .reports import ReceiverReport, SenderReport
from .transport_feedback import TransportFeedback

RtcpPacket = (
    SenderReport
    | ReceiverReport
    | SourceDescription
    | Goodbye
    | App
    | GenericNack
    | TransportFeedback
    | PictureLossIndication
    | FullIntraRequest
    | ReceiverEstimatedMaximumBitrate
    | UnknownRtcp
)

_BY_TYPE: dict[int, Callable[[int, bytes], RtcpPacket]] = {
    PACKET_TYPE_SR: SenderReport.decode,
    PACKET_TYPE_RR: ReceiverReport.decode,
    PACKET_TYPE_SDES: SourceDescription.decode,
    PACKET_TYPE_BYE: Goodbye.decode,
    PACKET_TYPE_APP: App.decode,
}

_BY_FORMAT: dict[tuple[int, int], Callable[[bytes], RtcpPacket]] = {
    (PACKET_TYPE_RTPFB, GenericNack.FORMAT): GenericNack.decode,
    (PACKET_TYPE_RTPFB, TransportFeedback.FORMAT): TransportFeedback.decode,
    (PACKET_TYPE_PSFB, PictureLossIndication.FORMAT): PictureLossIndication.decode,
    (PACKET_TYPE_PSFB, FullIntraRequest.FORMAT): FullIntraRequest.decode,
    (
        PACKET_TYPE_PSFB,
        ReceiverEstimatedMaximumBitrate.FORMAT,
    ): ReceiverEstimatedMaximumBitrate.decode,
}


def is_rtcp(data: bytes) -> bool:
    """Whether an RTP or RTCP datagram on one port is RTCP (RFC 5761 section 4).

    By the second byte, 192 to 223: RTP would need the payload types 64 to 95 there.
    """
    return len(data) >= 2 and data[0] >> 6 == 2 and 192 <= data[1] <= 223


def decode_compound(data: bytes) -> list[RtcpPacket]:
    """Read every packet of a datagram, in order, unknown ones too.

    A reduced-size packet is read as well: whether it was negotiated is for the
    session to know, and SRTCP has authenticated what comes here (else see
    ``is_full_compound``). Padding is taken off wherever it stands.

    Raises:
        DecodeError: a packet is malformed, or the lengths do not add up.
    """
    if not data:
        raise DecodeError("RTCP", "no packet at all")
    packets = []
    offset = 0
    while offset < len(data):
        if len(data) - offset < HEADER_LENGTH or data[offset] >> 6 != 2:
            raise DecodeError("RTCP", f"no header of version 2 at {offset}")
        end = offset + HEADER_LENGTH + 4 * int.from_bytes(data[offset + 2 : offset + 4], "big")
        if end > len(data):
            raise DecodeError("RTCP", f"the packet at {offset} is cut off")
        packets.append(_decode_packet(data[offset:end]))
        offset = end
    return packets


def is_full_compound(packets: Sequence[RtcpPacket]) -> bool:
    """Whether it is what RFC 3550 section 6.1 asks for: a report first, and a CNAME."""
    return (
        bool(packets)
        and isinstance(packets[0], SenderReport | ReceiverReport)
        and any(
            isinstance(packet, SourceDescription)
            and any(chunk.cname is not None for chunk in packet.chunks)
            for packet in packets
        )
    )


def encode_compound(packets: Sequence[RtcpPacket]) -> bytes:
    """A compound packet.

    Raises:
        ValueError: it does not start with a report, has no CNAME (RFC 3550 section 6.1),
            or a field is out of its range.
    """
    if not is_full_compound(packets):
        raise ValueError("a compound packet starts with a report and has an SDES CNAME")
    return encode_reduced_size(packets)


def encode_reduced_size(packets: Sequence[RtcpPacket]) -> bytes:
    """Packets of any kind, for a session that negotiated rtcp-rsize (RFC 5506 section 5).

    Raises:
        ValueError: there is none, or a field is out of its range.
    """
    if not packets:
        raise ValueError("a datagram of RTCP has one packet at least")
    return b"".join(packet.encode() for packet in packets)


def _decode_packet(packet: bytes) -> RtcpPacket:
    count, packet_type = packet[0] & 0x1F, packet[1]
    body = packet[HEADER_LENGTH:]
    if packet[0] & 0x20:
        padding = body[-1] if body else 0
        if padding == 0 or padding % 4 or padding > len(body):
            raise DecodeError("RTCP", f"padding of {padding} bytes")
        body = body[:-padding]
    return _decoder(packet_type, count, body)(body)


def _decoder(packet_type: int, count: int, body: bytes) -> Callable[[bytes], RtcpPacket]:
    if (by_type := _BY_TYPE.get(packet_type)) is not None:
        return functools.partial(by_type, count)
    is_other_application_feedback = (packet_type, count) == (
        PACKET_TYPE_PSFB,
        ReceiverEstimatedMaximumBitrate.FORMAT,
    ) and body[8:12] != REMB_IDENTIFIER
    by_format = _BY_FORMAT.get((packet_type, count))
    if by_format is None or is_other_application_feedback:
        return functools.partial(UnknownRtcp, packet_type, count)
    return by_format
