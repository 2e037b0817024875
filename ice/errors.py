"""What the ice package raises when it is used wrongly; peers never cause these."""

from __future__ import annotations


class IceError(Exception):
    """Base of every error that the ice package raises."""


class IceStateError(IceError):
    """The verb does not fit the agent's state, for instance after ``close``."""


class RestartRequired(IceError):
    """Other remote credentials came than those in use: the peer restarted ICE.

    Call ``IceAgent.restart`` first (RFC 8445 section 9: both sides change theirs).
    """
