"""What the application tells its user instead of a traceback."""

from __future__ import annotations


class HairpinError(Exception):
    """One line that says what is wrong and what to do about it."""
