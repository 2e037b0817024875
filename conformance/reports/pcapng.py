"""A report for Wireshark and its kind: what was on the wire, as a pcapng file.

Frames are recorded above the sockets, so that the headers of IP, UDP and TCP are made here, as
they would have been; what went through TLS stands without it. A packet's comment says which row
it belongs to. Blocks and options: draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Final

from conformance.outcome import Direction, Frame
from conformance.report import Report, entries
from transport import TransportAddress

from .packets import MAX_PAYLOAD, Tcp, udp_packet

_SECTION_HEADER: Final = 0x0A0D0D0A
_INTERFACE: Final = 1
_ENHANCED_PACKET: Final = 6
_BYTE_ORDER: Final = 0x1A2B3C4D
_LINKTYPE_RAW: Final = 101
"""A packet begins with its IPv4 or IPv6 header."""
_COMMENT: Final = 1
_NAME: Final = 2
_APPLICATION: Final = 4
_LENGTH_UNKNOWN: Final = 0xFFFFFFFFFFFFFFFF
_MICROSECONDS: Final = 1_000_000
"""Of a second: what times count in, as no if_tsresol says otherwise."""


def to_pcapng(report: Report) -> bytes:
    """A section with one interface, and a packet for each frame, by time."""
    header = struct.pack("<IHHQ", _BYTE_ORDER, 1, 0, _LENGTH_UNKNOWN)
    interface = struct.pack("<HHI", _LINKTYPE_RAW, 0, 0)
    blocks = [
        _block(_SECTION_HEADER, header + _options((_APPLICATION, "hairpin conformance"))),
        _block(_INTERFACE, interface + _options((_NAME, str(report.target)))),
    ]
    streams: dict[tuple[TransportAddress, TransportAddress], Tcp] = {}
    for frame, comment in sorted(_frames(report).items(), key=lambda each: each[0].at):
        when = round((report.begun + frame.at) * _MICROSECONDS)
        for packet in _packets(frame, streams):
            blocks.append(_packet(packet, when, comment))
    return b"".join(blocks)


def _frames(report: Report) -> Mapping[Frame, str]:
    """Every frame once, though several rows may speak of it, with what they make of it."""
    found: dict[Frame, list[str]] = {}
    for entry in entries(report):
        comment = f"{entry.requirement.id} {entry.verdict.value}: {entry.requirement.title}"
        for frame in entry.result.frames:
            found.setdefault(frame, []).append(comment)
    return {frame: "\n".join(dict.fromkeys(comments)) for frame, comments in found.items()}


def _packets(
    frame: Frame, streams: dict[tuple[TransportAddress, TransportAddress], Tcp]
) -> Iterator[bytes]:
    ends = (frame.local, frame.remote)
    source, destination = ends if frame.direction is Direction.SENT else ends[::-1]
    if not frame.is_stream:
        yield udp_packet(source, destination, frame.data[:MAX_PAYLOAD])
        return
    stream = streams.setdefault(ends, Tcp())
    for begin in range(0, len(frame.data), MAX_PAYLOAD):
        yield stream.packet(source, destination, frame.data[begin : begin + MAX_PAYLOAD])


def _packet(packet: bytes, when: int, comment: str) -> bytes:
    head = struct.pack("<IIIII", 0, when >> 32, when & 0xFFFFFFFF, len(packet), len(packet))
    return _block(_ENHANCED_PACKET, head + _padded(packet) + _options((_COMMENT, comment)))


def _options(*options: tuple[int, str]) -> bytes:
    written = b""
    for code, text in options:
        value = text.encode()
        written += struct.pack("<HH", code, len(value)) + _padded(value)
    return written + bytes(4)


def _block(kind: int, body: bytes) -> bytes:
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
