from __future__ import annotations

import pytest

from netsim import Fate, MachineStuck, Network, NotOwned, Process
from transport import Event, Path, Transmit, TransportAddress, TransportProtocol

from .machines import Chatterbox, Clockwork, Echo, Forgetful, Probe, Received
from .networks import station


def test_timeouts_are_handled_at_exactly_their_deadlines() -> None:
    network = Network()
    deadlines = (0.1 + 0.2, 0.7, 1e9 / 3)
    process = network.host("host", "192.0.2.1").run(Clockwork(*deadlines))

    network.run_idle(timeout=1e9)

    assert [at for at, _ in process.events] == list(deadlines)


def test_a_deadline_that_is_past_when_a_verb_returns_is_handled_at_once() -> None:
    network = Network()
    process = network.host("host", "192.0.2.1").run(Clockwork())
    network.run(until=5.0)

    process.call(lambda clockwork, _: clockwork.deadlines.append(4.0))
    network.run(until=6.0)

    assert [at for at, _ in process.events] == [5.0]


def test_a_deadline_that_stays_is_handled_once() -> None:
    network = Network()
    process = network.host("host", "192.0.2.1").run(Clockwork(1.0))

    process.call(lambda clockwork, now: clockwork.handle_timeout(now))
    network.run_idle()

    assert [at for at, _ in process.events] == [1.0]


def test_a_deadline_that_moves_is_handled_only_at_its_last_place() -> None:
    network = Network()
    process = network.host("host", "192.0.2.1").run(Clockwork(1.0))

    process.call(lambda clockwork, _: clockwork.deadlines.insert(0, 0.5))
    process.call(lambda clockwork, _: clockwork.deadlines.clear())
    process.call(lambda clockwork, _: clockwork.deadlines.append(2.0))
    network.run_idle()

    assert [at for at, _ in process.events] == [2.0]


def test_a_machine_whose_timeout_does_not_advance_is_named() -> None:
    network = Network()
    network.host("host", "192.0.2.1").run(Forgetful(1.5), name="culprit")

    with pytest.raises(
        MachineStuck, match=r"machine 'culprit': next_timeout\(\) is 1\.5"
    ) as caught:
        network.run(until=2.0)
    assert caught.value.name == "culprit"


def test_a_machine_that_puts_out_things_for_ever_is_named() -> None:
    host = Network().host("host", "192.0.2.1")

    with pytest.raises(MachineStuck, match=r"'host\.Chatterbox': put out 10000 things at 0\.0 s"):
        host.run(Chatterbox())


def test_each_segment_of_a_run_is_a_datagram() -> None:
    network = Network()
    sender = station(network.host("sender", "192.0.2.1"))
    receiver = station(network.host("receiver", "192.0.2.2"))

    sender.send(receiver.address, b"aa", b"bb", b"c")
    network.run_idle()

    assert [data for _, data, _ in receiver.arrivals] == [b"aa", b"bb", b"c"]
    assert [record.origin.number for record in network.trace] == [1, 2, 3]


def test_the_code_point_of_a_transmit_is_in_the_trace() -> None:
    network = Network()
    one = station(network.host("one", "192.0.2.1"))
    path = Path(TransportProtocol.UDP, one.address, one.address)

    one.process.call(lambda probe, _: probe.transmits.append(Transmit(path, (b"x",), dscp=46)))
    network.run_idle()

    assert network.trace[0].origin.dscp == 46


def test_a_machine_cannot_send_from_what_it_never_owned() -> None:
    network = Network()
    one = station(network.host("one", "192.0.2.1"))
    foreign = one.host.bind("192.0.2.1", 6000)

    with pytest.raises(NotOwned, match=r"one\.Probe sends from 192\.0\.2\.1:6000"):
        one.process.call(lambda probe, _: probe.send(foreign, one.address))


def test_a_machine_cannot_send_over_streams() -> None:
    one = station(Network().host("one", "192.0.2.1"))
    path = Path(TransportProtocol.TCP, one.address, one.address)

    with pytest.raises(ValueError, match=r"one\.Probe sends over tcp; netsim has UDP only"):
        one.process.call(lambda probe, _: probe.transmits.append(Transmit(path, (b"x",))))


def test_what_is_sent_from_an_unbound_address_is_dropped() -> None:
    network = Network()
    one = station(network.host("one", "192.0.2.1"))
    two = station(network.host("two", "192.0.2.2"))

    one.process.unbind(one.address)
    one.send(two.address)
    two.send(one.address)
    network.run_idle()

    assert network.fates == {Fate.UNBOUND: 1, Fate.PORT_CLOSED: 1}
    with pytest.raises(NotOwned, match="does not own"):
        one.process.unbind(one.address)


def test_an_unbound_address_may_be_bound_again() -> None:
    network = Network()
    one = station(network.host("one", "192.0.2.1"))
    two = station(network.host("two", "192.0.2.2"))

    one.process.unbind(one.address)
    assert one.process.bind("192.0.2.1", 5000) == one.address
    two.send(one.address)
    network.run_idle()

    assert one.sources == [two.address]


def test_a_responder_answers_events_as_a_driver_does() -> None:
    network = Network()
    peer = station(network.host("peer", "192.0.2.2"))
    bound: list[TransportAddress] = []

    def answer(process: Process[Probe], event: Event) -> None:
        bound.append(process.bind("192.0.2.1"))
        process.call(lambda probe, _: probe.send(bound[-1], peer.address))

    process = network.host("host", "192.0.2.1").run(Probe(), on_event=answer)
    process.call(lambda probe, _: probe.events.extend([Event(), Event()]))
    network.run_idle()

    assert peer.sources == bound
    assert process.addresses == tuple(bound)
    assert len(bound) == 2


def test_a_verb_hands_back_what_it_returns_after_it_was_drained() -> None:
    network = Network()
    peer = station(network.host("peer", "192.0.2.2"))
    one = station(network.host("one", "192.0.2.1"))

    def verb(probe: Probe, now: float) -> float:
        probe.send(one.address, peer.address)
        return now

    network.run(until=3.0)

    assert one.process.call(verb) == 3.0
    assert network.in_flight == 1


def test_a_machine_that_has_something_to_say_from_the_start_says_it() -> None:
    machine = Probe()
    machine.events.append(Event())

    process = Network().host("host", "192.0.2.1").run(machine)

    assert len(process.events) == 1


def test_a_stopped_process_is_called_no_more() -> None:
    network = Network()
    peer = station(network.host("peer", "192.0.2.2"))
    host = network.host("host", "192.0.2.1")
    address = host.bind("192.0.2.1", 5000)
    process = host.run(Clockwork(1.0), addresses=[address])

    process.stop()
    process.stop()
    peer.send(address)
    network.run_idle()

    assert process.events == []
    assert process.addresses == ()
    assert not host.is_bound(address)
    assert network.fates == {Fate.PORT_CLOSED: 1}


def test_a_process_may_be_stopped_by_its_own_event() -> None:
    network = Network()
    process = network.host("host", "192.0.2.1").run(
        Clockwork(1.0, 2.0), on_event=lambda process, _: process.stop()
    )

    network.run_idle()

    assert [at for at, _ in process.events] == [1.0]


def test_events_are_found_by_their_kind() -> None:
    network = Network()
    one = station(network.host("one", "192.0.2.1"))
    two = station(network.host("two", "192.0.2.2"))
    two.process.call(lambda probe, _: probe.events.append(Event()))

    one.send(two.address, b"x")
    network.run_idle()

    assert len(two.process.events_of(Event)) == 2
    assert [event.data for event in two.process.events_of(Received)] == [b"x"]
    assert repr(two.process) == "<Process two.Probe>"


def test_two_machines_answer_each_other_over_the_network() -> None:
    network = Network()
    client = station(network.host("client", "192.0.2.1"))
    host = network.host("server", "192.0.2.2")
    server = host.run(Echo(), addresses=[TransportAddress.parse("192.0.2.2", 7)])

    client.send(server.addresses[0], b"hello")
    network.run_until(lambda: client.arrivals, timeout=1.0)

    assert client.arrivals == [(0.05, b"hello", server.addresses[0])]
