from __future__ import annotations

import itertools

import pytest

from netsim import Fate, GilbertElliott, LinkProfile, Network

from .networks import pair, station

PACKET = b"x" * 72  # 100 bytes with the headers of IPv4 and UDP


def send_many(profile: LinkProfile, count: int, *, seed: int = 1) -> tuple[Network, list[int]]:
    """Send numbered datagrams one millisecond apart; the numbers in order of arrival."""
    network, sender, receiver = pair(profile, seed=seed)
    for number in range(count):
        network.run(until=number / 1000)
        sender.send(receiver.address, number.to_bytes(4, "big"))
    network.run_idle()
    return network, [int.from_bytes(data, "big") for _, data, _ in receiver.arrivals]


def test_a_datagram_takes_exactly_the_delay_of_both_links() -> None:
    network = Network()
    sender = station(network.host("sender", "192.0.2.1", link=LinkProfile(delay=0.1)))
    receiver = station(network.host("receiver", "192.0.2.2", link=LinkProfile(delay=0.2)))

    network.run(until=1.0)
    sender.send(receiver.address)
    network.run_idle()

    assert [at for at, _, _ in receiver.arrivals] == [1.3]


def test_two_hosts_on_the_internet_are_25_ms_apart() -> None:
    network = Network()
    sender = station(network.host("sender", "2001:db8::1"))
    receiver = station(network.host("receiver", "2001:db8::2"))

    sender.send(receiver.address)

    assert network.run_idle() == 0.025
    assert len(receiver.arrivals) == 1


def test_each_direction_has_a_profile_of_its_own() -> None:
    network, sender, receiver = pair(LinkProfile(delay=0.5))

    sender.send(receiver.address)
    receiver.send(sender.address)
    network.run_idle()

    assert sender.arrivals[0][0] == 0.0
    assert receiver.arrivals[0][0] == 0.5


def test_jitter_adds_up_to_its_maximum_and_keeps_the_order() -> None:
    network, sender, receiver = pair(LinkProfile(delay=0.1, jitter=0.05))
    for _ in range(200):
        sender.send(receiver.address)
    network.run_idle()
    times = [at for at, _, _ in receiver.arrivals]

    assert min(times) >= 0.1
    assert max(times) <= 0.15
    assert len(set(times)) > 3
    assert send_many(LinkProfile(jitter=0.05), 100)[1] == list(range(100))


@pytest.mark.parametrize("loss", [0.01, 0.1, 0.5])
def test_the_loss_rate_is_that_of_the_profile(loss: float) -> None:
    network, numbers = send_many(LinkProfile(loss=loss), 2000)

    # Four standard deviations of a binomial distribution either way.
    assert abs(2000 - len(numbers) - 2000 * loss) < 4 * (2000 * loss * (1 - loss)) ** 0.5
    assert network.fates[Fate.LOST] == 2000 - len(numbers)


def test_bursts_lose_neighbours_at_the_rate_of_their_chain() -> None:
    profile = LinkProfile(bursts=GilbertElliott(to_bad=0.02, to_good=0.2))
    _, numbers = send_many(profile, 3000)
    got = set(numbers)
    lost = [number for number in range(3000) if number not in got]
    bursts = sum(1 for number in lost if number - 1 not in lost)

    # Stationary loss 0.02 / (0.02 + 0.2) = 9.1 %, mean burst 1 / 0.2 = 5 datagrams.
    assert 0.06 < len(lost) / 3000 < 0.13
    assert 3.5 < len(lost) / bursts < 7


def test_a_burst_model_may_lose_in_the_good_state_and_deliver_in_the_bad_one() -> None:
    always = GilbertElliott(to_bad=0.0, to_good=1.0, loss_good=1.0)
    never = GilbertElliott(to_bad=1.0, to_good=0.0, loss_bad=0.0)

    assert send_many(LinkProfile(bursts=always), 20)[1] == []
    assert send_many(LinkProfile(bursts=never), 20)[1] == list(range(20))


def test_a_duplicate_is_one_more_copy_of_the_same_datagram() -> None:
    network, numbers = send_many(LinkProfile(duplicate=1.0), 3)

    assert numbers == [0, 0, 1, 1, 2, 2]
    assert network.copies_sent == 6
    assert [(record.origin.number, record.copy) for record in network.trace] == [
        (1, 0),
        (1, 1),
        (2, 0),
        (2, 1),
        (3, 0),
        (3, 1),
    ]


def test_copies_of_copies_have_numbers_of_their_own() -> None:
    network = Network(link=LinkProfile(duplicate=1.0))
    sender = station(network.host("sender", "192.0.2.1"))
    receiver = station(network.host("receiver", "192.0.2.2"))

    sender.send(receiver.address)
    network.run_idle()

    assert sorted(record.copy for record in network.trace) == [0, 1, 2, 3]
    assert len(receiver.arrivals) == 4


def test_a_reordered_datagram_is_overtaken_by_later_ones() -> None:
    _, numbers = send_many(LinkProfile(reorder=0.1, reorder_delay=0.0025), 200)

    assert sorted(numbers) == list(range(200))
    late = sum(1 for before, after in itertools.pairwise(numbers) if before > after)
    assert 8 < late < 35


def test_what_exceeds_the_mtu_with_its_headers_is_dropped() -> None:
    network, sender, receiver = pair(LinkProfile(mtu=100))

    sender.send(receiver.address, PACKET, PACKET + b"x")
    network.run_idle()

    assert [record.fate for record in network.trace] == [Fate.TOO_BIG, Fate.DELIVERED]
    assert [data for _, data, _ in receiver.arrivals] == [PACKET]


def test_the_headers_of_ipv6_count_20_bytes_more() -> None:
    network = Network(link=LinkProfile(mtu=100))
    sender = station(network.host("sender", "2001:db8::1"))
    receiver = station(network.host("receiver", "2001:db8::2"))

    sender.send(receiver.address, b"x" * 52, b"x" * 53)
    network.run_idle()

    assert network.fates == {Fate.DELIVERED: 1, Fate.TOO_BIG: 1}


def test_datagrams_leave_one_after_the_other_at_the_rate_of_the_link() -> None:
    network, sender, receiver = pair(LinkProfile(delay=1.0, rate_bps=8000))

    sender.send(receiver.address, PACKET, PACKET, PACKET)
    network.run_idle()

    assert [at for at, _, _ in receiver.arrivals] == [1.1, 1.2, 1.3]


def test_a_full_queue_drops_the_last_and_takes_more_when_it_has_drained() -> None:
    network, sender, receiver = pair(LinkProfile(rate_bps=8000, queue_bytes=200))

    sender.send(receiver.address, PACKET, PACKET, PACKET)
    network.run(until=0.1)
    sender.send(receiver.address, PACKET, PACKET)
    network.run_idle()

    assert network.fates == {Fate.QUEUE_FULL: 2, Fate.DELIVERED: 3}
    assert [at for at, _, _ in receiver.arrivals] == [0.1, 0.2, 0.3]


def test_an_idle_link_takes_a_datagram_however_small_its_queue() -> None:
    network, sender, receiver = pair(LinkProfile(rate_bps=8000, queue_bytes=0))

    sender.send(receiver.address, PACKET, PACKET)
    network.run_idle()

    assert network.fates == {Fate.DELIVERED: 1, Fate.QUEUE_FULL: 1}
    assert len(receiver.arrivals) == 1


def test_a_link_that_is_down_takes_nothing_but_delivers_what_is_on_it() -> None:
    network, sender, receiver = pair(LinkProfile(delay=1.0))
    uplink = sender.host.interfaces[0].uplink
    sender.send(receiver.address, b"before")
    network.run(until=0.5)

    uplink.take_down()
    assert not uplink.is_up
    sender.send(receiver.address, b"meanwhile")
    network.run(until=2.0)
    uplink.bring_up()
    sender.send(receiver.address, b"after")
    network.run_idle()

    assert [data for _, data, _ in receiver.arrivals] == [b"before", b"after"]
    assert network.fates[Fate.LINK_DOWN] == 1


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"loss": 1.1}, id="loss"),
        pytest.param({"duplicate": -0.1}, id="duplicate"),
        pytest.param({"reorder": 2.0}, id="reorder"),
        pytest.param({"delay": -1.0}, id="delay"),
        pytest.param({"jitter": -1.0}, id="jitter"),
        pytest.param({"mtu": 0}, id="mtu"),
        pytest.param({"queue_bytes": -1}, id="queue"),
        pytest.param({"rate_bps": 0.0}, id="rate"),
    ],
)
def test_a_profile_refuses_what_no_link_is_like(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"probability|delay|MTU|rate"):
        LinkProfile(**values)  # type: ignore[arg-type]  # the table mixes int and float fields


def test_a_burst_model_refuses_what_is_no_probability() -> None:
    with pytest.raises(ValueError, match="to_bad is a probability, not 2"):
        GilbertElliott(to_bad=2, to_good=1)
