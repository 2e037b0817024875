"""Two agents over networks of many kinds, by seed."""

import random

import pytest

from ice import (
    CandidateType,
    ConsentExpired,
    DatagramReceived,
    IceConfig,
    IceState,
    PairSelected,
    PairValidated,
    RoleChanged,
)
from netsim import (
    FULL_CONE,
    PORT_RESTRICTED_CONE,
    RESTRICTED_CONE,
    SYMMETRIC,
    Fate,
    LinkProfile,
    NatBehavior,
    Network,
)
from netsim.trace import format_trace
from stun import Message, MessageClass, UseCandidate

from .peers import Peer, Signalling, begin, connect, introduce, is_mirrored

NATS: dict[str, NatBehavior | None] = {
    "open": None,
    "full-cone": FULL_CONE,
    "restricted": RESTRICTED_CONE,
    "port-restricted": PORT_RESTRICTED_CONE,
    "symmetric": SYMMETRIC,
}
RTT = 0.05


def pair_behind(network: Network, nat: str, *, addresses: tuple[int, int] = (1, 1)) -> list[Peer]:
    """One peer behind that NAT, the other on the internet."""
    behavior = NATS[nat]
    segment, prefix = network.internet, "192.0.2"
    if behavior is not None:
        segment, prefix = network.nat("nat", "198.51.100.1", behavior=behavior).inside, "10.0.0"
    inner = network.host(
        "inner", *(f"{prefix}.{n}" for n in range(2, 2 + addresses[0])), segment=segment
    )
    outer = network.host("outer", *(f"203.0.113.{n}" for n in range(1, 1 + addresses[1])))
    return list(introduce(network, inner, outer))


@pytest.mark.requirement("ice:R01")
@pytest.mark.requirement("ice:C12")
@pytest.mark.requirement("ice:N15")
@pytest.mark.parametrize("nat", NATS)
def test_a_host_behind_any_nat_reaches_one_on_the_internet(nat: str) -> None:
    network = Network()
    peers = pair_behind(network, nat)

    connect(network, peers)

    inner, outer = peers
    assert is_mirrored(inner, outer)
    assert inner.selected is not None
    expected = CandidateType.HOST if nat == "open" else CandidateType.PEER_REFLEXIVE
    assert inner.selected.local.type is expected
    # The matrix: 1 RTT where the outer side can reach us, 1.5 where it learns us first.
    assert inner.time_of(PairValidated) == pytest.approx(RTT)
    limit = RTT if nat == "open" else 1.5 * RTT
    assert outer.time_of(PairValidated) <= limit + 0.001 + 0.05  # its first Ta is taken


@pytest.mark.requirement("ice:D01")
@pytest.mark.requirement("ice:X11")
def test_the_first_byte_of_data_needs_one_round_trip() -> None:
    network = Network()
    peers = pair_behind(network, "open")
    begin(*peers)
    inner, outer = peers
    network.run_until(lambda: bool(inner.process.events_of(PairValidated)), timeout=1.0)

    inner.send(b"\x80first")
    network.run_until(lambda: bool(outer.process.events_of(DatagramReceived)), timeout=1.0)

    assert inner.time_of(PairValidated) == pytest.approx(RTT)
    assert outer.time_of(DatagramReceived) == pytest.approx(1.5 * RTT)


@pytest.mark.requirement("ice:V10")
def test_a_lost_first_check_costs_no_retransmission() -> None:
    network = Network()
    inner, outer = pair_behind(network, "open")
    first = inner.host.interfaces[0].uplink
    first.take_down()
    network.call_later(0.001, first.bring_up)

    connect(network, [inner, outer])

    assert inner.time_of(PairValidated) < 0.2


@pytest.mark.requirement("ice:A05")
@pytest.mark.requirement("ice:C12")
def test_a_peer_that_signals_nothing_is_found_by_its_checks() -> None:
    network = Network()
    inner, outer = pair_behind(network, "port-restricted")
    inner.signalling.candidates = inner.signalling.end_of_candidates = False

    connect(network, [inner, outer])

    assert is_mirrored(inner, outer)
    assert outer.selected is not None
    assert outer.selected.remote.type is CandidateType.PEER_REFLEXIVE


@pytest.mark.requirement("ice:H04")
def test_a_broken_ipv6_path_delays_ipv4_by_two_checks_at_most() -> None:
    network = Network()
    left = network.host("left", "2001:db8::1", "2001:db8::2", "192.0.2.1")
    right = network.host("right", "2001:db8::3", "192.0.2.3")
    for host in (left, right):
        for ip in host.addresses:
            if ip.version == 6:
                host.interfaces[0].remove_address(ip)  # still there for the host, dead beyond
    peers = introduce(network, left, right)

    connect(network, peers)

    assert peers[0].time_of(PairValidated) <= RTT + 4 * 0.05
    assert peers[0].selected is not None
    assert peers[0].selected.local.to_text().split()[4] == "192.0.2.1"


@pytest.mark.requirement("ice:W14")
def test_a_peer_that_sends_its_candidates_with_its_offer_connects() -> None:
    network = Network()
    inner, outer = pair_behind(network, "open")
    inner.gather()
    network.run(until=0.01)
    inner.describe()
    network.run(until=0.5)
    outer.gather()
    outer.describe()

    network.run_until(lambda: is_mirrored(inner, outer), timeout=5.0)


def begin_unless_closed(peer: Peer) -> None:
    if peer.agent.state is not IceState.CLOSED:
        begin(peer)


def scenario(seed: int) -> tuple[Network, list[Peer], str]:
    """A network, roles and signalling drawn by the seed; and a description of it all."""
    dice = random.Random(seed)
    nat = dice.choice(list(NATS))
    link = LinkProfile(
        delay=dice.choice([0.001, 0.0125, 0.05]),
        jitter=dice.choice([0.0, 0.01]),
        loss=dice.choice([0.0, 0.0, 0.01, 0.05, 0.1]),
        duplicate=dice.choice([0.0, 0.2]),
        reorder=dice.choice([0.0, 0.1]),
    )
    network = Network(seed=seed, link=link)
    peers = pair_behind(network, nat, addresses=(dice.randint(1, 3), dice.randint(1, 3)))
    roles = dice.choice([(True, False), (False, True), (True, True), (False, False)])
    signalling = Signalling(
        delay=dice.choice([0.0, 0.02, 0.1]),
        end_of_candidates=dice.random() < 0.5,
        pacing_ms=dice.choice([None, 5]),
    )
    rebuilt = [
        Peer(network, peer.host, controlling=role, signalling=signalling)
        for peer, role in zip(peers, roles, strict=True)
    ]
    rebuilt[0].other, rebuilt[1].other = rebuilt[1], rebuilt[0]
    skew = dice.choice([0.0, 0.0, 0.1, 1.0, 2.0])
    order = rebuilt if dice.random() < 0.5 else rebuilt[::-1]
    begin(order[0])
    network.call_later(skew, lambda: begin_unless_closed(order[1]))
    return network, rebuilt, f"seed {seed}: {nat}, {link}, {roles}, {signalling}, skew {skew}"


def nominating_peers(network: Network) -> list[str]:
    """Who sent USE-CANDIDATE, in order."""
    return [
        record.origin.sender
        for record in network.trace
        if record.copy == 0
        and record.data[0] < 4
        and (message := Message.decode(record.data)).message_class is MessageClass.REQUEST
        and message.has(UseCandidate)
    ]


@pytest.mark.requirement("ice:N03")
@pytest.mark.requirement("ice:N04")
@pytest.mark.requirement("ice:N15")
@pytest.mark.requirement("ice:R12")
@pytest.mark.requirement("ice:C20")
@pytest.mark.requirement("ice:L09")
@pytest.mark.parametrize("first", range(0, 200, 10))
def test_peers_connect_and_agree_whatever_the_network(first: int) -> None:
    for seed in range(first, first + 10):
        network, peers, description = scenario(seed)
        network.run_until(
            lambda p=peers: all(x.process.events_of(PairSelected) for x in p),  # type: ignore[misc]
            timeout=60.0,
        )
        network.run(until=network.now + 3.0)

        left, right = peers
        assert is_mirrored(left, right), description
        assert left.agent.controlling is not right.agent.controlling, description
        assert {peer.agent.state for peer in peers} == {IceState.COMPLETED}, description
        for peer in peers:
            assert len(peer.process.events_of(PairSelected)) == 1, description
            assert len(peer.process.events_of(RoleChanged)) <= 1, description
        assert len(set(nominating_peers(network))) == 1, description


@pytest.mark.requirement("ice:Z07")
def test_the_same_seed_gives_the_same_datagrams() -> None:
    traces = []
    for _ in range(2):
        network, _, _ = scenario(42)
        network.run(until=10.0)
        traces.append(format_trace(network.trace))

    assert traces[0] == traces[1]
    assert len(traces[0]) > 1000


@pytest.mark.requirement("ice:Z05")
@pytest.mark.parametrize("seed", [3, 7, 11])
def test_an_agent_may_be_closed_at_any_instant(seed: int) -> None:
    network, (victim, _), _ = scenario(seed)
    network.run(until=4.0)
    instants = sorted({0.0, *(at for at, name, _ in network.events if "inner" in name)})

    for instant in instants:
        network, (victim, _), description = scenario(seed)
        network.run(until=instant)
        victim.process.call(lambda agent, now: agent.close(now))
        events = len(victim.process.events)
        network.run(until=instant + 3.0)

        senders = {r.origin.sender for r in network.trace if r.origin.sent_at > instant}
        assert "inner" not in senders, (description, instant)
        assert len(victim.process.events) == events, (description, instant)
        assert victim.agent.next_timeout() is None
        assert victim.agent.state is IceState.CLOSED
        assert not victim.agent.send([b"\x80data"], network.now)


@pytest.mark.requirement("ice:K04")
def test_a_black_hole_stops_data_within_30_seconds_on_both_sides() -> None:
    network = Network()
    peers = pair_behind(network, "open")
    connect(network, peers)
    network.run(until=20.0)
    network.partition([peers[0].host], [peers[1].host])
    last = [0.0]

    def send() -> None:
        sent = [peer.send(b"\x80data") for peer in peers]
        if any(sent):
            last[0] = network.now
            network.call_later(0.1, send)

    send()
    network.run(until=60.0)

    assert 40.0 < last[0] <= 50.0
    for peer in peers:
        assert len(peer.process.events_of(ConsentExpired)) == 1
        assert peer.agent.state is IceState.FAILED


@pytest.mark.requirement("ice:K13")
def test_ten_minutes_of_15_percent_loss_do_not_end_consent() -> None:
    network = Network(seed=5, link=LinkProfile(delay=0.02))
    peers = pair_behind(network, "open")
    connect(network, peers)
    for peer in peers:
        peer.host.interfaces[0].uplink.profile = LinkProfile(delay=0.02, loss=0.15)

    network.run(until=network.now + 600.0)

    assert [peer.process.events_of(ConsentExpired) for peer in peers] == [[], []]


def test_a_rebound_nat_heals_by_itself() -> None:
    """The NAT forgets us: the outer side's way back is dead, until our next consent check."""
    network = Network()
    nat = network.nat("nat", "198.51.100.1", behavior=SYMMETRIC)
    inner, outer = introduce(
        network,
        network.host("inner", "10.0.0.2", segment=nat.inside),
        network.host("outer", "203.0.113.1"),
        config=IceConfig(),
    )
    connect(network, [inner, outer])
    network.run(until=20.0)

    nat.reset()
    network.run(until=45.0)

    assert outer.send(b"\x80still there?")
    network.run(until=46.0)
    assert inner.process.events_of(DatagramReceived)
    assert network.fates[Fate.NO_MAPPING] > 0


@pytest.mark.requirement("ice:G01")
@pytest.mark.requirement("ice:X07")
def test_with_a_ta_of_5_ms_twelve_pairs_are_probed_in_60_ms() -> None:
    network = Network()
    left = network.host("left", *(f"192.0.2.{n}" for n in range(1, 4)))
    right = network.host("right", *(f"203.0.113.{n}" for n in range(1, 5)))
    network.partition([left], [right])
    peers = introduce(network, left, right, signalling=Signalling(pacing_ms=5))
    begin(*peers)

    network.run(until=0.2)

    destinations = {
        (r.origin.source, r.origin.destination)
        for r in network.trace
        if r.origin.sender == "left" and r.origin.sent_at < 0.06
    }
    assert len(destinations) == 12


@pytest.mark.requirement("ice:C18")
@pytest.mark.requirement("ice:A02")
def test_an_unreachable_network_is_no_failure_before_its_time() -> None:
    network = Network()
    peers = pair_behind(network, "open")
    peers[0].host.interfaces[0].uplink.take_down()
    begin(*peers)
    network.run(until=30.0)
    assert {peer.agent.state for peer in peers} == {IceState.CHECKING}

    peers[0].host.interfaces[0].uplink.bring_up()
    network.run_until(
        lambda: all(peer.process.events_of(PairSelected) for peer in peers), timeout=10.0
    )

    assert is_mirrored(*peers)
