"""Relayed candidates at work: permissions, channels, what is freed, and relay-only agents."""

import ipaddress
from collections.abc import Iterator

import pytest

from hairpin.testing import simulate_relay, simulate_stun_server
from ice import (
    CandidateType,
    DatagramReceived,
    DropReason,
    GatheringCompleted,
    IceConfig,
    IcePolicy,
    IceServer,
    IceState,
    LocalCandidateGathered,
    PairSelected,
    PairValidated,
)
from netsim import PORT_RESTRICTED_CONE, SYMMETRIC, LinkProfile, Network
from stun import (
    Data,
    Message,
    MessageClass,
    Method,
    XorMappedAddress,
    XorPeerAddress,
    is_stun,
)
from transport import TransportAddress
from turn import ChannelData, is_channel_data

from .peers import Peer, Signalling, begin, connect, is_mirrored
from .servers import (
    OTHER_RELAY_IP,
    OTHER_TURN,
    PASSWORD,
    RELAY_IP,
    STUN,
    STUN_IP,
    TURN,
    USERNAME,
    allocations,
    gathered,
    host_behind,
    is_relayed,
    lone_peer,
    of_type,
    pair_of,
    relay_on,
    requests_of,
    sent_by,
    wait_until_selected,
)

RELAY_ONLY = (IcePolicy.RELAY, IcePolicy.RELAY)
RTT = 0.05


def relay_only_pair(
    network: Network, *, nat: bool = True, signalling: Signalling | None = None
) -> tuple[Peer, Peer]:
    behavior = PORT_RESTRICTED_CONE if nat else None
    hosts = (host_behind(network, behavior, 1), host_behind(network, behavior, 2))
    return pair_of(network, hosts, ([TURN], [TURN]), policies=RELAY_ONLY, signalling=signalling)


def unwrapped(data: bytes) -> Iterator[Message]:
    """The STUN messages in a datagram: itself, and what it carries for a peer."""
    if is_channel_data(data):
        inner = ChannelData.decode(data).data
        if is_stun(inner):
            yield Message.decode(inner)
        return
    if not is_stun(data):
        return
    message = Message.decode(data)
    yield message
    carried = message.get(Data)
    if carried is not None and is_stun(carried.data):
        yield Message.decode(carried.data)


# Two relay-only agents on one relay


@pytest.mark.requirement("ice:C04")
def test_two_relay_only_agents_on_one_relay_connect() -> None:
    network = Network()
    relay = relay_on(network)
    peers = relay_only_pair(network)

    connect(network, peers)

    assert is_mirrored(*peers)
    for peer in peers:
        assert peer.selected is not None
        assert peer.selected.local.type is CandidateType.RELAYED
        assert peer.selected.remote.type is CandidateType.RELAYED
    assert len(allocations(relay)) == 2
    assert relay.machine.server.stats().drops == {}


@pytest.mark.requirement("ice:Z09")
@pytest.mark.requirement("ice:X05")
@pytest.mark.requirement("ice:M02")
def test_a_relay_only_agent_gives_no_address_of_its_own_away() -> None:
    network = Network()
    simulate_stun_server(network.host("stun", STUN_IP))
    relay_on(network)
    peers = pair_of(
        network,
        (
            host_behind(network, PORT_RESTRICTED_CONE, 1, addresses=2),
            host_behind(network, None, 2),
        ),
        ([STUN, TURN], [STUN, TURN]),
        policies=(IcePolicy.RELAY, IcePolicy.ALL),
    )
    hidden, _ = peers
    connect(network, peers)
    network.run(until=network.now + 10.0)
    hidden.send(b"\x80data")
    hidden.restart()
    network.run(until=network.now + 10.0)

    secrets = {ipaddress.ip_address("198.51.100.1"), *hidden.host.addresses}
    for candidate in gathered(hidden):
        assert candidate.type is CandidateType.RELAYED
        assert str(candidate.related) == "0.0.0.0:9"
        assert not any(str(ip) in candidate.to_text() for ip in secrets)
    records = sent_by(network, hidden)
    assert {str(r.origin.destination.ip) for r in records} == {RELAY_IP}
    for record in records:
        assert not any(ip.packed in record.data for ip in secrets)
        for message in unwrapped(record.data):
            told = message.get(XorMappedAddress), message.get(XorPeerAddress)
            assert not any(address.address.ip in secrets for address in told if address)


@pytest.mark.requirement("ice:Z09")
def test_a_relay_only_agent_answers_nobody_but_through_its_relay() -> None:
    network = Network()
    relay_on(network)
    hidden, other = pair_of(
        network,
        (host_behind(network, None, 1), host_behind(network, None, 2)),
        ([TURN], []),
        policies=(IcePolicy.RELAY, IcePolicy.ALL),
    )
    connect(network, (hidden, other))
    (host_address,) = hidden.process.addresses
    check = next(r for r in sent_by(network, other) if is_stun(r.data))

    network.inject(check.data, other.process.addresses[0], host_address)
    network.inject(b"\x80data", other.process.addresses[0], host_address)
    network.run(until=network.now + 1.0)

    assert hidden.agent.stats().drops[DropReason.UNKNOWN_BASE] == 2
    assert {str(r.origin.destination.ip) for r in sent_by(network, hidden)} == {RELAY_IP}


def test_without_a_relay_a_relay_only_agent_has_nothing() -> None:
    network = Network()
    simulate_stun_server(network.host("stun", STUN_IP))
    peer = lone_peer(network, host_behind(network, None, 1), STUN, policy=IcePolicy.RELAY)

    peer.gather()
    network.run(until=1.0)

    assert gathered(peer) == []
    assert peer.process.events_of(GatheringCompleted)
    assert sent_by(network, peer) == []


# Permissions


@pytest.mark.requirement("ice:C04")
@pytest.mark.requirement("ice:C03")
def test_a_permission_precedes_the_first_check_over_a_relay() -> None:
    network = Network()
    relay = relay_on(network)
    hosts = (host_behind(network, SYMMETRIC, 1), host_behind(network, None, 2))
    peers = pair_of(network, hosts, ([TURN], []), policies=(IcePolicy.RELAY, IcePolicy.ALL))

    connect(network, peers)

    inner, outer = peers
    permission = requests_of(network, inner, Method.CREATE_PERMISSION)
    assert len(permission) == 1
    first_check = next(
        record.origin.sent_at
        for record in sent_by(network, inner)
        if is_stun(record.data) and Message.decode(record.data).method == Method.SEND
    )
    # Right when the server has confirmed it.
    assert first_check == pytest.approx(permission[0][0] + RTT)
    assert relay.machine.server.stats().drops == {}
    # 2 RTT for the allocation, 1 for the permission, 2 for a check through the relay.
    assert inner.time_of(PairValidated) == pytest.approx(5 * RTT, abs=0.001)
    assert is_mirrored(inner, outer)


@pytest.mark.requirement("ice:C04")
def test_a_check_that_is_due_before_its_permission_leaves_right_after() -> None:
    network = Network()
    relay_on(network)
    hosts = (host_behind(network, SYMMETRIC, 1), host_behind(network, None, 2))
    peers = pair_of(network, hosts, ([TURN], []), policies=(IcePolicy.RELAY, IcePolicy.ALL))
    inner, outer = peers
    inner.signalling.candidates = False  # so that no check of the other side comes first

    connect(network, peers)

    ((asked, *_),) = requests_of(network, inner, Method.CREATE_PERMISSION)
    # To the permission's answer, through the relay and back.
    assert inner.time_of(PairValidated) == pytest.approx(asked + RTT + 2 * RTT)
    assert outer.selected is not None


@pytest.mark.requirement("ice:V06")
def test_the_mapped_address_of_a_check_over_a_relay_is_the_peers() -> None:
    network = Network()
    simulate_stun_server(network.host("stun", STUN_IP))
    relay_on(network)
    hosts = (host_behind(network, None, 1), host_behind(network, PORT_RESTRICTED_CONE, 2))
    peers = pair_of(network, hosts, ([TURN], [STUN]), policies=(IcePolicy.RELAY, IcePolicy.ALL))

    connect(network, peers)

    hidden, other = peers
    assert other.selected is not None
    assert str(other.selected.local.address).startswith("198.51.100.2:")
    answers = [
        message.get(XorMappedAddress)
        for record in sent_by(network, hidden)
        for message in unwrapped(record.data)
        if (message.method, message.message_class) == (Method.BINDING, MessageClass.SUCCESS)
    ]
    assert answers
    assert {answer.address for answer in answers if answer} == {other.selected.local.address}


def test_pairs_that_a_relay_refuses_leave_the_checklist() -> None:
    network = Network()
    simulate_relay(
        network,
        network.host("relay", RELAY_IP),
        users={USERNAME: PASSWORD},
        allow_peers=[ipaddress.ip_network("203.0.113.20/32")],
    )
    hosts = (host_behind(network, SYMMETRIC, 1), host_behind(network, None, 2, addresses=3))
    peers = pair_of(network, hosts, ([TURN], []), policies=(IcePolicy.RELAY, IcePolicy.ALL))

    connect(network, peers)

    hidden, _ = peers
    assert hidden.selected is not None
    assert str(hidden.selected.remote.address).startswith("203.0.113.20:")


def test_a_refused_address_is_not_asked_for_again() -> None:
    network = Network()
    simulate_relay(
        network, network.host("relay", RELAY_IP), users={USERNAME: PASSWORD}, allow_peers=[]
    )
    hosts = (host_behind(network, None, 1), host_behind(network, None, 2))
    hidden, other = pair_of(network, hosts, ([TURN], []), policies=(IcePolicy.RELAY, IcePolicy.ALL))
    begin(hidden, other)
    network.run(until=1.0)
    (candidate,) = gathered(other)
    assert isinstance(candidate.address, TransportAddress)
    asked = len(requests_of(network, hidden, Method.CREATE_PERMISSION))

    again = type(candidate)(
        "9",
        1,
        "udp",
        candidate.priority - 1,
        TransportAddress(candidate.address.ip, 9999),
        CandidateType.HOST,
    )
    hidden.process.call(lambda agent, now: agent.restart(now))
    hidden.process.call(
        lambda agent, now: agent.set_remote_credentials(other.agent.local_credentials, now=now)
    )
    hidden.process.call(lambda agent, now: agent.add_remote_candidate(again, now))
    network.run(until=2.0)

    assert len(requests_of(network, hidden, Method.CREATE_PERMISSION)) == asked == 1
    assert hidden.agent.stats().pairs == ()
    assert hidden.agent.stats().drops[DropReason.PEER_REFUSED] == 1


# Data and channels


@pytest.mark.requirement("ice:C05")
@pytest.mark.requirement("ice:D05")
@pytest.mark.requirement("ice:D01")
def test_a_channel_is_bound_when_the_pair_is_selected_and_a_run_stays_one() -> None:
    network = Network()
    relay_on(network)
    peers = relay_only_pair(network)
    begin(*peers)
    left, right = peers
    network.run_until(lambda: bool(left.process.events_of(PairValidated)), timeout=5.0)
    assert not left.process.events_of(PairSelected)
    assert left.send(b"\x80early")
    assert not requests_of(network, left, Method.CHANNEL_BIND)

    selected = wait_until_selected(network, peers)
    network.run(until=selected + 1.0)
    run = (b"\x80" + bytes(999), b"\x80" + bytes(999), b"\x80end")
    left.agent.send(run, network.now)
    transmit = left.agent.poll_transmit()

    assert transmit is not None
    assert [len(segment) for segment in transmit.segments] == [1004, 1004, 8]
    assert all(is_channel_data(segment) for segment in transmit.segments)
    assert left.agent.poll_transmit() is None
    (bound, *_rest) = [at for at, *_ in requests_of(network, left, Method.CHANNEL_BIND)]
    assert bound == pytest.approx(left.time_of(PairSelected))
    received = right.process.events_of(DatagramReceived)
    assert [event.data for event in received] == [b"\x80early"]


@pytest.mark.requirement("ice:D05")
def test_data_goes_both_ways_over_channels() -> None:
    network = Network()
    relay_on(network)
    peers = relay_only_pair(network)
    connect(network, peers)
    network.run(until=network.now + 1.0)

    for number in range(3):
        for peer in peers:
            assert peer.send(bytes([128, number]))
    network.run(until=network.now + 1.0)

    for peer in peers:
        events = peer.process.events_of(DatagramReceived)
        assert [event.data for event in events] == [bytes([128, n]) for n in range(3)]
        assert peer.selected is not None
        assert {event.path for event in events} == {peer.selected.path}
        data = [r.data for r in sent_by(network, peer) if r.data.find(b"\x80\x00") >= 0]
        assert any(is_channel_data(sent) for sent in data)


@pytest.mark.long  # 720 consent checks of each side
def test_a_relayed_connection_lives_for_an_hour() -> None:
    network = Network()
    relay_on(network)
    peers = relay_only_pair(network, nat=False)
    connect(network, peers)

    network.run(until=3600.0)

    for peer in peers:
        assert peer.agent.state is IceState.COMPLETED
        assert peer.send(b"\x80data")
    network.run(until=3601.0)
    assert [len(peer.process.events_of(DatagramReceived)) for peer in peers] == [1, 1]


def test_a_lost_allocation_ends_what_stood_on_it_and_a_restart_heals_it() -> None:
    network = Network()
    relay = relay_on(network)
    peers = relay_only_pair(network)
    connect(network, peers)
    relay.call(lambda machine, now: machine.server.close(now))

    network.run_until(
        lambda: all(peer.agent.state is IceState.FAILED for peer in peers), timeout=700.0
    )
    peers[0].restart()

    network.run_until(
        lambda: all(peer.agent.state is IceState.COMPLETED for peer in peers), timeout=30.0
    )
    assert is_mirrored(*peers)


# What is freed


@pytest.mark.requirement("ice:N13")
def test_unused_allocations_are_freed_three_seconds_after_the_end() -> None:
    network = Network()
    relay = relay_on(network)
    hosts = (host_behind(network, None, 1), host_behind(network, None, 2))
    peers = pair_of(network, hosts, ([TURN], [TURN]), signalling=Signalling(delay=0.5))
    connect(network, peers)
    completed = network.now
    assert not is_relayed(peers[0])
    assert len(allocations(relay)) == 2

    network.run(until=completed + 2.9)
    assert len(allocations(relay)) == 2
    network.run(until=completed + 3.2)

    assert len(allocations(relay)) == 0
    network.run(until=completed + 60.0)
    assert {peer.agent.state for peer in peers} == {IceState.COMPLETED}
    assert all(of_type(peer.agent.local_candidates, CandidateType.RELAYED) == [] for peer in peers)


@pytest.mark.requirement("ice:N13")
def test_the_allocation_in_use_is_kept_and_the_other_freed() -> None:
    network = Network()
    simulate_stun_server(network.host("stun", STUN_IP))
    relays = relay_on(network), relay_on(network, OTHER_RELAY_IP)
    hosts = (host_behind(network, SYMMETRIC, 1), host_behind(network, SYMMETRIC, 2))
    peers = pair_of(network, hosts, ([TURN, OTHER_TURN], [STUN]))
    connect(network, peers)

    network.run(until=network.now + 4.0)

    assert is_relayed(peers[0])
    assert sorted(len(allocations(relay)) for relay in relays) == [0, 1]
    assert peers[0].send(b"\x80data")
    network.run(until=network.now + 1.0)
    assert peers[1].process.events_of(DatagramReceived)


@pytest.mark.requirement("ice:W10")
def test_nothing_is_conveyed_after_the_selection() -> None:
    network = Network()
    slow = network.host("slow", "192.0.2.50", link=LinkProfile(delay=0.5))
    simulate_stun_server(slow)
    hosts = (host_behind(network, PORT_RESTRICTED_CONE, 1), host_behind(network, None, 2))
    peers = pair_of(network, hosts, ([IceServer(("stun:192.0.2.50",))], []))

    selected = connect(network, peers)
    network.run(until=selected + 2.5)

    reported = [at for at, e in peers[0].process.events if isinstance(e, LocalCandidateGathered)]
    assert reported == [0.0]
    assert selected < 1.0


@pytest.mark.requirement("ice:N13")
def test_no_server_is_asked_after_the_selection() -> None:
    network = Network()
    servers = [IceServer((f"turn:192.0.2.{n}",), USERNAME, PASSWORD) for n in range(100, 120)]
    hosts = (host_behind(network, None, 1), host_behind(network, None, 2))
    peers = pair_of(network, hosts, (servers, []))

    selected = connect(network, peers)
    network.run(until=selected + 10.0)

    first = {to: at for at, _, to in reversed(requests_of(network, peers[0], Method.ALLOCATE))}
    assert max(first.values()) <= selected
    assert peers[0].agent.next_timeout() is not None  # consent goes on


@pytest.mark.requirement("ice:N13")
@pytest.mark.requirement("ice:Z05")
def test_closing_frees_every_allocation_at_once() -> None:
    network = Network()
    relays = relay_on(network), relay_on(network, OTHER_RELAY_IP)
    peer = lone_peer(network, host_behind(network, None, 1), TURN, OTHER_TURN)
    peer.gather()
    network.run(until=1.0)
    assert [len(allocations(relay)) for relay in relays] == [1, 1]

    peer.process.call(lambda agent, now: agent.close(now))
    network.run(until=1.1)

    assert [len(allocations(relay)) for relay in relays] == [0, 0]
    assert peer.agent.next_timeout() is None
    assert peer.agent.state is IceState.CLOSED


@pytest.mark.requirement("ice:Z05")
@pytest.mark.parametrize("instant", [0.0, 0.01, 0.05, 0.07, 0.1, 0.12, 0.15, 0.2, 0.3, 1.0, 2.0])
def test_an_agent_with_servers_may_be_closed_at_any_instant(instant: float) -> None:
    network = Network()
    relay = relay_on(network)
    victim, _ = peers = relay_only_pair(network)
    begin(*peers)
    network.run(until=instant)

    victim.process.call(lambda agent, now: agent.close(now))
    events = len(victim.process.events)
    network.run(until=instant + 5.0)

    assert all(record.origin.sent_at <= instant for record in sent_by(network, victim))
    assert len(victim.process.events) == events
    assert victim.agent.next_timeout() is None
    # One that was being made when it was closed expires by itself.
    assert len([a for a in allocations(relay) if a.client.remote.ip.packed[-1] == 1]) <= 1


def test_a_restart_asks_for_allocations_that_were_freed() -> None:
    network = Network()
    relay = relay_on(network)
    hosts = (host_behind(network, None, 1), host_behind(network, None, 2))
    peers = pair_of(network, hosts, ([TURN], [TURN]))
    connect(network, peers)
    network.run(until=network.now + 5.0)
    assert len(allocations(relay)) == 0

    for peer in peers:
        peer.signalling.delay = 0.5
    peers[0].restart()
    network.run(until=network.now + 0.4)

    assert of_type(peers[0].agent.local_candidates, CandidateType.RELAYED)
    network.run_until(
        lambda: all(len(peer.process.events_of(PairSelected)) == 2 for peer in peers), timeout=5.0
    )
    assert is_mirrored(*peers)


def test_a_relayed_pair_carries_data_through_a_restart() -> None:
    network = Network()
    relay_on(network)
    peers = relay_only_pair(network)
    connect(network, peers)
    network.run(until=network.now + 5.0)

    peers[0].restart()
    sent = 0
    while any(len(peer.process.events_of(PairSelected)) < 2 for peer in peers):
        assert peers[0].send(bytes([128, sent]))
        sent += 1
        network.run(until=network.now + 0.05)
    network.run(until=network.now + 1.0)

    assert len(peers[1].process.events_of(DatagramReceived)) == sent
    assert sent > 2


# IPv6


def test_an_ipv6_host_gets_an_ipv6_relay() -> None:
    network = Network()
    relay_host = network.host("relay", "2001:db8::10")
    simulate_relay(network, relay_host, users={USERNAME: PASSWORD})
    server = IceServer(("turn:[2001:db8::10]",), USERNAME, PASSWORD)
    hosts = (network.host("left", "2001:db8::1"), network.host("right", "2001:db8::2"))
    peers = pair_of(network, hosts, ([server], [server]), policies=RELAY_ONLY)

    connect(network, peers)

    assert is_mirrored(*peers)
    assert all(str(c.related) == "[::]:9" for c in gathered(peers[0]))


def test_a_relay_without_ipv6_gives_an_ipv6_host_what_it_has() -> None:
    network = Network()
    relay_host = network.host("relay", "2001:db8::10")
    relay_host.add_address(relay_host.interfaces[0], RELAY_IP)
    simulate_relay(
        network,
        relay_host,
        users={USERNAME: PASSWORD},
        relay_ip=ipaddress.ip_address(RELAY_IP),
    )
    server = IceServer(("turn:[2001:db8::10]",), USERNAME, PASSWORD)
    peer = Peer(
        network,
        network.host("left", "2001:db8::1"),
        controlling=True,
        config=IceConfig(servers=(server,)),
    )

    peer.gather()
    network.run(until=2.0)

    (relayed,) = of_type(gathered(peer), CandidateType.RELAYED)
    assert str(relayed.address).startswith(f"{RELAY_IP}:")
