"""Rules that the text attributes share (RFC 8489 sections 14.3, 14.8 to 14.10, 14.14)."""

from __future__ import annotations

from transport import DecodeError

MAX_CHARACTERS = 127
"""REALM, NONCE, SOFTWARE and reason phrases have fewer than 128 characters."""

MAX_RECEIVED_BYTES = 763
"""What RFC 5389 allowed: 127 characters of up to 6 bytes, and one more byte."""


def check_characters(what: str, text: str) -> None:
    """Raise ValueError for text that is too long, or that has no UTF-8 form."""
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"{what} has at most {MAX_CHARACTERS} characters, not {len(text)}")
    text.encode()


def decode_text(element: str, value: bytes) -> str:
    """UTF-8 text of a length that may be received.

    Raises:
        DecodeError: it is too long, or no UTF-8.
    """
    if len(value) > MAX_RECEIVED_BYTES:
        raise DecodeError(element, f"{len(value)} bytes long")
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise DecodeError(element, "not UTF-8") from error


def decode_short_text(element: str, value: bytes) -> str:
    """UTF-8 text of fewer than 128 characters.

    Raises:
        DecodeError: it is too long, or no UTF-8.
    """
    text = decode_text(element, value)
    if len(text) > MAX_CHARACTERS:
        raise DecodeError(element, f"{len(text)} characters long")
    return text
