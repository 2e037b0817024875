"""Servers given by name, relays over real sockets, and what is left behind."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from typing import cast

import pytest

from hairpin.testing import simulate_stun_server
from ice import CandidateType, IceConfig, IcePolicy, IceServer, ResolveRequested
from ice.aio import ConnectionClosed, IceConnection, resolve
from netsim import Network
from netsim.aio import SimulatedLoop, SimulatedSockets
from transport import TransportAddress
from turn import CredentialVerifier
from turn.aio import RelayServer
from turn.server import ServerConfig

from .test_agent import LOOPBACK, introduce

USER, PASSWORD = "ann", "open sesame"


@pytest.fixture
async def relay() -> AsyncIterator[RelayServer]:
    config = ServerConfig(
        realm="hairpin",
        credentials=CredentialVerifier({USER: PASSWORD}),
        listening=(TransportAddress(LOOPBACK[0], 0),),
        relay_addresses=tuple(LOOPBACK),
        allow_peers=(ipaddress.ip_network("127.0.0.0/8"),),
    )
    async with RelayServer.open(config) as server:
        yield server


def relay_only(relay: RelayServer) -> IceConfig:
    url = f"turn:{relay.addresses[0]}?transport=udp"
    return IceConfig(servers=(IceServer((url,), USER, PASSWORD),), policy=IcePolicy.RELAY)


@pytest.mark.requirement("ice:Z09")
@pytest.mark.requirement("ice:N13")
async def test_two_relay_only_connections_meet_on_a_relay_of_this_host(relay: RelayServer) -> None:
    config = relay_only(relay)
    async with (
        IceConnection(controlling=True, config=config, addresses=LOOPBACK) as left,
        IceConnection(controlling=False, config=config, addresses=LOOPBACK) as right,
    ):
        await asyncio.gather(left.gather(), right.gather())
        introduce(left, right)
        await asyncio.gather(left.connect(), right.connect())
        left.send(b"\x80one", b"\x80two")

        assert [await right.receive() for _ in range(2)] == [b"\x80one", b"\x80two"]
        assert {c.type for c in left.local_candidates} == {CandidateType.RELAYED}
        assert len(relay.allocations()) == 2

    await relay.drain(50.0)
    assert not relay.allocations()


async def test_closing_ends_whoever_gathers() -> None:
    found = asyncio.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        url = f"turn:127.0.0.1:{silent.getsockname()[1]}"
        connection = IceConnection(
            controlling=True,
            config=IceConfig(servers=(IceServer((url,), "u", "p"),)),
            addresses=LOOPBACK,
            on_candidate=lambda candidate: found.set(),
        )
        gathering = asyncio.ensure_future(connection.gather())
        await found.wait()

        await connection.aclose()

        with pytest.raises(ConnectionClosed):
            await gathering


def test_a_server_is_found_by_its_name() -> None:
    network = Network()
    simulate_stun_server(network.host("stun", "192.0.2.1"))
    nat = network.nat("nat", "198.51.100.1")
    host = network.host("host", "10.0.0.2", segment=nat.inside)
    urls = ("stun:stun.example.org", "stun:nowhere.example.org")

    async def gather() -> list[str]:
        connection = IceConnection(
            controlling=True,
            config=IceConfig(servers=(IceServer(urls),)),
            sockets=SimulatedSockets(host),
            addresses=host.addresses,
        )
        await connection.gather()
        found = [c.to_text().split()[7] for c in connection.local_candidates]
        await connection.aclose()
        return found

    async def main() -> list[str]:
        loop = cast(SimulatedLoop, asyncio.get_running_loop())
        return await loop.start_on(host, gather())

    names = {"stun.example.org": ["192.0.2.1"]}
    with asyncio.Runner(loop_factory=lambda: SimulatedLoop(network, names=names)) as runner:
        assert runner.run(main()) == ["host", "srflx"]
    assert network.now < 0.1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("127.0.0.1", ["127.0.0.1"], id="an-address"),
        pytest.param("a" * 70 + ".example", [], id="no-name"),
    ],
)
async def test_what_can_have_no_address_is_no_error(name: str, expected: list[str]) -> None:
    found = await resolve(ResolveRequested(0, name))

    assert [str(ip) for ip in found] == expected


async def test_a_name_without_an_address_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    assert await resolve(ResolveRequested(0, "nowhere.invalid")) == []
