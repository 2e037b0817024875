"""What the harness sends leaves this host, the empty datagram too."""

from __future__ import annotations

import ipaddress

import pytest

from conformance.aio import AsyncioWire

LOOPBACK = ipaddress.ip_address("127.0.0.1")


@pytest.mark.parametrize("data", [b"", b"\x00", bytes(1200)], ids=["empty", "a-byte", "long"])
async def test_a_datagram_of_any_length_is_sent(data: bytes) -> None:
    wire = AsyncioWire()
    sender, receiver = [await wire.open_datagrams(LOOPBACK) for _ in range(2)]
    try:
        await sender.send(data, receiver.local)

        assert await receiver.receive(5) == (data, sender.local)
    finally:
        sender.close()
        receiver.close()
