from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from tests.closed import closed_port, wait_for_error
from transport import TransportAddress
from transport.aio import (
    MAX_DATAGRAMS_PER_WAKE_UP,
    DatagramSocket,
    DropReason,
    KernelSocket,
    KernelSockets,
)
from transport.aio.kernel import MAX_BYTES_PER_CALL, MAX_SEGMENTS_PER_CALL, split_runs

UDP_SEGMENT = 103
IPV4 = TransportAddress.parse("127.0.0.1", 0)
IPV6 = TransportAddress.parse("::1", 0)


def has_ipv6() -> bool:
    try:
        KernelSockets().bind(IPV6).close()
    except OSError:
        return False
    return True


FAMILIES = [
    pytest.param(IPV4, id="ipv4"),
    pytest.param(
        IPV6, id="ipv6", marks=pytest.mark.skipif(not has_ipv6(), reason="this host has no ::1")
    ),
]


@pytest_asyncio.fixture(params=FAMILIES)
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[tuple[KernelSocket, KernelSocket]]:
    sockets = KernelSockets()
    one, other = await sockets.open(request.param), await sockets.open(request.param)
    yield one, other
    one.close()
    other.close()


async def receive(sock: DatagramSocket, count: int) -> list[bytes]:
    """Read until so many have come."""
    readable = asyncio.Event()
    sock.start(readable.set)
    received: list[bytes] = []
    while len(received) < count:
        await readable.wait()
        readable.clear()
        received += [data for data, _ in sock.receive()]
    return received


async def test_a_datagram_comes_with_its_source(pair: tuple[KernelSocket, KernelSocket]) -> None:
    one, other = pair
    readable = asyncio.Event()
    other.start(readable.set)

    one.send([b"hello"], other.local, None)
    await readable.wait()

    assert other.receive() == [(b"hello", one.local)]
    assert other.receive() == []


async def test_a_run_leaves_in_one_call_and_arrives_as_datagrams(
    pair: tuple[KernelSocket, KernelSocket],
) -> None:
    one, other = pair
    run = [bytes([n]) * 1200 for n in range(9)] + [b"the last is shorter"]

    one.send(run, other.local, None)

    assert await receive(other, 10) == run
    stats = one.stats()
    assert (stats.send_calls, stats.datagrams_sent, stats.bytes_sent) == (1, 10, 9 * 1200 + 19)
    assert other.stats().datagrams_received == 10
    assert other.stats().bytes_received == stats.bytes_sent


async def test_datagrams_of_any_sizes_arrive_in_order(
    pair: tuple[KernelSocket, KernelSocket],
) -> None:
    one, other = pair
    segments = [b"a", b"bb", b"", b"cc", b"cc", b"c", b"cc"]

    one.send(segments, other.local, None)

    assert await receive(other, 7) == segments


async def test_what_waits_is_handed_out_in_batches(
    pair: tuple[KernelSocket, KernelSocket],
) -> None:
    one, other = pair
    count = MAX_DATAGRAMS_PER_WAKE_UP + 6
    for _ in range(count):
        one.send([b"x"], other.local, None)
    readable = asyncio.Event()
    other.start(readable.set)
    sizes: list[int] = []
    while sum(sizes) < count:
        await readable.wait()
        readable.clear()
        sizes.append(len(other.receive()))

    assert sum(sizes) == count
    assert 1 < max(sizes) <= MAX_DATAGRAMS_PER_WAKE_UP
    assert other.receive() == []


@pytest.mark.parametrize("segments", [[b"one"], [b"run", b"run"]], ids=["one", "run"])
async def test_a_code_point_goes_into_the_ip_header(
    pair: tuple[KernelSocket, KernelSocket], segments: Sequence[bytes]
) -> None:
    one, other = pair
    raw = KernelSockets().bind(TransportAddress(other.local.ip, 0))
    ipv6 = other.local.is_ipv6
    level = socket.IPPROTO_IPV6 if ipv6 else socket.IPPROTO_IP
    raw.setsockopt(level, socket.IPV6_RECVTCLASS if ipv6 else socket.IP_RECVTOS, 1)
    raw.setblocking(True)
    with raw:
        one.send(segments, TransportAddress(other.local.ip, raw.getsockname()[1]), 46)
        _, control, _, _ = raw.recvmsg(100, 100)

    assert [value[0] for _, _, value in control] == [46 << 2]


@pytest.mark.parametrize("count", [1, 3])
async def test_what_cannot_be_sent_is_dropped_counted_and_ends_nothing(
    pair: tuple[KernelSocket, KernelSocket], count: int
) -> None:
    one, other = pair
    elsewhere = IPV4 if one.local.is_ipv6 else IPV6

    one.send([bytes(1000)] * count, TransportAddress(elsewhere.ip, 9), None)
    one.send([b"still"], other.local, None)

    assert await receive(other, 1) == [b"still"]
    assert one.stats().drops == {DropReason.UNREACHABLE: count}


async def test_a_datagram_too_long_for_udp_is_dropped(
    pair: tuple[KernelSocket, KernelSocket],
) -> None:
    one, other = pair

    one.send([bytes(65_535)], other.local, None)

    assert one.stats().drops == {DropReason.TOO_LONG: 1}


async def test_an_interface_that_is_not_there_drops_the_datagram(
    pair: tuple[KernelSocket, KernelSocket],
) -> None:
    one, _ = pair

    one.send([b"x", b"x"], TransportAddress.parse("fe80::1%nosuch0", 9), None)

    assert sum(one.stats().drops.values()) == 2


async def test_a_port_that_nobody_listens_on_ends_nothing(
    pair: tuple[KernelSocket, KernelSocket],
) -> None:
    one, other = pair
    with closed_port(one.local.host) as nobody:
        for _ in range(3):
            one.send([b"x"], nobody, None)
    other.send([b"hello"], one.local, None)

    assert await receive(one, 1) == [b"hello"]


async def test_a_connected_socket_reads_on_after_the_error_of_an_earlier_datagram() -> None:
    peer, raw = KernelSockets().bind(IPV4), KernelSockets().bind(IPV4)
    peer.connect(peer.getsockname())  # to itself alone its port is open
    raw.connect(peer.getsockname())
    connected = KernelSocket(raw)
    connected.send([b"nobody there"], TransportAddress.parse(*peer.getsockname()), None)
    wait_for_error(raw)
    peer.connect(raw.getsockname())
    peer.send(b"now there is")

    received = await receive(connected, 1)

    connected.close()
    peer.close()
    assert received == [b"now there is"]
    assert connected.stats().receive_errors == 1


class WithoutSegmentation(socket.socket):
    """A socket of a kernel, or above an interface, that sends no runs."""

    error = errno.EINVAL
    attempts = 0

    def sendmsg(self, buffers: Any, ancdata: Any = (), flags: int = 0, address: Any = None) -> int:
        if any(kind == UDP_SEGMENT for _, kind, _ in ancdata):
            self.attempts += 1
            raise OSError(self.error, os.strerror(self.error))
        return super().sendmsg(buffers, ancdata, flags, address)


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        pytest.param(errno.EINVAL, [1, 1, 2, 2], id="segment-over-the-mtu"),
        pytest.param(errno.EMSGSIZE, [1, 1, 2, 2], id="run-too-long"),
        pytest.param(errno.EIO, [1, 1, 1, 1], id="no-checksum-offload"),
    ],
)
async def test_where_runs_are_refused_datagrams_leave_one_by_one_and_it_is_remembered(
    error: int, attempts: list[int]
) -> None:
    raw = WithoutSegmentation(socket.AF_INET, socket.SOCK_DGRAM)
    raw.error = error
    raw.bind(("127.0.0.1", 0))
    one, other = KernelSocket(raw), await KernelSockets().open(IPV4)

    seen = []
    for size in (1200, 1200, 500, 800):
        one.send([bytes(size)] * 3, other.local, None)
        seen.append(raw.attempts)

    received = await receive(other, 12)
    one.close()
    other.close()
    assert seen == attempts
    assert [len(data) for data in received] == [1200] * 6 + [500] * 3 + [800] * 3
    assert one.stats().drops == {}


async def test_a_bad_destination_does_not_end_runs_for_the_others(
    pair: tuple[KernelSocket, KernelSocket],
) -> None:
    one, other = pair

    one.send([b"run", b"run"], TransportAddress(other.local.ip, 0), None)  # EINVAL, port 0
    one.send([b"run", b"run"], other.local, None)

    assert await receive(other, 2) == [b"run", b"run"]
    assert one.stats().send_calls == 1
    assert one.stats().drops == {DropReason.REFUSED: 2}


async def test_a_closed_socket_does_nothing_and_says_nothing(
    pair: tuple[KernelSocket, KernelSocket],
) -> None:
    one, other = pair
    one.start(lambda: None)

    one.close()
    one.close()
    one.start(lambda: None)
    one.send([b"x"], other.local, None)

    assert one.receive() == []
    assert one.stats().datagrams_sent == 0


async def test_an_ipv6_socket_leaves_ipv4_to_others() -> None:
    if not has_ipv6():
        pytest.skip("this host has no ::1")
    sockets = KernelSockets()
    one = await sockets.open(TransportAddress.parse("::", 0))

    other = await sockets.open(TransportAddress.parse("0.0.0.0", one.local.port))

    one.close()
    other.close()
    assert one.local.port == other.local.port


async def test_an_address_in_use_is_an_os_error() -> None:
    sockets = KernelSockets()
    taken = await sockets.open(IPV4)

    with pytest.raises(OSError, match="in use"):
        await sockets.open(taken.local)
    taken.close()


async def test_buffers_are_raised_as_far_as_the_kernel_lets() -> None:
    usual = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    raised = KernelSockets().bind(IPV4)

    with usual, raised:
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            at_first = usual.getsockopt(socket.SOL_SOCKET, option)
            assert raised.getsockopt(socket.SOL_SOCKET, option) >= at_first


@given(st.lists(st.sampled_from([0, 1, 5, 1200, 1201, 40_000]), max_size=200))
def test_a_run_is_of_equal_datagrams_and_within_the_limits(sizes: list[int]) -> None:
    segments = [bytes(size) for size in sizes]

    runs = list(split_runs(segments))

    assert [segment for run in runs for segment in run] == segments
    for run in runs:
        first, last = len(run[0]), len(run[-1])
        assert len(run) <= MAX_SEGMENTS_PER_CALL
        assert len(run) == 1 or sum(map(len, run)) <= MAX_BYTES_PER_CALL
        assert all(len(segment) == first for segment in run[:-1])
        assert last <= first
        assert len(run) == 1 or last > 0


def test_a_run_is_as_long_as_it_can_be() -> None:
    runs = list(split_runs([bytes(1200)] * 130 + [b"short", bytes(1200)]))

    assert [len(run) for run in runs] == [54, 54, 23, 1]
