"""The server against a model of what RFC 8656 says lives when, and for whom."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stun import (
    AnyAttribute,
    ChannelNumber,
    Data,
    EvenPort,
    Lifetime,
    Message,
    MessageClass,
    Method,
    ReservationToken,
    XorPeerAddress,
    XorRelayedAddress,
    encode_message,
)
from transport import Path, Transmit, TransportAddress, TransportProtocol
from turn import ChannelData, make_credentials

from .harness import (
    LISTENING,
    RELAY_IP,
    SECRET,
    UDP_REQUEST,
    WALL_CLOCK,
    Relay,
    client_on,
    code,
    config,
)
from .model import (
    MOST_ALLOCATIONS,
    MOST_OF_ONE_ID,
    MOST_PARTS,
    PORTS,
    Model,
    ModelAllocation,
    ModelBucket,
    granted,
)

ALICE, CAROL, CAROL_ON_TCP, BOB = CLIENTS = range(4)
"""Alice and Bob are static users; Carol's name is time-limited, so she has a quota."""

PEERS = [TransportAddress.parse(f"8.8.8.{host}", port) for host in (1, 2) for port in (1, 2)]
NUMBERS = [0x4000, 0x4001, 0x4002]
CROWD = [
    TransportAddress.parse(f"8.8.{4 + number // 250}.{number % 250 + 1}", 9)
    for number in range(250)
]
NETWORKS = ["20.0.0", "20.0.1"]
HEADERS = 28
"""Bytes of the headers of IPv4 and UDP."""

STRANGERS = {
    "header": (Method.ALLOCATE, ()),
    "refresh": (Method.REFRESH, ()),
    "allocate": (Method.ALLOCATE, (UDP_REQUEST,)),
    "bind": (Method.CHANNEL_BIND, (ChannelNumber(0x4000), XorPeerAddress(PEERS[0]))),
}

clients = st.sampled_from(CLIENTS)
peers = st.integers(0, len(PEERS) + len(CLIENTS) - 1)
lifetimes = st.sampled_from([None, 1, 600, 1000, 2**32 - 1])


class RelayAgainstModel(RuleBasedStateMachine):
    """Any sequence of requests, data, ends of streams and time.

    Peers are strangers and the other clients of the relay.
    """

    @initialize(users=st.sets(clients, max_size=2))
    def start(self, users: set[int]) -> None:
        # Nonces have tests of their own.
        self.relay = Relay(
            dataclasses.replace(
                config(),
                nonce_lifetime=1e9,
                min_port=PORTS[0],
                max_port=PORTS[-1],
                max_allocations=MOST_ALLOCATIONS,
                quota_per_id=MOST_OF_ONE_ID,
            )
        )
        name, password = make_credentials(SECRET, "carol", int(WALL_CLOCK) + 10**8)
        tcp = TransportProtocol.TCP
        self.clients = [
            client_on(self.relay, 1000),
            client_on(self.relay, 1001, username=name, password=password),
            client_on(self.relay, 1002, username=name, password=password, transport=tcp),
            client_on(self.relay, 1003, username="bob"),
        ]
        self.model = Model({CAROL: "carol", CAROL_ON_TCP: "carol"})
        self.buckets: dict[str, ModelBucket] = {}
        self.tokens: list[bytes] = []
        for who in sorted(users - {CAROL_ON_TCP}):
            self.allocate_one(who, None, None)

    @property
    def now(self) -> float:
        return self.relay.now

    def peer(self, who: int, which: int) -> TransportAddress:
        """A stranger, or where another client is at the moment."""
        other = which - len(PEERS)
        found = self.model.of(other, self.now)
        return PEERS[which % len(PEERS)] if other == who or found is None else found.relayed

    def ask(self, who: int, method: Method, *attributes: AnyAttribute, repeats: int = 1) -> Message:
        """The answer to a request, which is the same however often the request comes."""
        client = self.clients[who]
        data = client.request(method, *attributes)
        first, *others = [client.answer(data) for _ in range(repeats)]
        assert [other.data for other in others] == [first.data] * (repeats - 1)
        return first

    # Time

    @rule(seconds=st.sampled_from([0.5, 1.0, 29.0, 30.0, 100.0, 150.0, 299.0, 300.0, 301.0]))
    def wait(self, seconds: float) -> None:
        self.relay.server.handle_timeout(self.now)
        self.relay.drain()
        self.relay.run_until(self.now + seconds)
        for who in CLIENTS:
            self.talk_with(who)

    @rule(seconds=st.sampled_from([1.0, 30.0, 150.0, 300.0]))
    def wait_for_a_driver_that_is_late(self, seconds: float) -> None:
        self.relay.now += seconds

    # Allocations

    @rule(who=clients, lifetime=lifetimes, reserves=st.sampled_from([None, False, True]))
    def allocate(self, who: int, lifetime: int | None, reserves: bool | None) -> None:
        self.allocate_one(who, lifetime, reserves)

    def allocate_one(self, who: int, lifetime: int | None, reserves: bool | None) -> None:
        attributes: list[AnyAttribute] = [] if lifetime is None else [Lifetime(lifetime)]
        if reserves is not None:
            attributes.append(EvenPort(reserves))
        refusal = self.model.refusal(who, self.now)
        is_even, has_next = reserves is not None, bool(reserves)
        has_port = self.model.has_port(is_even=is_even, has_next=has_next, now=self.now)
        response = self.ask_to_allocate(who, attributes, refusal or (0 if has_port else 508))
        if response is None:
            return
        relayed = self.granted(who, response, lifetime)
        assert relayed.port % 2 == 0 or not is_even
        token = response.get(ReservationToken)
        assert (token is not None) == has_next
        if token is not None:
            following = TransportAddress(relayed.ip, relayed.port + 1)
            assert following.port not in self.model.used_ports(self.now)
            self.model.reservations[token.token] = (following, self.now + 30)
            self.tokens.append(token.token)

    @precondition(lambda self: self.tokens)
    @rule(who=clients, which=st.integers(0, 3))
    def allocate_what_was_reserved(self, who: int, which: int) -> None:
        token = self.tokens[-1 - which % len(self.tokens)]
        held = self.model.held(self.now).get(token)
        refusal = self.model.refusal(who, self.now)
        if held is None and refusal != 437:
            refusal = 508
        response = self.ask_to_allocate(who, [ReservationToken(token)], refusal)
        if response is not None:
            del self.model.reservations[token]
            assert self.granted(who, response, None) == held

    def ask_to_allocate(
        self, who: int, attributes: Sequence[AnyAttribute], expected: int
    ) -> Message | None:
        client = self.clients[who]
        data = client.request(Method.ALLOCATE, UDP_REQUEST, *attributes)
        response = client.answer(data)
        assert code(response) == expected
        if expected:
            return None
        relayed = response.get(XorRelayedAddress)
        assert relayed is not None
        self.model.allocations.pop(who, None)
        self.fresh = ModelAllocation(relayed.address, self.now, data)
        return response

    def granted(self, who: int, response: Message, lifetime: int | None) -> TransportAddress:
        """Take the new allocation into the model."""
        new = self.fresh
        assert new.relayed.ip == RELAY_IP
        assert new.relayed.port in PORTS
        assert new.relayed.port not in self.model.used_ports(self.now)
        assert response.get(Lifetime) == Lifetime(granted(lifetime))
        new.expires_at = self.now + granted(lifetime)
        self.model.allocations[who] = new
        return new.relayed

    @rule(who=clients)
    def allocate_by_the_same_request_again(self, who: int) -> None:
        found = self.model.of(who, self.now)
        if found is None:
            return
        response = self.clients[who].answer(found.request)
        assert code(response) == 0
        assert response.get(XorRelayedAddress) == XorRelayedAddress(found.relayed)

    @rule(who=clients, lifetime=lifetimes)
    def refresh(self, who: int, lifetime: int | None) -> None:
        attributes = () if lifetime is None else (Lifetime(lifetime),)
        found = self.model.of(who, self.now)
        response = self.ask(who, Method.REFRESH, *attributes, repeats=2)
        assert code(response) == (0 if found else 437)
        if found:
            assert response.get(Lifetime) == Lifetime(granted(lifetime))
            found.expires_at = self.now + granted(lifetime)

    @rule(who=clients)
    def delete(self, who: int) -> None:
        client, found = self.clients[who], self.model.of(who, self.now)
        data = client.request(Method.REFRESH, Lifetime(0))
        assert code(client.answer(data)) == (0 if found else 437)
        assert code(client.answer(data)) == 437
        self.model.allocations.pop(who, None)

    @rule()
    def hang_up(self) -> None:
        path = self.clients[CAROL_ON_TCP].path
        self.relay.server.handle_timeout(self.now)
        self.relay.server.disconnected(path, "reset by peer", self.now)
        self.relay.drain()
        self.model.allocations.pop(CAROL_ON_TCP, None)

    # Permissions and channels

    @rule(who=clients, which=peers, repeats=st.integers(1, 2))
    def permit(self, who: int, which: int, repeats: int) -> None:
        self.permit_all(who, [self.peer(who, which)], repeats)
        self.talk_with(who)

    @rule(
        who=clients, first=st.sampled_from([0, 64, 120]), count=st.sampled_from([1, 64, 128, 129])
    )
    def permit_a_crowd(self, who: int, first: int, count: int) -> None:
        self.permit_all(who, CROWD[first : first + count], 1)

    def permit_all(self, who: int, wanted: list[TransportAddress], repeats: int) -> None:
        found = self.model.of(who, self.now)
        expected = found.permit(wanted, self.now) if found else 437
        attributes = [XorPeerAddress(peer) for peer in wanted]
        assert (
            code(self.ask(who, Method.CREATE_PERMISSION, *attributes, repeats=repeats)) == expected
        )

    @rule(who=clients, which=peers, number=st.sampled_from(NUMBERS), repeats=st.integers(1, 2))
    def bind(self, who: int, which: int, number: int, repeats: int) -> None:
        self.bind_one(who, number, self.peer(who, which), repeats)
        self.talk_with(who)

    @rule(who=clients, count=st.sampled_from([8, 129]))
    def bind_a_crowd(self, who: int, count: int) -> None:
        if self.model.of(who, self.now) is not None:
            for number in range(count):
                peer = TransportAddress(CROWD[0].ip, 1000 + number)
                self.bind_one(who, 0x4100 + number, peer, 1)

    def bind_one(self, who: int, number: int, peer: TransportAddress, repeats: int) -> None:
        found = self.model.of(who, self.now)
        expected = found.bind(number, peer, self.now) if found else 437
        attributes = (ChannelNumber(number), XorPeerAddress(peer))
        response = self.ask(who, Method.CHANNEL_BIND, *attributes, repeats=repeats)
        assert code(response) == expected

    # Data

    @rule(who=clients)
    def talk(self, who: int) -> None:
        self.talk_with(who)

    def talk_with(self, who: int) -> None:
        """To everybody in every way, and everybody to this client."""
        client = self.clients[who]
        for which in range(len(PEERS) + len(CLIENTS)):
            peer = self.peer(who, which)
            self.check_sent(who, peer, client.send_to(peer, b"data"))
        found = self.model.of(who, self.now)
        bound = found.bound(self.now) if found else {}
        for number in (*NUMBERS, 0x4100, 0x4FFF):
            sent = client.send(ChannelData(number, b"data").encode())
            self.check_sent(who, bound.get(number), sent)
        for peer in (*PEERS, *CROWD[:2]):
            if found is not None:
                heard = self.relay.receive_relayed(b"data", peer, found.relayed)
                self.check_heard(who, peer, heard)

    @rule(port=st.sampled_from(PORTS), which=st.integers(0, len(PEERS) - 1))
    def hear_at_any_port(self, port: int, which: int) -> None:
        relayed = TransportAddress(RELAY_IP, port)
        sent = self.relay.receive_relayed(b"data", PEERS[which], relayed)
        who = self.model.owner(relayed, self.now)
        if who is None:
            assert sent == []
        else:
            self.check_heard(who, PEERS[which], sent)

    def check_sent(self, who: int, peer: TransportAddress | None, sent: list[Transmit]) -> None:
        found = self.model.of(who, self.now)
        if found is None or peer is None or not found.permits(peer, self.now):
            assert sent == []
            return
        other = self.model.owner(peer, self.now)
        if other is not None:
            self.check_heard(other, found.relayed, sent)
        elif peer.ip != RELAY_IP:
            (transmit,) = sent
            assert (transmit.path.local, transmit.path.remote) == (found.relayed, peer)
            assert transmit.segments == (b"data",)
        else:  # another client's, but it is gone
            assert sent == []

    def check_heard(self, who: int, peer: TransportAddress, sent: list[Transmit]) -> None:
        found = self.model.of(who, self.now)
        if found is None or not found.permits(peer, self.now):
            assert sent == []
            return
        (transmit,) = sent
        assert transmit.path == self.clients[who].path
        number = found.number(peer, self.now)
        if number is None:
            message = Message.decode(transmit.segments[0])
            assert (message.method, message.get(Data)) == (Method.DATA, Data(b"data"))
            assert message.get(XorPeerAddress) == XorPeerAddress(peer)
        else:
            assert transmit.segments == (ChannelData(number, b"data").encode(),)

    # Strangers

    @rule(who=clients, method=st.sampled_from([Method.REFRESH, Method.CREATE_PERMISSION]))
    def intrude_as_another_user(self, who: int, method: Method) -> None:
        """With a credential that is good, on the 5-tuple of somebody else."""
        name = "alice" if who == BOB else "bob"
        intruder = dataclasses.replace(
            self.clients[who], username=name, password=f"{name}'s password", count=10**6
        )
        response = intruder.ask(method, Lifetime(0), XorPeerAddress(PEERS[0]))
        assert code(response) == (441 if self.model.of(who, self.now) else 437)

    @rule(who=clients, method=st.sampled_from([Method.ALLOCATE, Method.REFRESH]))
    def guess_a_password(self, who: int, method: Method) -> None:
        guesser = dataclasses.replace(self.clients[who], password="a guess", count=10**6)
        assert code(guesser.ask(method, UDP_REQUEST, Lifetime(0))) == 401

    @rule(
        network=st.sampled_from(NETWORKS),
        kind=st.sampled_from(sorted(STRANGERS)),
        count=st.sampled_from([1, 20, 60]),
    )
    def ask_without_credentials(self, network: str, kind: str, count: int) -> None:
        """What answers a stranger is at most three times as long, or of a bounded rate."""
        method, attributes = STRANGERS[kind]
        request = encode_message(method, MessageClass.REQUEST, bytes(12), attributes)
        answers = [
            transmit
            for host in range(count)
            for transmit in self.relay.receive(request, stranger(network, host))
        ]
        if len(request) >= 28:
            assert len(answers) == count
            longest = max(len(each.segments[0]) for each in answers)
            assert longest + HEADERS <= 3 * (len(request) + HEADERS)
        else:
            bucket = self.buckets.setdefault(network, ModelBucket(self.now))
            assert len(answers) == bucket.take(count, self.now)

    @rule(number=st.sampled_from(NUMBERS), which=st.integers(0, len(PEERS) - 1))
    def send_without_an_allocation(self, number: int, which: int) -> None:
        path = stranger(NETWORKS[0], 250)
        attributes = (XorPeerAddress(PEERS[which]), Data(b"data"))
        send = encode_message(Method.SEND, MessageClass.INDICATION, bytes(12), attributes)
        assert self.relay.receive(send, path) == []
        assert self.relay.receive(ChannelData(number, b"data").encode(), path) == []

    # What always holds

    def is_late(self) -> bool:
        """Whether the driver has not told the server yet what time it is."""
        deadline = self.relay.server.next_timeout()
        return deadline is not None and deadline <= self.now

    @invariant()
    def the_server_has_what_the_model_has_to_the_second(self) -> None:
        if self.is_late():
            return
        now = self.now
        live = self.model.live(now)
        snapshots = {each.client: each for each in self.relay.server.allocations(now)}
        assert snapshots.keys() == {self.clients[who].path for who in live}
        assert len(live) <= MOST_ALLOCATIONS
        for who, found in live.items():
            snapshot = snapshots[self.clients[who].path]
            assert snapshot.relayed == found.relayed
            assert snapshot.time_to_expiry == found.expires_at - now
            left = {host: at - now for host, at in found.permitted(now).items()}
            assert {str(ip): each for ip, each in snapshot.permissions.items()} == left
            assert snapshot.channels == found.bound(now)
            assert max(len(left), len(snapshot.channels)) <= MOST_PARTS

    @invariant()
    def the_table_holds_what_may_flow(self) -> None:
        if self.is_late():
            return
        expected = {}
        for who, found in self.model.live(self.now).items():
            for number, peer in found.bound(self.now).items():
                if found.permits(peer, self.now) and self.may_flow(found, peer):
                    expected[self.clients[who].path, number] = (found.relayed, peer)
        entries = self.relay.table.entries
        assert {key: (each.relayed, each.peer) for key, each in entries.items()} == expected
        for entry in entries.values():
            assert (entry.switched_to is None) is (entry.peer.ip != RELAY_IP)

    def may_flow(self, found: ModelAllocation, peer: TransportAddress) -> bool:
        if peer.ip != RELAY_IP:
            return True
        owner = self.model.owner(peer, self.now)
        if owner is None:
            return False
        other = self.model.live(self.now)[owner]
        return (
            other.permits(found.relayed, self.now)
            and other.number(found.relayed, self.now) is not None
        )

    @invariant()
    def sockets_are_those_of_live_allocations_and_reservations(self) -> None:
        if self.is_late():
            return
        opened = [each.address for each in self.relay.requested]
        live = sorted(address.port for address in opened)
        for address in self.relay.released:
            live.remove(address.port)
        assert live == sorted(self.model.used_ports(self.now))
        assert self.relay.server.stats().waiting == 0


def stranger(network: str, host: int) -> Path:
    remote = TransportAddress.parse(f"{network}.{host + 1}", 5000)
    return Path(TransportProtocol.UDP, LISTENING, remote)


@pytest.mark.long  # hundreds of requests, each with its HMAC
@pytest.mark.timeout(120)
@pytest.mark.requirement(
    "stun-turn:TURN-GEN-04",
    "stun-turn:TURN-GEN-05",
    "stun-turn:TURN-GEN-06",
    "stun-turn:TURN-ALLOC-07",
    "stun-turn:TURN-ALLOC-19",
    "stun-turn:TURN-ALLOC-23",
    "stun-turn:TURN-ALLOC-25",
    "stun-turn:TURN-PERM-07",
    "stun-turn:TURN-PERM-08",
    "stun-turn:TURN-CHAN-03",
    "stun-turn:TURN-CHAN-04",
    "stun-turn:TURN-CHAN-08",
    "stun-turn:TURN-REFR-08",
    "stun-turn:TURN-REFR-09",
    "stun-turn:SEC-09",
    "stun-turn:SEC-16",
    "stun-turn:SEC-17",
    "stun-turn:SEC-18",
)
class TestRelayAgainstModel(RelayAgainstModel.TestCase):  # type: ignore[misc,valid-type]  # made at run time
    settings = settings(
        max_examples=50,
        stateful_step_count=50,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
