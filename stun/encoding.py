"""Writing messages (RFC 8489 sections 6 and 14)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final
from zlib import crc32

from .attributes.base import AnyAttribute
from .constants import (
    FINGERPRINT,
    FINGERPRINT_XOR,
    MAGIC_COOKIE,
    MESSAGE_INTEGRITY,
    MESSAGE_INTEGRITY_SHA256,
    TRANSACTION_ID_SIZE,
)
from .integrity import IntegrityAlgorithm, IntegrityKey
from .types import MessageClass, join_type

_pack_two = struct.Struct("!HH").pack
_pack_fingerprint = struct.Struct("!II").pack
_SHA1_HEAD: Final = _pack_two(MESSAGE_INTEGRITY, 20)
_SHA256_HEAD: Final = _pack_two(MESSAGE_INTEGRITY_SHA256, 32)
_FINGERPRINT_HEAD: Final = FINGERPRINT << 16 | 4
_SHA1_SIZE = 24
_SHA256_SIZE = 36
_FINGERPRINT_SIZE = 8
_REST_OF_HEADER = 16
_COOKIE: Final = MAGIC_COOKIE.to_bytes(4, "big")
_PADDING: Final = (b"", b"\0\0\0", b"\0\0", b"\0")

# An enum's members are slow to reach through their class.
_ONLY_SHA1: Final = IntegrityAlgorithm.SHA1
_ONLY_SHA256: Final = IntegrityAlgorithm.SHA256


def encode_message(
    method: int,
    message_class: MessageClass,
    transaction_id: bytes,
    attributes: Sequence[AnyAttribute],
    *,
    key: IntegrityKey | None = None,
    algorithm: IntegrityAlgorithm = IntegrityAlgorithm.SHA1,
    fingerprint: bool = False,
) -> bytes:
    """A message with its attributes in order, then integrity, then FINGERPRINT.

    Without a key there is no integrity attribute.

    Raises:
        ValueError: the method, the transaction id or an attribute cannot be
            encoded, or the message would be longer than 65552 bytes.
    """
    if len(transaction_id) != TRANSACTION_ID_SIZE:
        raise ValueError(f"a transaction id has 12 bytes, not {len(transaction_id)}")
    kind = method | message_class if 0 < method < 0x010 else join_type(method, message_class)
    # All behind the two numbers that the header starts with, the second of which,
    # the length, takes another value for each digest (sections 14.5 to 14.7).
    rest = _COOKIE + transaction_id
    try:
        for attribute in attributes:
            value = attribute.encode(transaction_id)
            size = len(value)
            rest += _pack_two(attribute.TYPE, size) + value
            if size & 3:
                rest += _PADDING[size & 3]
        length = len(rest) - _REST_OF_HEADER
        if key is not None:
            if algorithm is not _ONLY_SHA256:
                length += _SHA1_SIZE
                state = key.new_sha1()
                state.update(_pack_two(kind, length) + rest)
                rest += _SHA1_HEAD + state.finalize()
            if algorithm is not _ONLY_SHA1:
                length += _SHA256_SIZE
                rest += _SHA256_HEAD + key.sha256(_pack_two(kind, length) + rest)
        if not fingerprint:
            return _pack_two(kind, length) + rest
        text = _pack_two(kind, length + _FINGERPRINT_SIZE) + rest
    except struct.error as error:  # a length of more than 16 bits
        raise ValueError("the attributes do not fit into one message") from error
    return text + _pack_fingerprint(_FINGERPRINT_HEAD, crc32(text) ^ FINGERPRINT_XOR)
