"""EVEN-PORT and RESERVATION-TOKEN: RFC 8656 section 7.2."""

from __future__ import annotations

import dataclasses

import pytest

from stun import (
    EvenPort,
    Lifetime,
    Message,
    Method,
    ReservationToken,
    XorRelayedAddress,
)
from transport import TransportAddress, TransportProtocol
from turn.server import DropReason, RelayReleased
from turn.server.limits import MAX_PORT_ATTEMPTS, MAX_RESERVATIONS, RESERVATION_LIFETIME

from .harness import PEER, UDP_REQUEST, Client, Relay, client_on, code, config

EVEN = EvenPort(reserve_next=False)
PAIR = EvenPort(reserve_next=True)


def small_relay(first: int, last: int) -> Relay:
    return Relay(dataclasses.replace(config(), min_port=first, max_port=last))


def allocate_pair(client: Client) -> tuple[TransportAddress, ReservationToken]:
    return granted(client.ask(Method.ALLOCATE, UDP_REQUEST, PAIR))


def granted(response: Message) -> tuple[TransportAddress, ReservationToken]:
    relayed, token = response.get(XorRelayedAddress), response.get(ReservationToken)
    assert relayed is not None
    assert token is not None
    return relayed.address, token


def following(address: TransportAddress) -> TransportAddress:
    return TransportAddress(address.ip, address.port + 1)


@pytest.mark.requirement("stun-turn:TURN-ALLOC-18")
def test_an_even_port_is_given_to_who_asks_and_nothing_is_reserved() -> None:
    relay = Relay()

    responses = [
        client_on(relay, 40000 + number).ask(Method.ALLOCATE, UDP_REQUEST, EVEN)
        for number in range(20)
    ]

    for response in responses:
        relayed = response.get(XorRelayedAddress)
        assert relayed is not None
        assert relayed.address.port % 2 == 0
        assert response.get(ReservationToken) is None
    assert len(relay.requested) == 20


@pytest.mark.parametrize("transport", [TransportProtocol.UDP, TransportProtocol.TCP])
@pytest.mark.requirement("stun-turn:TURN-ALLOC-19", "stun-turn:TURN-ALLOC-20")
def test_the_next_port_is_for_who_brings_the_token(transport: TransportProtocol) -> None:
    relay = Relay()
    even, token = allocate_pair(Client(relay))
    other = client_on(relay, 1000, transport=transport, username="bob")

    odd = other.allocate(token, Lifetime(900))

    assert even.port % 2 == 0
    assert odd == following(even)
    assert [each.address for each in relay.requested] == [even, odd]
    assert [each.time_to_expiry for each in relay.server.allocations(0.0)] == [600, 900]
    other.permit(PEER)
    assert len(relay.receive_relayed(b"hello", PEER, odd)) == 1


@pytest.mark.requirement("stun-turn:TURN-ALLOC-07")
def test_a_token_is_good_once() -> None:
    relay = Relay()
    _, token = allocate_pair(Client(relay))
    client_on(relay, 1000).allocate(token)

    again = client_on(relay, 1001).ask(Method.ALLOCATE, UDP_REQUEST, token)

    assert code(again) == 508


@pytest.mark.requirement("stun-turn:TURN-ALLOC-07", "stun-turn:TURN-ALLOC-19")
def test_a_reservation_lasts_30_seconds() -> None:
    relay = Relay()
    even, token = allocate_pair(Client(relay))
    late = client_on(relay, 1000)

    relay.run_until(29.9)
    held = list(relay.released)
    relay.run_until(30.0)

    assert RESERVATION_LIFETIME == 30
    assert held == []
    assert relay.released == [following(even)]
    assert code(late.ask(Method.ALLOCATE, UDP_REQUEST, token)) == 508
    assert code(client_on(relay, 1001).ask(Method.ALLOCATE, UDP_REQUEST)) == 0


@pytest.mark.requirement("stun-turn:TURN-ALLOC-19")
def test_nobody_else_gets_a_port_that_is_held() -> None:
    relay = small_relay(50000, 50001)
    even, _ = allocate_pair(Client(relay))

    assert code(client_on(relay, 1000).ask(Method.ALLOCATE, UDP_REQUEST)) == 508
    relay.run_until(RESERVATION_LIFETIME)
    assert client_on(relay, 1000).allocate() == following(even)


def test_a_port_that_is_held_relays_nothing() -> None:
    relay = Relay()
    client = Client(relay)
    even, _ = allocate_pair(client)
    client.permit(PEER)

    assert relay.receive_relayed(b"hello", PEER, following(even)) == []
    assert relay.server.stats().drops == {DropReason.UNKNOWN_RELAY: 1}


@pytest.mark.requirement("stun-turn:TURN-GEN-06")
def test_who_asks_again_gets_the_same_token() -> None:
    relay = Relay()
    client = Client(relay)
    request = client.request(Method.ALLOCATE, UDP_REQUEST, PAIR)

    first, again = client.answer(request), client.answer(request)

    assert again.data == first.data
    assert len(relay.requested) == 2


@pytest.mark.requirement("stun-turn:TURN-GEN-06")
def test_who_brings_the_token_again_gets_the_same_address() -> None:
    relay = Relay()
    _, token = allocate_pair(Client(relay))
    client = client_on(relay, 1000)
    request = client.request(Method.ALLOCATE, UDP_REQUEST, token)

    assert client.answer(request).data == client.answer(request).data


@pytest.mark.parametrize("wish", [EVEN, PAIR], ids=["even", "pair"])
@pytest.mark.requirement("stun-turn:TURN-ALLOC-13")
def test_a_wish_that_cannot_be_met_is_508(wish: EvenPort) -> None:
    relay = small_relay(50001, 50001)

    assert code(Client(relay).ask(Method.ALLOCATE, UDP_REQUEST, wish)) == 508


def test_a_pair_of_which_the_second_cannot_be_bound_is_another_pair() -> None:
    relay = small_relay(50000, 50003)
    relay.opens = False
    client = Client(relay)
    client.fetch_nonce()
    client.send(client.request(Method.ALLOCATE, UDP_REQUEST, PAIR))
    (first,) = relay.requested
    relay.server.relay_opened(first.token, first.address, 0.0)
    relay.drain()

    relay.opens = True
    relay.server.relay_refused(first.token, 0.0)
    relay.drain()

    assert relay.released == [first.address]
    even, _ = granted(Message.decode(relay.sent[-1].segments[0]))
    assert {first.address.port, even.port} == {50000, 50002}


def test_a_pair_that_cannot_be_bound_at_all_leaves_nothing() -> None:
    relay = small_relay(50000, 50001)
    relay.opens = False
    client = Client(relay)
    client.fetch_nonce()
    client.send(client.request(Method.ALLOCATE, UDP_REQUEST, PAIR))
    (asked,) = relay.requested

    relay.server.relay_opened(asked.token, asked.address, 0.0)
    relay.server.relay_refused(asked.token, 0.0)
    relay.drain()
    relay.opens = True

    assert code(Message.decode(relay.sent[-1].segments[0])) == 508
    assert relay.released == [asked.address]
    assert relay.server.next_timeout() is None
    assert allocate_pair(client)[0].port == 50000


def test_ports_are_not_tried_for_ever() -> None:
    relay = Relay()
    relay.opens = False
    client = Client(relay)
    client.fetch_nonce()
    client.send(client.request(Method.ALLOCATE, UDP_REQUEST, PAIR))

    for _ in range(MAX_PORT_ATTEMPTS):
        relay.server.relay_refused(relay.requested[-1].token, 0.0)
        relay.drain()

    assert len({each.address for each in relay.requested}) == MAX_PORT_ATTEMPTS
    assert code(Message.decode(relay.sent[-1].segments[0])) == 508


@pytest.mark.requirement("stun-turn:SEC-17")
def test_reservations_have_a_limit_that_concerns_nobody_else() -> None:
    relay = Relay()
    for number in range(MAX_RESERVATIONS):
        allocate_pair(client_on(relay, 1000 + number))
    client = client_on(relay, 900)

    assert code(client.ask(Method.ALLOCATE, UDP_REQUEST, PAIR)) == 508
    assert code(client.ask(Method.ALLOCATE, UDP_REQUEST, EVEN)) == 0


def test_a_token_over_quota_stays_good() -> None:
    relay = Relay(dataclasses.replace(config(), max_allocations=1))
    client = Client(relay)
    even, token = allocate_pair(client)
    other = client_on(relay, 1000)

    assert code(other.ask(Method.ALLOCATE, UDP_REQUEST, token)) == 508
    client.refresh(0)
    assert other.allocate(token) == following(even)


def test_what_is_held_is_let_go_when_the_server_closes() -> None:
    relay = Relay()
    even, _ = allocate_pair(Client(relay))

    relay.server.close(0.0)
    relay.drain()

    assert set(relay.released) == {even, following(even)}
    assert RelayReleased(even) in relay.events
    assert relay.server.next_timeout() is None
