"""Connections of one process share the pace of their checks (RFC 8445 section 14.2)."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from ice.pacing import SHORTEST_INTERVAL
from media.aio import PeerConnection
from media.units import MediaKind
from netsim import Host, Network
from netsim.aio import SimulatedLoop, SimulatedSockets
from stun import Message, MessageClass, is_stun
from transport.dtls import DtlsCertificate

CERTIFICATE = DtlsCertificate.generate(lambda count: bytes(count))


def connection_on(host: Host) -> PeerConnection:
    return PeerConnection(
        sockets=SimulatedSockets(host), addresses=host.addresses, certificate=CERTIFICATE
    )


async def begin(offerer: PeerConnection, answerer: PeerConnection) -> None:
    offerer.add_transceiver(MediaKind.VIDEO)
    offer = await offerer.create_offer()
    await offerer.set_local_description(offer)
    await offerer.gathered()
    assert offerer.local_description is not None
    offer = offerer.local_description
    await answerer.set_remote_description(offer.type, offer.sdp)
    answer = await answerer.create_answer()
    await answerer.set_local_description(answer)
    await answerer.gathered()
    assert answerer.local_description is not None
    answer = answerer.local_description
    await offerer.set_remote_description(answer.type, answer.sdp)


def starts(network: Network) -> list[float]:
    """When each transaction of STUN began."""
    first: dict[bytes, float] = {}
    for record in sorted(network.trace, key=lambda record: record.origin.sent_at):
        if is_stun(record.data):
            message = Message.decode(record.data)
            if message.message_class is MessageClass.REQUEST:
                first.setdefault(message.transaction_id, record.origin.sent_at)
    return sorted(first.values())


def run(count: int) -> list[float]:
    """Start so many pairs of connections at once; when their transactions began."""
    network = Network(seed=1)
    left = network.host("left", "192.0.2.1", "192.0.2.2")
    right = network.host("right", "203.0.113.1", "203.0.113.2")

    async def main() -> None:
        pairs = [(connection_on(left), connection_on(right)) for _ in range(count)]
        await asyncio.gather(*(begin(*pair) for pair in pairs))
        await asyncio.sleep(0.3)
        for connection in itertools.chain(*pairs):
            await connection.close()

    def loop() -> SimulatedLoop:
        return SimulatedLoop(network)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())
    return starts(network)


@pytest.mark.requirement("ice:T06")
def test_ten_connections_at_once_start_at_most_one_transaction_per_5_ms() -> None:
    started = run(10)

    gaps = [later - earlier for earlier, later in itertools.pairwise(started)]
    assert len(started) >= 20
    assert min(gaps) >= SHORTEST_INTERVAL - 1e-9


def test_a_connection_alone_starts_at_once() -> None:
    assert run(1)[0] == 0.0
