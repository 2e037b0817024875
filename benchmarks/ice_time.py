"""Time to a valid pair of two ICE agents behind NATs, against aioice (``pip install aioice``).

Everything is simulated (netsim), on virtual time: both NATs map endpoint-independently and
filter by address and port, a round trip takes 50 ms, one datagram in ten is lost on its way. Each
agent has its candidates before the clock starts, and hears of the other's at the same moment;
the time of each counts by itself. aioice nominates with each check, so that its pair is valid when
its connect() is done. It paces by 20 ms; ours by 5 where both sides ask for that, else by 50.

    python -m benchmarks.ice_time [--rounds 5]
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from typing import cast
from unittest import mock

import aioice

from benchmarks.table import Row, print_rows
from hairpin.testing import simulate_stun_server
from ice import (
    Candidate,
    GatheringCompleted,
    HostAddressesRequested,
    IceAgent,
    IceConfig,
    IceServer,
    LocalCandidateGathered,
    PairValidated,
)
from netsim import Host, LinkProfile, NatBehavior, Network, Process
from netsim.aio import SimulatedLoop
from transport import Event

WORLDS_PER_ROUND = 200
PERCENTILE = 95
DELAY = 0.0125
"""Seconds, of each link: two of them, there and back, are 50 ms."""
LOSS = 1 - math.sqrt(0.9)
"""Of each of the two links beyond the NATs, both of which a datagram crosses."""
STUN_IP = "192.0.2.1"
PATIENCE = 60.0
"""Virtual seconds."""


def rows(rounds: int) -> Iterator[Row]:
    seeds = range(WORLDS_PER_ROUND * rounds)
    theirs = _percentile([taken for seed in seeds for taken in aioice_seconds(seed)])
    for pacing_ms, must_hold, aim in ((5, 150, 100), (50, 250, 150)):
        ours = _percentile([taken for seed in seeds for taken in hairpin_seconds(seed, pacing_ms)])
        yield Row(
            f"ICE time to valid pair, p{PERCENTILE}, Ta {pacing_ms} ms, in ms",
            f"{ours * 1e3:.0f} ms",
            f"aioice {theirs * 1e3:.0f} ms",
            ours * 1e3,
            must_hold=must_hold,
            aim=aim,
            lower_is_better=True,
        )


class World:
    """Two hosts behind their NATs, and a STUN server, which is always reached."""

    def __init__(self, seed: int) -> None:
        self.network = Network(seed, link=LinkProfile(delay=DELAY))
        self._nats = [
            self.network.nat(f"nat{n}", f"198.51.100.{n}", behavior=NatBehavior()) for n in (1, 2)
        ]
        self.hosts = [
            self.network.host(f"host{n}", f"10.0.{n}.2", segment=nat.inside)
            for n, nat in enumerate(self._nats, 1)
        ]
        simulate_stun_server(self.network.host("stun", STUN_IP))

    def begin(self) -> float:
        """Lose datagrams from now on, which it is: all candidates are there."""
        for nat in self._nats:
            nat.interface.set_profile(LinkProfile(delay=DELAY, loss=LOSS))
        return self.network.now


class Agent:
    """One of ours, that keeps its candidates until they are asked for."""

    def __init__(self, network: Network, host: Host, *, controlling: bool, pacing_ms: int) -> None:
        config = IceConfig(servers=(IceServer((f"stun:{STUN_IP}",)),), pacing_ms=pacing_ms)
        self._host = host
        self._pacing_ms = pacing_ms
        self.agent = IceAgent(
            controlling=controlling, random_bytes=network.random_bytes(host.name), config=config
        )
        self.process: Process[IceAgent] = host.run(self.agent, on_event=self._on_event)
        self.candidates: list[Candidate] = []
        self.is_ready = False
        self.process.call(lambda agent, now: agent.gather(now))

    def meet(self, other: Agent) -> None:
        """Hear of all that the other has."""
        credentials = other.agent.local_credentials
        self.process.call(
            lambda agent, now: agent.set_remote_credentials(
                credentials, now=now, pacing_ms=other._pacing_ms
            )
        )
        for each in other.candidates:
            self._take(each)
        self.process.call(lambda agent, now: agent.remote_end_of_candidates(now))

    def _take(self, candidate: Candidate) -> None:
        self.process.call(lambda agent, now: agent.add_remote_candidate(candidate, now))

    def valid_at(self) -> float | None:
        """When its first pair was."""
        events = self.process.events
        return next((at for at, event in events if isinstance(event, PairValidated)), None)

    def _on_event(self, process: Process[IceAgent], event: Event) -> None:
        match event:
            case HostAddressesRequested(stream=stream, component=component):
                addresses = [process.bind(ip) for ip in self._host.addresses]
                process.call(
                    lambda agent, now: agent.hosts_opened(
                        addresses, now, stream=stream, component=component
                    )
                )
            case LocalCandidateGathered(candidate=candidate):
                self.candidates.append(candidate)
            case GatheringCompleted():
                self.is_ready = True
            case _:
                pass


def hairpin_seconds(seed: int, pacing_ms: int) -> list[float]:
    """Virtual ones, from candidates to a valid pair, of both agents."""
    world = World(seed)
    network = world.network
    agents = [
        Agent(network, host, controlling=host is world.hosts[0], pacing_ms=pacing_ms)
        for host in world.hosts
    ]
    network.run_until(lambda: all(agent.is_ready for agent in agents), timeout=PATIENCE)
    assert all(len(agent.candidates) == 2 for agent in agents)
    begin = world.begin()
    agents[0].meet(agents[1])
    agents[1].meet(agents[0])
    network.run_until(lambda: all(agent.valid_at() for agent in agents), timeout=PATIENCE)
    return [at - begin for agent in agents if (at := agent.valid_at()) is not None]


def aioice_seconds(seed: int) -> list[float]:
    """The same for two agents of aioice."""
    world = World(seed)
    with (
        asyncio.Runner(loop_factory=lambda: SimulatedLoop(world.network)) as runner,
        mock.patch.object(aioice.ice, "get_host_addresses") as addresses,
    ):
        return runner.run(_connect_aioice(world, addresses))


async def _connect_aioice(world: World, addresses: mock.Mock) -> list[float]:
    loop = cast(SimulatedLoop, asyncio.get_running_loop())
    agents = [
        aioice.Connection(ice_controlling=host is world.hosts[0], stun_server=(STUN_IP, 3478))
        for host in world.hosts
    ]
    both = list(zip(world.hosts, agents, strict=True))
    for host, agent in both:
        addresses.return_value = [str(ip) for ip in host.addresses]
        await loop.start_on(host, agent.gather_candidates())
    for agent, other in (agents, agents[::-1]):
        agent.remote_username = other.local_username
        agent.remote_password = other.local_password
        for candidate in other.local_candidates:
            await agent.add_remote_candidate(candidate)
        await agent.add_remote_candidate(None)
    begin = world.begin()

    async def seconds(host: Host, agent: aioice.Connection) -> float:
        await loop.start_on(host, agent.connect())
        return world.network.now - begin

    taken = await asyncio.gather(*(seconds(*each) for each in both))
    for agent in agents:
        await agent.close()
    return taken


def _percentile(values: list[float]) -> float:
    return sorted(values)[len(values) * PERCENTILE // 100]


if __name__ == "__main__":
    print_rows(__doc__, rows)
