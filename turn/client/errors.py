"""What the client raises when it is used wrongly; servers and peers never cause these."""

from __future__ import annotations


class ClientStateError(Exception):
    """The verb does not fit the client's state, for instance before ``Allocated``."""
