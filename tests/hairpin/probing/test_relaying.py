"""Packets there and back, counted."""

from __future__ import annotations

import asyncio
import ipaddress

import pytest

from hairpin.probing import relaying
from hairpin.probing.relaying import SocketEnd, join_relays, join_socket, measure
from turn.aio import connect
from turn.client import PeerRefused

from .servers import LOOPBACK, PASSWORD, USER, relay, relay_config

LOCAL = ipaddress.ip_network("127.0.0.0/8")


class Wire:
    """One end of a wire that loses what ``loses`` says, and carries strangers' packets."""

    def __init__(self, loses: set[int] | None = None) -> None:
        self.other: Wire | None = None
        self._loses = loses or set()
        self._sent = 0
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()

    def send(self, data: bytes) -> None:
        assert self.other is not None
        if self._sent not in self._loses:
            self.other._queue.put_nowait(b"a stranger's")
            self.other._queue.put_nowait(data)
            self.other._queue.put_nowait(data)
        self._sent += 1

    async def receive(self) -> bytes:
        return await self._queue.get()


def wire(there: set[int], back: set[int]) -> tuple[Wire, Wire]:
    first, second = Wire(there), Wire(back)
    first.other, second.other = second, first
    return first, second


@pytest.fixture(autouse=True)
def in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packets follow each other at once; what has to come is waited for."""
    monkeypatch.setattr(relaying, "INTERVAL", 0.001)
    monkeypatch.setattr(relaying, "LAST_PATIENCE", 50.0)
    monkeypatch.setattr(relaying, "KNOCK_INTERVAL", 50.0)


@pytest.fixture
def impatiently(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what will not come."""
    monkeypatch.setattr(relaying, "LAST_PATIENCE", 0.05)
    monkeypatch.setattr(relaying, "KNOCK_INTERVAL", 0.02)


@pytest.mark.usefixtures("impatiently")
@pytest.mark.parametrize(
    ("there", "back", "received"),
    [
        pytest.param(set(), set(), (10, 10, 10), id="all"),
        pytest.param({0, 9}, set(), (8, 8, 8), id="lost-there"),
        pytest.param(set(), {3}, (10, 10, 9), id="lost-back"),
        pytest.param(set(range(10)), set(), (0, 0, 0), id="nothing"),
    ],
)
async def test_what_is_lost_is_counted_for_each_direction(
    there: set[int], back: set[int], received: tuple[int, int, int]
) -> None:
    trip = await measure(*wire(there, back), 10)

    assert (trip.there.received, trip.back.sent, trip.back.received) == received
    assert trip.there.sent == 10
    assert trip.there.loss == pytest.approx(1 - received[0] / 10)
    assert trip.back.loss == pytest.approx(1 - received[2] / received[1] if received[1] else 1)
    assert all(delay >= 0 for delay in (*trip.there.delays_ms, *trip.back.delays_ms))


async def test_two_allocations_reach_each_other_through_the_relay() -> None:
    async with relay() as server:
        uri = f"turn:{server.addresses[0]}?transport=udp"
        async with connect(uri, USER, PASSWORD) as one, connect(uri, USER, PASSWORD) as other:
            ends = await join_relays(one, other)
            begun = asyncio.get_running_loop().time()
            trip = await measure(*ends, 10)
            seconds = asyncio.get_running_loop().time() - begun

    assert (trip.there.received, trip.back.received) == (10, 10)
    assert 0 < trip.there.median_ms < 1000 * seconds


async def test_a_socket_of_this_host_is_a_peer_where_it_may_be() -> None:
    async with relay(relay_config(allow_peers=[LOCAL])) as server:
        uri = f"turn:{server.addresses[0]}?transport=udp"
        async with connect(uri, USER, PASSWORD) as allocation:
            sock = await SocketEnd.open(LOOPBACK.ip, allocation.relayed)
            end = await join_socket(allocation, sock)
            assert end is not None
            trip = await measure(sock, end, 10)
            sock.close()

    assert (trip.there.received, trip.back.received) == (10, 10)


async def test_a_socket_of_this_host_may_be_denied() -> None:
    async with relay(relay_config(relay_ip="127.0.0.2")) as server:
        uri = f"turn:{server.addresses[0]}?transport=udp"
        async with connect(uri, USER, PASSWORD) as allocation:
            sock = await SocketEnd.open(LOOPBACK.ip, allocation.relayed)
            try:
                with pytest.raises(PeerRefused):
                    await join_socket(allocation, sock)
            finally:
                sock.close()


@pytest.mark.usefixtures("impatiently")
async def test_a_socket_that_is_not_heard_is_no_peer() -> None:
    async with relay(relay_config(allow_peers=[LOCAL])) as server:
        uri = f"turn:{server.addresses[0]}?transport=udp"
        async with connect(uri, USER, PASSWORD) as allocation:
            elsewhere = await SocketEnd.open(LOOPBACK.ip, server.addresses[0])

            assert await join_socket(allocation, elsewhere) is None
            elsewhere.close()
