"""Tickets that let a client keep its allocation (RFC 8016 sections 3.3 and 5)."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

TICKET_KEY_BYTES: Final = 32
"""AES-SIV with two keys of 128 bits (RFC 5297 section 6.1)."""

ID_BYTES: Final = 5

GENERATIONS: Final = 1 << 16
"""After so many moves a number serves again: a day at the rate that is allowed."""

_HANDLE: Final = struct.Struct(f"!B{ID_BYTES}sH")
_SIV_BYTES: Final = 16
_TEXT_BYTES: Final = (_HANDLE.size + _SIV_BYTES) // 3 * 4


class TicketHandle(NamedTuple):
    """What a ticket stands for: an allocation of one worker, and which of its tickets it is."""

    id: bytes
    generation: int
    worker: int = 0


class Tickets:
    """Seals handles into tickets, and opens them; nothing is kept of either.

    A handle is encrypted and authenticated by AES-SIV, which needs no nonce as no two
    tickets have the same handle. So a ticket is 24 bytes, in base64 32 characters:
    coturn's clients keep tickets as C strings of just that length. Servers and workers
    with the same key can tell whose a ticket is.

    Raises:
        ValueError: the key has not 32 bytes.
    """

    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        if len(key) != TICKET_KEY_BYTES:
            raise ValueError(f"a ticket key has {TICKET_KEY_BYTES} bytes, not {len(key)}")
        self._aead = AESSIV(key)

    def seal(self, handle: TicketHandle) -> bytes:
        packed = _HANDLE.pack(handle.worker, handle.id, handle.generation)
        return base64.b64encode(self._aead.encrypt(packed, None))

    def open(self, ticket: bytes) -> TicketHandle | None:
        """None for what is no ticket of ours."""
        if len(ticket) != _TEXT_BYTES:
            return None
        try:
            packed = self._aead.decrypt(base64.b64decode(ticket, validate=True), None)
        except (binascii.Error, InvalidTag):
            return None
        worker, id_, generation = _HANDLE.unpack(packed)
        return TicketHandle(id_, generation, worker)
