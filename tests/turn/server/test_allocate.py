"""Allocate: RFC 8656 section 7.2."""

from __future__ import annotations

import dataclasses
import itertools
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import (
    AddressFamily,
    AlternateServer,
    AnyAttribute,
    ConnectionId,
    DontFragment,
    Lifetime,
    Message,
    MessageClass,
    Method,
    MobilityTicket,
    RequestedAddressFamily,
    RequestedTransport,
    ReservationToken,
    UnknownAttribute,
    UnknownAttributes,
    XorMappedAddress,
    XorRelayedAddress,
)
from transport import Path, TransportAddress, TransportProtocol
from turn import RelaySecret, SecretAlgorithm, make_credentials
from turn.server import AllocationCreated, DropReason, RelayReleased, RelayRequested
from turn.server.limits import MAX_PORT_ATTEMPTS, MAX_WAITING, WAITING_TIMEOUT

from .harness import (
    CLIENT,
    LISTENING,
    LISTENING_6,
    PEER,
    RELAY_IP,
    RELAY_IP_6,
    SECRET,
    UDP_REQUEST,
    WALL_CLOCK,
    Client,
    Relay,
    client_on,
    code,
    config,
)

IPV4 = RequestedAddressFamily(AddressFamily.IPV4)
IPV6 = RequestedAddressFamily(AddressFamily.IPV6)


def lifetime_of(response: Message) -> int:
    lifetime = response.get(Lifetime)
    assert lifetime is not None
    return lifetime.lifetime


@pytest.mark.requirement(
    "stun-turn:TURN-GEN-01",
    "stun-turn:TURN-GEN-02",
    "stun-turn:TURN-ALLOC-21",
    "stun-turn:TURN-ALLOC-24",
    "stun-turn:TURN-ALLOC-26",
)
def test_an_allocation_is_made_and_told() -> None:
    relay = Relay()
    client = Client(relay)

    response = client.ask(Method.ALLOCATE, UDP_REQUEST)

    assert code(response) == 0
    assert response.has_integrity
    relayed = response.get(XorRelayedAddress)
    assert relayed is not None
    assert relayed.address.ip == RELAY_IP
    assert 49152 <= relayed.address.port <= 65535
    assert response.get(XorMappedAddress) == XorMappedAddress(CLIENT)
    assert lifetime_of(response) == 600
    assert AllocationCreated(client.path, relayed.address, "alice") in relay.events
    (snapshot,) = relay.server.allocations(0.0)
    assert (snapshot.client, snapshot.relayed) == (client.path, relayed.address)
    assert (snapshot.time_to_expiry, snapshot.permissions, snapshot.channels) == (600, {}, {})


@given(sevenths=st.integers(0, 1 << 30), asked=st.sampled_from([600, 1800, 3600, 86_400]))
def test_a_lifetime_is_told_as_it_was_granted_whatever_the_clock_says(
    sevenths: int, asked: int
) -> None:
    relay = Relay()
    relay.now = sevenths / 7  # no float is just that
    client = Client(relay)

    response = client.ask(Method.ALLOCATE, UDP_REQUEST, Lifetime(asked))

    assert lifetime_of(response) == min(asked, 3600)


@pytest.mark.requirement("stun-turn:TURN-ALLOC-01")
def test_nobody_gets_one_without_credentials() -> None:
    relay = Relay()

    response = Client(relay).bare(Method.ALLOCATE, UDP_REQUEST)

    assert code(response) == 401
    assert relay.requested == []


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        pytest.param((), 400, id="no-transport"),
        pytest.param((UnknownAttribute(0x0019, b"\x11"),), 400, id="transport-of-1-byte"),
        pytest.param((UnknownAttribute(0x0019, b"\x11" + bytes(7)),), 400, id="of-8-bytes"),
        pytest.param((UnknownAttribute(0x0019, b"\x11\xff\xff\xff"),), 0, id="reserved-bits"),
        pytest.param((RequestedTransport(0),), 442, id="protocol-0"),
        pytest.param((RequestedTransport(6),), 442, id="tcp"),
        pytest.param((RequestedTransport(132),), 442, id="sctp"),
        pytest.param((RequestedTransport(255),), 442, id="protocol-255"),
        pytest.param((UDP_REQUEST, DontFragment()), 0, id="dont-fragment"),
        pytest.param((UDP_REQUEST, UnknownAttribute(0x001A, b"1")), 400, id="dont-fragment-1-byte"),
        pytest.param((UDP_REQUEST, UnknownAttribute(0x0018, b"")), 400, id="even-port-empty"),
        pytest.param((UDP_REQUEST, UnknownAttribute(0x0018, b"\x7f")), 0, id="even-port-bits"),
        pytest.param((UDP_REQUEST, ReservationToken(bytes(8))), 508, id="unknown-token"),
        pytest.param((UDP_REQUEST, UnknownAttribute(0x0022, bytes(7))), 400, id="token-of-7"),
        pytest.param((UDP_REQUEST, MobilityTicket(b"")), 0, id="mobility"),
        pytest.param((UDP_REQUEST, RequestedAddressFamily(3)), 440, id="family-3"),
        pytest.param((UDP_REQUEST, RequestedAddressFamily(0)), 440, id="family-0"),
        pytest.param((UDP_REQUEST, UnknownAttribute(0x0017, b"\1")), 400, id="family-1-byte"),
        pytest.param((UDP_REQUEST, UnknownAttribute(0x000D, b"\0\0\0")), 400, id="lifetime-3"),
        pytest.param((UDP_REQUEST, UnknownAttribute(0x000D, bytes(5))), 400, id="lifetime-5"),
        pytest.param((UDP_REQUEST, UnknownAttribute(0x7FFF, b"")), 420, id="unknown-required"),
        pytest.param((UDP_REQUEST, UnknownAttribute(0xFFFF, b"x")), 0, id="unknown-optional"),
    ],
)
@pytest.mark.requirement(
    "stun-turn:TURN-ALLOC-03",
    "stun-turn:TURN-ALLOC-04",
    "stun-turn:TURN-ALLOC-05",
    "stun-turn:TURN-ALLOC-09",
    "stun-turn:COD-ATTR-05",
    "stun-turn:COD-ATTR-13",
    "stun-turn:COD-ATTR-14",
)
def test_what_is_asked_for_is_checked(attributes: tuple[AnyAttribute, ...], expected: int) -> None:
    relay = Relay()

    response = Client(relay).ask(Method.ALLOCATE, *attributes)

    assert code(response) == expected
    assert response.has_integrity
    assert len(relay.requested) == (expected == 0)


@pytest.mark.requirement("stun-turn:COD-TXT-08")
def test_all_that_is_not_understood_is_listed() -> None:
    response = Client(Relay()).ask(
        Method.ALLOCATE,
        UDP_REQUEST,
        DontFragment(),
        UnknownAttribute(0x7FFE, b""),
        ConnectionId(1),
    )

    listed = response.get(UnknownAttributes)
    assert listed == UnknownAttributes((0x7FFE, ConnectionId.TYPE))


@pytest.mark.parametrize(
    ("requested", "granted"),
    [
        (None, 600),
        (0, 600),
        (10, 600),
        (600, 600),
        (1800, 1800),
        (3600, 3600),
        (3601, 3600),
        (2**32 - 1, 3600),
    ],
)
@pytest.mark.requirement("stun-turn:TURN-ALLOC-23")
def test_the_lifetime_is_between_the_default_and_the_greatest(
    requested: int | None, granted: int
) -> None:
    wanted = () if requested is None else (Lifetime(requested),)

    response = Client(Relay()).ask(Method.ALLOCATE, UDP_REQUEST, *wanted)

    assert lifetime_of(response) == granted


def test_the_first_of_two_lifetimes_counts() -> None:
    response = Client(Relay()).ask(Method.ALLOCATE, UDP_REQUEST, Lifetime(900), Lifetime(1800))

    assert lifetime_of(response) == 900


@pytest.mark.parametrize("listening", [LISTENING, LISTENING_6], ids=["over-ipv4", "over-ipv6"])
@pytest.mark.parametrize(
    ("family", "expected"),
    [
        pytest.param((), RELAY_IP, id="absent"),
        pytest.param((IPV4,), RELAY_IP, id="ipv4"),
        pytest.param((IPV6,), RELAY_IP_6, id="ipv6"),
        pytest.param((IPV6, IPV4), RELAY_IP_6, id="the-first-of-two"),
    ],
)
@pytest.mark.requirement("stun-turn:TURN-ALLOC-10")
def test_the_family_is_the_one_asked_for_and_ipv4_otherwise(
    family: tuple[AnyAttribute, ...], expected: object, listening: TransportAddress
) -> None:
    remote = CLIENT if listening is LISTENING else TransportAddress.parse("2a02::9", 40000)
    client = Client(Relay(), Path(TransportProtocol.UDP, listening, remote))

    assert client.allocate(*family).ip == expected


@pytest.mark.parametrize(
    ("relay_ip", "family", "expected"),
    [
        pytest.param(RELAY_IP, (IPV6,), 440, id="ipv6-of-an-ipv4-relay"),
        pytest.param(RELAY_IP_6, (IPV4,), 440, id="ipv4-of-an-ipv6-relay"),
        pytest.param(RELAY_IP_6, (), 440, id="absent-of-an-ipv6-relay"),
        pytest.param(RELAY_IP_6, (IPV6,), 0, id="ipv6-of-an-ipv6-relay"),
    ],
)
@pytest.mark.requirement("stun-turn:TURN-ALLOC-09", "stun-turn:TURN-ALLOC-11")
def test_a_family_that_the_relay_lacks_is_440(
    relay_ip: object, family: tuple[AnyAttribute, ...], expected: int
) -> None:
    ips = tuple(ip for ip in (RELAY_IP, RELAY_IP_6) if ip == relay_ip)
    client = Client(Relay(dataclasses.replace(config(), relay_addresses=ips)))

    assert code(client.ask(Method.ALLOCATE, UDP_REQUEST, *family)) == expected


def test_the_address_that_the_client_came_to_is_preferred() -> None:
    relay = Relay(dataclasses.replace(config(), relay_addresses=(RELAY_IP, LISTENING.ip)))

    assert Client(relay).allocate().ip == LISTENING.ip


@pytest.mark.parametrize("remote", ["2001::9", "2002:909:909::9"], ids=["teredo", "6to4"])
@pytest.mark.requirement("stun-turn:TURN-ALLOC-29")
def test_a_client_behind_a_tunnel_is_refused(remote: str) -> None:
    path = Path(TransportProtocol.UDP, LISTENING_6, TransportAddress.parse(remote, 40000))

    assert code(Client(Relay(), path).ask(Method.ALLOCATE, UDP_REQUEST)) == 403


@pytest.mark.requirement("stun-turn:TURN-ALLOC-02")
def test_a_second_allocate_on_the_same_5_tuple_is_437_and_harms_nothing() -> None:
    relay = Relay()
    client = Client(relay)
    relayed = client.allocate()

    response = client.ask(Method.ALLOCATE, UDP_REQUEST)

    assert code(response) == 437
    assert [each.relayed for each in relay.server.allocations(0.0)] == [relayed]


@pytest.mark.requirement("stun-turn:TURN-GEN-06")
def test_a_retransmitted_allocate_gets_the_same_answer() -> None:
    relay = Relay(dataclasses.replace(config(), quota_per_id=1))
    username, password = make_credentials(SECRET, "carol", int(WALL_CLOCK) + 60)
    client = Client(relay, username=username, password=password)
    data = client.request(Method.ALLOCATE, UDP_REQUEST)

    first = client.answer(data)
    again = [client.answer(data) for _ in range(2)]
    relay.now = 61.0
    late = client.answer(data)

    assert [each.data for each in again] == [first.data] * 2
    assert late.get(XorRelayedAddress) == first.get(XorRelayedAddress)
    assert lifetime_of(late) == 539
    assert len(relay.requested) == 1


def test_another_user_with_the_same_transaction_id_is_told_nothing() -> None:
    relay = Relay()
    alice, bob = Client(relay), client_on(relay, CLIENT.port, username="bob")
    alice.fetch_nonce()
    bob.nonce = alice.nonce
    alice.answer(alice.request(Method.ALLOCATE, UDP_REQUEST, transaction_id=bytes(12)))

    answer = bob.answer(bob.request(Method.ALLOCATE, UDP_REQUEST, transaction_id=bytes(12)))

    assert code(answer) == 437


@pytest.mark.requirement("stun-turn:TURN-GEN-08")
def test_one_client_port_has_an_allocation_for_each_transport_and_server_address() -> None:
    relay = Relay()
    paths = [
        Path(transport, TransportAddress(LISTENING.ip, port), CLIENT)
        for transport in TransportProtocol
        for port in (3478, 443)
    ]

    relayed = {Client(relay, path).allocate() for path in paths}

    assert len(relayed) == len(paths) == len(relay.server.allocations(0.0))


@pytest.mark.requirement("stun-turn:TURN-ALLOC-22", "stun-turn:TURN-ALLOC-25")
def test_relayed_addresses_are_distinct_and_in_no_order() -> None:
    relay = Relay()

    ports = [client_on(relay, 40000 + number).allocate().port for number in range(100)]

    assert len(set(ports)) == 100
    steps = [after - before for before, after in itertools.pairwise(ports)]
    assert sum(abs(step) < 100 for step in steps) < 10
    assert sum(step > 0 for step in steps) in range(30, 70)


@pytest.mark.requirement("stun-turn:TURN-ALLOC-27")
def test_nothing_may_pass_at_first() -> None:
    relay = Relay()
    relayed = Client(relay).allocate()

    assert relay.receive_relayed(b"hello", PEER, relayed) == []
    assert relay.server.stats().drops == {DropReason.NO_PERMISSION: 1}


@pytest.mark.requirement("stun-turn:TURN-ALLOC-28")
def test_a_range_of_ports_can_be_used_up_and_used_again() -> None:
    relay = Relay(dataclasses.replace(config(), min_port=50000, max_port=50003))
    clients = [client_on(relay, 40000 + number) for number in range(5)]

    ports = {client.allocate().port for client in clients[:4]}

    assert ports == {50000, 50001, 50002, 50003}
    assert code(clients[4].ask(Method.ALLOCATE, UDP_REQUEST)) == 508
    clients[0].refresh(0)
    assert clients[4].allocate().port in ports


def test_each_family_has_all_the_ports() -> None:
    relay = Relay(dataclasses.replace(config(), min_port=50000, max_port=50000))

    assert client_on(relay, 1).allocate(IPV4).port == 50000
    assert client_on(relay, 2).allocate(IPV6).port == 50000


def static_relay(**changes: int) -> Relay:
    return Relay(dataclasses.replace(config(), **changes))  # type: ignore[arg-type]  # ints alone


def carol(relay: Relay, port: int, *, id: str = "carol", expiry: int = 300) -> Client:
    """A client with time-limited credentials."""
    username, password = make_credentials(SECRET, id, int(WALL_CLOCK) + expiry)
    return client_on(relay, port, username=username, password=password)


@pytest.mark.requirement("stun-turn:TURN-ALLOC-17", "stun-turn:SEC-16", "stun-turn:TURN-GEN-09")
def test_an_id_has_a_quota_whatever_its_username() -> None:
    relay = static_relay(quota_per_id=2)
    clients = [carol(relay, 1000 + number, expiry=300 + number) for number in range(4)]
    clients[0].allocate()
    clients[1].allocate()

    assert code(clients[2].ask(Method.ALLOCATE, UDP_REQUEST)) == 486
    assert carol(relay, 2000, id="dave").allocate()
    assert client_on(relay, 2001).allocate()
    clients[0].refresh(0)
    assert clients[2].allocate()
    relay.run_until(601.0)
    assert relay.server.stats().allocations == 0


@pytest.mark.requirement("stun-turn:SEC-16")
def test_requests_that_wait_count_for_the_quota() -> None:
    relay = static_relay(quota_per_id=10)
    relay.opens = False
    clients = [carol(relay, 1000 + number) for number in range(50)]
    for client in clients:
        client.fetch_nonce()
    relay.sent.clear()

    for client in clients:
        client.send(client.request(Method.ALLOCATE, UDP_REQUEST))

    assert len(relay.requested) == 10
    answers = [Message.decode(each.segments[0]) for each in relay.sent]
    assert [code(each) for each in answers] == [486] * 40


def test_a_static_user_has_no_quota_but_all_together_have_a_bound() -> None:
    relay = static_relay(quota_per_id=1, max_allocations=3)
    for number in range(3):
        client_on(relay, 1000 + number).allocate()

    assert code(client_on(relay, 2000).ask(Method.ALLOCATE, UDP_REQUEST)) == 508


@pytest.mark.requirement("stun-turn:TURN-ALLOC-28")
def test_ports_that_cannot_be_bound_are_passed_over() -> None:
    relay = Relay()
    relay.opens = False
    client = Client(relay)
    client.fetch_nonce()
    client.send(client.request(Method.ALLOCATE, UDP_REQUEST))
    for _ in range(3):
        relay.server.relay_refused(relay.requested[-1].token, 0.0)
        relay.drain()
    relay.opens = True
    relay.server.relay_refused(relay.requested[-1].token, 0.0)
    relay.drain()

    assert len({each.address for each in relay.requested}) == 5
    (allocation,) = relay.server.allocations(0.0)
    assert allocation.relayed == relay.requested[-1].address


def test_a_request_is_given_up_after_a_bounded_number_of_ports() -> None:
    relay = Relay()
    relay.opens = False
    client = Client(relay)
    client.fetch_nonce()
    client.send(client.request(Method.ALLOCATE, UDP_REQUEST))
    answered = len(relay.sent)
    while len(relay.sent) == answered:
        relay.server.relay_refused(relay.requested[-1].token, 0.0)
        relay.drain()

    assert len(relay.requested) == MAX_PORT_ATTEMPTS
    assert code(Message.decode(relay.sent[-1].segments[0])) == 508
    assert relay.server.stats().waiting == 0
    relay.opens = True
    assert client.allocate()


def test_all_ports_refused_is_508() -> None:
    relay = static_relay(min_port=50000, max_port=50001)
    relay.opens = False
    client = Client(relay)
    client.fetch_nonce()
    client.send(client.request(Method.ALLOCATE, UDP_REQUEST))
    for _ in range(2):
        relay.server.relay_refused(relay.requested[-1].token, 0.0)
        relay.drain()

    assert code(Message.decode(relay.sent[-1].segments[0])) == 508
    assert len(relay.requested) == 2


def waiting_client(relay: Relay, port: int = 1000) -> tuple[Client, bytes]:
    relay.opens = False
    client = client_on(relay, port)
    client.fetch_nonce()
    data = client.request(Method.ALLOCATE, UDP_REQUEST)
    assert client.send(data) == []
    return client, data


def test_a_retransmission_while_the_driver_works_asks_for_nothing() -> None:
    relay = Relay()
    client, data = waiting_client(relay)

    assert client.send(data) == []

    assert len(relay.requested) == 1
    assert relay.server.stats().drops == {DropReason.WAITING: 1}
    relay.server.relay_opened(relay.requested[0].token, relay.requested[0].address, 0.0)
    relay.drain()
    assert code(Message.decode(relay.sent[-1].segments[0])) == 0


def test_another_allocate_while_the_driver_works_is_437() -> None:
    relay = Relay()
    client, _ = waiting_client(relay)

    assert code(client.ask(Method.ALLOCATE, UDP_REQUEST)) == 437
    assert len(relay.requested) == 1


def test_a_driver_that_is_stuck_is_not_waited_for() -> None:
    relay = Relay()
    waiting_client(relay)
    asked = relay.requested[0]
    relay.run_until(WAITING_TIMEOUT)

    assert code(Message.decode(relay.sent[-1].segments[0])) == 508
    relay.server.relay_opened(asked.token, asked.address, 11.0)
    relay.server.relay_refused(asked.token, 11.0)
    assert relay.server.poll_event() == RelayReleased(asked.address)
    assert relay.server.allocations(11.0) == ()


def test_requests_that_wait_have_a_bound() -> None:
    relay = Relay()
    for number in range(MAX_WAITING):
        waiting_client(relay, 1000 + number)

    assert code(client_on(relay, 9999).ask(Method.ALLOCATE, UDP_REQUEST)) == 508
    assert relay.server.stats().waiting == MAX_WAITING


def test_a_socket_with_another_address_is_closed() -> None:
    relay = Relay()
    waiting_client(relay)
    strange = TransportAddress(RELAY_IP, 1234)

    relay.server.relay_opened(relay.requested[0].token, strange, 0.0)

    assert relay.server.poll_event() == RelayReleased(strange)
    assert relay.server.allocations(0.0) == ()


def test_a_stream_that_closes_meanwhile_leaves_nothing() -> None:
    relay = Relay()
    relay.opens = False
    client = client_on(relay, 1000, transport=TransportProtocol.TCP)
    relay.server.connected(client.path, 0.0)
    client.fetch_nonce()
    client.send(client.request(Method.ALLOCATE, UDP_REQUEST))
    asked = relay.requested[0]

    relay.server.disconnected(client.path, "reset", 0.0)
    relay.server.relay_opened(asked.token, asked.address, 0.0)

    assert relay.server.poll_event() == RelayReleased(asked.address)
    assert relay.server.stats().waiting == 0
    assert relay.server.next_timeout() is None


def test_what_waits_is_forgotten_when_the_server_closes() -> None:
    relay = Relay()
    waiting_client(relay)

    relay.server.close(0.0)

    assert relay.server.stats().waiting == 0
    assert relay.server.next_timeout() is None


@pytest.mark.parametrize(
    ("alternate", "expected"),
    [
        pytest.param(TransportAddress.parse("5.5.5.7", 3478), 300, id="alternate"),
        pytest.param(TransportAddress.parse("2a00::7", 3478), 508, id="of-another-family"),
        pytest.param(None, 508, id="none"),
    ],
)
@pytest.mark.requirement(
    "stun-turn:STUNS-ALT-01", "stun-turn:STUNS-ALT-02", "stun-turn:COD-ADDR-06"
)
def test_a_draining_server_takes_no_new_allocation_and_keeps_the_old(
    alternate: TransportAddress | None, expected: int
) -> None:
    relay = Relay()
    old, new = Client(relay), client_on(relay, 1000)
    old.allocate()

    relay.server.drain(0.0, alternate=alternate)

    assert code(client_on(relay, 1001).bare(Method.ALLOCATE, UDP_REQUEST)) == 401
    for _ in range(2):
        response = new.ask(Method.ALLOCATE, UDP_REQUEST)
        assert code(response) == expected
        assert response.has_integrity
        named = AlternateServer(alternate) if alternate and expected == 300 else None
        assert response.get(AlternateServer) == named
    assert code(old.refresh()) == 0


def test_behind_a_nat_the_advertised_address_is_told() -> None:
    public = ip_address("20.0.0.1")
    relay = Relay(dataclasses.replace(config(), advertised={RELAY_IP: public}))

    told = Client(relay).allocate()

    assert told == TransportAddress(public, relay.requested[0].address.port)
    assert relay.requested[0] == RelayRequested(0, TransportAddress(RELAY_IP, told.port))


def test_credentials_of_another_secret_and_hash_are_good_too() -> None:
    other = RelaySecret(b"second", SecretAlgorithm.SHA256)
    relay = Relay(config(secrets=(SECRET, other)))
    username, password = make_credentials(other, "carol", int(WALL_CLOCK) + 60)

    client = client_on(relay, 1000, username=username, password=password)

    assert client.allocate()
    assert code(client.refresh()) == 0


def test_an_error_says_what_it_is() -> None:
    response = Client(Relay()).ask(Method.ALLOCATE)

    assert response.message_class is MessageClass.ERROR
    assert b"Bad Request" in response.data


@pytest.mark.parametrize("ending", ["timeout", "disconnected"])
def test_a_request_that_is_given_up_leaves_its_port_and_its_quota(ending: str) -> None:
    relay = static_relay(min_port=50000, max_port=50000, max_allocations=1)
    client, _ = waiting_client(relay)
    if ending == "timeout":
        relay.run_until(WAITING_TIMEOUT)
    else:
        relay.server.disconnected(client.path, "reset", 0.0)
    relay.opens = True

    assert client.allocate().port == 50000
