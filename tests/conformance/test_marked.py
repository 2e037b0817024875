"""Sockets that choose and see TOS bytes, on this machine's loopback."""

from __future__ import annotations

import ipaddress

import pytest

from conformance.aio import AsyncioWire


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"], ids=["ipv4", "ipv6"])
async def test_a_datagram_comes_with_its_tos(host: str) -> None:
    wire = AsyncioWire()
    try:
        sender = await wire.open_marked(ipaddress.ip_address(host))
    except OSError:
        pytest.skip(f"no {host} here")
    receiver = await wire.open_marked(ipaddress.ip_address(host))

    found = []
    for tos in (0xB8, 2, 0):
        sender.tos = tos
        await sender.send(b"marked", receiver.local)
        assert await receiver.receive(1.0) == (b"marked", sender.local)
        found.append(receiver.last_tos)
    sender.close()
    receiver.close()

    assert found == [0xB8, 2, 0]


async def test_nothing_comes_out_of_a_quiet_socket() -> None:
    socket = await AsyncioWire().open_marked(ipaddress.ip_address("127.0.0.1"))

    assert await socket.receive(0) is None
    socket.close()
    socket.close()
