"""The root of the errors that a peer session raises for local misuse.

What the peer does wrong is an event or a counted drop, never an exception.
"""

from __future__ import annotations


class SessionError(Exception):
    """Base of every error that ``media.session`` raises."""


class SessionClosed(SessionError):
    """The session was closed: it does nothing more."""


class UnknownMedia(SessionError):
    """No media description has this mid, or it does not do what was asked."""

    def __init__(self, mid: str, problem: str) -> None:
        super().__init__(f"media description {mid!r} {problem}")
        self.mid = mid
        self.problem = problem
