"""RTP packets (RFC 3550 section 5.1)."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import add
from typing import NamedTuple, Self

from transport import DecodeError

from .extensions import (
    ONE_BYTE_PROFILE,
    HeaderExtension,
    decode_extensions,
    decode_one_byte,
    encode_block,
    encode_extensions,
    is_rfc8285,
)

FIXED_HEADER_LENGTH = 12
MAX_CSRCS = 15
MAX_PADDING = 255

_VERSION = 0x80
_PADDING = 0x20
_EXTENSION = 0x10
_MARKER = 0x80

_fixed_header = struct.Struct("!BBHII")
_pack_fixed_header = _fixed_header.pack
_unpack_fixed_header = _fixed_header.unpack_from
_unpack_extension_header = struct.Struct("!HH").unpack_from
_new_packet = object.__new__
_pack_changing = struct.Struct("!BBH").pack
_pack_constant = struct.Struct("!II").pack


class OpaqueExtension(NamedTuple):
    """A header extension that is not of RFC 8285, kept as it came (RFC 3550 section 5.3.1)."""

    profile: int
    block: bytes


# Not frozen, and decode() sets the fields one by one: one is made per datagram received,
# and the constructor would add to its 0.6 microseconds (bench_decode_rtp) as much again.
# What cannot be encoded, encode() refuses.
@dataclasses.dataclass(slots=True, kw_only=True)
class RtpPacket:
    """A packet of one source.

    ``sequence_number`` and ``timestamp`` are the 16 and 32 bits on the wire;
    ``padding`` counts the bytes added behind the payload, the count byte among them.
    """

    payload_type: int
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes = b""
    marker: bool = False
    csrcs: tuple[int, ...] = ()
    extensions: tuple[HeaderExtension, ...] = ()
    opaque_extension: OpaqueExtension | None = None
    padding: int = 0

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a packet.

        Raises:
            DecodeError: it is cut off, of another version, or its padding is longer than it.
        """
        if len(data) < FIXED_HEADER_LENGTH:
            raise DecodeError("RTP packet", f"{len(data)} bytes long")
        first, second, sequence_number, timestamp, ssrc = _unpack_fixed_header(data)
        if first >> 6 != 2:
            raise DecodeError("RTP packet", f"version {first >> 6}")
        packet = _new_packet(cls)
        packet.payload_type = second & 0x7F
        packet.sequence_number = sequence_number
        packet.timestamp = timestamp
        packet.ssrc = ssrc
        packet.marker = second >= _MARKER
        packet.csrcs = packet.extensions = ()
        packet.opaque_extension = None
        packet.padding = 0
        if first == _VERSION:  # neither CSRCs, extension nor padding
            packet.payload = data[FIXED_HEADER_LENGTH:]
        elif first == _VERSION | _EXTENSION:
            packet.payload = data[packet._decode_extension(data, FIXED_HEADER_LENGTH) :]
        else:
            packet._decode_options(first, data)
        return packet

    def encode(self) -> bytes:
        """The whole packet.

        Raises:
            ValueError: a field is out of its range.
        """
        return b"".join((self.encode_header(), self.payload, self._encode_padding()))

    def encode_header(self) -> bytes:
        """The header with CSRCs and extension, as SRTP leaves it readable.

        Raises:
            ValueError: a field is out of its range.
        """
        if not 0 <= self.payload_type <= 0x7F or len(self.csrcs) > MAX_CSRCS:
            raise ValueError(f"payload type {self.payload_type}, {len(self.csrcs)} CSRCs")
        if self.opaque_extension is not None and self.extensions:
            raise ValueError("a packet has elements of RFC 8285 or another extension, not both")
        if self.opaque_extension is not None:
            extension = encode_block(*self.opaque_extension)
        else:
            extension = encode_extensions(self.extensions)
        first = (
            _VERSION
            | (_PADDING if self.padding else 0)
            | (_EXTENSION if extension else 0)
            | len(self.csrcs)
        )
        second = self.payload_type | (_MARKER if self.marker else 0)
        try:
            fixed = _pack_fixed_header(
                first, second, self.sequence_number, self.timestamp, self.ssrc
            )
            return fixed + struct.pack(f"!{len(self.csrcs)}I", *self.csrcs) + extension
        except struct.error as error:
            raise ValueError("a field of the RTP header is out of its range") from error

    def extension(self, extension_id: int) -> bytes | None:
        """The data of the first element with that id, or None."""
        for element in self.extensions:
            if element.id == extension_id:
                return element.data
        return None

    def _decode_options(self, first: int, data: bytes) -> None:
        offset = FIXED_HEADER_LENGTH + 4 * (first & 0x0F)
        if len(data) < offset:
            raise DecodeError("RTP packet", "the CSRCs are cut off")
        if first & 0x0F:
            self.csrcs = struct.unpack_from(f"!{first & 0x0F}I", data, FIXED_HEADER_LENGTH)
        if first & _EXTENSION:
            offset = self._decode_extension(data, offset)
        end = len(data)
        if first & _PADDING:
            self.padding = data[-1] if end > offset else 0
            if not 0 < self.padding <= end - offset:
                raise DecodeError("RTP packet", f"padding of {self.padding} bytes")
            end -= self.padding
        self.payload = data[offset:end]

    def _decode_extension(self, data: bytes, offset: int) -> int:
        """Read the extension at ``offset`` and return where it ends."""
        if len(data) < offset + 4:
            raise DecodeError("RTP packet", "the header extension is cut off")
        profile, words = _unpack_extension_header(data, offset)
        end: int = offset + 4 + 4 * words
        if len(data) < end:
            raise DecodeError("RTP packet", "the header extension is cut off")
        block = data[offset + 4 : end]
        if profile == ONE_BYTE_PROFILE:
            self.extensions = decode_one_byte(block)
        elif is_rfc8285(profile):
            self.extensions = decode_extensions(profile, block)
        else:
            self.opaque_extension = OpaqueExtension(profile, block)
        return end

    def _encode_padding(self) -> bytes:
        if not 0 <= self.padding <= MAX_PADDING:
            raise ValueError(f"padding is of up to {MAX_PADDING} bytes, not {self.padding}")
        return bytes(self.padding - 1) + bytes((self.padding,)) if self.padding else b""


def pack_header(
    payload_type_and_marker: int,
    sequence_number: int,
    timestamp: int,
    ssrc: int,
    extension: bytes = b"",
) -> bytes:
    """A header without CSRCs, for the loop that sends one per viewer and packet.

    ``payload_type_and_marker`` is the second byte of the header; ``extension`` is what
    ``encode_extensions`` returned, or empty. Nothing is checked here but what
    struct checks (struct.error): the caller keeps its counters within 16 and 32 bits.
    """
    if extension:
        return (
            _pack_fixed_header(
                _VERSION | _EXTENSION, payload_type_and_marker, sequence_number, timestamp, ssrc
            )
            + extension
        )
    return _pack_fixed_header(_VERSION, payload_type_and_marker, sequence_number, timestamp, ssrc)


def pack_headers(
    payload_types_and_markers: Iterable[int],
    sequence_number: int,
    timestamp: int,
    ssrc: int,
    extensions: Sequence[bytes],
) -> list[bytes]:
    """As ``pack_header``, for packets of one timestamp whose sequence numbers follow on.

    ``extensions`` has what ``encode_extensions`` returned for each of them: something for
    all, or for none.
    """
    count = len(extensions)
    first = _VERSION | _EXTENSION if extensions and extensions[0] else _VERSION
    numbers: Iterable[int] = range(sequence_number, sequence_number + count)
    if sequence_number + count > 1 << 16:
        numbers = [number & 0xFFFF for number in numbers]
    # Maps, as one call of Python's own per field costs half of a loop of ours.
    begins = map(_pack_changing, repeat(first), payload_types_and_markers, numbers)
    ends = map(add, repeat(_pack_constant(timestamp, ssrc)), extensions)
    return list(map(add, begins, ends))
