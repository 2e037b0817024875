"""Credentials that live for 30 seconds, and a flow that lives for 20 minutes."""

from __future__ import annotations

import pytest

from netsim import Process
from transport import TransportAddress
from turn import CredentialVerifier, RelaySecret, make_credentials
from turn.client import (
    AllocationFailed,
    AllocationLost,
    ChannelBound,
    ClientState,
    DataReceived,
    FailureReason,
    TurnClient,
)

from .world import World

SECRET = RelaySecret(b"between the service and the relay")
LIFE = 30
MINUTES = 20


@pytest.mark.requirement("stun-turn:STUNS-LTC-20", "stun-turn:SEC-24")
@pytest.mark.parametrize("nonce_lifetime", [3600.0, 50.0], ids=["one-nonce", "many-nonces"])
def test_a_flow_goes_on_when_its_credential_is_gone_and_a_new_allocate_is_refused(
    nonce_lifetime: float,
) -> None:
    world = World(nonce_lifetime=nonce_lifetime, credentials=CredentialVerifier(secrets=[SECRET]))
    peer = world.echo("peer", "8.8.8.8")
    name, password = make_credentials(SECRET, "camera", LIFE)
    home = world.host("home", "9.9.9.9")
    client = world.client("client", home, username=name, password=password)
    world.allocate(client)
    client.call(lambda machine, now: machine.bind_channel(peer, now))
    world.network.run_until(lambda: client.events_of(ChannelBound), timeout=1.0)

    payloads = [b"%d" % number for number in range(MINUTES * 6)]
    for payload in payloads:
        assert send(client, peer, payload)
        world.run(10.0)

    assert received(client) == [(peer, payload) for payload in payloads]
    assert world.network.now >= MINUTES * 60
    assert client.events_of(AllocationLost) == []
    late = world.client("late", home, username=name, password=password)
    late.call(lambda machine, now: machine.allocate(now))
    world.network.run_until(lambda: late.machine.state is not ClientState.ALLOCATING, timeout=80.0)
    (failed,) = late.events_of(AllocationFailed)
    assert (failed.reason, failed.code) == (FailureReason.UNAUTHENTICATED, 401)
    assert world.relay.machine.server.stats().allocations == 1


def send(client: Process[TurnClient], peer: TransportAddress, payload: bytes) -> bool:
    return client.call(lambda machine, now: machine.send(peer, [payload], now))


def received(client: Process[TurnClient]) -> list[tuple[TransportAddress, bytes]]:
    return [(event.peer, event.data) for event in client.events_of(DataReceived)]
