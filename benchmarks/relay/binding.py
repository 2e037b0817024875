"""STUN Binding responses per second of a relay's CPU, against coturn
(``apt-get install coturn``): 16 clients that have 16 requests each under way all the time.

    python -m benchmarks.relay.binding [--rounds 5]
"""

from __future__ import annotations

import os
import select
import socket
import statistics
import time
from collections.abc import Iterator, Sequence

from benchmarks.table import Row, print_rows
from stun import Message, MessageClass, Method, XorMappedAddress, encode_message
from transport.aio import from_sockaddr, to_sockaddr

from . import servers
from .flow import Way, datagram_socket
from .mmsg import Burst, Inbox
from .servers import Server
from .shapes import STALL
from .transports import pinned

CLIENTS = 16
WINDOW = 16
BURST = 4
SECONDS = 0.5


class Client:
    """Sends one request again and again; ``size`` is how long the response to it is."""

    def __init__(self, server: Server) -> None:
        address = server.addresses[Way.CHANNEL]
        self.sock = datagram_socket(address)
        self.sock.connect(to_sockaddr(address))
        transaction_id = os.urandom(12)
        request = encode_message(Method.BINDING, MessageClass.REQUEST, transaction_id, ())
        self.sock.send(request)
        self.size = self._check(self.sock.recv(2048), transaction_id)
        self._burst = Burst(request, BURST)
        self._credit = 0
        self.sock.setblocking(False)

    def fill(self) -> None:
        self._credit = 0
        for _ in range(WINDOW // BURST):
            self._burst.send_as_run(self.sock)

    def take(self, inbox: Inbox) -> int:
        """How many responses came; as many requests follow."""
        count = inbox.receive(self.sock, self.size)
        self._credit += count
        while self._credit >= BURST:
            self._credit -= BURST
            self._burst.send_as_run(self.sock)
        return count

    def _check(self, response: bytes, transaction_id: bytes) -> int:
        message = Message.decode(response)
        assert message.message_class is MessageClass.SUCCESS
        assert message.transaction_id == transaction_id
        own = from_sockaddr(self.sock.getsockname())
        assert message.get(XorMappedAddress) == XorMappedAddress(own)
        return len(response)


def rows(rounds: int) -> Iterator[Row]:
    with pinned(), servers.both() as pair:
        for server in pair:
            _rate(server, SECONDS / 2)
        rates = [[_rate(server, SECONDS) for server in pair] for _ in range(rounds)]
    ours, peer = (statistics.median(column) for column in zip(*rates, strict=True))
    yield Row(
        "STUN Binding responses per CPU second",
        f"{ours / 1000:.0f}k",
        f"coturn {peer / 1000:.0f}k",
        statistics.median(mine / theirs for mine, theirs in rates),
        must_hold=0.85,
        aim=1.0,
    )


def _rate(server: Server, seconds: float) -> float:
    clients = [Client(server) for _ in range(CLIENTS)]
    before = server.cpu_seconds()
    count = _load({client.sock.fileno(): client for client in clients}, seconds)
    used = server.cpu_seconds() - before
    _close([client.sock for client in clients])
    assert count, f"{server.name} answers nothing"
    return count / used


def _load(clients: dict[int, Client], seconds: float) -> int:
    inbox = Inbox()
    count = 0
    with select.epoll() as epoll:
        for fd in clients:
            epoll.register(fd, select.EPOLLIN)
        end = time.perf_counter() + seconds
        is_under_way = False
        while time.perf_counter() < end:
            if not is_under_way:
                for client in clients.values():
                    client.fill()
            ready = epoll.poll(STALL)
            count += sum(clients[fd].take(inbox) for fd, _ in ready)
            is_under_way = bool(ready)
    return count


def _close(socks: Sequence[socket.socket]) -> None:
    time.sleep(STALL)  # what is under way is answered before the relay's CPU is looked at again
    for sock in socks:
        sock.close()


if __name__ == "__main__":
    print_rows(__doc__, rows)
