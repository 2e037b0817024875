"""The OpaqueString profile for usernames, realms and passwords (RFC 8265 section 4.2)."""

from __future__ import annotations

import unicodedata
from typing import Final

from .errors import OpaqueStringError

_VIRAMA = 9
"""The canonical combining class of viramas (RFC 5892 appendix A.1 and A.2)."""

_JOINERS: Final = frozenset("\u200c\u200d")
_HANGUL_JAMO: Final = (
    range(0x1100, 0x1200),
    range(0xA960, 0xA97D),
    range(0xD7B0, 0xD7C7),
    range(0xD7CB, 0xD7FC),
)
_IGNORABLE: Final = (
    range(0x034F, 0x0350),
    range(0x17B4, 0x17B6),
    range(0x180B, 0x1810),
    range(0x3164, 0x3165),
    range(0xFE00, 0xFE10),
    range(0xFFA0, 0xFFA1),
    range(0xE0100, 0xE01F0),
)
_EXCEPTIONS: Final = frozenset("\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b")
"""Disallowed by RFC 5892 section 2.6, whatever their category."""

_ARABIC_INDIC = range(0x0660, 0x066A)
_EXTENDED_ARABIC_INDIC = range(0x06F0, 0x06FA)


def opaque_string(text: str) -> str:
    """Prepare and enforce: non-ASCII spaces become SPACE, then comes NFC.

    Raises:
        OpaqueStringError: it is empty, or a character is not in the FreeformClass
            of RFC 8264.
    """
    if not text:
        raise OpaqueStringError("an empty string is not allowed")
    if text.isascii():
        if not text.isprintable():
            raise OpaqueStringError("control characters are not allowed")
        return text
    for position, character in enumerate(text):
        if not _is_allowed(text, position, character):
            # The text may be a password: say which code point, not where.
            raise OpaqueStringError(f"U+{ord(character):04X} is not allowed here")
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)
    return unicodedata.normalize("NFC", spaced)


def _is_allowed(text: str, position: int, character: str) -> bool:
    """Whether the FreeformClass has it: letters, marks, numbers, punctuation, symbols, spaces."""
    if character in _JOINERS:
        return position > 0 and unicodedata.combining(text[position - 1]) == _VIRAMA
    code = ord(character)
    if character in _EXCEPTIONS or any(code in r for r in (*_HANGUL_JAMO, *_IGNORABLE)):
        return False
    category = unicodedata.category(character)
    return (category[0] in "LMNPS" or category == "Zs") and _context_allows(
        text, position, character
    )


def _context_allows(text: str, position: int, character: str) -> bool:
    """The rules for characters that depend on their neighbours (RFC 5892 appendix A)."""
    before, after = text[:position][-1:], text[position + 1 : position + 2]
    match character:
        case "\u00b7":  # middle dot, as in Catalan
            return before == after == "l"
        case "\u0375":  # Greek numeral sign
            return _is_script(after, "GREEK")
        case "\u05f3" | "\u05f4":  # geresh and gershayim
            return _is_script(before, "HEBREW")
        case "\u30fb":  # Katakana middle dot
            return any(_is_script(c, "HIRAGANA", "KATAKANA LETTER", "CJK UNIFIED") for c in text)
    if ord(character) in _ARABIC_INDIC:
        return not any(ord(c) in _EXTENDED_ARABIC_INDIC for c in text)
    if ord(character) in _EXTENDED_ARABIC_INDIC:
        return not any(ord(c) in _ARABIC_INDIC for c in text)
    return True


def _is_script(character: str, *names: str) -> bool:
    return character != "" and unicodedata.name(character, "").startswith(names)
