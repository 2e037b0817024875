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

    ``on_event`` sees each event as it comes. The search for the lifetime
    of bindings takes minutes; the others are done within 20 s.

    Raises:
        OSError: there is no way to the server, or no socket.
        Exception: whatever ``on_event`` raised.
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

        def fail(failed: asyncio.Future[Exception]) -> None:
            if not failed.cancelled() and not finished.done():
                finished.set_exception(failed.result())

        driver = MachineDriver(client, handle)
        driver.failed.add_done_callback(fail)
        stack.push_async_callback(driver.aclose)
        for each in opened:
            driver.add_socket(each)
        driver.call(client.start)
        return await finished


def local_ip_towards(remote: TransportAddress) -> IPAddress:
    """Our address on the way to another; nothing is sent.

    Raises:
        OSError: there is no way.
    """
    family = socket.AF_INET6 if remote.is_ipv6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect(to_sockaddr(remote))
        return from_sockaddr(sock.getsockname()).ip
