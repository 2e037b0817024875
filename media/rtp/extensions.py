"""The block of header extensions of an RTP packet (RFC 8285 sections 4.1 to 4.3)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from transport import DecodeError

ONE_BYTE_PROFILE = 0xBEDE
TWO_BYTE_PROFILE = 0x1000
"""The low four bits are "appbits", which a receiver ignores."""

MAX_ONE_BYTE_ID = 14
MAX_ONE_BYTE_LENGTH = 16
MAX_ID = 255
MAX_LENGTH = 255
_STOP_HEAD = 0xF0
"""Of id 15, whatever its length: what follows is ignored (RFC 8285 section 4.2)."""

_pack_block_header = struct.Struct("!HH").pack


class HeaderExtension(NamedTuple):
    """One element: the id that the session agreed on, and its data."""

    id: int
    data: bytes


_new_element = tuple.__new__  # what HeaderExtension() comes to, at half the cost


def is_rfc8285(profile: int) -> bool:
    """Whether a "defined by profile" value announces elements in one of the two forms."""
    return profile == ONE_BYTE_PROFILE or profile & 0xFFF0 == TWO_BYTE_PROFILE


def decode_extensions(profile: int, block: bytes) -> tuple[HeaderExtension, ...]:
    """The elements of a block, in order, unknown ones and duplicates too.

    Raises:
        DecodeError: an element reaches beyond the block.
    """
    if profile == ONE_BYTE_PROFILE:
        return decode_one_byte(block)
    return _decode_two_byte(block)


def decode_one_byte(block: bytes) -> tuple[HeaderExtension, ...]:
    """The elements of a block of the one-byte form, which nearly all packets have.

    Raises:
        DecodeError: an element reaches beyond the block.
    """
    elements = []
    offset, size = 0, len(block)
    while offset < size:
        head = block[offset]
        offset += 1
        if head >= _STOP_HEAD:
            break
        if head:  # else it is padding
            end = offset + 1 + (head & 0x0F)
            if end > size:
                raise DecodeError("RTP header extension", f"element {head >> 4} is cut off")
            # An id of 0 with a length is not padding, but no element can have it either.
            if head > 0x0F:
                elements.append(_new_element(HeaderExtension, (head >> 4, block[offset:end])))
            offset = end
    return tuple(elements)


def _decode_two_byte(block: bytes) -> tuple[HeaderExtension, ...]:
    elements = []
    offset, size = 0, len(block)
    while offset < size:
        element_id = block[offset]
        offset += 1
        if element_id == 0:  # padding, which has no length byte
            continue
        if offset == size:
            raise DecodeError("RTP header extension", f"element {element_id} has no length")
        end = offset + 1 + block[offset]
        if end > size:
            raise DecodeError("RTP header extension", f"element {element_id} is cut off")
        elements.append(HeaderExtension(element_id, block[offset + 1 : end]))
        offset = end
    return tuple(elements)


def encode_extensions(elements: Iterable[HeaderExtension]) -> bytes:
    """The block with its header of four bytes, padded to whole words; no elements, no bytes.

    The one-byte form is used where it can hold all elements, as receivers must know
    it and need not know the other (RFC 8285 section 4.1.2).

    Raises:
        ValueError: an id is not from 1 to 255, or data longer than 255 bytes.
    """
    elements = tuple(elements)
    if not elements:
        return b""
    if all(
        1 <= e.id <= MAX_ONE_BYTE_ID and 1 <= len(e.data) <= MAX_ONE_BYTE_LENGTH for e in elements
    ):
        profile = ONE_BYTE_PROFILE
        body = b"".join(bytes((e.id << 4 | len(e.data) - 1,)) + e.data for e in elements)
    else:
        profile = TWO_BYTE_PROFILE
        body = b"".join(_two_byte_element(element) for element in elements)
    return encode_block(profile, body + bytes(-len(body) % 4))


def encode_block(profile: int, block: bytes) -> bytes:
    """A block of whole words behind its header.

    Raises:
        ValueError: it is not of whole words, or of more than 65535.
    """
    if len(block) % 4 or len(block) > 4 * 0xFFFF:
        raise ValueError(f"a header extension has up to 65535 whole words, not {len(block)} bytes")
    return _pack_block_header(profile, len(block) // 4) + block


def _two_byte_element(element: HeaderExtension) -> bytes:
    if not 1 <= element.id <= MAX_ID or len(element.data) > MAX_LENGTH:
        raise ValueError(f"no header extension has id {element.id}, {len(element.data)} bytes")
    return bytes((element.id, len(element.data))) + element.data
