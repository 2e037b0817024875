"""Numbers that every STUN message shares (RFC 8489 section 5 and section 14)."""

from __future__ import annotations

MAGIC_COOKIE = 0x2112A442
"""Third to sixth word of the header (section 5)."""

HEADER_SIZE = 20
TRANSACTION_ID_SIZE = 12

FIRST_OPTIONAL_TYPE = 0x8000
"""Attribute types from here on may be ignored by who does not know them (section 14)."""

MESSAGE_INTEGRITY = 0x0008
MESSAGE_INTEGRITY_SHA256 = 0x001C
FINGERPRINT = 0x8028

FINGERPRINT_XOR = 0x5354554E
"""Keeps the CRC apart from one that the payload carries itself (section 14.7)."""
