"""Agents with servers over networks that lose, delay and repeat, by seed."""

import random

import pytest

from hairpin.testing import simulate_stun_server
from ice import IcePolicy, IceState, PairSelected
from netsim import (
    FULL_CONE,
    PORT_RESTRICTED_CONE,
    RESTRICTED_CONE,
    SYMMETRIC,
    LinkProfile,
    Network,
)
from netsim.trace import format_trace

from .peers import Peer, Signalling, begin, is_mirrored
from .servers import (
    DEAD_STUN,
    DEAD_TURN,
    OTHER_RELAY_IP,
    OTHER_TURN,
    STUN,
    STUN_IP,
    TURN,
    host_behind,
    is_relayed,
    pair_of,
    relay_on,
    wait_until_selected,
)

NATS = [None, FULL_CONE, RESTRICTED_CONE, PORT_RESTRICTED_CONE, SYMMETRIC]
POLICIES = [IcePolicy.ALL, IcePolicy.ALL, IcePolicy.RELAY]


Policies = tuple[IcePolicy, IcePolicy]


def scenario(seed: int) -> tuple[Network, tuple[Peer, Peer], Policies, str]:
    """A network, servers and policies drawn by the seed; and a description of it all."""
    dice = random.Random(seed)
    link = LinkProfile(
        delay=dice.choice([0.001, 0.0125, 0.04]),
        jitter=dice.choice([0.0, 0.01]),
        loss=dice.choice([0.0, 0.02, 0.05]),  # per link: up to 10 percent each way
        duplicate=dice.choice([0.0, 0.1]),
        reorder=dice.choice([0.0, 0.1]),
    )
    network = Network(seed=seed, link=link)
    simulate_stun_server(network.host("stun", STUN_IP))
    relay_on(network)
    relay_on(network, OTHER_RELAY_IP)
    nats = [dice.choice(NATS) for _ in range(2)]
    policies = (dice.choice(POLICIES), dice.choice(POLICIES))
    dead = dice.choice([[], [DEAD_STUN], [DEAD_TURN]])
    hosts = (
        host_behind(network, nats[0], 1, addresses=dice.randint(1, 2)),
        host_behind(network, nats[1], 2, addresses=dice.randint(1, 2)),
    )
    signalling = Signalling(
        delay=dice.choice([0.0, 0.05]),
        # KVS never signals the end; a late answer of a server still counts then.
        end_of_candidates=False,
    )
    peers = pair_of(
        network,
        hosts,
        ([STUN, *dead, TURN], [*dead, STUN, OTHER_TURN]),
        policies=policies,
        signalling=signalling,
    )
    begin(*peers)
    return network, peers, policies, f"seed {seed}: {nats}, {policies}, {dead}, {link}"


@pytest.mark.long  # ten runs each, with agents, servers and loss
@pytest.mark.requirement("ice:N03")
@pytest.mark.requirement("ice:N15")
@pytest.mark.requirement("ice:G17")
@pytest.mark.requirement("ice:L09")
@pytest.mark.parametrize("first", range(0, 100, 10))
def test_peers_connect_and_agree_over_lossy_networks(first: int) -> None:
    for seed in range(first, first + 10):
        network, peers, policies, description = scenario(seed)

        wait_until_selected(network, peers)
        network.run(until=network.now + 5.0)

        assert is_mirrored(*peers), description
        assert {peer.agent.state for peer in peers} == {IceState.COMPLETED}, description
        for peer, policy in zip(peers, policies, strict=True):
            assert len(peer.process.events_of(PairSelected)) == 1, description
            assert policy is IcePolicy.ALL or is_relayed(peer), description
            assert peer.send(b"\x80data"), description


@pytest.mark.requirement("ice:Z07")
def test_the_same_seed_gives_the_same_datagrams() -> None:
    traces = []
    for _ in range(2):
        network, *_ = scenario(7)
        network.run(until=5.0)
        traces.append(format_trace(network.trace))

    assert traces[0] == traces[1]
    assert len(traces[0]) > 1000
