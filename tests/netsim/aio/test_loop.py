from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Coroutine
from typing import TypeVar, cast

import pytest

from netsim import Fate, Network, SimulationError
from netsim.aio import SimulatedDatagramTransport, SimulatedLoop, SimulatedSockets
from tests.netsim.networks import station
from transport import TransportAddress

T = TypeVar("T")


class Inbox(asyncio.DatagramProtocol):
    """Keeps what comes, with the time."""

    def __init__(self) -> None:
        self.made = 0
        self.lost: list[Exception | None] = []
        self.letters: asyncio.Queue[tuple[float, bytes, tuple[str, int]]] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.made += 1
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.letters.put_nowait((asyncio.get_running_loop().time(), data, addr))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)


class EchoServer(Inbox):
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(data, addr)


def loop() -> SimulatedLoop:
    return cast(SimulatedLoop, asyncio.get_running_loop())


def run(network: Network, main: Coroutine[object, object, T], **names: str) -> T:
    dns = {name: [ip] for name, ip in names.items()}
    with asyncio.Runner(loop_factory=lambda: SimulatedLoop(network, names=dns)) as runner:
        return runner.run(main)


async def endpoint(
    local: tuple[str, int] | None = None,
    remote: tuple[str, int] | None = None,
    *,
    protocol: type[Inbox] = Inbox,
    family: int = 0,
) -> Inbox:
    _, made = await asyncio.get_running_loop().create_datagram_endpoint(
        protocol, local_addr=local, remote_addr=remote, family=family
    )
    return made


def test_an_hour_of_sleep_takes_an_hour_of_virtual_time() -> None:
    network = Network()

    async def main() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    assert run(network, main()) == 3600.0
    assert network.now == 3600.0


def test_two_programs_talk_over_the_network_in_exact_time() -> None:
    network = Network()
    nat = network.nat("nat", "198.51.100.1")
    client = network.host("client", "10.0.0.2", segment=nat.inside)
    server = network.host("server", "192.0.2.1")

    async def ask() -> tuple[float, bytes, tuple[str, int]]:
        inbox = await endpoint(("10.0.0.2", 0))
        await asyncio.sleep(1)
        inbox.transport.sendto(b"hello", ("192.0.2.1", 7))
        return await inbox.letters.get()

    async def main() -> tuple[float, bytes, tuple[str, int]]:
        await loop().start_on(server, endpoint(("192.0.2.1", 7), protocol=EchoServer))
        return await loop().start_on(client, ask())

    assert run(network, main()) == (1.05, b"hello", ("192.0.2.1", 7))
    assert network.trace[0].source == TransportAddress.parse("198.51.100.1", 49152)


def test_a_program_and_a_machine_share_a_network() -> None:
    network = Network()
    machine = station(network.host("machine", "2001:db8::1"))
    host = network.host("program", "2001:db8::2")

    async def program() -> tuple[float, bytes, object]:
        inbox = await endpoint(("2001:db8::2", 5000))
        network.call_at(2.0, lambda: machine.send(TransportAddress.parse("2001:db8::2", 5000)))
        inbox.transport.sendto(b"to the machine", ("2001:db8::1", 5000))
        return await inbox.letters.get()

    async def main() -> tuple[float, bytes, object]:
        return await loop().start_on(host, program())

    at, _, source = run(network, main())

    assert (at, source) == (2.025, ("2001:db8::1", 5000, 0, 0))
    assert machine.arrivals[0][:2] == (0.025, b"to the machine")


def test_a_script_of_the_network_may_set_timers_of_the_loop() -> None:
    network = Network()

    async def main() -> float:
        done = loop().create_future()
        network.call_at(1.0, lambda: loop_now.call_later(0.5, done.set_result, None))
        loop_now = loop()
        late = loop().call_later(10, lambda: None)
        await done
        late.cancel()
        return loop().time()

    assert run(network, main()) == 1.5


def test_tasks_that_all_wait_for_ever_end_the_run() -> None:
    with pytest.raises(SimulationError, match=r"every task waits for ever at 0\.0 s"):
        run(Network(), asyncio.Event().wait())


def test_a_connected_endpoint_hears_its_peer_alone() -> None:
    network = Network()
    peer = station(network.host("peer", "192.0.2.1"), 7)
    other = station(network.host("other", "192.0.2.2"))
    host = network.host("host", "192.0.2.3")

    async def program() -> tuple[bytes, tuple[str, int]]:
        inbox = await endpoint(remote=("peer", 7))
        inbox.transport.sendto(b"hello")
        sockname = inbox.transport.get_extra_info("sockname")
        assert inbox.transport.get_extra_info("peername") == ("192.0.2.1", 7)
        assert sockname == ("0.0.0.0", 49152)
        local = TransportAddress.parse("192.0.2.3", sockname[1])
        other.send(local, b"from other")
        network.call_at(1.0, lambda: peer.send(local, b"from peer"))
        with pytest.raises(ValueError, match="no datagram can go to"):
            inbox.transport.sendto(b"", ("192.0.2.2", 5000))
        _, data, source = await inbox.letters.get()
        return data, source

    async def main() -> tuple[bytes, tuple[str, int]]:
        return await loop().start_on(host, program())

    assert run(network, main(), peer="192.0.2.1") == (b"from peer", ("192.0.2.1", 7))
    assert [data for _, data, _ in peer.arrivals] == [b"hello"]


def test_an_endpoint_of_any_address_is_reached_on_all_of_them() -> None:
    network = Network()
    peer = station(network.host("peer", "192.0.2.1"))
    host = network.host("host", "192.0.2.2", "192.0.2.3", "2001:db8::1")

    async def program() -> list[bytes]:
        inbox = await endpoint(("0.0.0.0", 7))
        inside = await endpoint(("127.0.0.1", 8))
        for number, ip in enumerate(("192.0.2.2", "192.0.2.3")):
            peer.send(TransportAddress.parse(ip, 7), b"%d" % number)
        inside.transport.sendto(b"2", ("127.0.0.1", 7))
        inbox.transport.sendto(b"", ("192.0.2.1", 5000))
        return sorted([(await inbox.letters.get())[1] for _ in range(3)])

    async def main() -> list[bytes]:
        return await loop().start_on(host, program())

    assert run(network, main()) == [b"0", b"1", b"2"]
    assert [source.host for source in peer.sources] == ["192.0.2.2"]


def test_an_endpoint_that_is_closed_is_gone_and_says_so_once() -> None:
    network = Network()
    peer = station(network.host("peer", "192.0.2.1"))
    host = network.host("host", "2001:db8::2", "192.0.2.2")

    async def program() -> Inbox:
        inbox = await endpoint(family=socket.AF_INET6)
        assert inbox.transport.get_extra_info("sockname")[0] == "::"
        inbox = await endpoint(("192.0.2.2", 5000))
        assert inbox.made == 1
        assert not inbox.transport.is_closing()
        inbox.transport.close()
        inbox.transport.abort()
        assert inbox.transport.is_closing()
        peer.send(TransportAddress.parse("192.0.2.2", 5000))
        inbox.transport.sendto(b"", ("192.0.2.1", 5000))
        await asyncio.sleep(1)
        await endpoint(("192.0.2.2", 5000))
        return inbox

    async def main() -> Inbox:
        return await loop().start_on(host, program())

    inbox = run(network, main())

    assert inbox.lost == [None]
    assert inbox.letters.empty()
    assert network.fates == {Fate.PORT_CLOSED: 1}


def test_a_protocol_that_closes_its_endpoint_is_handed_nothing_more() -> None:
    network = Network()
    peer = station(network.host("peer", "192.0.2.1"))
    host = network.host("host", "192.0.2.2")

    class Reader(Inbox):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            super().datagram_received(data, addr)
            self.transport.close()

    async def main() -> int:
        local = TransportAddress.parse("192.0.2.2", 5000)
        sock = await SimulatedSockets(host).open(local)
        peer.send(local, b"1", b"2")
        await asyncio.sleep(1)
        reader = Reader()
        transport = SimulatedDatagramTransport(sock, Inbox(), None, loop())
        transport.set_protocol(reader)
        assert transport.get_protocol() is reader
        reader.connection_made(transport)
        await asyncio.sleep(1)
        return reader.letters.qsize()

    assert run(network, main()) == 1


@pytest.mark.parametrize(
    ("local", "code"),
    [
        pytest.param(("192.0.2.9", 0), errno.EADDRNOTAVAIL, id="foreign"),
        pytest.param(("192.0.2.1", 5000), errno.EADDRINUSE, id="taken"),
        pytest.param(("0.0.0.0", 5000), errno.EADDRINUSE, id="taken-on-one-of-all"),
    ],
)
def test_binding_fails_with_the_errors_of_the_kernel(local: tuple[str, int], code: int) -> None:
    network = Network()
    host = network.host("host", "192.0.2.2", "192.0.2.1")
    station(host, ip="192.0.2.1")

    async def main() -> int | None:
        with pytest.raises(OSError, match=local[0]) as caught:
            await loop().start_on(host, endpoint(local))
        return caught.value.errno

    assert run(network, main()) == code
    assert not host.is_bound(TransportAddress.parse("192.0.2.2", 5000))


def test_a_program_that_was_started_on_no_host_has_no_endpoints() -> None:
    with pytest.raises(SimulationError, match=r"started by start_on\(\)"):
        run(Network(), endpoint(("192.0.2.1", 0)))


def test_a_path_of_the_file_system_is_no_udp_address() -> None:
    network = Network()
    host = network.host("host", "192.0.2.1")

    async def open_path() -> None:
        await loop().create_datagram_endpoint(Inbox, local_addr="/tmp/socket")

    async def main() -> None:
        with pytest.raises(SimulationError, match="'/tmp/socket' is no address"):
            await loop().start_on(host, open_path())

    run(network, main())


def test_names_are_looked_up_in_the_table_of_the_loop() -> None:
    async def main() -> None:
        info = await loop().getaddrinfo("server", 80, type=socket.SOCK_STREAM)
        assert info == [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("192.0.2.1", 80))]
        info = await loop().getaddrinfo(b"::1", None)
        assert info == [(socket.AF_INET6, socket.SOCK_DGRAM, 0, "", ("::1", 0, 0, 0))]
        assert (await loop().getaddrinfo(None, 1))[0][4] == ("127.0.0.1", 1)
        for host, family in (("unknown", 0), ("server", socket.AF_INET6)):
            with pytest.raises(socket.gaierror, match="no address for"):
                await loop().getaddrinfo(host, 1, family=family)

    run(Network(), main(), server="192.0.2.1")


def test_what_is_meant_for_a_thread_runs_at_once() -> None:
    async def main() -> int:
        with pytest.raises(ValueError, match="invalid literal"):
            await loop().run_in_executor(None, int, "x")
        return await loop().run_in_executor(None, int, "7")

    assert run(Network(), main()) == 7


def test_connections_are_refused() -> None:
    async def main() -> None:
        with pytest.raises(SimulationError, match="no TCP"):
            await asyncio.open_connection("192.0.2.1", 80)
        with pytest.raises(SimulationError, match="no TCP"):
            await asyncio.start_server(lambda _reader, _writer: None, "192.0.2.1", 80)

    run(Network(), main())
