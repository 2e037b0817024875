"""The error of recorders."""

from __future__ import annotations


class RecorderError(Exception):
    """A recording cannot begin, or cannot go on; the text is one line for the user."""
