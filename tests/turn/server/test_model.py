"""The server against a model of what RFC 8656 says lives when."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from transport import Transmit, TransportAddress
from turn import ChannelData

from .harness import Relay, client_on, code, config

CLIENTS = range(2)
PEERS = [TransportAddress.parse(f"8.8.8.{host}", port) for host in (1, 2) for port in (1, 2)]
NUMBERS = [0x4000, 0x4001, 0x4002]


@dataclasses.dataclass
class Model:
    """What one client has by the letter of the RFC."""

    relayed: TransportAddress
    expires_at: float
    permissions: dict[str, float] = dataclasses.field(default_factory=dict)
    channels: dict[int, tuple[TransportAddress, float]] = dataclasses.field(default_factory=dict)

    def permits(self, peer: TransportAddress, now: float) -> bool:
        return self.permissions.get(peer.host, 0.0) > now

    def channel(self, number: int, now: float) -> TransportAddress | None:
        peer, expires_at = self.channels.get(number, (None, 0.0))
        return peer if expires_at > now else None

    def number(self, peer: TransportAddress, now: float) -> int | None:
        return next((each for each in self.channels if self.channel(each, now) == peer), None)


class RelayAgainstModel(RuleBasedStateMachine):
    """Any sequence of requests, data and time; peers are strangers and the other client."""

    @initialize()
    def start(self) -> None:
        # Nonces have tests of their own.
        self.relay = Relay(dataclasses.replace(config(), nonce_lifetime=1e9))
        self.clients = [client_on(self.relay, 1000 + number) for number in CLIENTS]
        self.models: dict[int, Model] = {}

    def model(self, who: int) -> Model | None:
        found = self.models.get(who)
        return found if found is not None and found.expires_at > self.relay.now else None

    def peer(self, who: int, which: int) -> TransportAddress:
        other = self.model(1 - who)
        return other.relayed if which == len(PEERS) and other else PEERS[which % len(PEERS)]

    @rule(seconds=st.sampled_from([0.5, 1.0, 30.0, 299.0, 300.0, 301.0, 599.0]))
    def wait(self, seconds: float) -> None:
        self.relay.run_until(self.relay.now + seconds)

    @rule(who=st.sampled_from(CLIENTS))
    def allocate(self, who: int) -> None:
        client = self.clients[who]
        if self.model(who) is not None:
            assert code(client.ask(3)) == 437
            return
        self.models[who] = Model(client.allocate(), self.relay.now + 600)

    @rule(who=st.sampled_from(CLIENTS), lifetime=st.sampled_from([0, 600, 1000]))
    def refresh(self, who: int, lifetime: int) -> None:
        model = self.model(who)
        answer = code(self.clients[who].refresh(lifetime))
        assert answer == (0 if model else 437)
        if model:
            model.expires_at = self.relay.now + lifetime

    @rule(who=st.sampled_from(CLIENTS), which=st.integers(0, len(PEERS)))
    def permit(self, who: int, which: int) -> None:
        model, peer = self.model(who), self.peer(who, which)
        assert code(self.clients[who].permit(peer)) == (0 if model else 437)
        if model:
            model.permissions[peer.host] = self.relay.now + 300

    @rule(
        who=st.sampled_from(CLIENTS),
        which=st.integers(0, len(PEERS)),
        number=st.sampled_from(NUMBERS),
    )
    def bind(self, who: int, which: int, number: int) -> None:
        model, peer, now = self.model(who), self.peer(who, which), self.relay.now
        answer = code(self.clients[who].bind(number, peer))
        if model is None:
            assert answer == 437
        elif model.channel(number, now) in (None, peer) and model.number(peer, now) in (
            None,
            number,
        ):
            assert answer == 0
            model.channels[number] = (peer, now + 600)
            model.permissions[peer.host] = now + 300
        else:
            assert answer == 400

    @rule(who=st.sampled_from(CLIENTS), which=st.integers(0, len(PEERS)))
    def send(self, who: int, which: int) -> None:
        peer = self.peer(who, which)
        self.check_sent(who, peer, self.clients[who].send_to(peer, b"data"))

    @rule(who=st.sampled_from(CLIENTS), number=st.sampled_from(NUMBERS))
    def send_on_channel(self, who: int, number: int) -> None:
        model = self.model(who)
        peer = model.channel(number, self.relay.now) if model else None
        sent = self.clients[who].send(ChannelData(number, b"data").encode())
        self.check_sent(who, peer, sent)

    @rule(who=st.sampled_from(CLIENTS), which=st.integers(0, len(PEERS) - 1))
    def hear(self, who: int, which: int) -> None:
        if who in self.models:
            sent = self.relay.receive_relayed(b"data", PEERS[which], self.models[who].relayed)
            self.check_heard(who, PEERS[which], sent)

    def check_sent(self, who: int, peer: TransportAddress | None, sent: list[Transmit]) -> None:
        model = self.model(who)
        if model is None or peer is None or not model.permits(peer, self.relay.now):
            assert sent == []
            return
        other = self.model(1 - who)
        if other is not None and other.relayed == peer:
            self.check_heard(1 - who, model.relayed, sent)
        elif peer in PEERS:
            (transmit,) = sent
            assert (transmit.path.local, transmit.path.remote) == (model.relayed, peer)
            assert transmit.segments == (b"data",)
        else:  # the other client's, but it is gone
            assert sent == []

    def check_heard(self, who: int, peer: TransportAddress, sent: list[Transmit]) -> None:
        model = self.model(who)
        if model is None or not model.permits(peer, self.relay.now):
            assert sent == []
            return
        (transmit,) = sent
        assert transmit.path == self.clients[who].path
        number = model.number(peer, self.relay.now)
        if number is None:
            assert transmit.segments[0][:2] == b"\x00\x17"
        else:
            assert transmit.segments == (ChannelData(number, b"data").encode(),)

    @invariant()
    def the_table_holds_what_may_flow(self) -> None:
        expected = {}
        for who in CLIENTS:
            if (model := self.model(who)) is None:
                continue
            for number in NUMBERS:
                peer = model.channel(number, self.relay.now)
                if peer is None or not model.permits(peer, self.relay.now):
                    continue
                if self.may_flow(who, model, peer):
                    expected[self.clients[who].path, number] = (model.relayed, peer)
        entries = self.relay.table.entries
        assert {key: (each.relayed, each.peer) for key, each in entries.items()} == expected
        for entry in entries.values():
            assert (entry.switched_to is None) is (entry.peer in PEERS)

    def may_flow(self, who: int, model: Model, peer: TransportAddress) -> bool:
        if peer in PEERS:
            return True
        other = self.model(1 - who)
        return (
            other is not None
            and other.relayed == peer
            and other.permits(model.relayed, self.relay.now)
            and other.number(model.relayed, self.relay.now) is not None
        )

    @invariant()
    def sockets_are_those_of_live_allocations(self) -> None:
        opened = [each.address for each in self.relay.requested]
        live = sorted(map(str, opened))
        for address in self.relay.released:
            live.remove(str(address))
        models = [model for who in CLIENTS if (model := self.model(who)) is not None]
        assert live == sorted(str(model.relayed) for model in models)


@pytest.mark.long  # hundreds of requests, each with its HMAC
@pytest.mark.requirement(
    "stun-turn:TURN-PERM-07",
    "stun-turn:TURN-PERM-08",
    "stun-turn:TURN-CHAN-03",
    "stun-turn:TURN-CHAN-04",
    "stun-turn:TURN-CHAN-08",
)
class TestRelayAgainstModel(RelayAgainstModel.TestCase):  # type: ignore[misc,valid-type]  # made at run time
    settings = settings(
        max_examples=40,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
