"""Candidates made of what servers have told (RFC 8445 sections 5.1.1.2, 5.1.1.3, 5.1.3)."""

from __future__ import annotations

from transport import TransportAddress

from .candidate import Candidate, CandidateType
from .config import IcePolicy
from .context import AgentContext
from .drops import DropReason
from .findings import CandidateFound
from .local_candidates import LocalCandidates
from .origin import Origin
from .priority import candidate_priority
from .relay import RelaySource
from .scope import hidden, without_zone


class ServerCandidates:
    """Makes them, leaving out those that are redundant."""

    def __init__(self, context: AgentContext, local: LocalCandidates) -> None:
        self._context = context
        self._local = local

    def reflexive(self, origin: Origin, mapped: TransportAddress) -> CandidateFound | None:
        """The server-reflexive candidate, whose base is the host address.

        None if it is redundant: without a NAT it is the host candidate, and several
        servers may see the same. Nor has a relay-only agent any use for it. None, too, if
        the base has as many as it may.
        """
        host = origin.host
        if host is None or self._is_relay_only:
            return None
        if mapped == without_zone(host) or self._local.has_reflexive(mapped, host):
            return None
        if not self._local.has_room_for_reflexive(host):
            self._context.drop(DropReason.REFLEXIVE_FULL)
            return None
        candidate = self._candidate(
            CandidateType.SERVER_REFLEXIVE, origin, mapped, base=host, related=without_zone(host)
        )
        self._local.add_reflexive(origin.key[0], candidate, host)
        return CandidateFound(origin.key[0], candidate)

    def relayed(
        self, source: RelaySource, relayed: TransportAddress, mapped: TransportAddress
    ) -> CandidateFound | None:
        """The relayed candidate, which is its own base.

        None if it is one of our own addresses, as with a relay on this host that has
        given the port of a host candidate (section 5.1.1.2).
        """
        if self._local.base_at(relayed) is not None:
            return None
        origin = source.origin
        # A relay-only agent must not tell where it is (RFC 8839 section 5.1).
        related = hidden(relayed) if self._is_relay_only else mapped
        candidate = self._candidate(
            CandidateType.RELAYED, origin, relayed, base=relayed, related=related
        )
        self._local.add(source.open_base(candidate, relayed))
        return CandidateFound(origin.key[0], candidate, relayed)

    def _candidate(
        self,
        kind: CandidateType,
        origin: Origin,
        address: TransportAddress,
        *,
        base: TransportAddress,
        related: TransportAddress,
    ) -> Candidate:
        component = origin.key[1]
        foundation = self._local.foundations.of(
            kind, base.ip, server=origin.path.remote.ip, transport=origin.path.transport.value
        )
        priority = candidate_priority(kind, origin.preference, component)
        return Candidate(foundation, component, "udp", priority, address, kind, related)

    @property
    def _is_relay_only(self) -> bool:
        return self._context.config.policy is IcePolicy.RELAY
