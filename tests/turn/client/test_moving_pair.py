"""A client that changes its address, and our server, on a simulated network (RFC 8016)."""

from __future__ import annotations

import pytest

from netsim import Host, LinkProfile, Process
from transport import Path, TransportAddress, TransportProtocol
from turn.client import ChannelBound, ClientConfig, DataReceived, Moved, TurnClient

from .world import LISTENING, World

MOBILE = ClientConfig(mobility=True)


def allocated(world: World, host: Host, peer: TransportAddress) -> Process[TurnClient]:
    """A client with a channel to the peer."""
    client = world.client("client", host, config=MOBILE)
    world.allocate(client)
    client.call(lambda machine, now: machine.bind_channel(peer, now))
    world.network.run_until(lambda: client.events_of(ChannelBound), timeout=40.0)
    return client


def move(client: Process[TurnClient], local: TransportAddress) -> None:
    path = Path(TransportProtocol.UDP, local, LISTENING)
    client.call(lambda machine, now: machine.move(path, now))


def says(client: Process[TurnClient], peer: TransportAddress, payload: bytes) -> bool:
    return client.call(lambda machine, now: machine.send(peer, [payload], now))


def heard(client: Process[TurnClient]) -> list[bytes]:
    return [event.data for event in client.events_of(DataReceived)]


@pytest.mark.requirement("stun-turn:TURN-MOB-03")
def test_a_channel_goes_on_from_another_network() -> None:
    world = World()
    peer = world.echo("peer", "8.8.8.8")
    host = world.host("phone", "9.9.9.9")
    client = allocated(world, host, peer)
    assert says(client, peer, b"at home")
    world.run(1.0)

    elsewhere = client.bind(host.addresses[0], 9999)
    move(client, elsewhere)
    world.network.run_until(lambda: client.events_of(Moved), timeout=40.0)
    assert says(client, peer, b"on the way")
    world.run(1.0)

    assert heard(client) == [b"at home", b"on the way"]
    (snapshot,) = world.relay.machine.server.allocations(world.network.now)
    assert snapshot.client.remote == elsewhere


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.requirement("stun-turn:TURN-MOB-07")
def test_lost_datagrams_delay_a_move_and_do_not_prevent_it(seed: int) -> None:
    world = World(seed=seed)
    peer = world.echo("peer", "8.8.8.8")
    host = world.host("phone", "9.9.9.9", link=LinkProfile(loss=0.2))
    client = allocated(world, host, peer)

    elsewhere = client.bind(host.addresses[0], 9999)
    move(client, elsewhere)
    world.network.run_until(lambda: client.events_of(Moved), timeout=80.0)
    for _ in range(40):
        says(client, peer, b"still here")
        world.run(0.5)

    assert b"still here" in heard(client)
