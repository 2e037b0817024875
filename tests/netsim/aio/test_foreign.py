"""A foreign asyncio program, unchanged, between two NATs."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from netsim import LinkProfile, NatBehavior, Network
from netsim.aio import SimulatedLoop

aioice = pytest.importorskip("aioice")


class BindingResponder(asyncio.DatagramProtocol):
    """A STUN server that answers Binding requests, by means of aioice's own codec."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        request = aioice.stun.parse_message(data)
        response = aioice.stun.Message(
            message_method=aioice.stun.Method.BINDING,
            message_class=aioice.stun.Class.RESPONSE,
            transaction_id=request.transaction_id,
        )
        response.attributes["XOR-MAPPED-ADDRESS"] = addr
        self._transport.sendto(bytes(response), addr)


@pytest.mark.interop
@pytest.mark.parametrize("seed", range(3))
def test_aioice_connects_between_two_lossy_nats(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(seed, link=LinkProfile(delay=0.0125, loss=0.05))
    homes = [network.nat(f"nat{n}", f"198.51.100.{n}", behavior=NatBehavior()) for n in (1, 2)]
    hosts = [network.host(f"host{n}", f"10.0.{n}.2", segment=homes[n - 1].inside) for n in (1, 2)]
    server = network.host("server", "192.0.2.1")
    addresses: list[str] = []
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: addresses)

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(BindingResponder, local_addr=("192.0.2.1", 3478))

    async def main() -> bytes:
        loop = cast(SimulatedLoop, asyncio.get_running_loop())
        await loop.start_on(server, serve())
        agents = [
            aioice.Connection(ice_controlling=is_first, stun_server=("192.0.2.1", 3478))
            for is_first in (True, False)
        ]
        for host, agent in zip(hosts, agents, strict=True):
            addresses[:] = [str(ip) for ip in host.addresses]
            await loop.start_on(host, agent.gather_candidates())
        for agent, peer in (agents, agents[::-1]):
            agent.remote_username = peer.local_username
            agent.remote_password = peer.local_password
            for candidate in peer.local_candidates:
                await agent.add_remote_candidate(candidate)
            await agent.add_remote_candidate(None)
        checks = [
            loop.start_on(*each) for each in zip(hosts, [a.connect() for a in agents], strict=True)
        ]
        await asyncio.gather(*checks)
        for _ in range(10):  # each may be lost
            await agents[0].send(b"through both NATs")
        received = await agents[1].recv()
        for agent in agents:
            await agent.close()
        return bytes(received)

    with asyncio.Runner(loop_factory=lambda: SimulatedLoop(network)) as runner:
        assert runner.run(main()) == b"through both NATs"
    assert network.now < 30
