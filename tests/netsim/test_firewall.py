from __future__ import annotations

import pytest

from netsim import Fate, Filtering, Firewall, Network

from .networks import Station, ask, station


def lab(filtering: Filtering) -> tuple[Network, Firewall, Station, Station, Station, Station]:
    network = Network()
    firewall = network.firewall("firewall", filtering=filtering, lifetime=30.0)
    inside = station(network.host("inside", "203.0.113.2", segment=firewall.inside))
    near = network.host("near", "192.0.2.1")
    far = network.host("far", "192.0.2.2")
    return network, firewall, inside, station(near, 1000), station(near, 2000), station(far, 1000)


@pytest.mark.parametrize(
    ("filtering", "let_in"),
    [
        pytest.param(Filtering.ENDPOINT_INDEPENDENT, [True, True, True], id="endpoint-independent"),
        pytest.param(Filtering.ADDRESS_DEPENDENT, [True, True, False], id="address-dependent"),
        pytest.param(Filtering.ADDRESS_AND_PORT_DEPENDENT, [True, False, False], id="and-port"),
    ],
)
def test_a_firewall_lets_in_by_whom_the_inside_has_sent_to(
    filtering: Filtering, let_in: list[bool]
) -> None:
    network, _, inside, *outside = lab(filtering)
    assert [ask(network, peer, inside) for peer in outside] == [None, None, None]

    assert ask(network, inside, outside[0]) == inside.address
    sources = [ask(network, peer, inside) for peer in outside]

    assert [source is not None for source in sources] == let_in
    assert network.fates[Fate.FILTERED] == 3 + let_in.count(False)


def test_a_permission_ends_after_its_lifetime() -> None:
    network, _, inside, near, *_ = lab(Filtering.ADDRESS_DEPENDENT)
    ask(network, inside, near)

    network.run(until=31.0)

    assert ask(network, near, inside) is None


def test_a_firewall_that_blocks_udp_lets_nothing_pass() -> None:
    network, firewall, inside, near, *_ = lab(Filtering.ENDPOINT_INDEPENDENT)
    ask(network, inside, near)

    firewall.block_udp()
    assert (ask(network, inside, near), ask(network, near, inside)) == (None, None)
    assert network.fates[Fate.BLOCKED] == 2
    firewall.allow_udp()

    assert ask(network, inside, near) == inside.address


def test_a_nat_behind_a_firewall_is_blocked_with_it() -> None:
    network = Network()
    firewall = network.firewall("firewall")
    nat = network.nat("nat", "203.0.113.1", outer=firewall.inside)
    inside = station(network.host("inside", "10.0.0.2", segment=nat.inside))
    server = station(network.host("server", "192.0.2.1"))
    assert ask(network, inside, server) is not None

    firewall.block_udp()

    assert ask(network, inside, server) is None


def test_an_address_removed_inside_is_no_longer_reached_from_outside() -> None:
    network, _, inside, near, *_ = lab(Filtering.ENDPOINT_INDEPENDENT)
    ask(network, inside, near)

    inside.host.remove_address("203.0.113.2")

    assert ask(network, near, inside) is None
    assert network.fates[Fate.UNREACHABLE] == 1


def test_link_local_addresses_are_not_announced_outside() -> None:
    network, firewall, *_ = lab(Filtering.ENDPOINT_INDEPENDENT)
    host = network.host("v6", "fe80::1", segment=firewall.inside)

    assert [str(ip) for ip in firewall.interface.addresses] == ["203.0.113.2"]
    host.remove_address("fe80::1")
    assert host.addresses == ()


def test_what_goes_round_in_circles_ends() -> None:
    network = Network()
    firewalls = [network.firewall("wall0")]
    for number in range(1, 18):
        firewalls.append(network.firewall(f"wall{number}", outer=firewalls[-1].inside))
    inside = station(network.host("inside", "203.0.113.2", segment=firewalls[-1].inside))
    server = station(network.host("server", "192.0.2.1"))

    assert ask(network, inside, server) is None
    assert network.fates == {Fate.HOPS_EXCEEDED: 1}
