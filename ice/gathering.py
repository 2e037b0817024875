"""Gathering local candidates (RFC 8445 section 5.1.1).

Host candidates come from the driver, which has the sockets. Server-reflexive and
relayed ones will come from STUN and TURN machines nested here, one set per host base.
"""

from __future__ import annotations

from collections.abc import Sequence

from transport import TransportAddress

from .bases import HostBase
from .candidate import Candidate, CandidateType
from .config import IcePolicy
from .context import AgentContext, ComponentKey
from .events import HostAddressesRequested
from .local_candidates import LocalCandidates
from .preference import LocalPreferences, interleave
from .priority import candidate_priority
from .scope import without_zone


class Gathering:
    """Asks for host addresses and makes candidates of them."""

    def __init__(self, context: AgentContext, local: LocalCandidates) -> None:
        self._context = context
        self._local = local
        self._preferences = LocalPreferences()
        self._awaited: set[ComponentKey] = set()
        self._has_begun = False

    @property
    def is_complete(self) -> bool:
        return self._has_begun and not self._awaited

    def start(self) -> None:
        """Ask for the addresses of every component."""
        self._has_begun = True
        for stream, count in enumerate(self._context.config.components):
            for component in range(1, count + 1):
                self._awaited.add((stream, component))
                self._context.report(HostAddressesRequested(stream, component))

    def hosts_opened(
        self, addresses: Sequence[TransportAddress], key: ComponentKey
    ) -> list[HostBase]:
        """New bases for the addresses that are new, in order of preference."""
        self._has_begun = True
        self._awaited.discard(key)
        fresh = [address for address in addresses if self._local.base_at(address) is None]
        if self._context.config.policy is IcePolicy.RELAY:
            return []
        return [self._host(address, key) for address in interleave(fresh)]

    def _host(self, address: TransportAddress, key: ComponentKey) -> HostBase:
        stream, component = key
        preference = self._preferences.take(stream, component)
        candidate = Candidate(
            self._local.foundations.of(CandidateType.HOST, address.ip),
            component,
            "udp",
            candidate_priority(CandidateType.HOST, preference, component),
            without_zone(address),
            CandidateType.HOST,
        )
        base = HostBase(address, candidate, stream)
        self._local.add(base)
        return base
