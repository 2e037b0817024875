"""The memory of a NAT's or firewall's filter (RFC 4787 section 5)."""

from __future__ import annotations

from collections.abc import Hashable

from transport import TransportAddress

from .behavior import Filtering


class PeerFilter:
    """The external endpoints that one internal endpoint lets in.

    RFC 4787 assigns a filtering rule to the mapping; so does a NAT here, and with
    an endpoint-dependent mapping each of its mappings has a filter of its own.
    """

    __slots__ = ("_filtering", "_until")

    def __init__(self, filtering: Filtering) -> None:
        self._filtering = filtering
        self._until: dict[Hashable, float] = {}

    def permit(self, peer: TransportAddress, until: float) -> None:
        """The internal endpoint has sent to ``peer``, or was heard by it again."""
        self._until[self._key(peer)] = until

    def admits(self, peer: TransportAddress, now: float) -> bool:
        """Whether a datagram from ``peer`` may come in."""
        return self._until.get(self._key(peer), now) > now

    def _key(self, peer: TransportAddress) -> Hashable:
        match self._filtering:
            case Filtering.ENDPOINT_INDEPENDENT:
                return None
            case Filtering.ADDRESS_DEPENDENT:
                return peer.ip
            case Filtering.ADDRESS_AND_PORT_DEPENDENT:
                return peer
