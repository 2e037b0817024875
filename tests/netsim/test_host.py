from __future__ import annotations

import pytest

from netsim import AddressInUse, Fate, LinkProfile, Network, NotOwned
from transport import Path, TransportAddress

from .machines import MESSAGE, Probe, Received, udp
from .networks import ask, station


def test_a_machine_sees_its_own_address_and_the_senders_in_the_path() -> None:
    network = Network()
    sender = station(network.host("sender", "192.0.2.1"), 1111)
    receiver = station(network.host("receiver", "192.0.2.2"), 2222)

    sender.send(receiver.address)
    network.run_idle()

    path = udp(receiver.address, sender.address)
    assert receiver.process.events == [(0.025, Received(MESSAGE, path))]
    assert network.events == ((0.025, "receiver.Probe", Received(MESSAGE, path)),)


def test_port_0_stands_for_free_ports_in_order() -> None:
    host = Network().host("host", "192.0.2.1", "2001:db8::1")
    host.bind("192.0.2.1", 49153)

    ports = [host.bind("192.0.2.1").port for _ in range(3)]

    assert ports == [49152, 49154, 49155]
    assert host.bind("2001:db8::1").port == 49152


def test_a_host_without_a_free_port_says_so() -> None:
    host = Network().host("host", "192.0.2.1")
    for port in range(49152, 65536):
        host.bind("192.0.2.1", port)

    with pytest.raises(AddressInUse, match=r"every ephemeral port of 192\.0\.2\.1 is taken"):
        host.bind("192.0.2.1")
    host.release(TransportAddress.parse("192.0.2.1", 50000))
    assert host.bind("192.0.2.1").port == 50000


def test_binding_refuses_what_is_taken_or_foreign() -> None:
    host = Network().host("host", "192.0.2.1")
    address = host.bind("192.0.2.1", 5000)

    with pytest.raises(AddressInUse, match="is taken on host"):
        host.bind("192.0.2.1", 5000)
    with pytest.raises(ValueError, match=r"does not have the address 192\.0\.2\.9"):
        host.bind("192.0.2.9")
    assert host.is_bound(address)


def test_a_transport_address_has_one_owner() -> None:
    host = Network().host("host", "192.0.2.1")
    address = host.bind("192.0.2.1", 5000)
    host.run(Probe(), addresses=[address])

    with pytest.raises(AddressInUse, match="belongs to somebody else"):
        host.run(Probe(), addresses=[address])
    with pytest.raises(NotOwned, match="is not bound on host"):
        host.run(Probe()).own(TransportAddress.parse("192.0.2.1", 6000))


def test_several_machines_of_a_host_get_what_is_for_their_port() -> None:
    network = Network()
    sender = station(network.host("sender", "192.0.2.1"))
    host = network.host("host", "192.0.2.2")
    one, two = station(host, 1000), station(host, 2000)

    sender.send(two.address)
    network.run_idle()

    assert (one.arrivals, two.sources) == ([], [sender.address])
    assert [one.process.name, two.process.name] == ["host.Probe", "host.Probe#2"]


def test_what_is_for_a_port_without_owner_is_dropped() -> None:
    network = Network()
    sender = station(network.host("sender", "192.0.2.1"))
    bound = network.host("receiver", "192.0.2.2").bind("192.0.2.2", 5000)

    sender.send(bound)
    sender.send(TransportAddress(bound.ip, 6000))
    network.run_idle()

    assert network.fates == {Fate.PORT_CLOSED: 2}


def test_a_host_reaches_itself_without_its_links() -> None:
    network = Network()
    host = network.host("host", "192.0.2.1", "192.0.2.2")
    host.interfaces[0].take_down()
    one, two, loopback = (station(host, ip=ip) for ip in ("192.0.2.1", "192.0.2.2", "127.0.0.1"))

    assert ask(network, one, two) == one.address
    assert ask(network, one, loopback) == one.address
    assert ask(network, loopback, loopback) == loopback.address
    assert network.now == 0.0


def test_what_leaves_from_loopback_reaches_nobody_else() -> None:
    network = Network()
    loopback = station(network.host("host", "192.0.2.1"), ip="127.0.0.1")
    receiver = station(network.host("receiver", "192.0.2.2"))

    assert ask(network, loopback, receiver) is None
    assert network.fates == {Fate.UNREACHABLE: 1}


def test_a_datagram_leaves_through_the_interface_of_its_source() -> None:
    network = Network()
    lan = network.segment("lan")
    host = network.host("host", "192.0.2.1")
    host.attach(lan, "10.0.0.1")
    public, private = station(host, ip="192.0.2.1"), station(host, ip="10.0.0.1")
    peer = station(network.host("peer", "10.0.0.2", segment=lan))

    assert ask(network, private, peer) == private.address
    assert ask(network, public, peer) is None
    assert [str(ip) for ip in host.addresses] == ["192.0.2.1", "10.0.0.1"]


def test_families_do_not_mix() -> None:
    network = Network()
    sender = station(network.host("sender", "192.0.2.1"))
    receiver = station(network.host("receiver", "2001:db8::1"))

    assert ask(network, sender, receiver) is None
    assert network.fates == {Fate.WRONG_FAMILY: 1}


def test_an_interface_that_is_taken_down_neither_sends_nor_receives() -> None:
    network = Network(link=LinkProfile())
    one = station(network.host("one", "192.0.2.1"))
    two = station(network.host("two", "192.0.2.2"))
    one.host.interfaces[0].take_down()

    assert (ask(network, one, two), ask(network, two, one)) == (None, None)
    assert network.fates == {Fate.LINK_DOWN: 2}
    one.host.interfaces[0].bring_up()
    assert ask(network, one, two) == one.address


def test_a_profile_set_on_an_interface_holds_in_both_directions() -> None:
    network = Network(link=LinkProfile())
    one = station(network.host("one", "192.0.2.1"))
    two = station(network.host("two", "192.0.2.2"))

    one.host.interfaces[0].set_profile(LinkProfile(delay=0.5))
    one.send(two.address)
    two.send(one.address)
    network.run_idle()

    assert [one.arrivals[0][0], two.arrivals[0][0]] == [0.5, 0.5]


def test_addresses_come_and_go_in_the_middle_of_a_run() -> None:
    network = Network()
    one = station(network.host("one", "192.0.2.1"))
    two = station(network.host("two", "192.0.2.2"))
    interface = one.host.interfaces[0]

    one.host.remove_address("192.0.2.1")
    assert (ask(network, one, two), ask(network, two, one)) == (None, None)
    assert network.fates == {Fate.UNREACHABLE: 2}
    one.host.add_address(interface, "192.0.2.3")

    assert ask(network, station(one.host, ip="192.0.2.3"), two) is not None


def test_an_address_is_on_a_segment_once() -> None:
    network = Network()
    network.host("one", "192.0.2.1")

    with pytest.raises(ValueError, match=r"192\.0\.2\.1 is on internet already"):
        network.host("two", "192.0.2.1")


def test_link_local_addresses_have_the_zone_of_each_host() -> None:
    network = Network()
    lan = network.segment("lan")
    one = station(network.host("one", "fe80::1%eth0", segment=lan))
    two = station(network.host("two", "fe80::2%wlan0", segment=lan))

    one.send(TransportAddress.parse("fe80::2%eth0", 5000))
    network.run_idle()

    assert [event.path for event in two.process.events_of(Received)] == [
        udp(two.address, TransportAddress.parse("fe80::1%wlan0", 5000))
    ]


def test_link_local_addresses_are_reached_on_their_segment_only() -> None:
    network = Network()
    nat = network.nat("nat", "2001:db8::1")
    inside = station(network.host("inside", "fe80::1", segment=nat.inside))
    outside = station(network.host("outside", "fe80::2"))

    assert ask(network, inside, outside) is None
    assert network.fates == {Fate.UNREACHABLE: 1}


def test_a_receiver_may_be_anything_that_takes_datagrams() -> None:
    class Mailbox:
        def __init__(self) -> None:
            self.letters: list[tuple[bytes, Path]] = []

        def deliver(self, data: bytes, path: Path) -> None:
            self.letters.append((data, path))

    network = Network()
    sender = station(network.host("sender", "192.0.2.1"))
    host = network.host("receiver", "192.0.2.2")
    address, mailbox = host.bind("192.0.2.2", 5000), Mailbox()
    host.assign(address, mailbox)

    sender.send(address)
    network.run_idle()

    assert mailbox.letters == [(MESSAGE, udp(address, sender.address))]
    assert repr(host) == "<Host receiver>"


def test_two_interfaces_of_a_host_on_one_segment_fail_each_on_its_own() -> None:
    network = Network()
    host = network.host("host", "192.0.2.1")
    second = host.attach(network.internet, "192.0.2.2")
    peer = station(network.host("peer", "192.0.2.3"))
    stations = [station(host, ip="192.0.2.1"), station(host, ip="192.0.2.2")]

    host.interfaces[0].take_down()

    assert [ask(network, each, peer) for each in stations] == [None, stations[1].address]
    assert second.name == "host#2"
