"""Pieces of the grammar that several lines share (RFC 8866 section 9)."""

from __future__ import annotations

import re

from .errors import SdpError
from .limits import MAX_DIGITS

TOKEN = r"[!#-'*+\-.0-9A-Z^-~]+"
"""token: one or more token-char."""

VISIBLE = r"[!-~\x80-\U0010ffff]+"
"""non-ws-string."""

DIGITS = rf"[0-9]{{1,{MAX_DIGITS}}}"
"""1*DIGIT, within our own limit."""

INTEGER = r"[1-9][0-9]{0,9}"
"""integer: no leading zero, within what a port or a count can be."""


def match(pattern: re.Pattern[str], value: str, what: str) -> re.Match[str]:
    """The match of a whole value, or SdpError naming what it should have been."""
    found = pattern.fullmatch(value)
    if found is None:
        raise SdpError.in_value(0, f"{shown(value)} is no {what}")
    return found


def shown(value: str) -> str:
    """A peer's text for a message: quoted, and not longer than a line."""
    return repr(value if len(value) <= 60 else value[:57] + "...")
