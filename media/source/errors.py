"""The error of media sources."""

from __future__ import annotations


class MediaSourceError(Exception):
    """A source cannot be opened, or cannot go on; the text is one line for the user.

    ``source`` is what the user named, ``problem`` what is wrong with it.
    """

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(f"{source}: {problem}")
        self.source = source
        self.problem = problem
