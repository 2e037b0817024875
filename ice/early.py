"""Requests that come before the peer's credentials (RFC 8445 section 7.3).

They are answered at once, since that takes our password alone; what they ask for is
done when the offer or answer arrives.
"""

from __future__ import annotations

import dataclasses

from transport import Path

from .checks_server import AcceptedRequest
from .limits import MAX_EARLY_REQUESTS


class EarlyRequests:
    """The latest request of each path, in the order of the paths' first ones."""

    def __init__(self) -> None:
        self._requests: dict[Path, AcceptedRequest] = {}

    def remember(self, request: AcceptedRequest) -> bool:
        """Keep a request; False if too many paths are kept already."""
        earlier = self._requests.get(request.path)
        if earlier is None and len(self._requests) >= MAX_EARLY_REQUESTS:
            return False
        if earlier is not None and earlier.use_candidate:
            request = dataclasses.replace(request, use_candidate=True)
        self._requests[request.path] = request
        return True

    def take(self) -> list[AcceptedRequest]:
        requests = list(self._requests.values())
        self._requests.clear()
        return requests
