"""Our client and our server, machine against machine on a simulated network."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim import SYMMETRIC, LinkProfile, Process
from transport import TransportAddress
from turn.client import (
    AllocationFailed,
    AllocationLost,
    AllocationReleased,
    ChannelBound,
    ClientConfig,
    ClientState,
    DataReceived,
    FailureReason,
    PermissionInstalled,
    TurnClient,
)

from .world import World


def permit(client: Process[TurnClient], *peers: TransportAddress) -> None:
    ips = [peer.ip for peer in peers]
    client.call(lambda machine, now: machine.create_permissions(ips, now))


def bind(client: Process[TurnClient], peer: TransportAddress) -> None:
    client.call(lambda machine, now: machine.bind_channel(peer, now))


def send(client: Process[TurnClient], peer: TransportAddress, *segments: bytes) -> bool:
    return client.call(lambda machine, now: machine.send(peer, segments, now))


def received(client: Process[TurnClient]) -> list[tuple[TransportAddress, bytes]]:
    return [(event.peer, event.data) for event in client.events_of(DataReceived)]


def test_data_is_relayed_to_a_peer_and_back_with_and_without_a_channel() -> None:
    world = World()
    peer = world.echo("peer", "8.8.8.8")
    client = world.client("client", world.host("home", "9.9.9.9"))
    world.allocate(client)
    permit(client, peer)
    world.network.run_until(lambda: client.events_of(PermissionInstalled), timeout=1.0)

    assert send(client, peer, b"in an indication", b"")
    bind(client, peer)
    world.network.run_until(lambda: client.events_of(ChannelBound), timeout=1.0)
    assert send(client, peer, b"on the channel", b"channel!", b"")
    world.run(1.0)

    payloads = [b"in an indication", b"", b"on the channel", b"channel!", b""]
    assert received(client) == [(peer, payload) for payload in payloads]


def test_two_clients_behind_symmetric_nats_reach_each_other_for_an_hour() -> None:
    world = World()
    clients = []
    for name, external in (("left", "9.9.9.1"), ("right", "9.9.9.2")):
        router = world.network.nat(f"{name} router", external, behavior=SYMMETRIC)
        host = world.network.host(f"{name} home", "10.0.0.2", segment=router.inside)
        clients.append(world.client(name, host))
    left, right = clients
    relayed = [world.allocate(client) for client in clients]
    bind(left, relayed[1])
    bind(right, relayed[0])
    world.run(1.0)

    for minute in range(60):
        # What keeps the NATs' mappings is the traffic, as with ICE's checks.
        assert send(left, relayed[1], b"ping %d" % minute)
        assert send(right, relayed[0], b"pong %d" % minute)
        world.run(60.0)

    assert received(left) == [(relayed[1], b"pong %d" % minute) for minute in range(60)]
    assert received(right) == [(relayed[0], b"ping %d" % minute) for minute in range(60)]
    assert len(left.events_of(ChannelBound)) == 1


@pytest.mark.requirement("stun-turn:STUNC-LTC-04")
def test_nonces_that_live_for_seconds_do_not_end_an_allocation() -> None:
    world = World(nonce_lifetime=20.0)
    peer = world.echo("peer", "8.8.8.8")
    client = world.client("client", world.host("home", "9.9.9.9"))
    world.allocate(client)
    bind(client, peer)

    world.run(3600.0)

    assert send(client, peer, b"still there")
    world.run(1.0)
    assert received(client) == [(peer, b"still there")]


def test_release_leaves_nothing_on_the_server() -> None:
    world = World()
    client = world.client("client", world.host("home", "9.9.9.9"))
    world.allocate(client)

    client.call(lambda machine, now: machine.release(now))
    world.run(1.0)

    assert client.events_of(AllocationReleased)
    assert world.relay.machine.server.stats().allocations == 0
    world.network.run_idle()


def test_a_client_that_comes_again_on_its_old_port_gets_an_allocation() -> None:
    """What a crash leaves on the server would else be in the way for ten minutes."""
    world = World()
    home = world.host("home", "9.9.9.9")
    crashed = world.client("crashed", home)
    world.allocate(crashed)
    port = crashed.addresses[0].port
    crashed.stop()

    home.bind("9.9.9.9", port)
    machine = TurnClient(
        crashed.machine.path,
        username="ann",
        password="open sesame",
        random_bytes=world.network.random_bytes("again"),
    )
    again = home.run(machine, name="again", addresses=[crashed.machine.path.local])
    world.allocate(again)

    assert world.relay.machine.server.stats().allocations == 1


def test_a_server_that_has_forgotten_the_allocation_ends_it() -> None:
    world = World()
    peer = world.echo("peer", "8.8.8.8")
    client = world.client("client", world.host("home", "9.9.9.9"))
    world.allocate(client)

    world.restart_relay()
    permit(client, peer)
    world.run(1.0)

    assert client.events_of(AllocationLost) == [AllocationLost(FailureReason.MISMATCH, 437)]


@hypothesis.settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32),
    loss=st.floats(0.0, 0.35),
    duplicate=st.floats(0.0, 0.3),
    reorder=st.floats(0.0, 0.3),
    lifetime=st.sampled_from([None, 700, 3600]),
    peers=st.integers(1, 30),
)
def test_over_a_bad_link_both_sides_agree_on_what_is_permitted(
    seed: int, loss: float, duplicate: float, reorder: float, lifetime: int | None, peers: int
) -> None:
    """What the client believes to have, it has: once the link is good again, data passes."""
    world = World(seed=seed)
    bad = LinkProfile(
        delay=0.02, jitter=0.05, loss=loss, duplicate=duplicate, reorder=reorder, reorder_delay=0.2
    )
    home = world.host("home", "9.9.9.9", link=bad)
    client = world.client("client", home, config=ClientConfig(lifetime=lifetime))
    machine = client.machine
    addresses = [world.echo(f"peer {number}", f"8.8.8.{number + 1}") for number in range(peers)]
    client.call(lambda _, now: machine.allocate(now))
    world.network.run_until(lambda: machine.state is not ClientState.ALLOCATING, timeout=200.0)
    if machine.state is not ClientState.ALLOCATED:
        assert client.events_of(AllocationFailed)
        return
    permit(client, *addresses)
    bind(client, addresses[0])

    world.run(1500.0)
    for interface in home.interfaces:
        interface.set_profile(LinkProfile(delay=0.02))
    world.run(1.0)

    if machine.state is not ClientState.ALLOCATED:
        assert client.events_of(AllocationLost)
        return
    permitted = [peer for peer in addresses if machine.has_permission(peer.ip)]
    before = len(received(client))
    assert [peer for peer in addresses if send(client, peer, b"hello")] == permitted
    world.run(1.0)
    assert sorted(received(client)[before:], key=str) == sorted(
        [(peer, b"hello") for peer in permitted], key=str
    )
