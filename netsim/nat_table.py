"""The mappings of a NAT (RFC 4787 section 4)."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Sequence

from transport import IPAddress, TransportAddress

from .behavior import Mapping, NatBehavior, Pooling, PortAssignment
from .filter import PeerFilter
from .rng import SeededRandom


@dataclasses.dataclass(slots=True)
class NatMapping:
    """An internal endpoint and the external one that stands for it until ``expires``."""

    key: Hashable
    internal: TransportAddress
    external: TransportAddress
    filter: PeerFilter
    expires: float


class NatTable:
    """Finds, makes and forgets mappings.

    Its size is bounded by the ports that the behaviour allows.
    """

    def __init__(
        self, behavior: NatBehavior, external: Sequence[IPAddress], random: SeededRandom
    ) -> None:
        self.behavior = behavior
        self.external = tuple(external)
        self._random = random
        self._by_key: dict[Hashable, NatMapping] = {}
        self._by_external: dict[TransportAddress, NatMapping] = {}
        self._paired: dict[IPAddress, IPAddress] = {}
        self._next_port = behavior.ports.start
        self._retired: set[TransportAddress] = set()

    def live(self, now: float) -> tuple[NatMapping, ...]:
        return tuple(mapping for mapping in self._by_key.values() if mapping.expires > now)

    def inbound(self, external: TransportAddress, now: float) -> NatMapping | None:
        """The mapping that an external endpoint belongs to."""
        mapping = self._by_external.get(external)
        if mapping is not None and mapping.expires <= now:
            self._forget(mapping)
            return None
        return mapping

    def outbound(
        self, internal: TransportAddress, peer: TransportAddress, now: float
    ) -> NatMapping | None:
        """The mapping for what ``internal`` sends to ``peer``; None when no port is left."""
        key = self._key(internal, peer)
        mapping = self._by_key.get(key)
        if mapping is not None and mapping.expires > now:
            return mapping
        if mapping is not None:
            self._forget(mapping)
        external = self._assign(internal, now)
        if external is None:
            return None
        mapping = NatMapping(key, internal, external, PeerFilter(self.behavior.filtering), now)
        self._by_key[key] = mapping
        self._by_external[external] = mapping
        return mapping

    def reset(self) -> None:
        """Forget all mappings, and give none of their endpoints out again."""
        self._retired.update(self._by_external)
        self._by_key.clear()
        self._by_external.clear()
        self._paired.clear()

    def renumber(self, external: Sequence[IPAddress]) -> None:
        """Forget all mappings and go on with other external IP addresses."""
        self.reset()
        self.external = tuple(external)

    def _forget(self, mapping: NatMapping) -> None:
        del self._by_key[mapping.key]
        del self._by_external[mapping.external]

    def _key(self, internal: TransportAddress, peer: TransportAddress) -> Hashable:
        match self.behavior.mapping:
            case Mapping.ENDPOINT_INDEPENDENT:
                return internal
            case Mapping.ADDRESS_DEPENDENT:
                return internal, peer.ip
            case Mapping.ADDRESS_AND_PORT_DEPENDENT:
                return internal, peer

    def _assign(self, internal: TransportAddress, now: float) -> TransportAddress | None:
        ip = self._external_ip(internal.ip)
        if ip is None:
            return None
        ports = self.behavior.ports
        match self.behavior.port_assignment:
            case PortAssignment.PRESERVING:
                first = internal.port if internal.port in ports else ports.start
            case PortAssignment.SEQUENTIAL:
                first = self._next_port
            case PortAssignment.RANDOM:
                first = ports.start + self._random.below(len(ports))
        external = self._first_free(ip, first, now)
        if external is not None:
            self._next_port = external.port + 1 if external.port + 1 in ports else ports.start
        return external

    def _first_free(self, ip: IPAddress, first: int, now: float) -> TransportAddress | None:
        ports = self.behavior.ports
        for step in range(len(ports)):
            port = ports.start + (first - ports.start + step) % len(ports)
            external = TransportAddress(ip, port)
            if external not in self._retired and self.inbound(external, now) is None:
                return external
        return None

    def _external_ip(self, internal: IPAddress) -> IPAddress | None:
        choice = [ip for ip in self.external if ip.version == internal.version]
        if not choice:
            return None
        if self.behavior.pooling is Pooling.ARBITRARY:
            return choice[self._random.below(len(choice))]
        return self._paired.setdefault(internal, choice[len(self._paired) % len(choice)])
