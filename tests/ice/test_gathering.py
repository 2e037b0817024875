"""Server-reflexive and relayed candidates: what is asked, when, and what comes of it."""

import dataclasses

import pytest

from hairpin.testing import SimulatedRelay, simulate_stun_server
from ice import (
    Candidate,
    CandidateType,
    DropReason,
    GatheringCompleted,
    IceConfig,
    IcePolicy,
    IceServer,
    LocalCandidateGathered,
    ResolveRequested,
)
from ice.limits import MAX_REDIRECTIONS, MAX_REFLEXIVE, MAX_SERVERS, MAX_SOURCES
from netsim import (
    PORT_RESTRICTED_CONE,
    SYMMETRIC,
    NatBehavior,
    Network,
    Process,
)
from stun import (
    AlternateServer,
    ErrorCode,
    Lifetime,
    Message,
    MessageClass,
    Method,
    XorMappedAddress,
    XorRelayedAddress,
    encode_message,
)
from transport import (
    ConnectRequested,
    Event,
    IPAddress,
    Path,
    Transmit,
    TransportAddress,
    TransportProtocol,
)

from .peers import Peer, begin, is_mirrored
from .script import HERE, HERE_TOO, Script
from .servers import (
    DEAD_STUN,
    DEAD_TURN,
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
    lone_peer,
    of_type,
    pair_of,
    relay_on,
    requests_of,
    sent_by,
    wait_until_selected,
)

HOST, SRFLX, RELAY = CandidateType.HOST, CandidateType.SERVER_REFLEXIVE, CandidateType.RELAYED
RTT = 0.05
TA = 0.05


class AnswersOnce:
    """A STUN server that answers every request with these attributes."""

    def __init__(self, message_class: MessageClass, *attributes: ErrorCode | AlternateServer):
        self.message_class = message_class
        self.attributes = attributes
        self.answers: list[Transmit] = []

    def receive(self, data: bytes, path: Path, now: float) -> None:
        request = Message.decode(data)
        answer = encode_message(
            request.method, self.message_class, request.transaction_id, self.attributes
        )
        self.answers.append(Transmit(path, (answer,)))

    def handle_timeout(self, now: float) -> None: ...

    def next_timeout(self) -> float | None:
        return None

    def poll_transmit(self) -> Transmit | None:
        return self.answers.pop() if self.answers else None

    def poll_event(self) -> Event | None:
        return None


def gather(network: Network, peer: Peer, until: float = 2.0) -> list[Candidate]:
    peer.gather()
    network.run(until=network.now + until)
    return gathered(peer)


@pytest.mark.requirement("ice:G06")
def test_transactions_start_one_per_ta() -> None:
    network = Network()
    simulate_stun_server(network.host("stun", STUN_IP))
    relay_on(network)
    peer = lone_peer(
        network, host_behind(network, PORT_RESTRICTED_CONE, 1, addresses=2), STUN, TURN
    )

    gather(network, peer)

    starts: dict[tuple[TransportAddress, TransportAddress], float] = {}
    for record in sent_by(network, peer):
        path = (record.origin.source, record.origin.destination)
        starts.setdefault(path, record.origin.sent_at)
    assert sorted(starts.values()) == pytest.approx([0.0, TA, 2 * TA, 3 * TA])


@pytest.mark.requirement("ice:G08")
@pytest.mark.requirement("ice:G10")
@pytest.mark.requirement("ice:X05")
def test_one_allocation_gives_a_relayed_and_a_server_reflexive_candidate() -> None:
    network = Network()
    relay = relay_on(network)
    peer = lone_peer(network, host_behind(network, PORT_RESTRICTED_CONE, 1), TURN)

    host, reflexive, relayed = gather(network, peer)

    (allocation,) = allocations(relay)
    assert [c.type for c in (host, reflexive, relayed)] == [HOST, SRFLX, RELAY]
    assert reflexive.related == host.address
    assert reflexive.address == allocation.client.remote
    assert relayed.address == allocation.relayed
    assert relayed.related == reflexive.address
    assert not requests_of(network, peer, Method.BINDING)
    # RFC 8656's challenge costs a round trip; then there is an allocation.
    assert peer.time_of(GatheringCompleted) == pytest.approx(2 * RTT)


@pytest.mark.requirement("ice:P01")
@pytest.mark.requirement("ice:P02")
@pytest.mark.requirement("ice:P06")
def test_priorities_are_those_of_the_rfc_and_all_different() -> None:
    network = Network()
    simulate_stun_server(network.host("stun", STUN_IP))
    relay_on(network)
    relay_on(network, OTHER_RELAY_IP)
    host = host_behind(network, SYMMETRIC, 1, addresses=2)

    candidates = gather(network, lone_peer(network, host, STUN, TURN, OTHER_TURN))

    priorities = [candidate.priority for candidate in candidates]
    assert len(candidates) == 2 + 6 + 4
    assert len(set(priorities)) == len(priorities)
    assert max(c.priority for c in of_type(candidates, SRFLX)) == 1694498815
    assert {c.priority >> 24 for c in of_type(candidates, RELAY)} == {0}


def test_the_only_relay_has_the_highest_priority_of_its_type() -> None:
    network = Network()
    relay_on(network)

    candidates = gather(network, lone_peer(network, host_behind(network, None, 1), TURN))

    assert [c.priority for c in of_type(candidates, RELAY)] == [16777215]


@pytest.mark.requirement("ice:F01")
@pytest.mark.requirement("ice:F02")
def test_foundations_differ_by_server_and_not_by_port() -> None:
    network = Network()
    simulate_stun_server(network.host("stun", STUN_IP), port=3478)
    relay_on(network)
    host = host_behind(network, SYMMETRIC, 1)
    config = IceConfig(components=(2,), servers=(STUN, TURN))
    peer = Peer(network, host, controlling=True, config=config)

    candidates = gather(network, peer)

    for kind, count in ((HOST, 1), (SRFLX, 2), (RELAY, 1)):
        of_kind = of_type(candidates, kind)
        assert len(of_kind) == 2 * count
        assert len({candidate.foundation for candidate in of_kind}) == count
    assert len({candidate.foundation for candidate in candidates}) == 4


@pytest.mark.requirement("ice:G09")
def test_a_relay_without_resources_still_tells_the_mapped_address() -> None:
    network = Network()
    relay = relay_on(network, max_allocations=1)
    gather(network, lone_peer(network, host_behind(network, None, 1), TURN))
    peer = lone_peer(network, host_behind(network, PORT_RESTRICTED_CONE, 2), TURN)

    candidates = gather(network, peer)

    assert len(allocations(relay)) == 1
    assert [candidate.type for candidate in candidates] == [HOST, SRFLX]
    assert len(requests_of(network, peer, Method.BINDING, RELAY_IP)) == 1


@pytest.mark.requirement("ice:G09")
def test_a_relay_that_refuses_the_credential_still_tells_the_mapped_address() -> None:
    network = Network()
    relay_on(network)
    server = IceServer(TURN.urls, USERNAME, "a wrong password")
    peer = lone_peer(network, host_behind(network, PORT_RESTRICTED_CONE, 2), server)

    candidates = gather(network, peer)

    assert [candidate.type for candidate in candidates] == [HOST, SRFLX]


@pytest.mark.requirement("ice:G07")
def test_an_alternate_server_in_a_binding_response_is_ignored() -> None:
    network = Network()
    stun = network.host("stun", STUN_IP)
    elsewhere = TransportAddress.parse("192.0.2.200", 3478)
    refusal = AnswersOnce(MessageClass.ERROR, ErrorCode(300), AlternateServer(elsewhere))
    stun.run(refusal, addresses=[stun.bind(STUN_IP, 3478)])
    peer = lone_peer(network, host_behind(network, PORT_RESTRICTED_CONE, 1), STUN)

    candidates = gather(network, peer)

    assert [candidate.type for candidate in candidates] == [HOST]
    assert {str(r.origin.destination.ip) for r in sent_by(network, peer)} == {STUN_IP}
    assert peer.time_of(GatheringCompleted) == pytest.approx(RTT)
    (request,) = requests_of(network, peer, Method.BINDING)
    assert not request[1].has_integrity


def drain(relay: Process[SimulatedRelay], alternate: TransportAddress) -> None:
    relay.call(lambda machine, now: machine.server.drain(now, alternate=alternate))


def test_a_turn_server_that_is_drained_sends_us_to_another() -> None:
    network = Network()
    first, second = relay_on(network), relay_on(network, OTHER_RELAY_IP)
    drain(first, TransportAddress.parse(OTHER_RELAY_IP, 3478))

    candidates = gather(network, lone_peer(network, host_behind(network, None, 1), TURN))

    assert [str(c.address).split(":")[0] for c in of_type(candidates, RELAY)] == [OTHER_RELAY_IP]
    assert (len(allocations(first)), len(allocations(second))) == (0, 1)


@pytest.mark.requirement("ice:G15")
@pytest.mark.requirement("ice:W03")
def test_what_is_redundant_is_not_a_candidate() -> None:
    network = Network()
    simulate_stun_server(network.host("stun", STUN_IP))
    relay_on(network)
    relay_on(network, OTHER_RELAY_IP)
    open_peer = lone_peer(network, host_behind(network, None, 1), STUN)
    mapped_peer = lone_peer(
        network, host_behind(network, PORT_RESTRICTED_CONE, 2), STUN, TURN, OTHER_TURN
    )

    without_nat, behind_nat = gather(network, open_peer), gather(network, mapped_peer)

    assert [candidate.type for candidate in without_nat] == [HOST]
    # Three servers see the same mapped address.
    assert len(of_type(behind_nat, SRFLX)) == 1
    assert len(of_type(behind_nat, RELAY)) == 2


@pytest.mark.requirement("ice:G16")
def test_the_same_address_with_another_base_is_not_redundant() -> None:
    script = Script(addresses=[HERE, HERE_TOO], config=IceConfig(servers=(STUN,)))
    script.advance(0.1)
    mapped = TransportAddress.parse("198.51.100.7", 7777)

    for request in script.take_requests():
        answer_mapped(script, request.message, request.path, mapped)

    found = of_type(script.agent.local_candidates, SRFLX)
    assert [candidate.address for candidate in found] == [mapped, mapped]
    assert {candidate.related for candidate in found} == {HERE, HERE_TOO}


def answer_mapped(script: Script, request: Message, path: Path, mapped: TransportAddress) -> None:
    data = encode_message(
        Method.BINDING, MessageClass.SUCCESS, request.transaction_id, (XorMappedAddress(mapped),)
    )
    script.receive(data, path)


@pytest.mark.requirement("ice:G11")
def test_a_relayed_candidate_that_is_a_host_candidate_is_discarded() -> None:
    script = Script(config=IceConfig(servers=(TURN,)))
    script.advance(0.0)
    (request,) = script.take_requests()
    allocated = (
        XorRelayedAddress(HERE),
        XorMappedAddress(TransportAddress.parse("198.51.100.7", 7777)),
        Lifetime(600),
    )

    script.receive(
        encode_message(
            Method.ALLOCATE, MessageClass.SUCCESS, request.message.transaction_id, allocated
        ),
        request.path,
    )

    assert [candidate.type for candidate in script.agent.local_candidates] == [HOST, SRFLX]
    (deletion,) = script.take_requests()
    assert deletion.message.method == Method.REFRESH
    assert deletion.message.get(Lifetime) == Lifetime(0)


def test_a_check_of_a_peer_at_the_servers_address_is_answered() -> None:
    script = Script(config=IceConfig(servers=(STUN,)))
    script.describe()
    script.advance(0.1)
    path = script.requests()[0].path

    response = script.request(path)

    assert response.message.message_class is MessageClass.SUCCESS
    assert len(script.agent.stats().pairs) == 1


def test_data_from_the_address_of_a_stun_server_is_nobodys() -> None:
    script = Script(config=IceConfig(servers=(STUN,)))
    script.advance(0.1)

    script.receive(b"\x80data", script.requests()[0].path)

    assert script.drops(DropReason.UNVALIDATED_SOURCE) == 1


def test_pairs_of_host_and_server_are_bounded() -> None:
    servers = tuple(IceServer((f"stun:192.0.2.{n}",)) for n in range(100, 100 + MAX_SERVERS))
    hosts = [TransportAddress.parse(f"203.0.113.{n}", 4000) for n in range(5)]

    script = Script(addresses=hosts, config=IceConfig(servers=servers))

    assert script.drops(DropReason.SOURCES_FULL) == 5 * MAX_SERVERS - MAX_SOURCES


def test_redirections_are_bounded() -> None:
    network = Network()
    last = TransportAddress.parse("192.0.2.30", 3478)
    for number in range(10, 31):
        relay = relay_on(network, f"192.0.2.{number}")
        following = TransportAddress.parse(f"192.0.2.{min(number + 1, 30)}", 3478)
        drain(relay, following)
    peer = lone_peer(network, host_behind(network, None, 1), TURN)

    gather(network, peer, until=5.0)

    asked = {destination for _, _, destination in requests_of(network, peer, Method.ALLOCATE)}
    assert len(asked) == 1 + MAX_REDIRECTIONS
    assert last not in asked


@pytest.mark.requirement("ice:G12")
def test_a_silent_server_is_asked_on_the_schedule_of_the_rfc() -> None:
    network = Network()
    peer = lone_peer(network, host_behind(network, None, 1), DEAD_STUN)

    gather(network, peer, until=60.0)

    times = [at for at, *_ in requests_of(network, peer, Method.BINDING)]
    assert times == pytest.approx([0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5])


@pytest.mark.requirement("ice:W12")
@pytest.mark.parametrize("dead", [DEAD_STUN, DEAD_TURN], ids=["stun", "turn"])
def test_a_dead_server_holds_up_the_end_of_gathering_by_two_seconds(dead: IceServer) -> None:
    network = Network()
    relay_on(network)
    peer = lone_peer(network, host_behind(network, None, 1), TURN, dead)

    gather(network, peer, until=10.0)

    assert peer.time_of(GatheringCompleted) == pytest.approx(TA + 2.0)
    assert len(peer.process.events_of(GatheringCompleted)) == 1


def test_without_any_candidate_a_silent_server_is_waited_for() -> None:
    """The end would come before anything could be conveyed, and be the end of all."""
    network = Network()
    peer = lone_peer(
        network, host_behind(network, None, 1), DEAD_TURN, TURN, policy=IcePolicy.RELAY
    )

    peer.gather()
    network.run(until=10.0)
    assert not peer.process.events_of(GatheringCompleted)
    relay_on(network)
    network.run(until=60.0)

    (candidate,) = gathered(peer)
    assert candidate.type is RELAY
    # Asked at 15.5 s again, and twice over for the challenge.
    assert peer.time_of(GatheringCompleted) == pytest.approx(15.5 + TA + 2 * RTT)


@pytest.mark.requirement("ice:W12")
def test_a_late_answer_is_still_a_candidate() -> None:
    network = Network()
    peer = lone_peer(network, host_behind(network, PORT_RESTRICTED_CONE, 1), STUN)
    peer.gather()
    network.run(until=2.5)
    assert len(peer.process.events_of(GatheringCompleted)) == 1

    simulate_stun_server(network.host("stun", STUN_IP))
    network.run(until=4.0)

    assert [candidate.type for candidate in gathered(peer)] == [HOST, SRFLX]
    assert len(peer.process.events_of(GatheringCompleted)) == 1


def time_to_select(*servers: IceServer) -> float:
    network = Network()
    simulate_stun_server(network.host("stun", STUN_IP))
    hosts = (host_behind(network, None, 1), host_behind(network, None, 2))
    peers = pair_of(network, hosts, (servers, servers))
    begin(*peers)
    return wait_until_selected(network, peers)


@pytest.mark.requirement("ice:G17")
def test_a_dead_server_does_not_delay_the_connection() -> None:
    alone = time_to_select(STUN)

    assert time_to_select(DEAD_TURN, STUN, DEAD_STUN) == alone
    assert alone < 0.2


@pytest.mark.requirement("ice:G13")
@pytest.mark.parametrize("nat", [PORT_RESTRICTED_CONE, SYMMETRIC], ids=["srflx", "relay"])
def test_candidates_live_through_a_slow_exchange_behind_forgetful_nats(nat: NatBehavior) -> None:
    network = Network()
    simulate_stun_server(network.host("stun", STUN_IP))
    relay_on(network)
    forgetful = dataclasses.replace(nat, lifetime=30.0)
    hosts = (host_behind(network, forgetful, 1), host_behind(network, forgetful, 2))
    peers = pair_of(network, hosts, ([STUN, TURN], [STUN, TURN]))
    for peer in peers:
        peer.signalling.delay = 120.0
        peer.gather()
        peer.describe()

    wait_until_selected(network, peers, timeout=130.0)

    assert is_mirrored(*peers)


def test_a_mapping_that_changes_gives_a_new_candidate() -> None:
    network = Network()
    simulate_stun_server(network.host("stun", STUN_IP))
    nat = network.nat("nat", "198.51.100.1")
    peer = lone_peer(network, network.host("host", "10.0.0.2", segment=nat.inside), STUN)
    (_, first) = gather(network, peer)

    nat.reset()
    network.run(until=20.0)

    (second,) = [c for c in of_type(gathered(peer), SRFLX) if c != first]
    assert second.address != first.address
    assert second.foundation == first.foundation


def test_mapped_addresses_of_a_base_are_bounded() -> None:
    """A server names another one at each keepalive."""
    script = Script(config=IceConfig(servers=(STUN,)))
    for number in range(MAX_REFLEXIVE + 2):
        request = script.next_request()
        mapped = TransportAddress.parse("198.51.100.7", 2000 + number)
        answer_mapped(script, request.message, request.path, mapped)

    found = of_type(script.agent.local_candidates, SRFLX)
    assert [
        candidate.address.port for candidate in found if not isinstance(candidate.address, str)
    ] == list(range(2000, 2000 + MAX_REFLEXIVE))
    assert len(script.events_of(LocalCandidateGathered)) == 1 + MAX_REFLEXIVE
    assert script.drops(DropReason.REFLEXIVE_FULL) == 2


@pytest.mark.parametrize(
    ("hosts", "server", "is_asked"),
    [
        pytest.param(["127.0.0.1"], "turn:127.0.0.1", True, id="loopback-to-loopback"),
        pytest.param(["192.168.0.2"], "turn:127.0.0.1", False, id="lan-to-loopback"),
        pytest.param(["127.0.0.1"], "turn:192.0.2.10", False, id="loopback-to-internet"),
        pytest.param(["192.168.0.2"], "turn:192.0.2.10", True, id="lan-to-internet"),
        pytest.param(["2001:db8::1"], "turn:192.0.2.10", False, id="other-family"),
        pytest.param(["2001:db8::1"], "turn:[2001:db8::10]", True, id="ipv6"),
        pytest.param(["fe80::1%eth0"], "turn:[2001:db8::10]", False, id="link-local"),
    ],
)
def test_a_server_is_asked_from_the_addresses_that_reach_it(
    hosts: list[str], server: str, is_asked: bool
) -> None:
    config = IceConfig(servers=(IceServer((server,), USERNAME, PASSWORD),))

    script = Script(addresses=[TransportAddress.parse(host, 4000) for host in hosts], config=config)
    script.advance(0.1)

    assert bool(script.requests()) is is_asked
    assert bool(script.events_of(GatheringCompleted)) is not is_asked


@pytest.mark.parametrize(
    ("server", "skipped"),
    [
        pytest.param(IceServer(("turn:example.org",)), 1, id="no-credential"),
        pytest.param(IceServer(("turns:x?transport=udp",), "u", "p"), 1, id="dtls"),
        pytest.param(IceServer(("turn:x?transport=sctp",), "u", "p"), 1, id="unknown-transport"),
        pytest.param(IceServer(("stuns:example.org",)), 1, id="stuns"),
        pytest.param(IceServer(("http://example.org", "nonsense")), 2, id="no-uri"),
        pytest.param(IceServer(("turn:192.0.2.1",), "\x00", "p"), 1, id="forbidden-username"),
        pytest.param(
            IceServer(tuple(f"stun:127.0.{n}.1" for n in range(MAX_SERVERS + 3))), 3, id="too-many"
        ),
    ],
)
def test_a_server_that_is_of_no_use_is_counted_and_no_error(
    server: IceServer, skipped: int
) -> None:
    script = Script(config=IceConfig(servers=(server,)))
    script.advance(0.1)

    assert script.drops(DropReason.UNUSABLE_SERVER) == skipped
    assert not script.requests()
    assert script.events_of(GatheringCompleted)


def test_the_same_url_twice_is_one_server() -> None:
    script = Script(config=IceConfig(servers=(STUN, IceServer((STUN.urls[0], *STUN.urls)))))

    script.advance(0.3)

    assert len(script.requests()) == 1


# Names

NAMED = IceServer(("stun:stun.example.org", "stun:stun.example.org:3479"))


def parsed(*texts: str) -> list[IPAddress]:
    return [TransportAddress.parse(text, 1).ip for text in texts]


def resolve(script: Script, *addresses: str) -> None:
    (request,) = script.events_of(ResolveRequested)
    assert isinstance(request, ResolveRequested)
    script.agent.resolved(request.token, parsed(*addresses), script.now)
    script.drain()


@pytest.mark.requirement("stun-turn:STUNC-DNS-07")
def test_a_name_is_asked_for_once_and_its_first_address_of_the_family_used() -> None:
    script = Script(config=IceConfig(servers=(NAMED,)))
    script.advance(0.5)
    assert not script.requests()
    assert not script.events_of(GatheringCompleted)

    resolve(script, "2001:db8::5", "192.0.2.5", "192.0.2.6")
    script.advance(0.6)

    assert [str(request.path.remote) for request in script.requests()] == [
        "192.0.2.5:3478",
        "192.0.2.5:3479",
    ]
    assert script.requests()[0].at == 0.5


def test_a_name_without_addresses_is_no_error() -> None:
    script = Script(config=IceConfig(servers=(NAMED,)))
    script.advance(0.5)

    resolve(script)

    assert script.events_of(GatheringCompleted)
    assert not script.requests()


def test_a_name_that_is_not_answered_holds_up_the_end_by_two_seconds() -> None:
    script = Script(config=IceConfig(servers=(NAMED,)))

    script.advance(5.0)

    assert [at for at, e in script.events if isinstance(e, GatheringCompleted)] == [2.0]
    resolve(script, "192.0.2.5")
    script.advance(5.1)
    assert len(script.requests()) == 2


def test_an_answer_that_nobody_waits_for_is_ignored() -> None:
    script = Script(config=IceConfig(servers=(NAMED,)))
    script.agent.resolved(99, parsed("192.0.2.5"), 0.0)
    script.agent.close(0.0)
    script.agent.resolved(0, parsed("192.0.2.5"), 0.0)

    script.advance(1.0)

    assert not script.requests()


# Who uses it


@pytest.mark.requirement("ice:G14")
def test_candidates_go_with_the_socket_they_were_found_from() -> None:
    network = Network()
    simulate_stun_server(network.host("stun", STUN_IP))
    relay_on(network)
    peer = lone_peer(network, host_behind(network, PORT_RESTRICTED_CONE, 1), STUN, TURN)
    gather(network, peer)
    assert len(peer.agent.local_candidates) == 3
    (address,) = peer.process.addresses

    peer.process.call(lambda agent, now: agent.host_closed(address, now))

    assert not peer.agent.local_candidates
    assert peer.agent.next_timeout() is None


def test_a_restart_conveys_what_is_kept_and_asks_for_nothing_twice() -> None:
    network = Network()
    simulate_stun_server(network.host("stun", STUN_IP))
    relay_on(network)
    peer = lone_peer(network, host_behind(network, PORT_RESTRICTED_CONE, 1), STUN, TURN)
    before = gather(network, peer)
    asked = len(sent_by(network, peer))

    peer.restart()
    network.run(until=network.now + 1.0)

    ufrag = peer.agent.local_credentials.ufrag
    after = [
        event.candidate
        for event in peer.process.events_of(LocalCandidateGathered)
        if event.ufrag == ufrag
    ]
    assert after == before
    assert len(sent_by(network, peer)) == asked
    assert GatheringCompleted(ufrag) in peer.process.events_of(GatheringCompleted)


def test_two_components_gather_each_for_itself() -> None:
    network = Network()
    relay = relay_on(network)
    config = IceConfig(components=(2,), servers=(TURN,))
    peer = Peer(network, host_behind(network, None, 1), controlling=True, config=config)

    candidates = gather(network, peer)

    assert sorted(c.component for c in of_type(candidates, RELAY)) == [1, 2]
    assert len(allocations(relay)) == 2


# Streams

TCP_TURN = IceServer((f"turn:{RELAY_IP}?transport=tcp",), USERNAME, PASSWORD)
UNCONNECTED = Path(
    TransportProtocol.TCP,
    TransportAddress.parse("0.0.0.0", 0),
    TransportAddress.parse(RELAY_IP, 3478),
)


def test_a_stream_to_a_turn_server_is_asked_for_and_used() -> None:
    script = Script(config=IceConfig(servers=(TCP_TURN,)))
    script.advance(0.1)
    (wanted,) = [event for _, event in script.events if type(event).__name__ == "ConnectRequested"]
    stream = dataclasses.replace(UNCONNECTED, local=TransportAddress.parse("192.0.2.1", 50000))

    script.agent.connected(stream, script.now)
    script.drain()

    (request,) = script.requests()
    assert request.path == stream
    assert request.message.method == Method.ALLOCATE
    assert wanted


def test_a_secured_relay_at_an_ip_address_has_to_prove_that_address() -> None:
    """Browsers take it so; RFC 7350 section 4.6.1 wants a domain name."""
    server = IceServer((f"turns:{RELAY_IP}?transport=tcp",), USERNAME, PASSWORD)
    script = Script(config=IceConfig(servers=(server,)))

    script.advance(0.1)

    remote = TransportAddress.parse(RELAY_IP, 5349)
    assert script.events_of(ConnectRequested) == [
        ConnectRequested(TransportProtocol.TLS, remote, RELAY_IP)
    ]


def test_a_stream_that_cannot_be_opened_ends_gathering() -> None:
    script = Script(config=IceConfig(servers=(TCP_TURN,)))
    script.advance(0.1)
    assert not script.events_of(GatheringCompleted)

    script.agent.disconnected(UNCONNECTED, "refused", script.now)
    script.drain()

    assert script.events_of(GatheringCompleted)


def test_a_stream_that_nobody_wants_is_closed() -> None:
    script = Script()

    script.agent.connected(UNCONNECTED, 0.0)
    script.drain()

    assert type(script.events[-1][1]).__name__ == "CloseRequested"
