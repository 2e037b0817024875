"""Allocate requests that wait until the driver has bound their sockets."""

from __future__ import annotations

from transport import IPAddress, TransportAddress

from .request import Request
from .requested import NewPorts


class Place:
    """A relayed transport address that is looked for at ``ip``.

    ``claimed`` is one address, or a pair; the first ``opened`` of them are bound.
    ``is_given_up`` says that there is none.
    """

    __slots__ = ("claimed", "ip", "is_given_up", "opened", "tried")

    def __init__(self, ip: IPAddress) -> None:
        self.ip = ip
        self.claimed: tuple[TransportAddress, ...] = ()
        self.opened = 0
        self.tried: set[int] = set()
        self.is_given_up = False

    @property
    def address(self) -> TransportAddress | None:
        """The one that the driver has been asked for."""
        return self.claimed[self.opened] if self.opened < len(self.claimed) else None

    @property
    def is_found(self) -> bool:
        return 0 < len(self.claimed) == self.opened


class Waiting:
    """An Allocate request for which sockets are being bound, one after the other."""

    __slots__ = ("places", "quota_id", "request", "requested")

    def __init__(self, request: Request, requested: NewPorts, quota_id: str | None) -> None:
        self.request = request
        self.requested = requested
        self.quota_id = quota_id
        self.places = tuple(Place(ip) for ip in requested.ips)

    @property
    def current(self) -> Place | None:
        """The one that is being looked for, or None at the end."""
        for place in self.places:
            if not (place.is_found or place.is_given_up):
                return place
        return None
