"""Every NAT behaviour of RFC 4787 against every other: which pairs need a relay, and when."""

import itertools

import pytest

from hairpin.testing import simulate_stun_server
from ice import PairSelected, PairValidated
from netsim import Filtering, Mapping, NatBehavior, Network, PortAssignment

from .peers import Peer, begin, is_mirrored
from .servers import (
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

RTT = 0.05
KINDS = {
    "EI": (Mapping.ENDPOINT_INDEPENDENT, Filtering.ENDPOINT_INDEPENDENT),
    "AD": (Mapping.ADDRESS_DEPENDENT, Filtering.ADDRESS_DEPENDENT),
    "APD": (Mapping.ADDRESS_AND_PORT_DEPENDENT, Filtering.ADDRESS_AND_PORT_DEPENDENT),
}
TABLE = """
          open  EI/EI EI/AD EI/APD AD/EI AD/AD AD/APD APD/EI APD/AD APD/APD
open      D1    D1    D1    D1     D1.5  D1.5  D1.5   D1.5   D1.5   D1.5
EI/EI     D1    D1    D1    D1     D1.5  D1.5  D1.5   D1.5   D1.5   D1.5
EI/AD     D1    D1    D1    D1     D1.5  D1.5  D1.5   D1.5   D1.5   D1.5
EI/APD    D1    D1    D1    D1     R1    R1    R1     R1     R1     R1
AD/EI     D1.5  D1.5  D1.5  R1     D1.5  D2    R1     D2     D2.5   R1
AD/AD     D1.5  D1.5  D1.5  R1     D2    R1    R1     D2     R1     R1
AD/APD    D1.5  D1.5  D1.5  R1     R1    R1    R1     R1     R1     R1
APD/EI    D1.5  D1.5  D1.5  R1     D2    D2    R1     R1     R1     R1
APD/AD    D1.5  D1.5  D1.5  R1     D2.5  R1    R1     R1     R1     R1
APD/APD   D1.5  D1.5  D1.5  R1     R1    R1    R1     R1     R1     R1
"""
"""Mapping/filtering of one side and the other: D direct or R through one relay, and the
round trips to a valid pair where Ta is 0 and permissions take no time."""

HEADER, *ROWS = TABLE.split("\n")[1:-1]
COLUMNS = HEADER.split()
CELLS = {
    (row.split()[0], column): cell
    for row in ROWS
    for column, cell in zip(COLUMNS, row.split()[1:], strict=True)
}


def behavior(name: str) -> NatBehavior | None:
    if name == "open":
        return None
    mapping, filtering = (KINDS[kind] for kind in name.split("/"))
    is_predictable = mapping[0] is Mapping.ENDPOINT_INDEPENDENT
    return NatBehavior(
        mapping=mapping[0],
        filtering=filtering[1],
        port_assignment=PortAssignment.PRESERVING if is_predictable else PortAssignment.RANDOM,
    )


def between(left: str, right: str, seed: int) -> tuple[Network, tuple[Peer, Peer]]:
    """A STUN server, and a TURN server for each side, at different addresses."""
    network = Network(seed=seed)
    simulate_stun_server(network.host("stun", STUN_IP))
    relay_on(network)
    relay_on(network, OTHER_RELAY_IP)
    hosts = (host_behind(network, behavior(left), 1), host_behind(network, behavior(right), 2))
    peers = pair_of(network, hosts, ([STUN, TURN], [STUN, OTHER_TURN]))
    begin(*peers)
    return network, peers


@pytest.mark.long  # ten pairs of agents, each with three servers
@pytest.mark.requirement("ice:N14")
@pytest.mark.requirement("ice:N15")
@pytest.mark.requirement("ice:N16")
@pytest.mark.requirement("ice:V14")
@pytest.mark.requirement("ice:C12")
@pytest.mark.parametrize("left", COLUMNS)
def test_a_relay_is_used_where_there_is_no_direct_path_and_nowhere_else(left: str) -> None:
    for seed, right in itertools.product((1, 2), COLUMNS):
        expected = CELLS[left, right]
        network, peers = between(left, right, seed)

        wait_until_selected(network, peers)
        # A peer that nominates as RFC 5245 says might change its mind.
        network.run(until=network.now + 1.0)

        what = f"{left} with {right}, seed {seed}"
        assert is_mirrored(*peers), what
        assert is_relayed(peers[0]) is expected.startswith("R"), what
        assert [len(peer.process.events_of(PairSelected)) for peer in peers] == [1, 1], what


@pytest.mark.parametrize(
    ("left", "right", "round_trips"),
    [
        # Host candidates are there at once; beyond that Ta is taken as it is.
        pytest.param("open", "open", 1.0, id="open-open"),
        # 1 RTT to learn the mapped address, Ta for the checks that went before, and the table.
        pytest.param("EI/APD", "EI/APD", 1 + 1, id="port-restricted-both"),
        pytest.param("open", "EI/APD", 1 + 1, id="open-port-restricted"),
        pytest.param("EI/EI", "APD/APD", 1 + 1.5 + 0.5, id="full-cone-symmetric"),
        # Ta, 2 RTT for the allocation, 1 for the permission, pairs ahead, 1.5 the relay's way.
        pytest.param("APD/APD", "APD/APD", 7, id="symmetric-both"),
    ],
)
def test_a_valid_pair_is_there_in_the_time_of_the_matrix(
    left: str, right: str, round_trips: float
) -> None:
    """With a Ta of 50 ms, which here is one round trip."""
    network, peers = between(left, right, 1)

    wait_until_selected(network, peers)

    slower = max(peer.time_of(PairValidated) for peer in peers)
    assert slower <= round_trips * RTT + 0.001
