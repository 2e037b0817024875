"""Pairing host addresses with servers (RFC 8445 sections 5.1.1.2 and 8.3.1).

Every host address is paired with every server that can be reached from it; each pair
becomes a *source* of candidates. None holds up the others, or the checks.
"""

from __future__ import annotations

import collections
import dataclasses
import logging
import math
from collections.abc import Iterable, Sequence

from stun import AddressFamily, ErrorNumber, OpaqueStringError
from transport import IPAddress, Path, TransportAddress
from turn.client import AllocationFailed, ServerMemory

from .config import IcePolicy
from .context import AgentContext, ComponentKey, TimerKind
from .drops import DropReason
from .findings import BaseLost, Finding, MappedFound, RelayFound, SourceFailed
from .limits import MAX_REDIRECTIONS, MAX_SERVERS, MAX_SOURCES
from .local_candidates import LocalCandidates
from .origin import Origin
from .pacing import SharedPacer
from .preference import LocalPreferences
from .reflexive import ReflexiveSource
from .relay import RelaySource
from .resolution import Resolution
from .server_candidates import ServerCandidates
from .server_plan import Pairing, pairings
from .servers import Server, read_servers
from .sources import SERVER_PATIENCE, Source, Sources

logger = logging.getLogger(__name__)

RELEASE_DELAY = 3.0
"""Seconds after the end of ICE until unused candidates are freed (section 8.3.1): until
then the peer may still send checks to them."""

_NAMES = (TimerKind.NAMES_PATIENCE, None)
_RELEASE = (TimerKind.RELEASE, None)

_PlanKey = tuple[ComponentKey, TransportAddress | None, Server]


class ServerGathering:
    """Finds server-reflexive and relayed candidates, and lets them go when ICE is over."""

    def __init__(
        self, context: AgentContext, local: LocalCandidates, pacer: SharedPacer | None
    ) -> None:
        self.hosts: dict[TransportAddress, ComponentKey] = {}
        self._context = context
        self._local = local
        self._servers = self._usable_servers()
        self._candidates = ServerCandidates(context, local)
        self._resolution = Resolution(context)
        self._sources = Sources(context, pacer)
        self._preferences = LocalPreferences()
        self._memory = ServerMemory()
        self._planned: dict[_PlanKey, int] = {}
        """The number of the source that was last made for it."""
        self._redirected: set[TransportAddress] = set()
        self._barred: dict[TransportAddress, float] = {}
        """Until when a server that has refused is not asked for a relay (RFC 8656 7.4)."""
        self._next_number = 0
        self._found: collections.deque[Finding] = collections.deque()
        self._in_use: frozenset[TransportAddress] | None = None
        self._has_concluded = False

    def _usable_servers(self) -> list[Server]:
        config = self._context.config
        servers, skipped = read_servers(config.servers, limit=MAX_SERVERS)
        for _ in range(skipped):
            self._context.drop(DropReason.UNUSABLE_SERVER)
        if config.policy is IcePolicy.RELAY:
            return [server for server in servers if server.relays]
        return servers

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is worth waiting for.

        A server that keeps silent is not waited for, unless there is no candidate at
        all: the end would come before anything could be conveyed.
        """
        if self._resolution.is_waiting and _NAMES in self._sources.timers:
            return False
        if any(True for _ in self._sources.awaited()):
            return False
        return self._local.has_any() or not (
            self._resolution.is_waiting or any(True for _ in self._sources.unsettled())
        )

    # Verbs

    def start(self, now: float) -> None:
        """Ask for the addresses of servers that are given by name."""
        names = [server.uri.host for server in self._servers if server.uri.address is None]
        self._resolution.ask(names)
        if self._resolution.is_waiting:
            self._sources.timers.set(_NAMES, now + SERVER_PATIENCE)

    def resolved(self, token: int, addresses: Sequence[IPAddress], now: float) -> None:
        if self._resolution.answer(token, addresses):
            self._plan(now)

    def add_hosts(self, key: ComponentKey, hosts: Iterable[TransportAddress], now: float) -> None:
        """These addresses can be sent from, on behalf of a component."""
        self.hosts.update((host, key) for host in hosts)
        self._plan(now)

    def remove_host(self, host: TransportAddress) -> None:
        """A socket is gone, and the way to all servers from it."""
        self.hosts.pop(host, None)
        for source in self._sources:
            if source.origin.host == host:
                self._lose_base(source)
                self._sources.remove(source)
        self._planned = {key: n for key, n in self._planned.items() if key[1] != host}

    def follow(self, in_use: Iterable[TransportAddress] | None, now: float) -> None:
        """ICE is over and uses these bases, or goes on if None."""
        self._sources.flush(now)
        timers = self._sources.timers
        self._in_use = None if in_use is None else frozenset(in_use)
        if self._in_use is None:
            timers.cancel(_RELEASE)
        elif not self._has_concluded and _RELEASE not in timers:
            self._sources.cancel_waiting()
            timers.set(_RELEASE, now + RELEASE_DELAY)

    def restart(self, now: float, *, trusts_relays: bool) -> None:
        """Gather again from where nothing is kept; what is kept serves the new generation.

        Relays are not trusted when the path was lost: theirs may be the fault, and a client
        would notice that its allocation is gone at the next refresh alone.
        """
        for source in self._sources:
            is_suspect = isinstance(source, RelaySource) and not trusts_relays
            if source.is_released or is_suspect:
                self._lose_base(source)
                self._sources.release(source, now)
                # Nothing is repeated: it would delete the allocation that comes next.
                self._sources.remove(source)
        self._has_concluded = False
        self._sources.timers.cancel(_RELEASE)
        self._redirected.clear()
        living = {source.number for source in self._sources}
        self._planned = {key: n for key, n in self._planned.items() if n in living}
        kept = {key[1] for key in self._planned}
        self._local.forget_reflexive(lambda base: base not in kept)
        self.start(now)
        self._plan(now)

    def close(self, now: float) -> None:
        """Ask each server, once, to delete what it keeps for us."""
        for source in self._sources:
            self._sources.release(source, now)
            self._sources.remove(source)
        self._sources.findings.clear()
        self._found.clear()
        self._resolution.abandon()
        self._sources.timers.cancel(_NAMES)
        self._sources.timers.cancel(_RELEASE)
        self._sources.timers.cancel((TimerKind.PACING, None))
        self._has_concluded = True

    # Machine

    def receive(self, data: bytes, path: Path, now: float) -> bool:
        return self._sources.receive(data, path, now)

    def connected(self, path: Path, now: float) -> bool:
        return self._sources.connected(path, now)

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        self._sources.disconnected(path, reason, now)

    def handle_timeout(self, now: float) -> None:
        if self._sources.handle_timeout(now):
            self._conclude(now)

    def next_timeout(self) -> float | None:
        return self._sources.timers.next_timeout()

    def poll(self, now: float) -> Finding | None:
        """What the sources found, as it concerns the agent."""
        while not self._found and self._sources.findings:
            finding = self._sources.findings.popleft()
            match finding:
                case MappedFound(origin=origin, mapped=mapped):
                    self._mapped(origin, mapped)
                case RelayFound():
                    self._relayed(finding, now)
                case SourceFailed():
                    self._failed(finding, now)
                case _:
                    return finding
        return self._found.popleft() if self._found else None

    # What sources are made of

    def _plan(self, now: float) -> None:
        """Make a source of every pair of host and server that has none."""
        if self._has_concluded:
            return
        for pairing in pairings(self.hosts, self._servers, self._addresses):
            plan = (pairing.key, pairing.host, pairing.server)
            if plan not in self._planned:
                self._planned[plan] = self._next_number
                self._ask(pairing, now)

    def _addresses(self, server: Server) -> Sequence[IPAddress]:
        ip = server.uri.address
        return self._resolution.addresses(server.uri.host) if ip is None else (ip,)

    def _ask(self, pairing: Pairing, now: float) -> None:
        preference = self._preferences.take(*pairing.key)
        origin = Origin(pairing.key, pairing.server, pairing.path, preference)
        if origin.server.relays and self._barred.get(origin.path.remote, now) <= now:
            self._ask_relay(origin, now, family=_family_for(origin))
        elif not origin.server.relays or self._wants_mapped(origin):
            self._ask_mapped(origin, now)

    def _ask_mapped(self, origin: Origin, now: float) -> None:
        self._start(
            ReflexiveSource(self._number(), origin, self._context, self._sources.findings), now
        )

    def _ask_relay(self, origin: Origin, now: float, *, family: AddressFamily | None) -> None:
        try:
            source = RelaySource(
                self._number(),
                origin,
                self._context,
                self._sources.findings,
                family=family,
                memory=self._memory,
                touch=self._sources.touch,
            )
        except OpaqueStringError as error:
            logger.info("%s is not used: %s", origin.server.uri, error)
            self._context.drop(DropReason.UNUSABLE_SERVER)
            return
        self._start(source, now)

    def _number(self) -> int:
        self._next_number += 1
        return self._next_number - 1

    def _start(self, source: Source, now: float) -> None:
        if len(self._sources) >= MAX_SOURCES:
            self._context.drop(DropReason.SOURCES_FULL)
            return
        self._sources.add(source, now)

    # What they find

    def _mapped(self, origin: Origin, mapped: TransportAddress) -> None:
        found = self._candidates.reflexive(origin, mapped)
        if found is not None:
            self._found.append(found)

    def _relayed(self, finding: RelayFound, now: float) -> None:
        source = self._sources.get(finding.number)
        if not isinstance(source, RelaySource):
            return
        self._mapped(source.origin, finding.mapped)
        found = self._candidates.relayed(source, finding.relayed, finding.mapped)
        if found is None:
            self._sources.release(source, now)
        else:
            self._found.append(found)

    def _failed(self, finding: SourceFailed, now: float) -> None:
        """Go on in another way, where there is one."""
        failure, origin, family = finding.failure, finding.origin, finding.family
        if failure is None or self._has_concluded:
            return
        logger.info("no allocation on %s: %s", origin.server.uri, _reason(failure))
        if failure.alternate is not None:
            self._follow_alternate(origin, failure, failure.alternate, now)
        elif failure.code == ErrorNumber.ADDRESS_FAMILY_NOT_SUPPORTED and family is not None:
            self._ask_relay(origin, now, family=None)
        elif failure.code is not None:
            wait = math.inf if failure.retry_after is None else failure.retry_after
            self._barred[origin.path.remote] = now + wait
            if self._wants_mapped(origin):
                # Section 5.1.1.2: a server without resources can still tell our address.
                self._ask_mapped(origin, now)

    def _wants_mapped(self, origin: Origin) -> bool:
        return origin.host is not None and self._context.config.policy is not IcePolicy.RELAY

    def _follow_alternate(
        self, origin: Origin, failure: AllocationFailed, alternate: TransportAddress, now: float
    ) -> None:
        """Ask the server that a TURN server has named instead (RFC 8489 section 10)."""
        if alternate in self._redirected or len(self._redirected) >= MAX_REDIRECTIONS:
            return
        self._redirected.add(alternate)
        uri = origin.server.uri
        host = failure.alternate_domain or uri.host
        server = dataclasses.replace(
            origin.server, uri=dataclasses.replace(uri, host=host, port=alternate.port)
        )
        path = Path(origin.path.transport, origin.path.local, alternate)
        preference = self._preferences.take(*origin.key)
        self._ask_relay(
            Origin(origin.key, server, path, preference), now, family=_family_for(origin)
        )

    # The end of ICE

    def _conclude(self, now: float) -> None:
        """Free what is not used (section 8.3.1)."""
        if self._in_use is None:
            return
        self._has_concluded = True
        self._resolution.abandon()
        for source in self._sources:
            if isinstance(source, RelaySource) and source.is_at(self._in_use):
                source.conclude()
                continue
            self._lose_base(source)
            self._sources.release(source, now)

    def _lose_base(self, source: Source) -> None:
        if isinstance(source, RelaySource) and source.base is not None:
            self._found.append(BaseLost(source.base.address))
            source.base = None


def _family_for(origin: Origin) -> AddressFamily | None:
    """The relay shall reach the peers that the host address could reach."""
    is_v6 = origin.host is not None and origin.host.is_ipv6
    return AddressFamily.IPV6 if is_v6 else None


def _reason(failure: AllocationFailed) -> str:
    code = "" if failure.code is None else f" ({failure.code} {failure.phrase})"
    return failure.reason.value + code
