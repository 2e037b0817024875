"""Networks with STUN and TURN servers, and peers that are configured with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hairpin.testing import SimulatedRelay, simulate_relay
from ice import (
    Candidate,
    CandidateType,
    IceConfig,
    IcePolicy,
    IceServer,
    LocalCandidateGathered,
    PairSelected,
)
from netsim import DatagramRecord, Host, Nat, NatBehavior, Network, Process
from stun import Message, MessageClass, Method, is_stun
from transport import TransportAddress
from turn import is_channel_data
from turn.server import AllocationSnapshot

from .peers import Peer, Signalling

STUN_IP = "192.0.2.1"
RELAY_IP = "192.0.2.10"
OTHER_RELAY_IP = "192.0.2.11"
DEAD_IP = "192.0.2.99"
USERNAME, PASSWORD = "alice", "alice's password"

STUN = IceServer((f"stun:{STUN_IP}",))
TURN = IceServer((f"turn:{RELAY_IP}",), USERNAME, PASSWORD)
OTHER_TURN = IceServer((f"turn:{OTHER_RELAY_IP}",), USERNAME, PASSWORD)
DEAD_STUN = IceServer((f"stun:{DEAD_IP}",))
DEAD_TURN = IceServer((f"turn:{DEAD_IP}",), USERNAME, PASSWORD)


def relay_on(
    network: Network, ip: str = RELAY_IP, *, max_allocations: int = 1000
) -> Process[SimulatedRelay]:
    """A relay that knows USERNAME, on a host of its own."""
    return simulate_relay(
        network,
        network.host(f"relay {ip}", ip),
        users={USERNAME: PASSWORD},
        max_allocations=max_allocations,
    )


def allocations(relay: Process[SimulatedRelay]) -> tuple[AllocationSnapshot, ...]:
    return relay.call(lambda machine, now: machine.allocations(now))


def host_behind(
    network: Network, behavior: NatBehavior | None, number: int, *, addresses: int = 1
) -> Host:
    """A host behind a NAT of its own, or on the internet."""
    name = f"host{number}"
    if behavior is None:
        return network.host(name, *(f"203.0.113.{number * 10 + n}" for n in range(addresses)))
    nat: Nat = network.nat(f"nat{number}", f"198.51.100.{number}", behavior=behavior)
    inside = [f"10.{number}.0.{2 + n}" for n in range(addresses)]
    return network.host(name, *inside, segment=nat.inside)


def pair_of(
    network: Network,
    hosts: tuple[Host, Host],
    configs: tuple[Sequence[IceServer], Sequence[IceServer]],
    *,
    policies: tuple[IcePolicy, IcePolicy] = (IcePolicy.ALL, IcePolicy.ALL),
    signalling: Signalling | None = None,
) -> tuple[Peer, Peer]:
    """Two peers that know each other, the first controlling; nothing has begun yet."""
    options = signalling or Signalling()
    first, second = (
        Peer(
            network,
            host,
            controlling=number == 0,
            config=IceConfig(servers=tuple(servers), policy=policy),
            signalling=Signalling(
                options.delay, options.candidates, options.end_of_candidates, options.edit
            ),
        )
        for number, (host, servers, policy) in enumerate(zip(hosts, configs, policies, strict=True))
    )
    first.other, second.other = second, first
    return first, second


def lone_peer(
    network: Network,
    host: Host,
    *servers: IceServer,
    policy: IcePolicy = IcePolicy.ALL,
) -> Peer:
    """A peer that talks to servers alone."""
    config = IceConfig(servers=servers, policy=policy)
    return Peer(network, host, controlling=True, config=config)


def gathered(peer: Peer) -> list[Candidate]:
    """What it has reported, in order."""
    return [event.candidate for event in peer.process.events_of(LocalCandidateGathered)]


def of_type(candidates: Iterable[Candidate], kind: CandidateType) -> list[Candidate]:
    return [candidate for candidate in candidates if candidate.type is kind]


def is_relayed(peer: Peer) -> bool:
    """Whether its selected pair goes through a relay, on either side."""
    pair = peer.selected
    assert pair is not None
    return CandidateType.RELAYED in (pair.local.type, pair.remote.type)


def wait_until_selected(network: Network, peers: Sequence[Peer], *, timeout: float = 60.0) -> float:
    return network.run_until(
        lambda: all(peer.process.events_of(PairSelected) for peer in peers), timeout=timeout
    )


def sent_by(network: Network, peer: Peer) -> list[DatagramRecord]:
    """Each datagram once, in the order of sending."""
    records = {
        record.origin.number: record
        for record in network.trace
        if record.origin.sender == peer.host.name and record.copy == 0
    }
    return [records[number] for number in sorted(records)]


def requests_of(
    network: Network, peer: Peer, method: Method, to: str | None = None
) -> list[tuple[float, Message, TransportAddress]]:
    """Time, message and destination of each request sent, retransmissions included."""
    found = []
    for record in sent_by(network, peer):
        if is_channel_data(record.data) or not is_stun(record.data):
            continue
        message = Message.decode(record.data)
        destination = record.origin.destination
        if (
            message.method == method
            and message.message_class is MessageClass.REQUEST
            and to in (None, str(destination.ip))
        ):
            found.append((record.origin.sent_at, message, destination))
    return found
