"""What cannot be told is no type of NAT (RFC 5780 sections 4.2 and 5)."""

from __future__ import annotations

import itertools

import pytest

import netsim
from netsim import Network
from stun.behavior import (
    BehaviorClient,
    BehaviorConfig,
    BehaviorReport,
    BehaviorTest,
    ClientAddresses,
    DiscoveryFinished,
    Inconclusive,
    NatMapping,
    Obstacle,
    ServerReached,
    TestConcluded,
)
from transport import Path, TransportAddress, TransportProtocol

from .servers import (
    Careless,
    Deaf,
    Demanding,
    Forgetful,
    Garbled,
    HalfDead,
    Misled,
    Mute,
    Mysterious,
    Refusing,
    ScriptedServer,
    ShortPadding,
    Tiring,
    WithoutOther,
)
from .world import SERVER, discover, host_behind, nat_of, open_host, serve

ALL = list(BehaviorTest)


def asked_of(server: ScriptedServer) -> BehaviorReport:
    network = Network()
    serve(network, server)
    nat = nat_of(network, netsim.FULL_CONE)
    return discover(network, host_behind(network, nat), tests=ALL).report


@pytest.mark.requirement("stun-turn:STUNC-NAT-01")
def test_where_udp_is_blocked_nothing_else_is_tried() -> None:
    network = Network()
    serve(network)
    firewall = network.firewall("wall")
    firewall.block_udp()

    world = discover(network, host_behind(network, firewall, "198.51.100.77"), tests=ALL)

    nothing = Inconclusive(Obstacle.NO_RESPONSE)
    assert world.report == BehaviorReport(None, nothing, nothing, nothing, nothing, nothing)
    assert [time for time, _ in world.process.events] == [5.5] * 6
    assert network.copies_sent == 4


@pytest.mark.requirement("stun-turn:STUNC-NAT-01")
def test_a_server_without_a_second_address_says_only_that_there_is_a_nat() -> None:
    report = asked_of(WithoutOther())

    none = Inconclusive(Obstacle.NO_OTHER_ADDRESS)
    assert report.reached is not None
    assert report.reached.mapped != report.reached.local
    assert (report.mapping, report.filtering) == (none, none)
    assert report.fragments == Inconclusive(Obstacle.REFUSED, 420)
    assert report.lifetime == Inconclusive(Obstacle.REFUSED, 420)


@pytest.mark.requirement("stun-turn:STUNC-NAT-01")
def test_a_server_without_a_second_address_can_say_that_there_is_no_nat() -> None:
    network = Network()
    serve(network, WithoutOther())

    report = discover(network, open_host(network)).report

    assert report.mapping is NatMapping.NONE
    assert report.filtering == Inconclusive(Obstacle.NO_OTHER_ADDRESS)


@pytest.mark.requirement("stun-turn:STUNC-NAT-07")
def test_a_refused_test_is_inconclusive() -> None:
    report = asked_of(Refusing())

    refused = Inconclusive(Obstacle.REFUSED, 420)
    assert report.mapping is NatMapping.ENDPOINT_INDEPENDENT
    assert (report.filtering, report.fragments, report.lifetime) == (refused, refused, refused)


@pytest.mark.requirement("stun-turn:STUNC-NAT-07")
def test_an_answer_from_the_wrong_address_is_inconclusive() -> None:
    report = asked_of(Careless())

    unexpected = Inconclusive(Obstacle.UNEXPECTED_ANSWER)
    assert report.filtering == unexpected
    assert report.fragments == unexpected
    assert report.lifetime == unexpected


@pytest.mark.requirement("stun-turn:STUNC-NAT-07")
def test_a_second_address_that_is_none_is_not_used() -> None:
    report = asked_of(Misled())

    unexpected = Inconclusive(Obstacle.UNEXPECTED_ANSWER)
    assert (report.mapping, report.filtering) == (unexpected, unexpected)


@pytest.mark.requirement("stun-turn:STUNC-NAT-07")
def test_silence_of_the_other_address_is_no_filter() -> None:
    report = asked_of(HalfDead())

    silent = Inconclusive(Obstacle.ALTERNATE_SILENT)
    assert (report.mapping, report.filtering) == (silent, silent)


@pytest.mark.parametrize(
    ("server", "code"), [(Demanding(), 401), (Mute(), None)], ids=["401", "no-address"]
)
@pytest.mark.requirement("stun-turn:STUNC-NAT-07")
def test_a_server_that_tells_no_address_makes_all_inconclusive(
    server: ScriptedServer, code: int | None
) -> None:
    report = asked_of(server)

    assert report.reached is None
    assert report.mapping == report.lifetime == Inconclusive(Obstacle.REFUSED, code)


@pytest.mark.requirement("stun-turn:STUNC-NAT-07")
def test_a_lifetime_whose_answers_never_come_is_inconclusive() -> None:
    assert asked_of(Deaf()).lifetime == Inconclusive(Obstacle.NO_RESPONSE)


@pytest.mark.parametrize(
    ("answers", "test", "obstacle"),
    [
        pytest.param(1, BehaviorTest.FILTERING, Obstacle.NO_RESPONSE, id="filtering"),
        pytest.param(1, BehaviorTest.HAIRPINNING, Obstacle.NO_RESPONSE, id="hairpinning"),
        pytest.param(1, BehaviorTest.FRAGMENTS, Obstacle.NO_RESPONSE, id="fragments"),
        pytest.param(1, BehaviorTest.LIFETIME, Obstacle.NO_RESPONSE, id="lifetime"),
        pytest.param(3, BehaviorTest.LIFETIME, Obstacle.NO_RESPONSE, id="lifetime-later"),
        pytest.param(1, BehaviorTest.MAPPING, Obstacle.ALTERNATE_SILENT, id="mapping"),
        pytest.param(2, BehaviorTest.MAPPING, Obstacle.ALTERNATE_SILENT, id="mapping-later"),
    ],
)
@pytest.mark.requirement("stun-turn:STUNC-NAT-07")
def test_a_server_that_falls_silent_makes_a_test_inconclusive(
    answers: int, test: BehaviorTest, obstacle: Obstacle
) -> None:
    network = Network()
    serve(network, Tiring(answers))
    host = host_behind(network, nat_of(network, netsim.SYMMETRIC))

    world = discover(network, host, tests=[test])

    assert world.process.events_of(TestConcluded) == [TestConcluded(test, Inconclusive(obstacle))]


@pytest.mark.requirement("stun-turn:STUNC-NAT-07")
def test_a_server_that_tires_during_the_search_for_a_lifetime_is_told() -> None:
    network = Network()
    serve(network, Forgetful())
    host = host_behind(network, nat_of(network, netsim.FULL_CONE))

    report = discover(network, host, tests=[BehaviorTest.LIFETIME], timeout=600).report

    assert report.lifetime == Inconclusive(Obstacle.REFUSED, 420)


def test_fragments_that_are_refused_when_they_are_short_say_nothing() -> None:
    assert asked_of(ShortPadding()).fragments == Inconclusive(Obstacle.REFUSED, 420)


def test_a_response_with_what_must_be_understood_and_is_not_is_no_answer() -> None:
    assert asked_of(Mysterious()).mapping == Inconclusive(Obstacle.REFUSED)


def test_addresses_that_cannot_be_read_are_not_there() -> None:
    report = asked_of(Garbled())

    assert report.reached is not None
    assert report.reached.other is None
    assert not report.reached.is_rewritten


def addresses() -> ClientAddresses:
    return ClientAddresses(*(TransportAddress.parse("192.0.2.9", port) for port in (1, 2, 3)))


def test_requests_are_begun_below_ten_a_second() -> None:
    """Section 5."""
    network = Network()
    serve(network)
    begun: dict[bytes, float] = {}
    sent = network.tap()

    discover(network, host_behind(network, nat_of(network, netsim.PORT_RESTRICTED_CONE)))

    for each in sent:
        if each.origin.sender == "client":
            begun.setdefault(each.origin.data[8:20], each.origin.sent_at)
    times = sorted(begun.values())
    assert len(times) > 8
    assert min(after - before for before, after in itertools.pairwise(times)) > 0.1


def test_what_is_no_answer_is_ignored() -> None:
    client = BehaviorClient(SERVER, addresses(), random_bytes=bytes, tests=[])
    path = Path(TransportProtocol.UDP, addresses().main, SERVER)
    client.start(0.0)
    assert client.poll_transmit() is not None

    client.receive(b"", path, 0.1)
    client.receive(b"\1\1\0\0\x21\x12\xa4\x42" + bytes(range(12)), path, 0.1)

    assert client.poll_event() is None
    assert client.next_timeout() == pytest.approx(0.11)


def test_events_tell_of_each_test_as_it_is_over() -> None:
    network = Network()
    serve(network)

    world = discover(network, open_host(network))

    kinds = [type(event) for _, event in world.process.events]
    assert kinds == [ServerReached, *[TestConcluded] * 4, DiscoveryFinished]


@pytest.mark.parametrize(
    "ports", [pytest.param((1, 1, 2), id="twice"), pytest.param((1, 2, 1), id="twice-too")]
)
def test_three_sockets_are_needed(ports: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="three"):
        ClientAddresses(*(TransportAddress.parse("192.0.2.9", port) for port in ports))


def test_a_socket_on_a_wildcard_cannot_tell_of_a_nat() -> None:
    with pytest.raises(ValueError, match="address"):
        ClientAddresses(*(TransportAddress.parse("0.0.0.0", port) for port in (1, 2, 3)))


def test_times_are_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        BehaviorConfig(lifetime_step=0)
