"""What has gone wrong in relays, and must not here: a test for each kind of incident.

The identifiers are those of public reports about other servers. Elsewhere are shown what
went wrong with lengths in access tokens (CVE-2026-43994: ``malformed``, class 23), attributes
at odd addresses (CVE-2026-40613: class 24), HTTP on the relay's port (CVE-2020-6061: class 18),
half-open DTLS (``tests/transport/dtls/test_server.py``), tickets of other users
(``test_mobility.py``) and comparisons that take a telling time (``tests/stun``).
"""

from __future__ import annotations

import ast
import dataclasses
import gc
import itertools
import pathlib
import tracemalloc
from ipaddress import IPv4Address, ip_address
from typing import Final

import pytest

import stun
import turn
from stun import (
    AddressFamily,
    AnyAttribute,
    ChannelNumber,
    Data,
    EvenPort,
    Lifetime,
    Message,
    Method,
    Nonce,
    Origin,
    Realm,
    RequestedAddressFamily,
    Software,
    Username,
    XorPeerAddress,
)
from transport import Path, TransportAddress, TransportProtocol
from turn import ChannelData, make_credentials
from turn.framing import TurnFramer
from turn.server import AllocationCreated, DropReason
from turn.server.limits import MAX_PERMISSIONS

from .denied import DENIED_IPV4, DENIED_IPV6, disguises
from .harness import (
    LISTENING,
    PEER,
    SECRET,
    UDP_REQUEST,
    WALL_CLOCK,
    Client,
    Relay,
    client_on,
    code,
    config,
)
from .malformed import BINDING, message

IPV6_REQUEST: Final = RequestedAddressFamily(AddressFamily.IPV6)


def reached(client: Client, host: str) -> set[str]:
    """By which ways a client gets through to an address, at some port where services are."""
    peer = TransportAddress.parse(host, 80)
    ways = set()
    if code(client.permit(peer)) == 0:
        ways.add("CreatePermission")
    if code(client.bind(0x4000, peer)) == 0:
        ways.add("ChannelBind")
    if client.send_to(peer, b"GET / HTTP/1.0\r\n\r\n"):
        ways.add("Send")
    if client.send(ChannelData(0x4000, b"GET / HTTP/1.0\r\n\r\n").encode()):
        ways.add("ChannelData")
    return ways


@pytest.mark.parametrize("host", DENIED_IPV4)
@pytest.mark.requirement("stun-turn:SEC-01", "stun-turn:SEC-03", "stun-turn:SEC-04")
def test_no_request_reaches_what_stands_behind_the_relay(host: str) -> None:
    """CVE-2018-4058, CVE-2020-26262: relays let clients reach loopback, and with it their
    own administration; others led to the metadata of the cloud that they ran in."""
    client = Client(Relay())
    client.allocate()

    assert reached(client, host) == set()
    assert reached(client, "8.8.8.8") == {"CreatePermission", "ChannelBind", "Send", "ChannelData"}


@pytest.mark.parametrize("host", DENIED_IPV4)
@pytest.mark.requirement("stun-turn:SEC-02", "stun-turn:SEC-05")
def test_no_spelling_of_ipv6_gets_past_the_list(host: str) -> None:
    """CVE-2026-27624: ::ffff:127.0.0.1 was another address than 127.0.0.1."""
    client = Client(Relay())
    client.allocate(IPV6_REQUEST)

    for spelling in disguises(IPv4Address(host)):
        assert reached(client, spelling) == set(), spelling
    assert len(reached(client, "2a01::8")) == 4


@pytest.mark.parametrize("host", DENIED_IPV6)
@pytest.mark.requirement("stun-turn:SEC-01", "stun-turn:SEC-03", "stun-turn:SEC-04")
def test_no_request_reaches_what_ipv6_keeps_apart(host: str) -> None:
    """CVE-2020-26262: [::1] and [::] were forgotten."""
    client = Client(Relay())
    client.allocate(IPV6_REQUEST)

    assert reached(client, host) == set()


@pytest.mark.requirement("stun-turn:COD-ATTR-04")
def test_the_peer_that_is_looked_at_is_the_peer_that_is_reached() -> None:
    """One of two XOR-PEER-ADDRESS was checked, and the other one used."""
    relay = Relay()
    client = Client(relay)
    client.allocate()
    client.permit(PEER)
    good, bad = XorPeerAddress(PEER), XorPeerAddress(TransportAddress.parse("127.0.0.1", 80))
    number = ChannelNumber(0x4000)

    assert code(client.ask(Method.CREATE_PERMISSION, good, bad)) == 403
    assert code(client.ask(Method.CREATE_PERMISSION, bad, good)) == 403
    assert code(client.ask(Method.CHANNEL_BIND, number, bad, good)) == 403
    assert code(client.ask(Method.CHANNEL_BIND, number, good, bad)) == 0
    for sent in (
        client.indicate(good, bad, Data(b"data")),
        client.send(ChannelData(0x4000, b"data").encode()),
    ):
        assert [each.path.remote for each in sent] == [PEER]
    assert client.indicate(bad, good, Data(b"data")) == []


@pytest.mark.requirement("stun-turn:COD-ATTR-02")
def test_nothing_of_other_clients_stands_in_an_answer() -> None:
    """CVE-2020-4067: padding carried what the buffer had held before."""
    relay, quiet = Relay(), Relay()
    victim = client_on(relay, 2000)
    victim.allocate()
    victim.permit(PEER)
    victim.send_to(PEER, b"\xaa" * 1200)

    after, before = Client(relay).bare(Method.BINDING), Client(quiet).bare(Method.BINDING)

    assert after.data == before.data
    challenge = Client(relay).bare(Method.ALLOCATE, UDP_REQUEST)
    assert b"\xaa\xaa" not in challenge.data


@pytest.mark.requirement("stun-turn:STUNS-LTC-18", "stun-turn:TURN-ALLOC-22")
def test_what_must_not_be_guessed_comes_from_the_source_of_randomness() -> None:
    """CVE-2025-69217: nonces and ports came from a generator whose output tells its state."""
    relay = Relay()
    clients = [client_on(relay, 1000 + number) for number in range(200)]
    tokens = [client.ask(Method.ALLOCATE, UDP_REQUEST, EvenPort(True)) for client in clients]

    ports = [each.relayed.port for each in relay.server.allocations(0.0)]
    halves = [port - 49152 < 8192 for port in ports]
    steps = {second - first for first, second in itertools.pairwise(ports)}
    assert 60 < sum(halves) < 140
    assert len(steps) > 150
    assert len({client.nonce[13:] for client in clients}) == 200
    assert all(code(token) in (0, 508) for token in tokens)


@pytest.mark.parametrize("package", [stun, turn], ids=["stun", "turn"])
@pytest.mark.requirement("stun-turn:STUNS-LTC-18")
def test_no_weak_generator_is_at_hand(package: object) -> None:
    """CVE-2025-69217 again: what is not imported is not used by mistake."""
    (folder,) = package.__path__  # type: ignore[attr-defined]  # a package has one

    imported = {
        name.split(".")[0]
        for file in pathlib.Path(folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        for name in _imported(node)
    }

    assert not imported & {"random", "numpy", "uuid"}


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    if isinstance(node, ast.ImportFrom) and node.module is not None and not node.level:
        return [node.module]
    return []


@pytest.mark.requirement("stun-turn:SEC-09", "stun-turn:SEC-10")
def test_a_forged_source_is_sent_little_and_seldom() -> None:
    """STUN and TURN servers reflect: 75,000 of them were used for floods of 60 Gbit/s."""
    relay = Relay()
    sent = received = 0
    for second in range(60):
        relay.now = float(second)
        for kind in (0x0001, 0x0003, 0x0004, 0x0008, 0x0009) * 20:
            sent += 28 + len(message(kind))
            answers = relay.receive(message(kind), victim(second))
            assert {each.path.remote for each in answers} <= {victim(second).remote}
            received += sum(28 + len(each.segments[0]) for each in answers)

    assert received <= 1.5 * sent


def victim(number: int) -> Path:
    remote = TransportAddress.parse(f"20.0.0.{number + 1}", 53)
    return Path(TransportProtocol.UDP, LISTENING, remote)


@pytest.mark.long  # tens of thousands of requests
@pytest.mark.requirement("stun-turn:SEC-11")
def test_forged_sources_cost_no_memory() -> None:
    """A spoofed Allocate cost 18 kB and a socket for a minute."""
    relay = Relay()
    allocate = message(0x0003, b"\0\x19\0\4\x11\0\0\0")

    def flood(first: int) -> None:
        for number in range(first, first + 12_000):
            remote = TransportAddress(IPv4Address((20 << 24) + number * 256), 5000)
            path = Path(TransportProtocol.UDP, LISTENING, remote)
            relay.server.receive(allocate, path, relay.now)
            relay.server.receive(message(0x0003), path, relay.now)
            while relay.server.poll_transmit() is not None:
                pass

    flood(0)
    tracemalloc.start()
    try:
        flood(12_000)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert grown < 200_000
    assert relay.server.stats().allocations == relay.server.stats().waiting == 0
    assert relay.server.poll_event() is None


@pytest.mark.long  # thousands of requests, each with its HMAC
@pytest.mark.requirement("stun-turn:SEC-11", "stun-turn:TURN-REFR-01")
def test_allocations_that_are_gone_leave_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Relays that grew with each client for as long as they ran."""
    caplog.set_level("WARNING")  # or pytest remembers every line
    relay = Relay()
    clients = [client_on(relay, 2000 + number) for number in range(50)]
    crowd = [TransportAddress(IPv4Address((8 << 24) + number), 1) for number in range(1, 20)]

    def come_and_go(times: int) -> None:
        for number in range(times):
            client = clients[number % len(clients)]
            client.allocate()
            client.bind(0x4000, PEER)
            client.permit(*crowd)
            client.refresh(0)
            relay.run_until(relay.now + 5.0)
            for kept in (relay.sent, relay.events, relay.released, relay.requested):
                kept.clear()
            relay.table.calls.clear()

    come_and_go(100)
    tracemalloc.start()
    try:
        come_and_go(500)
        gc.collect()
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert grown < 50_000
    assert relay.server.next_timeout() is None
    assert relay.table.entries == {}


@pytest.mark.requirement(
    "stun-turn:SEC-19", "stun-turn:SEC-12", "stun-turn:STUNS-LTC-03", "stun-turn:STUNS-LTC-04"
)
def test_a_captured_request_is_of_no_use_elsewhere_or_later() -> None:
    """Nonces that hold for everybody, or for ever, let whoever listens say it again."""
    relay = Relay()
    client = Client(relay)
    client.allocate(Lifetime(3600))
    captured = client.request(Method.REFRESH, Lifetime(0))
    thief = Path(TransportProtocol.UDP, LISTENING, TransportAddress.parse("9.9.9.10", 40000))
    other_port = Path(
        TransportProtocol.UDP, LISTENING, TransportAddress(client.path.remote.ip, 40001)
    )

    for path in (thief, other_port):
        (answer,) = relay.receive(captured, path)
        assert code(Message.decode(answer.segments[0])) == 438
    relay.run_until(3599.0)
    client.refresh(3600)
    relay.run_until(3600.0)
    (late,) = client.send(captured)

    assert code(Message.decode(late.segments[0])) == 438
    assert relay.server.stats().allocations == 1


@pytest.mark.requirement("stun-turn:STUNS-LTC-04", "stun-turn:STUNS-LTC-05")
def test_a_nonce_cannot_be_made_up_or_changed() -> None:
    """A nonce of another time, of other features, or of nobody's making."""
    relay = Relay()
    client = Client(relay)
    client.fetch_nonce()
    genuine = client.nonce
    forged = [genuine[:-1] + ("A" if genuine[-1] != "A" else "B"), genuine[:13] + "A" * 32]
    forged += [
        genuine[:place] + chr(ord(genuine[place]) ^ 1) + genuine[place + 1 :] for place in (13, 20)
    ]

    for nonce in forged:
        client.nonce = nonce
        answer = client.answer(client.request(Method.ALLOCATE, UDP_REQUEST))
        assert code(answer) == 438, nonce
    client.nonce = genuine
    assert client.allocate()


@pytest.mark.requirement("stun-turn:TURN-CDATA-09")
def test_no_message_hides_in_the_data_of_another() -> None:
    """A length that was cut to 16 bits let the payload be read as the next message."""
    hidden = message(BINDING)
    for size in (65_533, 65_534, 65_535):
        data = (hidden * 3300)[:size]
        frame = ChannelData(0x4000, data).encode_padded()
        framer = TurnFramer()

        whole = framer.push(hidden + frame + hidden)

        assert [len(each) for each in whole] == [20, len(frame), 20]


@pytest.mark.requirement("stun-turn:SEC-22")
def test_only_who_has_proven_to_be_somebody_changes_anything() -> None:
    """A realm and an origin were kept of a request before its integrity was looked at."""
    relay = Relay()
    client = Client(relay)
    client.allocate()
    before = relay.server.allocations(0.0)
    claims: list[AnyAttribute] = [Realm("elsewhere"), Origin("https://elsewhere"), Username("bob")]
    nonce = Nonce(client.nonce)

    for method in (Method.REFRESH, Method.ALLOCATE, Method.CREATE_PERMISSION, Method.CHANNEL_BIND):
        bare = client.bare(method, *claims, nonce, Lifetime(0), XorPeerAddress(PEER))
        assert code(bare) == 401
        wrong = dataclasses.replace(client, password="a guess")
        assert code(wrong.ask(method, *claims, Lifetime(0), XorPeerAddress(PEER))) == 401

    assert relay.server.allocations(0.0) == before
    assert code(client.refresh()) == 0


HOSTILE = [
    "a\nb",
    "%n%s%n%x",
    "\x1b[2J",
    "\x9b31m",
    "\u202egnp",
    "'; DROP TABLE users; --",
    "${jndi:x}",
    "a\r\n200 OK",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.requirement("stun-turn:SEC-23")
def test_a_name_is_nothing_but_a_name(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Names got into a format string of a database, into log lines and into the labels of
    metrics, which grew without end."""
    username, password = make_credentials(SECRET, name, int(WALL_CLOCK) + 60)
    relay = Relay()
    client = client_on(relay, 1000, username=username, password=password)

    with caplog.at_level("DEBUG"):
        answer = client.ask(Method.ALLOCATE, UDP_REQUEST, Software(name.replace("\n", " ")))
        client.bare(Method.ALLOCATE, Username(name))
        client.refresh(0)

    for line in caplog.messages:
        assert line.isprintable(), line
        assert len(line.splitlines()) == 1
    created = [each for each in relay.events if isinstance(each, AllocationCreated)]
    assert code(answer) in (0, 401)
    assert [each.username for each in created] == [username] * (code(answer) == 0)
    assert all(isinstance(key, DropReason) for key in relay.server.stats().drops)


@pytest.mark.requirement("stun-turn:SEC-16", "stun-turn:TURN-ALLOC-17")
def test_one_credential_cannot_take_every_port() -> None:
    """One participant could take all ports of a relay; and a burst of requests passed a
    quota that was counted only when the sockets were there."""
    relay = Relay(dataclasses.replace(config(), quota_per_id=10))
    relay.opens = False
    name, password = make_credentials(SECRET, "carol", int(WALL_CLOCK) + 600)
    clients = [client_on(relay, 1000 + n, username=name, password=password) for n in range(50)]

    answers = [client.send(client.request(Method.ALLOCATE, UDP_REQUEST)) for client in clients]
    at_once = [code(Message.decode(each.segments[0])) for sent in answers for each in sent]
    for asked in relay.requested:
        relay.server.relay_opened(asked.token, asked.address, relay.now)
    relay.drain()

    assert at_once == [486] * 40
    assert relay.server.stats().allocations == 10
    assert client_on(relay, 3000).path
    relay.opens = True
    assert client_on(relay, 3000, username="bob").allocate()
    assert code(clients[0].refresh(0)) == 0
    assert clients[30].allocate()


@pytest.mark.requirement("stun-turn:SEC-17", "stun-turn:TURN-PERM-12")
def test_permissions_end_at_their_bound() -> None:
    """One allocation had as many permissions as it liked."""
    relay = Relay()
    client = Client(relay)
    client.allocate()

    codes = [
        code(client.permit(TransportAddress(ip_address((8 << 24) + number), 1)))
        for number in range(1, 400)
    ]

    assert codes == [0] * MAX_PERMISSIONS + [508] * (399 - MAX_PERMISSIONS)
    (snapshot,) = relay.server.allocations(0.0)
    assert len(snapshot.permissions) == MAX_PERMISSIONS


@pytest.mark.requirement("stun-turn:SEC-07")
def test_the_relay_does_not_talk_to_itself() -> None:
    """A relay that reaches its own listening address sends in a circle, and past whatever
    tells clients from the outside apart."""
    client = Client(Relay())
    client.allocate()

    for address in (LISTENING, TransportAddress(LISTENING.ip, 22)):
        assert code(client.bind(0x4000, address)) == 403
        assert client.send_to(address, b"data") == []
    assert code(client.permit(LISTENING)) == 403
