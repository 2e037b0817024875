"""Examines the NAT of this host (RFC 5780)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Collection

from stun.behavior import (
    ALL_BUT_LIFETIME,
    BehaviorClient,
    BehaviorConfig,
    BehaviorReport,
    BehaviorTest,
    ClientAddresses,
    DiscoveryFinished,
)
from transport import Event, IPAddress, RandomBytes, TransportAddress
from transport.aio import KernelSockets, MachineDriver, SocketFactory, from_sockaddr, to_sockaddr


async def discover_behavior(
    server: TransportAddress,
    *,
    tests: Collection[BehaviorTest] = ALL_BUT_LIFETIME,
    config: BehaviorConfig | None = None,
    local: IPAddress | None = None,
    sockets: SocketFactory | None = None,
    on_event: Callable[[Event], None] | None = None,
    random_bytes: RandomBytes = os.urandom,
) -> BehaviorReport:
    """Run the tests against a server, from ``local``, or from where the way to it begins.

    ``on_event`` sees each event as it comes, and must not raise. The search for the lifetime
    of bindings takes minutes; the others are done within 20 s.

    Raises:
        OSError: there is no way to the server, or no socket.
    """
    ip = local or local_ip_towards(server)
    async with contextlib.AsyncExitStack() as stack:
        factory = sockets or KernelSockets()
        opened = []
        for _ in range(3):
            opened.append(await factory.open(TransportAddress(ip, 0)))
            stack.callback(opened[-1].close)
        addresses = ClientAddresses(*(each.local for each in opened))
        client = BehaviorClient(
            server, addresses, random_bytes=random_bytes, tests=tests, config=config
        )
        finished: asyncio.Future[BehaviorReport] = asyncio.get_running_loop().create_future()

        def handle(event: Event) -> None:
            if on_event is not None:
                on_event(event)
            if isinstance(event, DiscoveryFinished) and not finished.done():
                finished.set_result(event.report)

        driver = MachineDriver(client, handle)
        stack.push_async_callback(driver.aclose)
        for each in opened:
            driver.add_socket(each)
        driver.call(client.start)
        await asyncio.wait({finished, driver.failed}, return_when=asyncio.FIRST_COMPLETED)
        if not finished.done():
            raise driver.failed.result()
        return finished.result()


def local_ip_towards(remote: TransportAddress) -> IPAddress:
    """Our address on the way to another; nothing is sent.

    Raises:
        OSError: there is no way.
    """
    family = socket.AF_INET6 if remote.is_ipv6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect(to_sockaddr(remote))
        return from_sockaddr(sock.getsockname()).ip
