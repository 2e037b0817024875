"""Peers that listen on this host: what rows about TCP allocations rest upon."""

from __future__ import annotations

import asyncio
import ipaddress

import pytest

from conformance.aio.wire import AsyncioWire
from transport import TransportProtocol

LOOPBACK = ipaddress.ip_address("127.0.0.1")


async def test_a_connection_is_accepted_and_carries_bytes_and_ends() -> None:
    wire = AsyncioWire()
    listener = await wire.open_listener(LOOPBACK)

    near = await wire.open_stream(TransportProtocol.TCP, listener.local)
    far = await listener.accept(5.0)
    assert far is not None
    await near.send(b"there")
    await far.send(b"back")
    received = [await far.receive(5.0), await near.receive(5.0)]
    near.close()
    end = await far.receive(5.0)
    far.close()
    listener.close()

    assert (far.remote, received, end) == (near.local, [b"there", b"back"], b"")


async def test_nobody_connects_to_what_is_closed_and_still_has_its_address() -> None:
    wire = AsyncioWire()
    listener = await wire.open_listener(LOOPBACK)
    listener.close()

    with pytest.raises(ConnectionRefusedError):
        await wire.open_stream(TransportProtocol.TCP, listener.local)


async def test_accepting_comes_to_an_end_without_a_connection() -> None:
    listener = await AsyncioWire().open_listener(LOOPBACK)

    assert await listener.accept(0.01) is None
    listener.close()


async def test_a_deaf_peer_neither_answers_nor_refuses() -> None:
    wire = AsyncioWire()
    deaf = await wire.open_listener(LOOPBACK, is_deaf=True)

    connecting = asyncio.ensure_future(wire.open_stream(TransportProtocol.TCP, deaf.local))
    done, _ = await asyncio.wait((connecting,), timeout=0.05)
    connecting.cancel()
    deaf.close()

    assert not done


async def test_a_connection_that_nobody_reads_takes_no_more() -> None:
    wire = AsyncioWire(per_second=1e6)
    listener = await wire.open_listener(LOOPBACK)
    near = await wire.open_stream(TransportProtocol.TCP, listener.local)
    far = await listener.accept(5.0)
    assert far is not None

    offers = [await near.offer(bytes(1 << 22), 0.01) for _ in range(8)]
    near.close()
    far.close()
    listener.close()

    assert offers[-1] is False
