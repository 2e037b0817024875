"""Keeping an allocation over a change of address: RFC 8016."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from stun import (
    AnyAttribute,
    IpProtocol,
    Lifetime,
    Message,
    Method,
    MobilityTicket,
    RequestedAddressFamily,
    RequestedTransport,
    XorMappedAddress,
)
from tests.turn.server.harness import (
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
from transport import Path, TransportAddress, TransportProtocol
from turn import ChannelData, make_credentials
from turn.server import AllocationEnd, AllocationEnded, DropReason, ServerConfig
from turn.server.mobility.mobile import (
    DETACHED_LIFETIME,
    OLD_TICKET_LIFETIME,
    RESUME_BURST,
    RESUME_RATE,
)

CHANNEL = 0x4000
STREAM = TransportProtocol.TCP


OFFERING = dataclasses.replace(config(), mobility=True)
REFUSING = dataclasses.replace(config(), refuses_mobility=True)


def ticket_of(response: Message) -> bytes:
    ticket = response.get(MobilityTicket)
    assert ticket is not None, code(response)
    return ticket.ticket


@dataclasses.dataclass
class Roamer:
    """A user of the relay that goes from one port to the next."""

    relay: Relay = dataclasses.field(default_factory=lambda: Relay(OFFERING))
    transport: TransportProtocol = TransportProtocol.UDP
    port: int = 1000
    username: str = "alice"

    def __post_init__(self) -> None:
        self.client = self.at(self.port)
        response = self.client.ask(Method.ALLOCATE, UDP_REQUEST, MobilityTicket())
        self.ticket = ticket_of(response)
        (snapshot,) = self.relay.server.allocations(self.relay.now)
        self.relayed = snapshot.relayed

    def at(self, port: int, *, username: str | None = None) -> Client:
        """A client of the same user, or another, at a port."""
        client = client_on(
            self.relay, port, transport=self.transport, username=username or self.username
        )
        if self.transport.is_reliable:
            self.relay.server.connected(client.path, self.relay.now)
        return client

    def resume(self, port: int, *attributes: AnyAttribute) -> Client:
        """Move with the newest ticket; the client is at the new port then."""
        client = self.at(port)
        response = client.ask(Method.REFRESH, MobilityTicket(self.ticket), *attributes)
        self.ticket = ticket_of(response)
        return client

    def receives_at(self) -> list[Path]:
        """Where a peer's datagram goes."""
        return [each.path for each in self.relay.receive_relayed(b"in", PEER, self.relayed)]

    def loses_stream(self, client: Client) -> None:
        self.relay.server.disconnected(client.path, "reset by the peer", self.relay.now)
        self.relay.drain()


def bound(roamer: Roamer) -> Roamer:
    roamer.client.bind(CHANNEL, PEER)
    return roamer


def data(client: Client, payload: bytes = b"out") -> list[bytes]:
    """What reaches the peer of ChannelData."""
    message = ChannelData(CHANNEL, payload)
    is_stream = client.path.transport.is_reliable
    sent = client.send(message.encode_padded() if is_stream else message.encode())
    return [each.segments[0] for each in sent if each.path.remote == PEER]


@pytest.mark.requirement("stun-turn:TURN-MOB-01")
def test_an_allocate_request_with_an_empty_ticket_is_given_one() -> None:
    client = Client(Relay(OFFERING))

    response = client.ask(Method.ALLOCATE, UDP_REQUEST, MobilityTicket())

    assert len(ticket_of(response)) == 32
    assert response.has(XorMappedAddress)
    assert len(response.data) < 548


@pytest.mark.requirement("stun-turn:TURN-MOB-01")
def test_a_retransmitted_allocate_request_is_given_the_same_ticket() -> None:
    client = Client(Relay(OFFERING))
    request = client.request(Method.ALLOCATE, UDP_REQUEST, MobilityTicket())

    first, second = client.answer(request), client.answer(request)

    assert ticket_of(first) == ticket_of(second)


def test_who_asks_for_no_ticket_gets_none() -> None:
    client = Client(Relay(OFFERING))

    assert not client.ask(Method.ALLOCATE, UDP_REQUEST).has(MobilityTicket)
    assert not client.refresh().has(MobilityTicket)


@pytest.mark.parametrize(
    ("settings", "ticket", "expected"),
    [
        pytest.param(REFUSING, b"", 405, id="forbidden"),
        pytest.param(REFUSING, b"x", 400, id="forbidden-and-not-empty"),
        pytest.param(OFFERING, b"x", 400, id="not-empty"),
        pytest.param(config(), b"", 0, id="not-supported"),
        pytest.param(config(), b"x", 0, id="not-supported-and-not-empty"),
    ],
)
@pytest.mark.requirement("stun-turn:TURN-MOB-02")
def test_an_allocate_request_with_a_ticket_is_held_against_the_policy(
    settings: ServerConfig, ticket: bytes, expected: int
) -> None:
    relay = Relay(settings)

    response = Client(relay).ask(Method.ALLOCATE, UDP_REQUEST, MobilityTicket(ticket))

    assert code(response) == expected
    assert not response.has(MobilityTicket)
    assert len(relay.server.allocations(0.0)) == (expected == 0)


@pytest.mark.parametrize(
    ("settings", "expected"), [(REFUSING, 405), (config(), 437)], ids=["405", "ignored"]
)
@pytest.mark.requirement("stun-turn:TURN-MOB-02")
def test_a_refresh_with_a_ticket_meets_a_server_without_mobility(
    settings: ServerConfig, expected: int
) -> None:
    client = Client(Relay(settings))

    assert code(client.ask(Method.REFRESH, MobilityTicket(bytes(32)))) == expected


@pytest.mark.requirement("stun-turn:TURN-MOB-03", "stun-turn:TURN-GEN-03")
def test_a_refresh_with_the_ticket_moves_the_allocation_to_a_new_5_tuple() -> None:
    roamer = bound(Roamer())
    first_ticket = roamer.ticket

    client = roamer.resume(2000, Lifetime(1200))

    assert roamer.ticket != first_ticket
    assert data(client) == [b"out"]
    assert roamer.receives_at() == [client.path]
    (snapshot,) = roamer.relay.server.allocations(0.0)
    assert (snapshot.relayed, snapshot.client) == (roamer.relayed, client.path)
    assert snapshot.time_to_expiry == 1200.0
    assert snapshot.channels == {CHANNEL: PEER}


@pytest.mark.requirement("stun-turn:TURN-MOB-03")
def test_a_move_can_go_on_to_a_third_5_tuple_and_back() -> None:
    roamer = bound(Roamer())
    for port in (2000, 3000, 1000):
        client = roamer.resume(port)
        data(client)

        assert roamer.receives_at() == [client.path]


@pytest.mark.requirement("stun-turn:TURN-MOB-03")
def test_the_data_plane_is_told_of_the_new_5_tuple_alone() -> None:
    roamer = bound(Roamer())
    assert {client for client, _ in roamer.relay.table.entries} == {roamer.client.path}

    client = roamer.resume(2000)
    assert {path for path, _ in roamer.relay.table.entries} == {roamer.client.path}
    data(client)

    entries = roamer.relay.table.entries
    assert list(entries) == [(client.path, CHANNEL)]
    assert entries[client.path, CHANNEL].relayed == roamer.relayed


@pytest.mark.requirement("stun-turn:TURN-MOB-03")
def test_a_neighbour_on_the_same_relay_follows_the_move() -> None:
    roamer = Roamer()
    neighbour = client_on(roamer.relay, 5000, username="bob")
    relayed = neighbour.allocate()
    roamer.client.bind(CHANNEL, relayed)
    neighbour.bind(CHANNEL + 1, roamer.relayed)

    client = roamer.resume(2000)
    client.indicate()  # malformed, and data on the new 5-tuple all the same

    entry = roamer.relay.table.entries[neighbour.path, CHANNEL + 1]
    assert entry.switched_to is not None
    assert entry.switched_to.client == client.path


@pytest.mark.requirement("stun-turn:TURN-MOB-04")
def test_a_refresh_with_the_ticket_on_the_same_5_tuple_is_400() -> None:
    roamer = Roamer()

    assert code(roamer.client.ask(Method.REFRESH, MobilityTicket(roamer.ticket))) == 400
    client = roamer.resume(2000)
    assert code(client.ask(Method.REFRESH, MobilityTicket(roamer.ticket))) == 400


def flipped(ticket: bytes) -> bytes:
    return bytes([ticket[0] ^ 1]) + ticket[1:]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(flipped, id="bit-flipped"),
        pytest.param(lambda ticket: ticket[:-1], id="truncated"),
        pytest.param(lambda ticket: ticket + b"\0", id="longer"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: bytes(1000), id="zeros"),
    ],
)
@pytest.mark.requirement("stun-turn:TURN-MOB-05", "stun-turn:TURN-MOB-08")
def test_what_is_no_ticket_is_400(change: Callable[[bytes], bytes]) -> None:
    roamer = Roamer()

    response = roamer.at(2000).ask(Method.REFRESH, MobilityTicket(change(roamer.ticket)))

    assert code(response) == 400
    assert response.has_integrity


@pytest.mark.requirement("stun-turn:TURN-MOB-05")
def test_the_ticket_of_an_allocation_that_is_gone_is_437() -> None:
    roamer = Roamer()
    roamer.client.refresh(0)

    assert code(roamer.at(2000).ask(Method.REFRESH, MobilityTicket(roamer.ticket))) == 437


@pytest.mark.requirement("stun-turn:TURN-MOB-05")
def test_another_user_with_the_ticket_is_441_and_moves_nothing() -> None:
    roamer = bound(Roamer())
    thief = roamer.at(2000, username="bob")

    response = thief.ask(Method.REFRESH, MobilityTicket(roamer.ticket))

    assert code(response) == 441
    assert data(thief) == []
    assert roamer.receives_at() == [roamer.client.path]


def test_a_stranger_with_the_ticket_is_401() -> None:
    roamer = Roamer()

    response = roamer.at(2000).bare(Method.REFRESH, MobilityTicket(roamer.ticket))

    assert code(response) == 401


@pytest.mark.requirement("stun-turn:TURN-MOB-06")
def test_the_old_5_tuple_serves_until_data_comes_on_the_new_one() -> None:
    roamer = bound(Roamer())
    client = roamer.resume(2000)

    assert data(roamer.client, b"old") == [b"old"]
    assert roamer.receives_at() == [roamer.client.path]
    assert code(client.permit(PEER)) == 0  # a request is no data
    assert roamer.receives_at() == [roamer.client.path]
    assert code(roamer.client.refresh()) == 0

    assert data(client, b"new") == [b"new"]

    assert roamer.receives_at() == [client.path]
    assert data(roamer.client, b"old") == []
    assert code(roamer.client.refresh()) == 437


@pytest.mark.requirement("stun-turn:TURN-MOB-06")
def test_a_send_indication_on_the_new_5_tuple_ends_the_old_one_too() -> None:
    roamer = Roamer()
    roamer.client.permit(PEER)
    client = roamer.resume(2000)

    assert client.send_to(PEER, b"new")

    assert roamer.receives_at() == [client.path]


@pytest.mark.requirement("stun-turn:TURN-MOB-06")
def test_a_second_move_before_any_data_forgets_the_first() -> None:
    roamer = bound(Roamer())
    abandoned = roamer.resume(2000)

    client = roamer.resume(3000)

    assert code(abandoned.refresh()) == 437
    assert roamer.receives_at() == [roamer.client.path]
    assert data(client) == [b"out"]


@pytest.mark.requirement("stun-turn:TURN-MOB-07")
def test_a_retransmitted_refresh_is_answered_again_for_30_seconds() -> None:
    roamer = Roamer()
    client = roamer.at(2000)
    request = client.request(Method.REFRESH, MobilityTicket(roamer.ticket))
    first = client.answer(request)

    roamer.relay.run_until(OLD_TICKET_LIFETIME - 0.1)
    again = client.answer(request)
    roamer.relay.run_until(OLD_TICKET_LIFETIME)
    late = client.answer(request)

    assert ticket_of(again) == ticket_of(first)
    lifetime = again.get(Lifetime)
    assert lifetime is not None
    assert lifetime.lifetime == 571
    assert code(late) == 400


@pytest.mark.requirement("stun-turn:TURN-MOB-07")
def test_an_old_ticket_moves_nothing() -> None:
    roamer = Roamer()
    old_ticket = roamer.ticket
    client = roamer.resume(2000)

    for other in (client, roamer.at(3000)):
        assert code(other.ask(Method.REFRESH, MobilityTicket(old_ticket))) == 400


@pytest.mark.requirement("stun-turn:TURN-MOB-07")
def test_a_retransmission_by_another_user_is_not_answered_with_the_ticket() -> None:
    roamer = Roamer()
    client = roamer.at(2000)
    transaction_id = b"transaction!"
    asked = (Method.REFRESH, MobilityTicket(roamer.ticket))
    client.answer(client.request(*asked, transaction_id=transaction_id))
    thief = roamer.at(2000, username="bob")

    response = thief.answer(thief.request(*asked, transaction_id=transaction_id))

    assert code(response) == 441


@pytest.mark.requirement("stun-turn:TURN-MOB-09", "stun-turn:SEC-16")
def test_moves_count_no_quota_twice() -> None:
    settings = dataclasses.replace(OFFERING, quota_per_id=1)
    username, password = make_credentials(SECRET, "carol", int(WALL_CLOCK + 600))
    relay = Relay(settings)
    client = client_on(relay, 1000, username=username, password=password)
    ticket = ticket_of(client.ask(Method.ALLOCATE, UDP_REQUEST, MobilityTicket()))
    for port in (2000, 3000):
        client = client_on(relay, port, username=username, password=password)
        ticket = ticket_of(client.ask(Method.REFRESH, MobilityTicket(ticket)))
        client.indicate()
    other = client_on(relay, 4000, username=username, password=password)
    assert code(other.ask(Method.ALLOCATE, UDP_REQUEST)) == 486

    client.refresh(0)

    assert code(other.ask(Method.ALLOCATE, UDP_REQUEST)) == 0


@pytest.mark.requirement("stun-turn:TURN-MOB-09")
def test_a_flood_of_moves_is_refused_and_leaves_no_5_tuples_behind() -> None:
    roamer = Roamer()
    clients = [roamer.resume(2000 + number) for number in range(int(RESUME_BURST))]

    refused = roamer.at(5000).ask(Method.REFRESH, MobilityTicket(roamer.ticket))

    assert code(refused) == 508
    known = [each for each in (roamer.client, *clients) if code(each.refresh()) != 437]
    assert known == [roamer.client, clients[-1]]
    roamer.relay.run_until(1 / RESUME_RATE)
    roamer.resume(5000)


@pytest.mark.requirement("stun-turn:TURN-MOB-09")
def test_an_allocation_that_has_moved_ends_as_a_whole() -> None:
    roamer = bound(Roamer())
    client = roamer.resume(2000)

    assert code(client.refresh(0)) == 0

    assert roamer.relay.released == [roamer.relayed]
    assert roamer.relay.table.entries == {}
    assert roamer.relay.server.next_timeout() is None
    assert [code(each.refresh()) for each in (client, roamer.client)] == [437, 437]


def test_a_refresh_with_the_ticket_can_delete_the_allocation() -> None:
    roamer = Roamer()

    response = roamer.at(2000).ask(Method.REFRESH, MobilityTicket(roamer.ticket), Lifetime(0))

    assert response.get(Lifetime) == Lifetime(0)
    assert not response.has(MobilityTicket)
    assert roamer.relay.released == [roamer.relayed]


def test_a_refresh_that_is_refused_moves_nothing() -> None:
    roamer = Roamer()
    client = roamer.at(2000)

    response = client.ask(
        Method.REFRESH, MobilityTicket(roamer.ticket), RequestedAddressFamily(0x02)
    )

    assert code(response) == 443
    assert code(client.refresh()) == 437


def test_a_5_tuple_with_an_allocation_of_its_own_takes_no_other() -> None:
    roamer = Roamer()
    client = roamer.at(2000)
    client.allocate()

    assert code(client.ask(Method.REFRESH, MobilityTicket(roamer.ticket))) == 437


def test_a_5_tuple_that_waits_for_an_allocation_takes_no_other() -> None:
    roamer = Roamer()
    client = roamer.at(2000)
    client.fetch_nonce()
    roamer.relay.opens = False
    assert client.send(client.request(Method.ALLOCATE, UDP_REQUEST)) == []

    assert code(client.ask(Method.REFRESH, MobilityTicket(roamer.ticket))) == 437


def test_a_5_tuple_that_an_allocation_moves_to_can_make_no_other() -> None:
    roamer = Roamer()
    client = roamer.resume(2000)

    assert code(client.ask(Method.ALLOCATE, UDP_REQUEST)) == 437


def test_a_tunneled_client_does_not_move() -> None:
    roamer = Roamer()
    remote = TransportAddress.parse("2002::1", 2000)
    client = Client(roamer.relay, Path(TransportProtocol.UDP, LISTENING, remote))

    assert code(client.ask(Method.REFRESH, MobilityTicket(roamer.ticket))) == 403


def test_a_credential_that_has_expired_moves_a_live_allocation_within_its_session_life() -> None:
    username, password = make_credentials(SECRET, "carol", int(WALL_CLOCK + 300))
    relay = Relay(dataclasses.replace(OFFERING, max_session_life=500.0))
    client = client_on(relay, 1000, username=username, password=password)
    ticket = ticket_of(client.ask(Method.ALLOCATE, UDP_REQUEST, MobilityTicket()))
    relay.run_until(400.0)
    client = client_on(relay, 2000, username=username, password=password)
    ticket = ticket_of(client.ask(Method.REFRESH, MobilityTicket(ticket)))

    relay.run_until(500.0)

    client = client_on(relay, 3000, username=username, password=password)
    assert code(client.ask(Method.REFRESH, MobilityTicket(ticket))) == 401


def test_an_allocation_outlives_its_stream_for_a_minute() -> None:
    roamer = bound(Roamer(transport=STREAM))

    roamer.loses_stream(roamer.client)

    assert roamer.relay.released == []
    assert roamer.relay.table.entries == {}
    roamer.relay.run_until(DETACHED_LIFETIME)
    assert roamer.relay.released == [roamer.relayed]
    ended = roamer.relay.events[-1]
    assert isinstance(ended, AllocationEnded)
    assert ended.reason is AllocationEnd.EXPIRED


def test_a_client_whose_stream_broke_takes_its_allocation_to_the_next_one_at_once() -> None:
    roamer = bound(Roamer(transport=STREAM))
    roamer.loses_stream(roamer.client)
    roamer.relay.run_until(DETACHED_LIFETIME - 1)

    client = roamer.resume(2000)

    assert roamer.receives_at() == [client.path]
    assert list(roamer.relay.table.entries) == [(client.path, CHANNEL)]
    (snapshot,) = roamer.relay.server.allocations(roamer.relay.now)
    assert snapshot.time_to_expiry == 600.0


@pytest.mark.requirement("stun-turn:TURN-MOB-05")
def test_a_new_stream_at_the_port_of_one_that_broke_is_nobodys() -> None:
    roamer = bound(Roamer(transport=STREAM))
    roamer.loses_stream(roamer.client)

    stranger = roamer.at(roamer.port, username="bob")

    assert data(stranger) == []
    assert roamer.relay.server.stats().drops[DropReason.NO_ALLOCATION] == 1
    assert stranger.path not in roamer.receives_at()
    assert stranger.allocate() != roamer.relayed


def test_the_same_port_can_resume_once_its_stream_broke() -> None:
    roamer = bound(Roamer(transport=STREAM))
    roamer.loses_stream(roamer.client)

    client = roamer.resume(roamer.port)

    assert roamer.receives_at() == [client.path]


@pytest.mark.requirement("stun-turn:TURN-MOB-06")
def test_the_end_of_the_old_stream_completes_the_move() -> None:
    roamer = bound(Roamer(transport=STREAM))
    client = roamer.resume(2000)
    assert roamer.receives_at() == [roamer.client.path]

    roamer.loses_stream(roamer.client)

    assert roamer.receives_at() == [client.path]


def test_the_end_of_the_new_stream_leaves_the_old_one() -> None:
    roamer = bound(Roamer(transport=STREAM))
    client = roamer.resume(2000)

    roamer.loses_stream(client)

    assert roamer.receives_at() == [roamer.client.path]
    client = roamer.resume(3000)
    data(client)
    assert roamer.receives_at() == [client.path]


def test_an_old_stream_that_ends_after_the_move_takes_nothing_along() -> None:
    roamer = bound(Roamer(transport=STREAM))
    client = roamer.resume(2000)
    data(client)

    roamer.loses_stream(roamer.client)

    assert roamer.receives_at() == [client.path]


def test_a_configuration_that_cannot_work_is_refused() -> None:
    with pytest.raises(ValueError, match="offered or refused"):
        dataclasses.replace(OFFERING, refuses_mobility=True)
    with pytest.raises(ValueError, match="32 bytes"):
        dataclasses.replace(OFFERING, ticket_key=bytes(16))


def test_servers_with_one_key_know_each_others_tickets() -> None:
    """That the allocation is elsewhere is 437; what no server has made is 400."""
    settings = dataclasses.replace(OFFERING, ticket_key=bytes(range(32)))
    roamer = Roamer(Relay(settings))

    response = Client(Relay(settings)).ask(Method.REFRESH, MobilityTicket(roamer.ticket))

    assert code(response) == 437


def test_an_allocation_of_tcp_moves_to_streams_alone() -> None:
    """RFC 6062 section 4.1: its control connection is one of TCP or TLS."""
    relay = Relay(dataclasses.replace(OFFERING, tcp_relay=True))
    old, new = (client_on(relay, port, transport=STREAM) for port in (1000, 2000))
    for client in (old, new):
        relay.server.connected(client.path, relay.now)
    asked = RequestedTransport(IpProtocol.TCP), MobilityTicket()
    ticket = MobilityTicket(ticket_of(old.ask(Method.ALLOCATE, *asked)))

    assert code(client_on(relay, 2000).ask(Method.REFRESH, ticket)) == 400
    assert ticket_of(new.ask(Method.REFRESH, ticket))
