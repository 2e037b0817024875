from __future__ import annotations

import ipaddress
import itertools

import pytest

from netsim import (
    SYMMETRIC,
    Fate,
    Filtering,
    Hairpinning,
    Mapping,
    Nat,
    NatBehavior,
    Network,
    Pooling,
    PortAssignment,
    Refresh,
)
from transport import TransportAddress

from .networks import Station, ask, station

EXTERNAL = "198.51.100.1"


class Lab:
    """A host behind a NAT, and two on the internet with two ports each."""

    def __init__(self, behavior: NatBehavior, *external: str) -> None:
        self.network = Network()
        self.nat = self.network.nat("nat", *(external or (EXTERNAL,)), behavior=behavior)
        self.inside = self.host_inside("inside", "10.0.0.2")
        near = self.network.host("near", "192.0.2.1")
        far = self.network.host("far", "192.0.2.2")
        self.near = station(near, 1000)
        self.near_other_port = station(near, 2000)
        self.far = station(far, 1000)

    def host_inside(self, name: str, ip: str, port: int = 5000) -> Station:
        return station(self.network.host(name, ip, segment=self.nat.inside), port)

    def mapped(self, receiver: Station, sender: Station | None = None) -> TransportAddress:
        """The external address that ``receiver`` sees the host inside at."""
        source = ask(self.network, sender or self.inside, receiver)
        assert source is not None
        return source

    def gets_in(self, sender: Station, external: TransportAddress) -> bool:
        before = len(self.inside.arrivals)
        sender.send(external)
        self.network.run_idle()
        return len(self.inside.arrivals) > before


@pytest.mark.parametrize("filtering", Filtering)
@pytest.mark.parametrize(
    ("mapping", "same_for_other_port", "same_for_other_address"),
    [
        pytest.param(Mapping.ENDPOINT_INDEPENDENT, True, True, id="endpoint-independent"),
        pytest.param(Mapping.ADDRESS_DEPENDENT, True, False, id="address-dependent"),
        pytest.param(Mapping.ADDRESS_AND_PORT_DEPENDENT, False, False, id="address-and-port"),
    ],
)
def test_mappings_are_reused_as_rfc_4787_section_4_1_says(
    mapping: Mapping, same_for_other_port: bool, same_for_other_address: bool, filtering: Filtering
) -> None:
    lab = Lab(NatBehavior(mapping=mapping, filtering=filtering))
    first = lab.mapped(lab.near)

    assert lab.mapped(lab.near) == first
    assert (lab.mapped(lab.near_other_port) == first) is same_for_other_port
    assert (lab.mapped(lab.far) == first) is same_for_other_address


@pytest.mark.parametrize("mapping", Mapping)
@pytest.mark.parametrize(
    ("filtering", "other_port_gets_in", "other_address_gets_in"),
    [
        pytest.param(Filtering.ENDPOINT_INDEPENDENT, True, True, id="endpoint-independent"),
        pytest.param(Filtering.ADDRESS_DEPENDENT, True, False, id="address-dependent"),
        pytest.param(Filtering.ADDRESS_AND_PORT_DEPENDENT, False, False, id="address-and-port"),
    ],
)
def test_datagrams_are_let_in_as_rfc_4787_section_5_says(
    mapping: Mapping, filtering: Filtering, other_port_gets_in: bool, other_address_gets_in: bool
) -> None:
    lab = Lab(NatBehavior(mapping=mapping, filtering=filtering))
    external = lab.mapped(lab.near)

    assert lab.gets_in(lab.near, external)
    assert lab.gets_in(lab.near_other_port, external) is other_port_gets_in
    assert lab.gets_in(lab.far, external) is other_address_gets_in
    refused = [other_port_gets_in, other_address_gets_in].count(False)
    assert lab.network.fates[Fate.FILTERED] == refused


@pytest.mark.parametrize("kind", Mapping)
def test_nothing_gets_in_before_something_went_out(kind: Mapping) -> None:
    lab = Lab(NatBehavior(mapping=kind, filtering=Filtering.ENDPOINT_INDEPENDENT))

    assert not lab.gets_in(lab.near, TransportAddress.parse(EXTERNAL, 5000))
    assert lab.network.fates == {Fate.NO_MAPPING: 1}


def test_the_host_inside_sees_the_true_source() -> None:
    lab = Lab(NatBehavior())
    external = lab.mapped(lab.near)

    lab.gets_in(lab.near, external)

    assert lab.inside.sources == [lab.near.address]


def test_a_port_is_preserved_and_a_collision_gets_the_next_one() -> None:
    lab = Lab(NatBehavior(port_assignment=PortAssignment.PRESERVING))
    other = lab.host_inside("other", "10.0.0.3")

    assert lab.mapped(lab.near) == TransportAddress.parse(EXTERNAL, 5000)
    assert lab.mapped(lab.near, other) == TransportAddress.parse(EXTERNAL, 5001)


def test_a_port_outside_the_range_is_not_preserved() -> None:
    lab = Lab(NatBehavior(ports=range(7000, 7010)))

    assert lab.mapped(lab.near).port == 7000


def test_sequential_ports_follow_each_other_and_wrap() -> None:
    lab = Lab(
        NatBehavior(
            mapping=Mapping.ADDRESS_AND_PORT_DEPENDENT,
            port_assignment=PortAssignment.SEQUENTIAL,
            lifetime=1.0,
            ports=range(7000, 7002),
        )
    )
    ports = []
    for receiver in (lab.near, lab.near_other_port, lab.far):
        ports.append(lab.mapped(receiver).port)
        lab.network.run(until=lab.network.now + 1.0)

    assert ports == [7000, 7001, 7000]


def test_random_ports_differ_and_lie_in_the_range() -> None:
    lab = Lab(SYMMETRIC)
    ports = {lab.mapped(peer).port for peer in (lab.near, lab.near_other_port, lab.far)}

    assert len(ports) == 3
    assert all(port in SYMMETRIC.ports for port in ports)


def test_a_nat_without_a_free_port_drops_what_needs_one() -> None:
    lab = Lab(NatBehavior(ports=range(7000, 7001), lifetime=30.0))
    other = lab.host_inside("other", "10.0.0.3")
    lab.mapped(lab.near)

    assert ask(lab.network, other, lab.near) is None
    assert lab.network.fates[Fate.PORTS_EXHAUSTED] == 1

    lab.network.run(until=30.0)
    assert lab.mapped(lab.near, other).port == 7000


def test_a_nat_without_an_external_address_of_the_family_drops() -> None:
    lab = Lab(NatBehavior(), "2001:db8::1")

    assert ask(lab.network, lab.inside, lab.near) is None
    assert lab.network.fates == {Fate.PORTS_EXHAUSTED: 1}


@pytest.mark.parametrize(
    ("at", "is_alive"), [pytest.param(29.999, True, id="just"), pytest.param(30.0, False, id="not")]
)
def test_a_mapping_lives_for_its_lifetime_after_the_last_outbound(
    at: float, is_alive: bool
) -> None:
    lab = Lab(NatBehavior(lifetime=30.0))
    lab.inside.send(lab.near.address)

    lab.network.run(until=at)

    assert bool(lab.nat.mappings) is is_alive


def test_outbound_datagrams_refresh_a_mapping() -> None:
    lab = Lab(NatBehavior(lifetime=30.0))
    for at in (0.0, 20.0, 40.0):
        lab.network.run(until=at)
        lab.inside.send(lab.near.address)
    lab.network.run(until=60.0)

    assert len(set(lab.near.sources)) == 1
    assert lab.gets_in(lab.near, lab.near.sources[0])


@pytest.mark.parametrize(
    ("refresh", "is_alive"),
    [pytest.param(Refresh.OUTBOUND, False, id="outbound"), (Refresh.BOTH_DIRECTIONS, True)],
)
def test_inbound_datagrams_refresh_a_mapping_only_when_told_to(
    refresh: Refresh, is_alive: bool
) -> None:
    lab = Lab(NatBehavior(lifetime=30.0, refresh=refresh))
    external = lab.mapped(lab.near)
    lab.network.run(until=20.0)
    assert lab.gets_in(lab.near, external)

    lab.network.run(until=40.0)

    assert lab.gets_in(lab.near, external) is is_alive


def test_the_permission_of_a_filter_expires_though_the_mapping_lives() -> None:
    lab = Lab(NatBehavior(lifetime=30.0))
    external = lab.mapped(lab.near)
    lab.network.run(until=20.0)
    assert lab.mapped(lab.far) == external
    lab.network.run(until=40.0)

    assert lab.gets_in(lab.far, external)
    assert not lab.gets_in(lab.near, external)


def test_after_a_reset_old_mappings_are_gone_and_new_ones_differ() -> None:
    lab = Lab(NatBehavior())
    before = lab.mapped(lab.near)

    lab.nat.reset()

    assert lab.nat.mappings == ()
    assert not lab.gets_in(lab.near, before)
    assert lab.mapped(lab.near) != before


def test_a_renumbered_nat_is_reached_at_its_new_address_only() -> None:
    lab = Lab(NatBehavior())
    before = lab.mapped(lab.near)

    lab.nat.renumber(ipaddress.ip_address("198.51.100.9"))
    after = lab.mapped(lab.near)

    assert after == TransportAddress.parse("198.51.100.9", 5000)
    assert lab.gets_in(lab.near, after)
    assert not lab.gets_in(lab.near, before)
    assert lab.network.fates[Fate.UNREACHABLE] == 1


@pytest.mark.parametrize(
    ("hairpinning", "source"),
    [
        pytest.param(Hairpinning.EXTERNAL_SOURCE, (EXTERNAL, 6000), id="external-source"),
        pytest.param(Hairpinning.INTERNAL_SOURCE, ("10.0.0.3", 6000), id="internal-source"),
        pytest.param(Hairpinning.NONE, None, id="none"),
    ],
)
def test_two_hosts_behind_one_nat_reach_each_other_as_section_6_says(
    hairpinning: Hairpinning, source: tuple[str, int] | None
) -> None:
    lab = Lab(NatBehavior(hairpinning=hairpinning, filtering=Filtering.ENDPOINT_INDEPENDENT))
    other = lab.host_inside("other", "10.0.0.3", 6000)
    external = lab.mapped(lab.near)

    other.send(external)
    lab.network.run_idle()

    assert lab.inside.sources == ([TransportAddress.parse(*source)] if source else [])
    assert lab.network.fates[Fate.NO_HAIRPINNING] == (source is None)


def test_hairpinned_datagrams_pass_the_filter_like_others() -> None:
    lab = Lab(NatBehavior())
    other = lab.host_inside("other", "10.0.0.3", 6000)
    external, others = lab.mapped(lab.near), lab.mapped(lab.near, other)

    other.send(external)
    lab.network.run_idle()
    assert lab.inside.arrivals == []
    assert lab.network.fates[Fate.FILTERED] == 1

    lab.inside.send(others)
    other.send(external)
    lab.network.run_idle()
    assert lab.inside.sources == [others]


def test_hosts_behind_one_nat_reach_each_other_directly_inside() -> None:
    lab = Lab(NatBehavior())
    other = lab.host_inside("other", "10.0.0.3", 6000)

    assert ask(lab.network, other, lab.inside) == other.address
    assert lab.nat.mappings == ()


def test_an_inside_address_is_not_reached_from_the_internet() -> None:
    lab = Lab(NatBehavior())

    assert ask(lab.network, lab.near, lab.inside) is None
    assert lab.network.fates == {Fate.UNREACHABLE: 1}


def customer(network: Network, carrier: Nat, number: int) -> tuple[Nat, Station]:
    """A home router behind a carrier-grade NAT, and a host in the home."""
    home = network.nat(f"home{number}", f"100.64.0.{number}", outer=carrier.inside)
    return home, station(network.host(f"host{number}", "10.0.0.2", segment=home.inside))


def test_nats_nest_as_those_of_a_carrier_do() -> None:
    network = Network()
    carrier = network.nat("carrier", EXTERNAL, behavior=SYMMETRIC)
    _, inside = customer(network, carrier, 1)
    server = station(network.host("server", "192.0.2.1"))

    source = ask(network, inside, server)

    assert source is not None
    assert source.host == EXTERNAL
    server.send(source)
    network.run_idle()
    assert inside.sources == [server.address]


def test_customers_of_one_carrier_reach_each_other_by_hairpinning() -> None:
    network = Network()
    carrier = network.nat("carrier", EXTERNAL)
    (_, one), (_, two) = customer(network, carrier, 1), customer(network, carrier, 2)
    server = station(network.host("server", "192.0.2.1"))
    externals = ask(network, one, server), ask(network, two, server)
    assert externals[0] is not None
    assert externals[1] is not None

    one.send(externals[1])
    network.run_idle()
    assert two.arrivals == []  # two has not sent yet: its home router filters
    two.send(externals[0])
    network.run_idle()

    assert one.sources == [externals[1]]


@pytest.mark.parametrize(
    ("pooling", "count"), [pytest.param(Pooling.PAIRED, 1, id="paired"), (Pooling.ARBITRARY, 3)]
)
def test_several_external_addresses_are_pooled_as_told(pooling: Pooling, count: int) -> None:
    behavior = NatBehavior(mapping=Mapping.ADDRESS_AND_PORT_DEPENDENT, pooling=pooling)
    lab = Lab(behavior, *(f"198.51.100.{number}" for number in (1, 2, 3)))
    receivers = [station(lab.near.host, port) for port in range(3000, 3020)]

    assert len({lab.mapped(receiver).ip for receiver in receivers}) == count


def test_paired_pooling_spreads_hosts_over_the_external_addresses() -> None:
    lab = Lab(NatBehavior(), "198.51.100.1", "198.51.100.2")
    other = lab.host_inside("other", "10.0.0.3")

    assert lab.mapped(lab.near).host == "198.51.100.1"
    assert lab.mapped(lab.near, other).host == "198.51.100.2"


@pytest.mark.parametrize(
    "values",
    [{"lifetime": 0.0}, {"ports": range(0)}, {"ports": range(9)}, {"ports": range(65537)}],
)
def test_a_behavior_refuses_what_no_nat_does(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"lives longer|range of ports"):
        NatBehavior(**values)  # type: ignore[arg-type]  # the table mixes kinds of fields


def test_every_combination_of_behaviors_gives_a_mapping() -> None:
    for mapping, assignment, refresh in itertools.product(Mapping, PortAssignment, Refresh):
        lab = Lab(NatBehavior(mapping=mapping, port_assignment=assignment, refresh=refresh))

        assert lab.gets_in(lab.near, lab.mapped(lab.near))


def test_a_mapping_that_has_expired_is_replaced() -> None:
    lab = Lab(NatBehavior(lifetime=30.0, port_assignment=PortAssignment.SEQUENTIAL))
    before = lab.mapped(lab.near)

    lab.network.run(until=30.1)
    after = lab.mapped(lab.near)

    assert after != before
    assert [mapping.external for mapping in lab.nat.mappings] == [after]


def test_what_crosses_too_many_nats_is_dropped() -> None:
    network = Network()
    nats = [network.nat("nat0", EXTERNAL)]
    for number in range(1, 18):
        outer = nats[-1].inside
        nats.append(network.nat(f"nat{number}", f"10.{number}.0.1", outer=outer))
    inside = station(network.host("inside", "10.99.0.2", segment=nats[-1].inside))
    server = station(network.host("server", "192.0.2.1"))

    assert ask(network, inside, server) is None
    assert network.fates == {Fate.HOPS_EXCEEDED: 1}
