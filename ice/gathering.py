"""Gathering local candidates (RFC 8445 section 5.1.1).

Host candidates come from the driver, which has the sockets; the others from servers
(``ServerGathering``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from transport import Path, TransportAddress

from .bases import HostBase
from .candidate import Candidate, CandidateType
from .config import IcePolicy
from .context import AgentContext, ComponentKey
from .events import HostAddressesRequested
from .findings import Finding
from .local_candidates import LocalCandidates
from .pacing import SharedPacer
from .preference import LocalPreferences, interleave
from .priority import candidate_priority
from .scope import without_zone
from .server_gathering import ServerGathering


class Gathering:
    """Asks for host addresses, and makes candidates of them and of what servers say."""

    def __init__(
        self, context: AgentContext, local: LocalCandidates, pacer: SharedPacer | None = None
    ) -> None:
        self._context = context
        self._local = local
        self._preferences = LocalPreferences()
        self._awaited: set[ComponentKey] = set()
        self._has_begun = False
        self.servers = ServerGathering(context, local, pacer)

    @property
    def is_complete(self) -> bool:
        """Whether no further candidates are worth waiting for."""
        return self._has_begun and not self._awaited and self.servers.is_settled

    def start(self, now: float) -> None:
        """Ask for the addresses of every component, and of the servers."""
        self._has_begun = True
        for stream, component in self._context.component_keys():
            self._awaited.add((stream, component))
            self._context.report(HostAddressesRequested(stream, component))
        self.servers.start(now)

    def hosts_opened(
        self, addresses: Sequence[TransportAddress], key: ComponentKey, now: float
    ) -> list[HostBase]:
        """New bases for the addresses that are new, in order of preference.

        A relay-only agent has none: its sockets serve to reach relays alone.
        """
        self._has_begun = True
        self._awaited.discard(key)
        hosts = self.servers.hosts
        fresh = interleave([address for address in addresses if address not in hosts])
        self.servers.add_hosts(key, fresh, now)
        if self._context.config.policy is IcePolicy.RELAY:
            return []
        return [self._host(address, key) for address in fresh]

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

    # What comes of servers

    def poll(self, now: float) -> Finding | None:
        """The next thing that was found, lost or received through a relay."""
        return self.servers.poll(now)

    def receive(self, data: bytes, path: Path, now: float) -> bool:
        """Take what a server has sent; False if the path leads to none."""
        return self.servers.receive(data, path, now)

    def follow(self, in_use: Iterable[TransportAddress] | None, now: float) -> None:
        """Let what is not used any more go; ``in_use`` is None while ICE is not over."""
        self.servers.follow(in_use, now)

    def restart(self, now: float, *, trusts_relays: bool) -> None:
        """Find again what was let go since (section 9)."""
        if self._has_begun:
            self.servers.restart(now, trusts_relays=trusts_relays)
