"""Every NAT of RFC 4787, as a client behind it finds it (RFC 5780 section 4)."""

from __future__ import annotations

import itertools

import pytest

import netsim
from netsim import Filtering, Hairpinning, Mapping, NatBehavior, Network, PortAssignment, Refresh
from stun.behavior import (
    BehaviorConfig,
    BehaviorReport,
    BehaviorTest,
    BindingLifetime,
    Fragments,
    Inconclusive,
    NatFiltering,
    NatHairpinning,
    NatMapping,
    Obstacle,
)
from transport import TransportAddress

from .world import (
    JUMBO,
    NAT_IP,
    OPEN_IP,
    PAIR,
    RTT,
    discover,
    host_behind,
    nat_of,
    open_host,
    serve,
)

MAPPINGS = {
    Mapping.ENDPOINT_INDEPENDENT: NatMapping.ENDPOINT_INDEPENDENT,
    Mapping.ADDRESS_DEPENDENT: NatMapping.ADDRESS_DEPENDENT,
    Mapping.ADDRESS_AND_PORT_DEPENDENT: NatMapping.ADDRESS_AND_PORT_DEPENDENT,
}
FILTERINGS = {
    Filtering.ENDPOINT_INDEPENDENT: NatFiltering.ENDPOINT_INDEPENDENT,
    Filtering.ADDRESS_DEPENDENT: NatFiltering.ADDRESS_DEPENDENT,
    Filtering.ADDRESS_AND_PORT_DEPENDENT: NatFiltering.ADDRESS_AND_PORT_DEPENDENT,
}


def behind(behavior: NatBehavior, *tests: BehaviorTest, seed: int = 1) -> BehaviorReport:
    network = Network(seed=seed)
    serve(network)
    host = host_behind(network, nat_of(network, behavior))
    return discover(network, host, tests=tests).report


@pytest.mark.parametrize(
    ("mapping", "filtering"),
    [
        pytest.param(*pair, id="-".join(each.value for each in pair))
        for pair in itertools.product(MAPPINGS, FILTERINGS)
    ],
)
@pytest.mark.requirement("stun-turn:STUNC-NAT-02", "stun-turn:STUNC-NAT-03", "stun-turn:NATB-12")
def test_a_nat_is_told_by_its_mapping_and_its_filtering(
    mapping: Mapping, filtering: Filtering
) -> None:
    is_predictable = mapping is Mapping.ENDPOINT_INDEPENDENT
    ports = PortAssignment.PRESERVING if is_predictable else PortAssignment.RANDOM
    behavior = NatBehavior(mapping=mapping, filtering=filtering, port_assignment=ports)

    report = behind(behavior, BehaviorTest.MAPPING, BehaviorTest.FILTERING)

    assert report.mapping is MAPPINGS[mapping]
    assert report.filtering is FILTERINGS[filtering]
    assert report.reached is not None
    assert str(report.reached.mapped.ip) == NAT_IP
    assert report.reached.other == PAIR.alternate
    assert report.reached.round_trip_time == pytest.approx(RTT)
    assert not report.reached.is_rewritten


@pytest.mark.requirement("stun-turn:STUNC-NAT-02")
def test_without_a_nat_the_server_sees_our_own_address() -> None:
    network = Network()
    serve(network)

    report = discover(network, open_host(network)).report

    assert report.reached is not None
    assert report.reached.mapped == report.reached.local
    assert str(report.reached.local.ip) == OPEN_IP
    assert report.mapping is NatMapping.NONE
    assert report.filtering is NatFiltering.ENDPOINT_INDEPENDENT
    assert report.hairpinning == Inconclusive(Obstacle.NO_NAT)


def test_a_firewall_filters_where_there_is_no_nat() -> None:
    network = Network()
    serve(network)
    firewall = network.firewall("wall", filtering=Filtering.ADDRESS_DEPENDENT)

    report = discover(network, host_behind(network, firewall, OPEN_IP)).report

    assert report.mapping is NatMapping.NONE
    assert report.filtering is NatFiltering.ADDRESS_DEPENDENT


@pytest.mark.requirement("stun-turn:STUNC-NAT-03")
def test_the_filtering_test_is_run_from_a_socket_that_sent_nothing_to_the_other_addresses() -> None:
    network = Network()
    serve(network)
    sent = network.tap()

    world = discover(network, host_behind(network, nat_of(network, netsim.PORT_RESTRICTED_CONE)))

    fresh = world.process.addresses[1]
    assert {each.origin.destination for each in sent if each.origin.source == fresh} == {
        PAIR.primary
    }


@pytest.mark.parametrize(
    ("mapping", "filtering", "hairpinning", "found"),
    [
        pytest.param(
            Mapping.ENDPOINT_INDEPENDENT,
            Filtering.ADDRESS_AND_PORT_DEPENDENT,
            Hairpinning.EXTERNAL_SOURCE,
            NatHairpinning.EXTERNAL_SOURCE,
            id="as-rfc-4787-wants-it",
        ),
        pytest.param(
            Mapping.ENDPOINT_INDEPENDENT,
            Filtering.ENDPOINT_INDEPENDENT,
            Hairpinning.INTERNAL_SOURCE,
            NatHairpinning.INTERNAL_SOURCE,
            id="with-the-internal-source",
        ),
        pytest.param(
            Mapping.ENDPOINT_INDEPENDENT,
            Filtering.ENDPOINT_INDEPENDENT,
            Hairpinning.NONE,
            NatHairpinning.NONE,
            id="none",
        ),
        pytest.param(
            Mapping.ADDRESS_AND_PORT_DEPENDENT,
            Filtering.ENDPOINT_INDEPENDENT,
            Hairpinning.EXTERNAL_SOURCE,
            NatHairpinning.EXTERNAL_SOURCE,
            id="symmetric-without-a-filter",
        ),
        pytest.param(
            Mapping.ADDRESS_AND_PORT_DEPENDENT,
            Filtering.ADDRESS_AND_PORT_DEPENDENT,
            Hairpinning.EXTERNAL_SOURCE,
            Inconclusive(Obstacle.FILTERED),
            id="symmetric-with-a-filter",
        ),
    ],
)
@pytest.mark.requirement("stun-turn:STUNC-NAT-05", "stun-turn:NATB-12")
def test_hairpinning_is_our_own_request_coming_back(
    mapping: Mapping,
    filtering: Filtering,
    hairpinning: Hairpinning,
    found: NatHairpinning | Inconclusive,
) -> None:
    behavior = NatBehavior(mapping=mapping, filtering=filtering, hairpinning=hairpinning)

    report = behind(behavior, BehaviorTest.MAPPING, BehaviorTest.HAIRPINNING)

    assert report.hairpinning == found
    assert report.filtering is None


@pytest.mark.parametrize("refresh", list(Refresh))
@pytest.mark.parametrize("lifetime", [10.0, 30.0, 95.0])
@pytest.mark.requirement("stun-turn:STUNC-NAT-04", "stun-turn:NATB-12")
def test_the_lifetime_of_bindings_is_found_to_the_step(lifetime: float, refresh: Refresh) -> None:
    network = Network()
    serve(network)
    nat = nat_of(network, NatBehavior(lifetime=lifetime, refresh=refresh))

    found = discover(
        network, host_behind(network, nat), tests=[BehaviorTest.LIFETIME], timeout=3600
    ).report.lifetime

    assert isinstance(found, BindingLifetime)
    assert found.below is not None
    assert found.at_least - 1 <= lifetime <= found.below + 1
    assert found.below - found.at_least <= 1


@pytest.mark.requirement("stun-turn:STUNC-NAT-04")
def test_a_binding_may_outlive_the_search() -> None:
    network = Network()
    serve(network)
    nat = nat_of(network, NatBehavior(lifetime=600))

    found = discover(
        network,
        host_behind(network, nat),
        tests=[BehaviorTest.LIFETIME],
        config=BehaviorConfig(longest_lifetime=50),
        timeout=600,
    ).report.lifetime

    assert found == BindingLifetime(50, None)


def test_a_nat_with_an_address_for_each_socket_hides_its_lifetime() -> None:
    network = Network(seed=3)
    serve(network)
    nat = nat_of(
        network, NatBehavior(pooling=netsim.Pooling.ARBITRARY), "198.51.100.1", "198.51.100.2"
    )

    report = discover(network, host_behind(network, nat), tests=[BehaviorTest.LIFETIME]).report

    assert report.lifetime == Inconclusive(Obstacle.SEVERAL_ADDRESSES)


@pytest.mark.parametrize(
    ("up", "down", "found"),
    [
        pytest.param(9000, 9000, Fragments.PASS, id="pass"),
        pytest.param(1500, 9000, Fragments.LOST_OUTBOUND, id="lost-outbound"),
        pytest.param(9000, 1500, Fragments.LOST_INBOUND, id="lost-inbound"),
        pytest.param(1500, 1500, Fragments.LOST_INBOUND, id="lost-both-ways"),
    ],
)
@pytest.mark.requirement("stun-turn:STUNC-NAT-06", "stun-turn:NATB-12")
def test_fragments_pass_or_are_lost(up: int, down: int, found: Fragments) -> None:
    """A link's MTU stands for a NAT that drops fragments."""
    network = Network(link=JUMBO)
    serve(network)
    host = network.host("client", OPEN_IP, link=JUMBO)
    (interface,) = host.interfaces
    interface.uplink.profile = netsim.LinkProfile(mtu=up)
    interface.downlink.profile = netsim.LinkProfile(mtu=down)

    report = discover(network, host, tests=[BehaviorTest.FRAGMENTS]).report

    assert report.fragments is found


def test_loss_makes_no_other_nat_of_one() -> None:
    for seed in range(40):
        network = Network(seed=seed)
        serve(network)
        lossy = netsim.LinkProfile(delay=0.0125, loss=0.1)
        nat = network.nat("nat", NAT_IP, behavior=netsim.RESTRICTED_CONE, link=lossy)

        report = discover(network, host_behind(network, nat)).report

        assert report.mapping is NatMapping.ENDPOINT_INDEPENDENT, seed
        assert report.filtering is NatFiltering.ADDRESS_DEPENDENT, seed


def test_an_address_that_is_rewritten_on_the_way_is_noticed() -> None:
    """RFC 5780 section 3.6."""
    from .servers import Rewriting

    network = Network()
    serve(network, Rewriting())

    report = discover(network, open_host(network), tests=[]).report

    assert report.reached is not None
    assert report.reached.is_rewritten
    assert report.reached.mapped == TransportAddress.parse(OPEN_IP, report.reached.local.port)
