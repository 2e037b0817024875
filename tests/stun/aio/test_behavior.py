"""The discovery of NATs on real sockets."""

from __future__ import annotations

import socket

import pytest

from stun.aio import discover_behavior, local_ip_towards
from stun.behavior import BehaviorConfig, Inconclusive, NatMapping, Obstacle, ServerReached
from stun.server import BehaviorServer
from transport import Event, TransportAddress
from transport.aio import KernelSockets, MachineDriver

LOOPBACK = TransportAddress.parse("127.0.0.1", 0)


def ignore(event: Event) -> None:
    """The server reports nothing."""


async def test_a_server_with_one_address_tells_that_there_is_no_nat() -> None:
    driver = MachineDriver(BehaviorServer(), ignore)
    sock = await KernelSockets().open(LOOPBACK)
    driver.add_socket(sock)
    events: list[Event] = []
    try:
        report = await discover_behavior(sock.local, tests=[], on_event=events.append)
        mapping = (await discover_behavior(sock.local)).mapping
    finally:
        await driver.aclose()

    assert report.reached is not None
    assert report.reached.mapped == report.reached.local
    assert mapping is NatMapping.NONE
    assert events[0] == ServerReached(report.reached)


@pytest.mark.requirement("stun-turn:STUNC-NAT-01")
async def test_a_silent_server_is_given_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        server = TransportAddress.parse("127.0.0.1", silent.getsockname()[1])

        report = await discover_behavior(server, config=BehaviorConfig(rto=0.01, rc=2, rm=1))

    assert report.reached is None
    assert report.mapping == Inconclusive(Obstacle.NO_RESPONSE)


async def test_what_an_event_handler_raises_ends_the_discovery(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def handle(event: Event) -> None:
        raise LookupError("a bug")

    driver = MachineDriver(BehaviorServer(), ignore)
    sock = await KernelSockets().open(LOOPBACK)
    driver.add_socket(sock)
    try:
        with pytest.raises(LookupError, match="a bug"):
            await discover_behavior(sock.local, tests=[], on_event=handle)
    finally:
        await driver.aclose()

    assert "BehaviorClient failed" in caplog.text


def test_the_way_to_loopback_begins_on_loopback() -> None:
    assert local_ip_towards(TransportAddress.parse("127.0.0.1", 9)) == LOOPBACK.ip
