from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import pytest
from hypothesis import given

import netsim
from netsim import (
    SYMMETRIC,
    Fate,
    GilbertElliott,
    LinkProfile,
    NatBehavior,
    Network,
    format_trace,
)
from transport import TransportAddress

from .machines import Caller, Echo, Received
from .networks import Station, ask, station

ROUGH = LinkProfile(
    delay=0.02,
    jitter=0.01,
    loss=0.1,
    bursts=GilbertElliott(to_bad=0.05, to_good=0.3),
    duplicate=0.1,
    reorder=0.1,
    mtu=500,
    rate_bps=200_000,
    queue_bytes=2000,
)


def busy(
    seed: int, link: LinkProfile, behavior: NatBehavior, sizes: list[int]
) -> tuple[Network, list[Station]]:
    """Everybody sends to everybody, in and out of a NAT, over rough links."""
    network = Network(seed, link=link)
    nat = network.nat("nat", "198.51.100.1", behavior=behavior)
    stations = [
        station(network.host("one", "192.0.2.1")),
        station(network.host("two", "192.0.2.2")),
        station(network.host("inside", "10.0.0.2", segment=nat.inside)),
        station(network.host("beside", "10.0.0.3", segment=nat.inside)),
    ]
    targets = [each.address for each in stations]
    targets += [TransportAddress.parse("198.51.100.1", 5000), TransportAddress.parse("8.8.8.8", 1)]
    for number, size in enumerate(sizes):
        network.run(until=number / 100)
        stations[number % 4].send(targets[number % 6], network.random_bytes(str(number))(size))
    return network, stations


profiles = st.builds(
    LinkProfile,
    delay=st.floats(0, 1),
    jitter=st.floats(0, 1),
    loss=st.floats(0, 1),
    duplicate=st.floats(0, 1),
    reorder=st.floats(0, 1),
    mtu=st.integers(28, 1500),
    rate_bps=st.none() | st.floats(1000, 1e9),
    queue_bytes=st.integers(0, 10_000),
)


@given(st.integers(0, 1 << 64), profiles, st.lists(st.integers(0, 600), max_size=30))
def test_every_copy_of_every_datagram_has_exactly_one_fate(
    seed: int, link: LinkProfile, sizes: list[int]
) -> None:
    network, _ = busy(seed, link, SYMMETRIC, sizes)
    assert network.copies_sent == network.fates.total() + network.in_flight

    network.run_idle()

    ends = [(record.origin.number, record.copy) for record in network.trace]
    assert network.in_flight == 0
    assert len(set(ends)) == len(ends) == network.copies_sent
    assert {number for number, _ in ends} == set(range(1, len(sizes) + 1))


@hypothesis.settings(max_examples=10)
@given(st.integers(0, 1 << 64))
def test_equal_seeds_give_equal_traces_byte_for_byte(seed: int) -> None:
    def trace(seed: int) -> str:
        network, _ = busy(seed, ROUGH, SYMMETRIC, [100] * 60)
        network.run_idle()
        return format_trace(network.trace)

    assert trace(seed) == trace(seed)
    assert trace(seed) != trace(seed + 1)


def test_a_trace_is_the_same_on_every_machine_and_python() -> None:
    network = Network(seed=42, link=LinkProfile(delay=0.02, jitter=0.01, loss=0.5))
    nat = network.nat("nat", "198.51.100.1", behavior=SYMMETRIC)
    inside = station(network.host("inside", "10.0.0.2", segment=nat.inside))
    server = station(network.host("server", "192.0.2.1"))

    inside.send(server.address, b"a", b"b", b"c", b"d")
    network.run_idle()

    assert format_trace(network.trace) == GOLDEN


SENT = "0.0 inside 10.0.0.2:5000>192.0.2.1:5000"
LEFT = "nat>internet 198.51.100.1:7816>192.0.2.1:5000"
GOLDEN = (
    f"1.0 {SENT} 0.0 {LEFT} lost 61\n"
    f"2.0 {SENT} 0.0 {LEFT} lost 62\n"
    f"4.0 {SENT} 0.0 {LEFT} lost 64\n"
    f"3.0 {SENT} 0.050976892 server 198.51.100.1:7816>192.0.2.1:5000 delivered 63\n"
)


def test_a_trace_tells_what_was_sent_and_what_arrived() -> None:
    network = Network()
    nat = network.nat("nat", "198.51.100.1")
    inside = station(network.host("inside", "10.0.0.2", segment=nat.inside))
    server = station(network.host("server", "192.0.2.1"))

    inside.send(server.address, b"\x01\x02")
    network.run_idle()

    assert format_trace(network.trace) == (
        "1.0 0.0 inside 10.0.0.2:5000>192.0.2.1:5000 "
        "0.025 server 198.51.100.1:5000>192.0.2.1:5000 delivered 0102\n"
    )


def test_a_tap_sees_what_ends_from_then_on() -> None:
    network = Network()
    one = station(network.host("one", "192.0.2.1"))
    two = station(network.host("two", "192.0.2.2"))
    ask(network, one, two)

    tap = network.tap()
    one.send(two.address, b"tapped")
    network.run_idle()

    assert [record.data for record in tap] == [b"tapped"]
    assert len(network.trace) == 2


def test_an_injected_datagram_comes_from_whoever_it_says() -> None:
    network = Network()
    one = station(network.host("one", "192.0.2.1"))
    two = station(network.host("two", "192.0.2.2"))

    network.inject(b"forged", one.address, two.address)
    network.run_idle()

    assert two.arrivals == [(0.0125, b"forged", one.address)]
    assert network.trace[0].origin.sender == "injected"


def test_an_injected_datagram_may_start_inside() -> None:
    network = Network()
    nat = network.nat("nat", "198.51.100.1")
    inside = station(network.host("inside", "10.0.0.2", segment=nat.inside))

    network.inject(b"x", TransportAddress.parse("10.0.0.9", 1), inside.address, segment=nat.inside)
    network.run_idle()

    assert inside.sources == [TransportAddress.parse("10.0.0.9", 1)]


def test_a_partition_cuts_groups_of_hosts_off_until_it_heals() -> None:
    network = Network()
    nat = network.nat("nat", "198.51.100.1")
    inside = station(network.host("inside", "10.0.0.2", segment=nat.inside))
    one = station(network.host("one", "192.0.2.1"))
    two = station(network.host("two", "192.0.2.2"))

    network.partition([inside.host, one.host], [two.host])
    assert ask(network, inside, two) is None
    assert ask(network, two, one) is None
    assert ask(network, inside, one) is not None
    assert network.fates[Fate.PARTITIONED] == 2
    network.heal()

    assert ask(network, inside, two) is not None


def test_a_block_is_in_one_direction() -> None:
    network = Network()
    one = station(network.host("one", "192.0.2.1"))
    two = station(network.host("two", "192.0.2.2"))

    network.block([one.host], [two.host])

    assert ask(network, one, two) is None
    assert ask(network, two, one) == two.address


def test_names_are_given_once() -> None:
    network = Network()
    network.host("one")

    for again in (network.host, network.nat, network.firewall, network.segment):
        with pytest.raises(ValueError, match="something is called 'one' already"):
            again("one")
    with pytest.raises(ValueError, match="something is called 'injected' already"):
        network.host("injected")


def test_a_segment_without_a_router_leads_nowhere() -> None:
    network = Network()
    lan = network.segment("lan", link=LinkProfile(delay=1.0))
    one = station(network.host("one", "10.0.0.1", segment=lan))
    two = station(network.host("two", "10.0.0.2", segment=lan))
    public = station(network.host("public", "192.0.2.1"))

    assert ask(network, one, public) is None
    assert ask(network, one, two) == one.address
    assert network.now == 3.0
    assert network.fates[Fate.UNREACHABLE] == 1


def test_a_script_changes_the_network_while_it_runs() -> None:
    network = Network()
    one = station(network.host("one", "192.0.2.1"))
    two = station(network.host("two", "192.0.2.2"))
    network.call_at(1.0, one.host.interfaces[0].take_down)
    for at in (0.5, 1.5):
        network.call_at(at, lambda: one.send(two.address))

    network.run(until=2.0)

    assert [at for at, _, _ in two.arrivals] == [0.525]


def test_randomness_for_machines_goes_by_seed_and_label() -> None:
    assert Network(1).random_bytes("a")(16) == Network(1).random_bytes("a")(16)
    assert Network(1).random_bytes("a")(16) != Network(1).random_bytes("b")(16)
    assert Network(1).random_bytes("a")(16) != Network(2).random_bytes("a")(16)
    assert repr(Network(3)) == "<Network seed=3 now=0.0>"


def test_the_first_simulation_of_the_documentation_works() -> None:
    assert netsim.__doc__ is not None
    lines = netsim.__doc__.split("::\n", 1)[1].splitlines()
    block = [line[4:] for line in lines if line.startswith("    ")]
    names: dict[str, object] = {"MyServer": Echo, "MyClient": Caller}

    exec("\n".join(block), names)

    client = names["client"]
    assert isinstance(client, netsim.Process)
    assert len(client.events_of(Received)) == 1
    assert len(block) <= 15
