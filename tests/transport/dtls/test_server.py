"""The DTLS server: a cookie first, then state within bounds."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from transport import Path, TransportAddress, TransportProtocol
from transport.dtls import (
    ClientConnected,
    ClientDataReceived,
    ClientDisconnected,
    DropReason,
    DtlsClosed,
    DtlsDataReceived,
    DtlsEstablished,
    DtlsServer,
)
from transport.dtls.cookies import COOKIE_LIFETIME
from transport.dtls.server import (
    MAX_ASSOCIATIONS_PER_NETWORK,
    MAX_HALF_OPEN,
    MAX_HALF_OPEN_PER_NETWORK,
    SERVER_HANDSHAKE_TIMEOUT,
)

from .issued import IDENTITY
from .served import CLIENT, SERVER, Client, World, fragments, there


def port(number: int) -> TransportAddress:
    return TransportAddress(CLIENT.ip, number)


def test_a_client_has_an_association_and_data_goes_both_ways() -> None:
    world = World(protocols=["stun.turn"])
    client = world.client(protocols=["stun.nat-discovery", "stun.turn"])
    world.deliver(client)
    client.machine.send(b"hello")
    world.deliver(client)
    world.server.send(there(), [b"one", b"two"])
    for datagram in world.answers():
        client.machine.receive(datagram, Path(TransportProtocol.UDP, CLIENT, SERVER), 0.0)
    world.deliver(client)

    assert world.events == [
        ClientConnected(there(), "stun.turn"),
        ClientDataReceived(there(), b"hello"),
    ]
    received = [client.machine.poll_event() for _ in range(2)]
    assert [*client.events, *received] == [
        DtlsEstablished("stun.turn"),
        DtlsDataReceived(b"one"),
        DtlsDataReceived(b"two"),
        None,
        None,
    ]
    assert (len(world.server), world.server.half_open) == (1, 0)


@pytest.mark.requirement("stun-turn:STUNS-TCP-09", "stun-turn:SEC-13")
def test_a_client_hello_is_answered_with_a_cookie_and_leaves_no_state() -> None:
    world = World()
    client = world.client()
    (hello,) = world.sent_by(client)

    world.send(hello)

    (answer,) = world.answers()
    assert answer[0] == 22
    assert answer[13] == 3  # HelloVerifyRequest (RFC 6347 section 4.3.2)
    assert answer[5:11] == hello[5:11]
    assert len(answer) < len(hello)
    assert len(world.server) == 0
    assert world.server.next_timeout() is None


@pytest.mark.requirement("stun-turn:STUNS-TCP-09", "stun-turn:SEC-13")
def test_a_flood_from_forged_sources_leaves_no_state() -> None:
    world = World()
    (hello,) = world.sent_by(world.client())

    for number in range(2000):
        world.send(hello, TransportAddress.parse(f"198.51.{number >> 8}.{number & 255}", 1))

    assert len(world.answers()) == 2000
    assert (len(world.server), world.server.half_open) == (0, 0)


@pytest.mark.requirement("stun-turn:STUNS-TCP-09")
def test_a_cookie_is_good_for_its_address_and_its_hello_alone() -> None:
    world = World()
    client = world.client()
    world.deliver(client)
    with_cookie = client.sent[1]
    another = World()
    other_random = bytearray(with_cookie)
    other_random[30] ^= 1

    for forged, source in (
        (with_cookie, port(1001)),
        (bytes(other_random), CLIENT),
    ):
        world_before = len(world.server)
        world.send(forged, source)
        (answer,) = world.answers()
        assert answer[13] == 3
        assert len(world.server) == world_before
    another.server = DtlsServer(IDENTITY, random_bytes=random.Random(2).randbytes)
    another.send(with_cookie)
    assert len(another.server) == 0


@pytest.mark.parametrize(
    ("age", "is_good"),
    [(0.0, True), (COOKIE_LIFETIME, True), (2 * COOKIE_LIFETIME, False)],
)
def test_a_cookie_grows_old(age: float, is_good: bool) -> None:
    world = World()
    client = world.client()
    world.send(world.sent_by(client)[0])
    (verify,) = world.answers()
    client.machine.receive(verify, Path(TransportProtocol.UDP, CLIENT, SERVER), 0.0)

    world.now = age
    world.send(world.sent_by(client)[0])

    assert len(world.server) == is_good


@pytest.mark.requirement("stun-turn:STUNS-TCP-09")
@pytest.mark.parametrize("order", ["in-order", "last-first", "together", "twice"])
def test_a_client_hello_may_come_in_fragments(order: str) -> None:
    """As one with a key share of ML-KEM does, which no datagram holds."""
    world = World()
    client = world.client()

    def change(datagrams: list[bytes]) -> Sequence[bytes]:
        (first, *rest) = datagrams
        if first[0] != 22 or first[13] != 1 or first[3:5] != b"\0\0":
            return datagrams
        sequence = 10 * int.from_bytes(first[5:11])
        head, *others = fragments(first, 80, first_sequence=sequence)
        match order:
            case "last-first":
                return [head, *reversed(others), *rest]
            case "together":
                return [b"".join([head, *others]), *rest]
            case "twice":
                return [head, *others, head, *others, *rest]
            case _:
                return [head, *others, *rest]

    world.deliver(client, change=change)

    assert client.events == [DtlsEstablished(None)]
    assert world.events == [ClientConnected(there())]


@pytest.mark.requirement("stun-turn:STUNS-TCP-09")
def test_later_fragments_alone_are_met_with_silence() -> None:
    world = World()
    (hello,) = world.sent_by(world.client())

    for fragment in fragments(hello, 80)[1:]:
        world.send(fragment)

    assert world.answers() == []
    assert len(world.server) == 0


@pytest.mark.parametrize(
    "datagram",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x16\xfe\xfd" + bytes(40), id="no-hello"),
        pytest.param(b"\x16\xfe\xfd\0\0" + bytes(6) + b"\0\x20\x01" + bytes(31), id="empty-hello"),
        pytest.param(b"\x17\xfe\xfd\0\1" + bytes(60), id="data-of-nobody"),
        pytest.param(b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12), id="stun"),
    ],
)
def test_what_is_no_client_hello_of_a_stranger_is_met_with_silence(datagram: bytes) -> None:
    world = World()

    world.send(datagram)

    assert world.answers() == []
    assert len(world.server) == 0


@pytest.mark.requirement("stun-turn:SEC-13")
def test_half_open_handshakes_have_a_bound_for_one_network_and_for_all() -> None:
    world = World()

    for number in range(2 * MAX_HALF_OPEN):
        address = TransportAddress.parse(f"198.51.100.{number // 32}", 1000 + number)
        half_open(world, address)
        assert world.server.half_open == min(
            number // 32 * MAX_HALF_OPEN_PER_NETWORK
            + min(number % 32 + 1, MAX_HALF_OPEN_PER_NETWORK),
            MAX_HALF_OPEN,
        )

    assert world.server.drops()[DropReason.NO_PLACE] == MAX_HALF_OPEN
    world.now = SERVER_HANDSHAKE_TIMEOUT
    world.server.handle_timeout(world.now)
    assert (len(world.server), world.server.half_open) == (0, 0)
    assert world.server.poll_event() is None
    world.answers()  # to those who are given up
    assert world.connected().events == [DtlsEstablished(None)]


def half_open(world: World, address: TransportAddress) -> Client:
    """A client that returns its cookie, and says no more."""
    client = world.client(address)
    world.send(world.sent_by(client)[0], address)
    for datagram in world.answers():
        client.machine.receive(datagram, Path(TransportProtocol.UDP, address, SERVER), world.now)
    world.send(world.sent_by(client)[0], address)
    world.answers()
    return client


@pytest.mark.long  # 129 handshakes
@pytest.mark.requirement("stun-turn:SEC-13")
def test_one_network_has_so_many_associations_and_others_have_theirs() -> None:
    world = World()
    for number in range(MAX_ASSOCIATIONS_PER_NETWORK):
        assert world.connected(port(1000 + number)).events == [DtlsEstablished(None)]

    assert world.connected(port(999)).events == []
    assert world.connected(TransportAddress.parse("192.0.2.77", 1)).events != []
    world.server.disconnect(there(port(1000)), 0.0)
    assert world.connected(port(999)).events == [DtlsEstablished(None)]


def test_who_begins_anew_on_the_same_port_takes_the_place_of_the_former_with_a_cookie() -> None:
    world = World()
    world.connected()
    client = world.client()
    (hello,) = world.sent_by(client)
    world.send(hello)

    assert len(world.events) == 1  # RFC 6347 section 4.2.8: not before the cookie

    (verify,) = world.answers()
    client.machine.receive(verify, Path(TransportProtocol.UDP, CLIENT, SERVER), 0.0)
    world.deliver(client)
    assert world.events == [
        ClientConnected(there()),
        ClientDisconnected(there(), "the client has begun anew"),
        ClientConnected(there()),
    ]
    assert client.events == [DtlsEstablished(None)]
    assert len(world.server) == 1


def test_a_repeated_hello_disturbs_nothing() -> None:
    world = World()
    client = world.connected()
    for datagram in client.sent[:2]:
        world.send(datagram)
    client.machine.send(b"still here")
    world.deliver(client)

    assert world.events == [
        ClientConnected(there()),
        ClientDataReceived(there(), b"still here"),
    ]


def test_a_client_that_says_goodbye_is_forgotten() -> None:
    world = World()
    client = world.connected()
    client.machine.close(0.0)
    world.deliver(client)

    assert world.events[1:] == [ClientDisconnected(there(), "closed")]
    assert len(world.server) == 0
    assert world.server.next_timeout() is None


def test_closing_says_goodbye_to_all() -> None:
    world = World()
    client = world.connected()
    half_open(world, port(2000))
    world.server.close(0.0)
    for datagram in world.answers():
        client.machine.receive(datagram, Path(TransportProtocol.UDP, CLIENT, SERVER), 0.0)

    assert world.server.poll_event() == ClientDisconnected(there(), "closed")
    assert world.server.poll_event() is None
    assert client.machine.poll_event() == DtlsClosed()
    assert (len(world.server), world.server.half_open) == (0, 0)


def test_data_that_goes_nowhere_is_counted() -> None:
    world = World()
    world.connected()
    half_open(world, port(2000))

    world.server.send(there(), [b"", bytes(1 << 15)])
    world.server.send(there(port(2000)), [b"early"])
    world.server.send(there(port(1)), [b"nobody"])
    world.server.disconnect(there(port(1)), 0.0)

    assert world.server.drops() == {DropReason.TOO_MUCH: 2, DropReason.NO_CLIENT: 2}


def test_data_beyond_the_mtu_goes_in_one_datagram_for_the_network_to_fragment() -> None:
    world = World()
    client = world.connected()
    data = bytes(range(256)) * 10

    world.server.send(there(), [data])

    (datagram,) = world.answers()
    client.machine.receive(datagram, Path(TransportProtocol.UDP, CLIENT, SERVER), 0.0)
    assert client.machine.poll_event() == DtlsDataReceived(data)
