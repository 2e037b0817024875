"""Our ICE with aioice's: host, server-reflexive and relayed paths, in both roles.

Behind simulated NATs aioice runs unchanged on virtual time; through real sockets it meets
our own relay and coturn.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import ipaddress
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

import aioice
import pytest

from hairpin.testing import simulate_relay, simulate_stun_server
from ice import Candidate, CandidateType, IceConfig, IceCredentials, IcePolicy, IceServer
from ice.aio import IceConnection
from netsim import PORT_RESTRICTED_CONE, SYMMETRIC, Host, NatBehavior, Network
from netsim.aio import SimulatedLoop, SimulatedSockets
from transport import TransportAddress
from turn import CredentialVerifier
from turn.aio import RelayServer
from turn.server import ServerConfig

from .coturn import PASSWORD, USER, coturn

pytestmark = pytest.mark.interop

STUN_IP, RELAY_IP = "192.0.2.1", "192.0.2.10"
LOOPBACK = ipaddress.ip_address("127.0.0.1")
ALL, RELAY = IcePolicy.ALL, IcePolicy.RELAY
POLICIES = {
    ALL: aioice.TransportPolicy.ALL,
    RELAY: aioice.TransportPolicy.RELAY,
}
TIMEOUT = 45.0


async def introduce(ours: IceConnection, theirs: aioice.Connection) -> None:
    """Each side learns of the other what it has gathered."""
    theirs.remote_username = ours.local_credentials.ufrag
    theirs.remote_password = ours.local_credentials.password
    for candidate in ours.local_candidates:
        text = candidate.to_text().removeprefix("candidate:")
        await theirs.add_remote_candidate(aioice.Candidate.from_sdp(text))
    await theirs.add_remote_candidate(None)
    ours.set_remote(IceCredentials(theirs.local_username, theirs.local_password))
    for other in theirs.local_candidates:
        ours.add_remote_candidate(Candidate.parse(f"candidate:{other.to_sdp()}"))
    ours.end_of_remote_candidates()


async def exchange(ours: IceConnection, theirs: aioice.Connection) -> None:
    """A datagram each way, again until it arrives."""
    ours.send(b"\x80ours")
    assert await theirs.recv() == b"\x80ours"
    await theirs.send(b"\x80theirs")
    assert await ours.receive() == b"\x80theirs"


@dataclasses.dataclass(frozen=True)
class Case:
    """Who stands behind which NAT, with which policy, and which pair that leads to."""

    ours: NatBehavior | None
    theirs: NatBehavior | None
    is_relayed: bool
    policies: tuple[IcePolicy, IcePolicy] = (ALL, ALL)


CASES = {
    "host": Case(None, None, False),
    "srflx": Case(PORT_RESTRICTED_CONE, PORT_RESTRICTED_CONE, False),
    "relay-by-need": Case(SYMMETRIC, SYMMETRIC, True),
    "ours-relay-only": Case(PORT_RESTRICTED_CONE, None, True, (RELAY, ALL)),
    "theirs-relay-only": Case(None, PORT_RESTRICTED_CONE, True, (ALL, RELAY)),
    "both-relay-only": Case(SYMMETRIC, PORT_RESTRICTED_CONE, True, (RELAY, RELAY)),
}


def home(network: Network, number: int, behavior: NatBehavior | None) -> Host:
    if behavior is None:
        return network.host(f"host{number}", f"203.0.113.{number}")
    nat = network.nat(f"nat{number}", f"198.51.100.{number}", behavior=behavior)
    return network.host(f"host{number}", f"10.0.{number}.2", segment=nat.inside)


@pytest.mark.requirement("ice:N09")
@pytest.mark.requirement("ice:C04")
@pytest.mark.parametrize("controlling", [True, False], ids=["controlling", "controlled"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_we_meet_aioice_over_simulated_nats(
    case: Case, controlling: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(seed=1)
    simulate_stun_server(network.host("stun", STUN_IP))
    simulate_relay(network, network.host("relay", RELAY_IP), users={USER: PASSWORD})
    here, there = home(network, 1, case.ours), home(network, 2, case.theirs)
    monkeypatch.setattr(
        aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: [str(there.addresses[0])]
    )
    config = IceConfig(
        servers=(
            IceServer(("stun:stun.example.org",)),
            IceServer(("turn:relay.example.org",), USER, PASSWORD),
        ),
        policy=case.policies[0],
    )

    async def main() -> None:
        loop = cast(SimulatedLoop, asyncio.get_running_loop())
        theirs = aioice.Connection(
            ice_controlling=not controlling,
            stun_server=(STUN_IP, 3478),
            turn_server=(RELAY_IP, 3478),
            turn_username=USER,
            turn_password=PASSWORD,
            transport_policy=POLICIES[case.policies[1]],
        )
        ours = IceConnection(
            controlling=controlling,
            config=config,
            sockets=SimulatedSockets(here),
            addresses=here.addresses,
        )
        await asyncio.gather(
            loop.start_on(here, ours.gather()), loop.start_on(there, theirs.gather_candidates())
        )
        await introduce(ours, theirs)
        async with asyncio.timeout(TIMEOUT):
            await asyncio.gather(
                loop.start_on(here, ours.connect()), loop.start_on(there, theirs.connect())
            )
            await asyncio.sleep(0.2)  # on virtual time: the last nomination arrives
            await exchange(ours, theirs)
        pair = ours.agent.selected_pair
        assert pair is not None
        is_relayed = CandidateType.RELAYED in (pair.local.type, pair.remote.type)
        # aioice nominates whatever succeeds first, so that its choice may be worse than ours.
        assert is_relayed is case.is_relayed or (is_relayed and not controlling)
        await ours.aclose()
        await theirs.close()

    names = {"stun.example.org": [STUN_IP], "relay.example.org": [RELAY_IP]}
    with asyncio.Runner(loop_factory=lambda: SimulatedLoop(network, names=names)) as runner:
        runner.run(main())


@contextlib.asynccontextmanager
async def our_relay() -> AsyncIterator[str]:
    config = ServerConfig(
        realm="hairpin",
        credentials=CredentialVerifier({USER: PASSWORD}),
        listening=(TransportAddress(LOOPBACK, 0),),
        relay_addresses=(LOOPBACK,),
        allow_peers=(ipaddress.ip_network("0.0.0.0/0"),),
    )
    async with RelayServer.open(config) as relay:
        yield f"turn:{relay.addresses[0]}"


@contextlib.asynccontextmanager
async def coturns_relay(folder: Path) -> AsyncIterator[str]:
    async with coturn(folder) as server:
        yield server.uri


Relay = Callable[[Path], contextlib.AbstractAsyncContextManager[str]]
RELAYS: dict[str, Relay] = {
    "ours": lambda folder: our_relay(),
    "coturn": coturns_relay,
}


@pytest.mark.requirement("ice:C04")
@pytest.mark.requirement("ice:D05")
@pytest.mark.parametrize("controlling", [True, False], ids=["controlling", "controlled"])
@pytest.mark.parametrize("policies", [(RELAY, ALL), (ALL, RELAY), (RELAY, RELAY)])
@pytest.mark.parametrize("relay", RELAYS.values(), ids=RELAYS.keys())
async def test_we_meet_aioice_through_a_relay(
    relay: Relay, policies: tuple[IcePolicy, IcePolicy], controlling: bool, tmp_path: Path
) -> None:
    async with relay(tmp_path) as uri:
        theirs = aioice.Connection(
            ice_controlling=not controlling,
            turn_server=("127.0.0.1", int(uri.rpartition(":")[2])),
            turn_username=USER,
            turn_password=PASSWORD,
            transport_policy=POLICIES[policies[1]],
        )
        config = IceConfig(servers=(IceServer((uri,), USER, PASSWORD),), policy=policies[0])
        async with IceConnection(
            controlling=controlling, config=config, addresses=[LOOPBACK]
        ) as ours:
            await asyncio.gather(ours.gather(), theirs.gather_candidates())
            await introduce(ours, theirs)
            async with asyncio.timeout(TIMEOUT):
                await asyncio.gather(ours.connect(), theirs.connect())
                await exchange(ours, theirs)
        await theirs.close()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_two_of_us_meet_through_coturn_alone(transport: str, tmp_path: Path) -> None:
    async with coturns_relay(tmp_path) as uri:
        server = IceServer((f"{uri}?transport={transport}",), USER, PASSWORD)
        config = IceConfig(servers=(server,), policy=RELAY)
        async with (
            IceConnection(controlling=True, config=config, addresses=[LOOPBACK]) as left,
            IceConnection(controlling=False, config=config, addresses=[LOOPBACK]) as right,
        ):
            await asyncio.gather(left.gather(), right.gather())
            for one, other in ((left, right), (right, left)):
                one.set_remote(other.local_credentials)
                for candidate in other.local_candidates:
                    one.add_remote_candidate(candidate)
                one.end_of_remote_candidates()
            async with asyncio.timeout(TIMEOUT):
                await asyncio.gather(left.connect(), right.connect())
                assert left.send(b"\x80one", b"\x80two")
                assert [await right.receive() for _ in range(2)] == [b"\x80one", b"\x80two"]
