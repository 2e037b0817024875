"""The peer's candidates: signalled, or learned from its checks (RFC 8445 section 7.3.1.3)."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from transport import IPAddress, TransportAddress

from .candidate import Candidate, CandidateType, HostName
from .context import AgentContext
from .drops import DropReason
from .foundation import unused_foundation
from .limits import MAX_PEER_REFLEXIVE, MAX_PEER_REFLEXIVE_PORTS, MAX_REMOTE_CANDIDATES
from .scope import is_usable_remote, without_zone

_Key = tuple[int, TransportAddress]


@dataclasses.dataclass(frozen=True, slots=True)
class Added:
    """A signalled candidate that is new; ``replaces`` is the learned one it turns out to be."""

    candidate: Candidate
    replaces: Candidate | None


class RemoteCandidates:
    """The remote candidates of one data stream, in one generation."""

    def __init__(self, context: AgentContext, components: int) -> None:
        self._context = context
        self._components = components
        self._signalled: dict[_Key, Candidate] = {}
        self._learned: dict[_Key, Candidate] = {}
        self._learned_at: dict[_Key, tuple[TransportAddress, IPAddress]] = {}
        """At which base, and from which IP address."""
        self.ended = False
        """The peer said that no more come: further ones are ignored (RFC 8838 section 14)."""
        self.timed_out = False
        """The PAC timer is over, and serves as the end of candidates (RFC 8863 section 5)."""

    @property
    def has_ended(self) -> bool:
        return self.ended or self.timed_out

    def signalled(self) -> tuple[Candidate, ...]:
        return tuple(self._signalled.values())

    def all(self) -> tuple[Candidate, ...]:
        return (*self._signalled.values(), *self._learned.values())

    def highest_component(self) -> int:
        """The largest component number that the peer has a candidate for, 0 without any."""
        return max((component for component, _ in (*self._signalled, *self._learned)), default=0)

    def find(self, component: int, address: TransportAddress) -> Candidate | None:
        key = (component, without_zone(address))
        return self._signalled.get(key) or self._learned.get(key)

    def add(self, candidate: Candidate) -> Added | None:
        """Take a signalled candidate; None, with the reason counted, if it is of no use."""
        key = self._key_of(candidate)
        if isinstance(key, DropReason):
            self._context.drop(key)
            return None
        replaced = self._learned.pop(key, None)
        self._learned_at.pop(key, None)
        self._signalled[key] = candidate
        return Added(candidate, replaced)

    def _key_of(self, candidate: Candidate) -> _Key | DropReason:
        if self.ended:
            return DropReason.AFTER_END_OF_CANDIDATES
        if isinstance(candidate.address, HostName):
            # RFC 8839 section 5.1. Such a peer is learned from its checks instead.
            return DropReason.HOST_NAME
        if not self._is_usable(candidate, candidate.address):
            return DropReason.UNUSABLE_CANDIDATE
        if not self._context.config.address_policy(candidate.address.ip):
            return DropReason.REFUSED_ADDRESS
        key = (candidate.component, without_zone(candidate.address))
        if key in self._signalled:
            return DropReason.DUPLICATE_CANDIDATE
        if len(self._signalled) >= MAX_REMOTE_CANDIDATES:
            return DropReason.CANDIDATES_FULL
        return key

    def _is_usable(self, candidate: Candidate, address: TransportAddress) -> bool:
        return (
            candidate.is_udp
            and isinstance(candidate.type, CandidateType)
            and candidate.component <= self._components
            and is_usable_remote(address.ip, address.port)
        )

    def learn(
        self, component: int, address: TransportAddress, *, base: TransportAddress, priority: int
    ) -> Candidate | None:
        """A check came to ``base`` from an address that was not signalled: a peer-reflexive
        candidate.

        None if too many were learned before.
        """
        here = (base, address.ip)
        ports = sum(at == here for at in self._learned_at.values())
        if len(self._learned) >= MAX_PEER_REFLEXIVE or ports >= MAX_PEER_REFLEXIVE_PORTS:
            self._context.drop(DropReason.PEER_REFLEXIVE_FULL)
            return None
        address = without_zone(address)
        candidate = Candidate(
            unused_foundation({known.foundation for known in self.all()}),
            component,
            "udp",
            priority,
            address,
            CandidateType.PEER_REFLEXIVE,
        )
        self._learned[component, address] = candidate
        self._learned_at[component, address] = here
        return candidate

    def forget_learned(self, paired: Collection[Candidate]) -> None:
        """Keep of the learned ones those that are paired still: a NAT that is rebound every
        hour shows as many ports as one that maps every check to another."""
        gone = [key for key, learned in self._learned.items() if learned not in paired]
        for key in gone:
            del self._learned[key], self._learned_at[key]
