"""Accepting streams, and the sockets for that."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from transport import TransportAddress
from transport.aio import Acceptor, from_sockaddr, stream_socket, to_sockaddr

LOOPBACK = TransportAddress.parse("127.0.0.1", 0)


def is_sent_at_once(sock: socket.socket) -> bool:
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def bound() -> socket.socket:
    sock = stream_socket(LOOPBACK)
    sock.bind(to_sockaddr(LOOPBACK))
    return sock


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(bound, id="our-own"),
        pytest.param(lambda: socket.create_server(("127.0.0.1", 0)), id="somebody-elses"),
    ],
)
async def test_what_is_written_to_an_accepted_connection_waits_for_nothing(
    make: Callable[[], socket.socket],
) -> None:
    """Else a small message waits until the one before is acknowledged (RFC 896)."""
    loop = asyncio.get_running_loop()
    taken: asyncio.Future[socket.socket] = loop.create_future()
    listener = make()
    address = from_sockaddr(listener.getsockname())
    acceptor = Acceptor(listener, lambda sock, _: taken.set_result(sock), loop=loop)
    _, writer = await asyncio.open_connection(address.host, address.port)

    accepted = await taken

    assert is_sent_at_once(accepted)
    accepted.close()
    writer.close()
    await writer.wait_closed()
    acceptor.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_socket_of_either_family_sends_at_once_and_carries_no_other(host: str) -> None:
    with stream_socket(TransportAddress.parse(host, 0)) as sock:
        is_ipv6 = sock.family is socket.AF_INET6

        assert is_sent_at_once(sock)
        assert not sock.getblocking()
        assert is_ipv6 == (":" in host)
        assert not is_ipv6 or sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
