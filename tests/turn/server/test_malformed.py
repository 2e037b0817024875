"""Every class of malformed input, over UDP and over a stream, and the server behind it."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import Message, MessageClass, Method, Nonce
from transport import DecodeError, Transmit, TransportProtocol
from turn.framing import TurnFramer
from turn.server import ServerConfig
from turn.tokens import TokenKey, TokenVerifier

from .harness import PEER, UDP_REQUEST, Client, Relay, client_on, code, config
from .malformed import ALLOCATE, BINDING, CASES, UDP, Malformed, Session, message

TRANSPORTS = [TransportProtocol.UDP, TransportProtocol.TCP]
CLIENTS_CLASS, GENERATED_CLASS = 15, 25


class Line:
    """What comes from one client as it would come over its transport: whole datagrams, or
    each time a new stream that has to be cut into messages, a byte at a time."""

    def __init__(self, client: Client, *, has_begun: bool = False) -> None:
        self.client = client
        self._has_begun = has_begun

    def outcome(self, data: bytes) -> str:
        """What the server makes of these bytes, in the words of ``malformed``."""
        if not self.client.path.transport.is_reliable:
            return _told(self.client.send(data)) or "D"
        framer = TurnFramer()
        if self._has_begun:
            framer.push(message(BINDING))
        found: list[str] = []
        try:
            for byte in data:
                for whole in framer.push(bytes([byte])):
                    found.append(_told(self.client.send(whole)) or "D")
        except DecodeError:
            return "+".join([*found, "X"])
        return "+".join(found + ["?"] * _is_unfinished(framer)) or "D"


def _told(sent: list[Transmit]) -> str:
    return "+".join(
        str(code(Message.decode(each.segments[0])) or "I") if each.path.remote != PEER else "I"
        for each in sent
    )


def _is_unfinished(framer: TurnFramer) -> bool:
    """Whether the stream stands in the middle of a message."""
    try:
        return framer.push(message(BINDING)) != [message(BINDING)]
    except DecodeError:
        return True


ENABLED = dataclasses.replace(
    config(),
    tcp_relay=True,
    nat_discovery=True,
    classic_stun=True,
    mobility=True,
    third_party_auth=TokenVerifier("turn.example", [TokenKey("kid", bytes(32))]),
)


def prepared(
    case: Malformed, transport: TransportProtocol, settings: ServerConfig
) -> tuple[Relay, Client, Session]:
    relay = Relay(settings)
    client = client_on(relay, 1000, transport=transport)
    other = client_on(relay, 1001)
    other.fetch_nonce()
    client.fetch_nonce()
    if case.allocates:
        client.allocate()
        client.bind(0x4000, PEER)
    return relay, client, Session(client.nonce.encode(), other.nonce.encode())


def is_alive(relay: Relay, port: int = 2000) -> bool:
    """Whether the server answers a good request of a client that comes now."""
    newcomer = client_on(relay, port)
    newcomer.allocate()
    return code(newcomer.permit(PEER)) == code(newcomer.refresh(0)) == 0


@pytest.mark.parametrize("is_enabled", [False, True], ids=["plain", "all-extensions"])
@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda each: each.name)
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.requirement(
    "stun-turn:SEC-15",
    "stun-turn:COD-HDR-04",
    "stun-turn:COD-HDR-05",
    "stun-turn:COD-ATTR-04",
    "stun-turn:COD-ATTR-08",
    "stun-turn:COD-ATTR-13",
    "stun-turn:COD-ADDR-02",
    "stun-turn:COD-FP-02",
    "stun-turn:STUNS-BASE-10",
    "stun-turn:COD-MI-03",
    "stun-turn:TURN-CDATA-09",
    "stun-turn:STUNS-TCP-06",
)
def test_malformed_input_has_the_outcome_of_its_class_and_harms_nobody(
    case: Malformed, transport: TransportProtocol, is_enabled: bool
) -> None:
    expected = case.expected(is_stream=transport.is_reliable, is_enabled=is_enabled)
    relay, client, session = prepared(case, transport, ENABLED if is_enabled else config())
    line = Line(client, has_begun=case.allocates)

    outcomes = {line.outcome(data) for data in case.make(session)}

    assert outcomes <= expected, outcomes - expected
    assert outcomes == expected or len(expected) > 1
    assert is_alive(relay)


def test_every_class_of_the_catalogue_has_its_cases() -> None:
    assert {case.number for case in CASES} == set(range(1, 25)) - {CLIENTS_CLASS}


@pytest.mark.long  # 32,768 requests
@pytest.mark.requirement("stun-turn:COD-ATTR-05", "stun-turn:STUNS-BASE-07")
def test_every_type_below_0x8000_is_known_or_named_in_a_420() -> None:
    relay = Relay()
    client = Client(relay)
    known = set()

    for kind in range(0x8000):
        body = kind.to_bytes(2, "big") + b"\0\0"
        (transmit,) = client.send(message(BINDING, body))
        answer = transmit.segments[0]
        if answer[:2] == b"\x01\x11":
            assert answer[20:].endswith(b"\0\x0a\0\2" + kind.to_bytes(2, "big") + b"\0\0"), kind
        else:
            assert answer[:2] == b"\x01\x01"
            known.add(kind)

    assert {0x0006, 0x0008, 0x000D, 0x0012, 0x0014, 0x0015, 0x0019, 0x0020} <= known
    assert len(known) < 40


SAMPLES = [
    (case, data)
    for case in CASES
    for data in list(case.make(Session(b"obMatJos2gAAA" + b"A" * 32, b"")))[:3]
    if len(data) < 2000
]
"""Inputs whose damage is damaged further; the nonce is one that no server gave."""

mutations = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), st.integers(0, 2**16), st.integers(0, 7)),
        st.tuples(st.just("set"), st.integers(0, 2**16), st.sampled_from([0, 1, 0x7F, 0x80, 0xFF])),
        st.tuples(st.just("cut"), st.integers(0, 2**16), st.integers(0, 64)),
        st.tuples(st.just("double"), st.integers(0, 2**16), st.integers(1, 64)),
        st.tuples(st.just("length"), st.just(0), st.integers(0, 0xFFFF)),
    ),
    max_size=6,
)
Mutation = tuple[str, int, int]


def mutated(data: bytes, changes: list[Mutation]) -> bytes:
    """Bits flipped, bytes set, pieces cut out or doubled, and a length that lies or fits."""
    changed = bytearray(data)
    for kind, place, value in changes:
        at = place % (len(changed) or 1)
        if kind == "cut":
            del changed[at : at + value]
        elif kind == "double":
            changed[at:at] = changed[at : at + value]
        elif kind == "length" and len(changed) >= 20:
            size = value if value % 2 else len(changed) - 20 & ~3
            changed[2:4] = (size & 0xFFFF).to_bytes(2, "big")
        elif changed and kind == "flip":
            changed[at] ^= 1 << value
        elif changed and kind == "set":
            changed[at] = value
    return bytes(changed)


@given(sample=st.sampled_from(SAMPLES), changes=mutations)
@pytest.mark.requirement("stun-turn:SEC-15")
def test_whatever_becomes_of_a_message_the_server_lives_and_gives_nothing_away(
    sample: tuple[Malformed, bytes], changes: list[Mutation]
) -> None:
    relay = Relay()
    client = client_on(relay, 1000)
    client.fetch_nonce()
    data = mutated(sample[1].replace(b"obMatJos2gAAA" + b"A" * 32, client.nonce.encode()), changes)

    for transmit in client.send(data):
        assert transmit.path == client.path
        size = len(transmit.segments[0])
        assert size <= 548
        assert size + 28 <= 3 * (max(len(data), 28) + 28) or len(data) < 28
    Line(client_on(relay, 1002, transport=TransportProtocol.TCP)).outcome(data)

    assert is_alive(relay)


@pytest.mark.slow
@pytest.mark.requirement("stun-turn:SEC-15")
def test_a_million_damaged_datagrams_leave_the_server_as_it_was() -> None:
    """Messages of every class, damaged at random; seeded."""
    chance = random.Random(8656)
    relay = Relay()
    client = client_on(relay, 1000)
    client.allocate()
    client.bind(0x4000, PEER)
    good = [
        client.request(Method.REFRESH),
        client.request(Method.ALLOCATE, UDP_REQUEST),
        client.request(Method.CHANNEL_BIND),
        message(ALLOCATE, UDP),
        *(data for _, data in SAMPLES),
    ]
    kinds = ["flip", "set", "cut", "double", "length"]
    for number in range(1_000_000):
        changes = [
            (chance.choice(kinds), chance.randrange(1 << 16), chance.randrange(256) & 0x47)
            for _ in range(chance.randrange(1, 5))
        ]
        relay.now += 0.0001
        client.send(
            mutated(
                chance.choice(good), [(k, p, v % 8 if k == "flip" else v) for k, p, v in changes]
            )
        )
        if number % 10_000 == 0:
            relay.sent.clear()
            assert is_alive(relay, 2000 + number // 10_000)

    challenge = client.bare(Method.ALLOCATE, UDP_REQUEST)
    assert challenge.message_class is MessageClass.ERROR
    assert challenge.has(Nonce)
    assert len(relay.server.allocations(relay.now)) <= 1
