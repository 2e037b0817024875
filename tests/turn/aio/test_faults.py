"""What goes wrong with one socket or one peer of a relay harms no other."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import os
import resource
import socket
import sys
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
import pytest_asyncio

from transport import TransportAddress
from transport.aio import KernelSockets
from turn.aio import Relay, RelayServer, connect
from turn.client import AllocationError
from turn.credentials import CredentialVerifier
from turn.server import ServerConfig

LOOPBACK = ipaddress.ip_address("127.0.0.1")
ANYWHERE = TransportAddress(LOOPBACK, 0)
ERRORS = [
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.ECONNREFUSED,
    errno.ENOBUFS,
    errno.ENETDOWN,
    errno.EPERM,
]
Place = tuple[str, int]


class Faulty(socket.socket):
    """A socket of a host where something is wrong: with a way, or with a socket."""

    on_the_way_to: ClassVar[dict[Place, int]] = {}
    of_those_at: ClassVar[dict[Place, int]] = {}
    reported_to: ClassVar[dict[Place, list[int]]] = {}
    """What a socket at this address reads before the next datagram."""

    def send(self, *arguments: Any) -> int:
        self._fail(self.getpeername())
        return super().send(*arguments)

    def sendto(self, data: Any, *arguments: Any) -> int:
        self._fail(arguments[-1])
        return super().sendto(data, *arguments)

    def sendmsg(self, buffers: Any, ancdata: Any = (), flags: int = 0, address: Any = None) -> int:
        self._fail(address or self.getpeername())
        return super().sendmsg(buffers, ancdata, flags, address)

    def recvfrom(self, *arguments: Any) -> Any:
        self._report()
        return super().recvfrom(*arguments)

    def recvfrom_into(self, *arguments: Any) -> Any:
        self._report()
        return super().recvfrom_into(*arguments)

    def recv_into(self, *arguments: Any) -> int:
        self._report()
        return super().recv_into(*arguments)

    def _fail(self, remote: Any) -> None:
        number = self.on_the_way_to.get(remote[:2]) or self.of_those_at.get(self.getsockname()[:2])
        if number is not None:
            raise OSError(number, os.strerror(number))

    def _report(self) -> None:
        waiting = self.reported_to.get(self.getsockname()[:2])
        if waiting:
            number = waiting.pop(0)
            raise OSError(number, os.strerror(number))


@pytest.fixture(autouse=True)
def _faulty_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", Faulty)
    for name in ("on_the_way_to", "of_those_at", "reported_to"):
        monkeypatch.setattr(Faulty, name, {})


class Peer:
    """A socket beyond the relay."""

    def __init__(self) -> None:
        self.socket = KernelSockets().bind(ANYWHERE)
        self.place: Place = self.socket.getsockname()
        self.address = TransportAddress.parse(*self.place)

    async def receive(self, count: int) -> list[bytes]:
        loop = asyncio.get_running_loop()
        return [await loop.sock_recv(self.socket, 2000) for _ in range(count)]


@pytest_asyncio.fixture
async def server() -> AsyncIterator[RelayServer]:
    config = ServerConfig(
        realm="relay.example",
        credentials=CredentialVerifier(users={"ann": "secret"}),
        listening=(ANYWHERE,),
        relay_addresses=(LOOPBACK,),
        allow_peers=(ipaddress.ip_network("127.0.0.0/8"),),
    )
    async with RelayServer.open(config) as server:
        yield server


@pytest_asyncio.fixture
async def relays(server: RelayServer) -> AsyncIterator[tuple[Relay, Relay]]:
    uri = f"turn:{server.addresses[0]}"
    async with connect(uri, "ann", "secret") as first, connect(uri, "ann", "secret") as second:
        yield first, second


@pytest_asyncio.fixture
async def peers() -> AsyncIterator[tuple[Peer, Peer, Peer]]:
    found = Peer(), Peer(), Peer()
    yield found
    for each in found:
        each.socket.close()


async def reach(relay: Relay, peer: Peer, *, by_channel: bool) -> None:
    if by_channel:
        await relay.bind_channel(peer.address)
    else:
        await relay.permit(peer.address.ip)


WAYS = pytest.mark.parametrize("by_channel", [False, True], ids=["indications", "channels"])
FAULTS = pytest.mark.parametrize("number", ERRORS, ids=errno.errorcode.get)


@WAYS
@FAULTS
async def test_a_peer_that_cannot_be_reached_costs_its_own_datagrams_and_no_others(
    server: RelayServer,
    relays: tuple[Relay, Relay],
    peers: tuple[Peer, Peer, Peer],
    number: int,
    by_channel: bool,
) -> None:
    (ann, bob), (bad, good, others) = relays, peers
    for relay, peer in ((ann, bad), (ann, good), (bob, others)):
        await reach(relay, peer, by_channel=by_channel)
    Faulty.on_the_way_to[bad.place] = number

    for payload in (b"one", b"two", b"three"):
        ann.send(bad.address, b"lost")
        ann.send(good.address, payload)
        bob.send(others.address, payload)

    assert await good.receive(3) == await others.receive(3) == [b"one", b"two", b"three"]
    Faulty.on_the_way_to.clear()
    ann.send(bad.address, b"there again")
    assert await bad.receive(1) == [b"there again"]
    bad.socket.sendto(b"and back", (ann.relayed.host, ann.relayed.port))
    assert await ann.receive() == (bad.address, b"and back")
    assert server.stats().allocations == 2


@WAYS
@FAULTS
async def test_a_relayed_socket_that_fails_costs_its_own_client_and_no_other(
    server: RelayServer,
    relays: tuple[Relay, Relay],
    peers: tuple[Peer, Peer, Peer],
    number: int,
    by_channel: bool,
) -> None:
    (ann, bob), (hers, his, _) = relays, peers
    await reach(ann, hers, by_channel=by_channel)
    await reach(bob, his, by_channel=by_channel)
    place = (ann.relayed.host, ann.relayed.port)
    Faulty.of_those_at[place] = number
    Faulty.reported_to[place] = [number] * 3

    for payload in (b"one", b"two", b"three"):
        ann.send(hers.address, b"lost")
        bob.send(his.address, payload)

    assert await his.receive(3) == [b"one", b"two", b"three"]
    hers.socket.sendto(b"what she still hears", place)
    assert await ann.receive() == (hers.address, b"what she still hears")
    assert Faulty.reported_to[place] == []
    Faulty.of_those_at.clear()
    ann.send(hers.address, b"there again")
    assert await hers.receive(1) == [b"there again"]


@WAYS
async def test_a_client_that_cannot_be_reached_costs_itself_and_no_other(
    server: RelayServer,
    relays: tuple[Relay, Relay],
    peers: tuple[Peer, Peer, Peer],
    by_channel: bool,
) -> None:
    (ann, bob), (hers, his, _) = relays, peers
    await reach(ann, hers, by_channel=by_channel)
    await reach(bob, his, by_channel=by_channel)
    Faulty.on_the_way_to[ann.mapped.host, ann.mapped.port] = errno.EHOSTUNREACH

    for payload in (b"one", b"two", b"three"):
        hers.socket.sendto(b"lost", (ann.relayed.host, ann.relayed.port))
        his.socket.sendto(payload, (bob.relayed.host, bob.relayed.port))

    assert [await bob.receive() for _ in range(3)] == [
        (his.address, payload) for payload in (b"one", b"two", b"three")
    ]
    Faulty.on_the_way_to.clear()
    hers.socket.sendto(b"there again", (ann.relayed.host, ann.relayed.port))
    assert await ann.receive() == (hers.address, b"there again")


DESCRIPTORS = 64


def _few_descriptors() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


@pytest.mark.long  # A process of its own has to start.
@pytest.mark.requirement("stun-turn:TURN-ALLOC-28")
async def test_without_descriptors_new_clients_are_refused_and_the_old_ones_go_on() -> None:
    """EMFILE: for a relayed socket, and for the sockets that a channel would have."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from hairpin.cli import main; main()", "relay"),
        *("--listen", "udp://127.0.0.1:0", "--user", "ann:secret"),
        *("--allow-peer", "127.0.0.0/8"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        preexec_fn=_few_descriptors,
    )
    assert process.stdout is not None
    peer = Peer()
    try:
        _, address = (await process.stdout.readline()).decode().split()
        uri = address.replace("udp://", "turn:")
        async with contextlib.AsyncExitStack() as stack:
            relays: list[Relay] = []

            async def connect_again() -> None:
                relays.append(await stack.enter_async_context(connect(uri, "ann", "secret")))

            with contextlib.suppress(AllocationError):
                while len(relays) < DESCRIPTORS:
                    await connect_again()
            with pytest.raises(AllocationError, match="508"):
                await connect_again()
            assert len(relays) > DESCRIPTORS // 4
            for relay in (relays[0], relays[-1]):
                await relay.bind_channel(peer.address)
                relay.send(peer.address, b"going on")
                assert await peer.receive(1) == [b"going on"]
            for _ in range(3):
                await relays.pop().aclose()
            await connect_again()
            await relays[-1].permit(peer.address.ip)
            relays[-1].send(peer.address, b"a newcomer")
            assert await peer.receive(1) == [b"a newcomer"]
    finally:
        peer.socket.close()
        process.kill()
        await process.wait()
