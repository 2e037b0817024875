"""Two agents on a simulated network, with a signalling path of a fixed delay."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from ice import (
    Candidate,
    GatheringCompleted,
    HostAddressesRequested,
    IceAgent,
    IceConfig,
    IceCredentials,
    LocalCandidateGathered,
    PairSelected,
    ValidPair,
)
from netsim import Host, Network, Process
from transport import Event


@dataclasses.dataclass
class Signalling:
    """What of it reaches the peer, and when."""

    delay: float = 0.0
    candidates: bool = True
    end_of_candidates: bool = True
    edit: Callable[[Candidate], Candidate] | None = None
    pacing_ms: int | None = None


class Peer:
    """An agent at work on a host: gathers on all its addresses, and signals to ``other``."""

    def __init__(
        self,
        network: Network,
        host: Host,
        *,
        controlling: bool,
        config: IceConfig | None = None,
        signalling: Signalling | None = None,
    ) -> None:
        self.network = network
        self.host = host
        self.signalling = signalling or Signalling()
        self.other: Peer | None = None
        self.agent = IceAgent(
            controlling=controlling,
            random_bytes=network.random_bytes(host.name),
            config=config,
        )
        self.process: Process[IceAgent] = host.run(self.agent, on_event=self._on_event)

    def gather(self) -> None:
        self.process.call(lambda agent, now: agent.gather(now))

    def describe(self) -> None:
        """Send our credentials to the other side, as an offer or answer does."""
        credentials = self.agent.local_credentials
        self._later(lambda other: other.take_description(credentials, self.signalling.pacing_ms))

    def take_description(self, credentials: IceCredentials, pacing_ms: int | None) -> None:
        """Take the other side's credentials; when they changed, restart as well."""
        if self.agent.remote_credentials not in (None, credentials):
            self.restart()
        self.process.call(
            lambda agent, now: agent.set_remote_credentials(
                credentials, now=now, pacing_ms=pacing_ms
            )
        )

    def take_candidate(self, candidate: Candidate, *, stream: int, ufrag: str) -> None:
        self.process.call(
            lambda agent, now: agent.add_remote_candidate(
                candidate, now, stream=stream, ufrag=ufrag
            )
        )

    def take_end(self, ufrag: str) -> None:
        self.process.call(lambda agent, now: agent.remote_end_of_candidates(now, ufrag=ufrag))

    def send(self, *segments: bytes) -> bool:
        return self.process.call(lambda agent, now: agent.send(segments, now))

    def restart(self) -> None:
        self.process.call(lambda agent, now: agent.restart(now))
        self.describe()

    @property
    def selected(self) -> ValidPair | None:
        return self.agent.selected_pair

    def time_of(self, kind: type[Event]) -> float:
        """When the first event of a kind came."""
        return next(at for at, event in self.process.events if isinstance(event, kind))

    def _on_event(self, process: Process[IceAgent], event: Event) -> None:
        match event:
            case HostAddressesRequested(stream=stream, component=component):
                addresses = [process.bind(ip) for ip in self.host.addresses]
                process.call(
                    lambda agent, now: agent.hosts_opened(
                        addresses, now, stream=stream, component=component
                    )
                )
            case LocalCandidateGathered(candidate=candidate, ufrag=ufrag, stream=stream):
                edit = self.signalling.edit
                sent = candidate if edit is None else edit(candidate)
                if self.signalling.candidates:
                    self._later(lambda o: o.take_candidate(sent, stream=stream, ufrag=ufrag))
            case GatheringCompleted(ufrag=ufrag):
                if self.signalling.end_of_candidates:
                    self._later(lambda other: other.take_end(ufrag))
            case _:
                pass

    def _later(self, action: Callable[[Peer], None]) -> None:
        def act() -> None:
            if self.other is not None:
                action(self.other)

        self.network.call_later(self.signalling.delay, act)


def introduce(
    network: Network,
    left: Host,
    right: Host,
    *,
    roles: tuple[bool, bool] = (True, False),
    config: IceConfig | None = None,
    signalling: Signalling | None = None,
) -> tuple[Peer, Peer]:
    """Two peers that know each other; nothing has begun yet."""
    first = Peer(
        network,
        left,
        controlling=roles[0],
        config=config,
        signalling=signalling and dataclasses.replace(signalling),
    )
    second = Peer(
        network,
        right,
        controlling=roles[1],
        config=config,
        signalling=signalling and dataclasses.replace(signalling),
    )
    first.other, second.other = second, first
    return first, second


def begin(*peers: Peer) -> None:
    """Gather and describe on each side."""
    for peer in peers:
        peer.gather()
        peer.describe()


def connect(network: Network, peers: Sequence[Peer], *, timeout: float = 60.0) -> float:
    """Begin on both sides, and let time pass until both have a selected pair."""
    begin(*peers)
    return network.run_until(
        lambda: all(peer.process.events_of(PairSelected) for peer in peers), timeout=timeout
    )


def is_mirrored(left: Peer, right: Peer) -> bool:
    """Whether both ends hold the same pair, seen from their side."""
    ours, theirs = left.selected, right.selected
    if ours is None or theirs is None:
        return False
    return (ours.local.address, ours.remote.address) == (
        theirs.remote.address,
        theirs.local.address,
    )
