from __future__ import annotations

import asyncio
import functools

from netsim import Network
from netsim.aio import SimulatedLoop, SimulatedSocket, SimulatedSockets
from netsim.aio.sockets import RECEIVE_BUFFER_BYTES
from tests.netsim.machines import MESSAGE, Caller, Echo, Received
from tests.netsim.networks import station
from transport import Event, TransportAddress
from transport.aio import MAX_DATAGRAMS_PER_WAKE_UP, DatagramSocket, MachineDriver, SocketFactory

LOCAL = TransportAddress.parse("192.0.2.1", 5000)
REMOTE = TransportAddress.parse("192.0.2.2", 5000)


def runner(network: Network) -> asyncio.Runner:
    return asyncio.Runner(loop_factory=lambda: SimulatedLoop(network))


def test_the_drivers_of_hairpin_run_on_simulated_sockets() -> None:
    network = Network()
    clients: SocketFactory = SimulatedSockets(network.host("client", "192.0.2.1"))
    servers: SocketFactory = SimulatedSockets(network.host("server", "192.0.2.2"))

    async def main() -> tuple[float, Event]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[float, Event]] = loop.create_future()
        server = MachineDriver(Echo(), lambda event: None)
        server.add_socket(await servers.open(REMOTE))
        caller = Caller()
        client = MachineDriver(caller, lambda event: answer.set_result((loop.time(), event)))
        client.add_socket(await clients.open(LOCAL))
        client.call(functools.partial(caller.start, LOCAL, REMOTE))
        result = await answer
        await client.aclose()
        await server.aclose()
        return result

    with runner(network) as run:
        at, event = run.run(main())

    assert at == 0.05
    assert isinstance(event, Received)
    assert (event.data, event.path.remote) == (MESSAGE, REMOTE)


def test_a_socket_hands_out_64_datagrams_at_a_time_and_counts_them() -> None:
    network = Network()
    peer = station(network.host("peer", "192.0.2.2"))
    factory = SimulatedSockets(network.host("host", "192.0.2.1"))
    sizes: list[int] = []

    async def main() -> SimulatedSocket:
        sock = await factory.open(LOCAL)
        peer.send(sock.local, *(b"%03d" % number for number in range(100)))
        await asyncio.sleep(1)
        readable: DatagramSocket = sock
        readable.start(lambda: sizes.append(len(sock.receive())))
        await asyncio.sleep(1)
        sock.send([b"ab", b"c"], REMOTE, 46)
        assert sock.receive() == []
        await asyncio.sleep(1)
        return sock

    with runner(network) as run:
        stats = run.run(main()).stats()

    assert sizes == [MAX_DATAGRAMS_PER_WAKE_UP, 36]
    assert (stats.datagrams_received, stats.bytes_received) == (100, 300)
    assert (stats.datagrams_sent, stats.bytes_sent, stats.send_calls) == (2, 3, 1)
    assert [data for _, data, _ in peer.arrivals] == [b"ab", b"c"]
    assert network.trace[-1].origin.dscp == 46


def test_what_does_not_fit_in_the_receive_buffer_is_dropped() -> None:
    network = Network()
    peer = station(network.host("peer", "192.0.2.2"))
    factory = SimulatedSockets(network.host("host", "192.0.2.1"))

    async def main() -> int:
        sock = await factory.open(LOCAL)
        peer.send(LOCAL, *[bytes(1400)] * 200)
        await asyncio.sleep(1)
        count = 0
        while batch := sock.receive():
            count += len(batch)
        return count

    with runner(network) as run:
        assert run.run(main()) == RECEIVE_BUFFER_BYTES // 1400


def test_a_socket_closed_with_datagrams_waiting_hands_out_no_more() -> None:
    network = Network()
    peer = station(network.host("peer", "192.0.2.2"))
    host = network.host("host", "192.0.2.1")
    wake_ups: list[None] = []

    async def main() -> None:
        sock = await SimulatedSockets(host).open(LOCAL)
        peer.send(LOCAL)
        await asyncio.sleep(1)
        sock.start(lambda: wake_ups.append(None))
        sock.close()
        sock.close()
        sock.send([b"x"], REMOTE, None)
        await asyncio.sleep(1)
        assert sock.receive() == []

    with runner(network) as run:
        run.run(main())

    assert wake_ups == []
    assert not host.is_bound(LOCAL)
    assert network.copies_sent == 1
