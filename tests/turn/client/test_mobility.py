"""Taking the allocation to another address (RFC 8016), from a scripted server."""

from __future__ import annotations

import pytest

from stun import (
    AnyAttribute,
    Data,
    Lifetime,
    MessageClass,
    Method,
    MobilityTicket,
    XorMappedAddress,
    XorPeerAddress,
    XorRelayedAddress,
)
from transport import CloseRequested, ConnectRequested, Path, TransportAddress, TransportProtocol
from turn.client import (
    Allocated,
    AllocationLost,
    ClientConfig,
    ClientState,
    ClientStateError,
    DataReceived,
    FailureReason,
    Moved,
    MoveFailed,
    ServerMemory,
)

from .script import (
    HERE,
    MAPPED,
    PATH,
    PEER,
    RELAYED,
    SERVER,
    Script,
    Sent,
    ip,
)

THERE = TransportAddress.parse("198.51.100.99", 4001)
NEW_PATH = Path(TransportProtocol.UDP, THERE, SERVER)
ANYWHERE = TransportAddress.parse("0.0.0.0", 0)
MOBILE = ClientConfig(mobility=True)
FIRST, SECOND, THIRD = (MobilityTicket(each) for each in (b"first", b"second", b"third"))


def granted(*attributes: AnyAttribute) -> tuple[AnyAttribute, ...]:
    return (XorRelayedAddress(RELAYED), XorMappedAddress(MAPPED), Lifetime(600), *attributes)


def allocated(path: Path = PATH, *, ticket: MobilityTicket | None = FIRST) -> Script:
    """A script whose client may move."""
    script = Script(path, config=MOBILE)
    script.allocate()
    if path.transport.is_reliable:
        script.client.connected(Path(path.transport, HERE, SERVER), script.now)
        script.drain()
    script.challenge(script.take_one())
    script.succeed(script.take_one(), *granted(*(() if ticket is None else (ticket,))))
    assert script.events_of(Allocated)
    return script


def move(script: Script, path: Path = NEW_PATH) -> None:
    script.client.move(path, script.now)
    script.drain()


def ticket_of(request: Sent) -> MobilityTicket | None:
    return request.message.get(MobilityTicket)


def moved(script: Script, path: Path = NEW_PATH, *, ticket: MobilityTicket = SECOND) -> Script:
    """The script with its client on another path."""
    move(script, path)
    script.succeed(script.take_one(), Lifetime(600), ticket)
    assert script.events_of(Moved)
    return script


@pytest.mark.requirement("stun-turn:TURNC-MOB-01")
def test_an_allocate_request_asks_for_a_ticket_where_that_is_wanted() -> None:
    for config, expected in ((MOBILE, MobilityTicket()), (ClientConfig(), None)):
        script = Script(config=config)
        script.allocate()

        assert ticket_of(script.take_one()) == expected


@pytest.mark.requirement("stun-turn:TURNC-MOB-02")
def test_a_move_is_a_refresh_with_the_ticket_on_the_new_path() -> None:
    script = allocated()

    move(script)

    request = script.take_one()
    assert (request.method, request.path, ticket_of(request)) == (Method.REFRESH, NEW_PATH, FIRST)
    assert script.client.path == PATH


@pytest.mark.requirement("stun-turn:TURNC-MOB-02")
def test_a_refresh_where_we_are_has_no_ticket() -> None:
    script = allocated()

    script.advance(510.0)

    request = script.take_one()
    assert (request.method, ticket_of(request)) == (Method.REFRESH, None)


@pytest.mark.requirement("stun-turn:TURNC-MOB-03")
def test_the_newest_ticket_moves_the_allocation() -> None:
    script = moved(allocated())
    script.advance(10.0)
    script.take()

    move(script, PATH)

    assert ticket_of(script.take_one()) == SECOND


@pytest.mark.requirement("stun-turn:TURNC-MOB-03")
def test_data_goes_the_old_way_until_the_server_has_confirmed_the_new_one() -> None:
    script = allocated()
    script.get_permission(PEER.ip)
    move(script)
    request = script.take_one()

    assert script.send(PEER, b"before")
    assert script.take_one().path == PATH
    script.succeed(request, Lifetime(600), SECOND)
    script.take()
    assert script.send(PEER, b"after")

    assert script.take_one().path == NEW_PATH
    assert script.events_of(Moved) == [Moved(NEW_PATH)]
    assert script.client.path == NEW_PATH


@pytest.mark.requirement("stun-turn:TURNC-MOB-03")
def test_requests_go_the_old_way_until_then_and_what_is_open_is_asked_again() -> None:
    script = allocated()
    move(script)
    refresh = script.take_one()
    script.permit(ip(1))
    unanswered = script.take_one()
    assert unanswered.path == PATH

    script.succeed(refresh, Lifetime(600), SECOND)

    again = [each for each in script.take() if each.method == Method.CREATE_PERMISSION]
    assert [each.path for each in again] == [NEW_PATH]
    assert again[0].message.transaction_id != unanswered.message.transaction_id
    script.succeed(again[0])
    assert script.client.has_permission(ip(1))


def test_the_server_is_told_to_use_the_new_path_by_data_for_nobody() -> None:
    """It goes on sending to the old one until data comes; what is sent may be lost."""
    script = allocated()
    move(script)
    script.succeed(script.take_one(), Lifetime(600), SECOND)

    script.advance(100.0)

    sent = script.take()
    assert [(each.at, each.path, each.method) for each in sent] == [
        (at, NEW_PATH, Method.SEND) for at in (0.0, 0.5, 1.5)
    ]
    assert all(each.message.message_class is MessageClass.INDICATION for each in sent)
    assert all(each.message.get(Data) == Data(b"") for each in sent)
    nobody = TransportAddress.parse("0.0.0.0", 9)
    assert all(each.message.get(XorPeerAddress) == XorPeerAddress(nobody) for each in sent)


def test_what_the_server_still_sends_on_the_old_path_is_received() -> None:
    script = allocated()
    script.get_permission(PEER.ip)
    channel = script.get_channel().to_bytes(2, "big")
    moved(script)

    for path in (PATH, NEW_PATH):
        script.receive(channel + b"\0\4data", path)

    assert script.events_of(DataReceived) == [DataReceived(PEER, b"data")] * 2


def test_a_nonce_that_is_bound_to_the_old_address_costs_a_round_trip() -> None:
    script = allocated()
    move(script)

    script.challenge(script.take_one(), code=438, nonce="nonce-1")

    again = script.take_one()
    assert (again.path, again.nonce, ticket_of(again)) == (NEW_PATH, "nonce-1", FIRST)
    script.succeed(again, Lifetime(600), SECOND)
    assert script.events_of(Moved) == [Moved(NEW_PATH)]


def test_the_allocation_is_refreshed_on_the_new_path() -> None:
    script = allocated()
    script.advance(100.0)
    moved(script)
    script.take()

    script.advance(100.0 + 510.0)

    refresh = [each for each in script.take() if each.method == Method.REFRESH]
    assert [(each.at, each.path, ticket_of(each)) for each in refresh] == [(610.0, NEW_PATH, None)]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (400, FailureReason.REFUSED),
        (441, FailureReason.UNAUTHENTICATED),
        (508, FailureReason.REFUSED),
    ],
)
def test_a_move_that_fails_leaves_all_as_it_was(code: int, reason: FailureReason) -> None:
    script = allocated()
    script.get_permission(PEER.ip)
    move(script)

    script.fail(script.take_one(), code)

    assert script.events_of(MoveFailed) == [MoveFailed(code, reason, "Because")]
    assert script.client.state is ClientState.ALLOCATED
    assert script.send(PEER, b"still")
    assert script.take_one().path == PATH
    move(script)
    assert ticket_of(script.take_one()) == FIRST


def test_a_move_that_nobody_answers_fails() -> None:
    script = allocated()
    move(script)

    script.advance(39.5)

    assert script.events_of(MoveFailed) == [MoveFailed(None, FailureReason.TIMED_OUT)]
    assert script.client.path == PATH


def test_an_allocation_that_is_gone_is_lost() -> None:
    script = allocated()
    move(script)

    script.fail(script.take_one(), 437)

    assert script.events_of(AllocationLost) == [AllocationLost(FailureReason.MISMATCH, 437)]


@pytest.mark.requirement("stun-turn:TURNC-MOB-04")
def test_405_to_an_allocate_request_is_met_with_one_without_a_ticket() -> None:
    memory = ServerMemory()
    script = Script(config=MOBILE, memory=memory)
    script.allocate()
    script.challenge(script.take_one())

    script.fail(script.take_one(), 405)

    again = script.take_one()
    assert (again.method, ticket_of(again)) == (Method.ALLOCATE, None)
    script.grant(again)
    assert script.events_of(Allocated)
    other = Script(config=MOBILE, memory=memory)
    other.allocate()
    assert ticket_of(other.take_one()) is None


@pytest.mark.requirement("stun-turn:TURNC-MOB-04")
def test_405_to_a_move_is_the_last_one() -> None:
    script = allocated()
    move(script)

    script.fail(script.take_one(), 405)

    assert script.events_of(MoveFailed) == [MoveFailed(405, FailureReason.REFUSED, "Because")]
    with pytest.raises(ClientStateError):
        move(script)


def test_there_is_no_move_without_a_ticket() -> None:
    for script in (
        Script(config=MOBILE),
        allocated(ticket=None),
        allocated(ticket=MobilityTicket()),
    ):
        with pytest.raises(ClientStateError, match="no ticket"):
            move(script)


def test_there_is_one_move_at_a_time() -> None:
    script = allocated()
    move(script)

    with pytest.raises(ClientStateError, match="under way"):
        move(script, Path(TransportProtocol.UDP, HERE, TransportAddress(ip(9), 3478)))


def test_a_move_leads_elsewhere() -> None:
    script = allocated()

    with pytest.raises(ValueError, match="another path"):
        move(script, PATH)
    assert script.take() == []


UNCONNECTED = Path(TransportProtocol.TCP, ANYWHERE, SERVER)
OLD_STREAM = Path(TransportProtocol.TCP, HERE, SERVER)
NEW_STREAM = Path(TransportProtocol.TCP, THERE, SERVER)


def reconnecting() -> Script:
    """The stream of the client has broken."""
    script = allocated(UNCONNECTED)
    script.client.disconnected(OLD_STREAM, "reset", script.now)
    script.events.clear()
    script.drain()
    return script


def connect(script: Script, path: Path = NEW_STREAM) -> None:
    script.client.connected(path, script.now)
    script.drain()


def test_a_stream_that_breaks_is_opened_again_and_the_allocation_moves_there() -> None:
    script = reconnecting()
    assert script.events == [(0.0, ConnectRequested(TransportProtocol.TCP, SERVER, None))]

    connect(script)
    request = script.take_one()
    script.succeed(request, Lifetime(600), SECOND)

    assert (request.path, ticket_of(request)) == (NEW_STREAM, FIRST)
    assert script.events_of(Moved) == [Moved(NEW_STREAM)]
    assert [(each.path, each.method) for each in script.take()] == [(NEW_STREAM, Method.SEND)]
    assert script.events_of(CloseRequested) == []


def test_a_broken_stream_that_cannot_be_opened_again_loses_the_allocation() -> None:
    script = reconnecting()

    script.client.disconnected(UNCONNECTED, "refused", script.now)
    script.drain()

    assert script.events_of(AllocationLost) == [AllocationLost(FailureReason.UNREACHABLE)]


def test_a_move_that_is_refused_on_a_new_stream_loses_what_had_no_other() -> None:
    script = reconnecting()
    connect(script)

    script.fail(script.take_one(), 400)

    assert script.events_of(AllocationLost) == [AllocationLost(FailureReason.REFUSED, 400)]


def test_without_a_ticket_a_broken_stream_loses_the_allocation() -> None:
    script = allocated(UNCONNECTED, ticket=None)

    script.client.disconnected(OLD_STREAM, "reset", script.now)
    script.drain()

    assert script.events_of(AllocationLost) == [AllocationLost(FailureReason.UNREACHABLE)]


def test_a_move_to_another_stream_closes_the_old_one_when_it_is_confirmed() -> None:
    script = allocated(UNCONNECTED)
    move(script, UNCONNECTED)
    connect(script)
    assert script.events_of(CloseRequested) == []

    script.succeed(script.take_one(), Lifetime(600), SECOND)

    assert script.events_of(CloseRequested) == [CloseRequested(OLD_STREAM)]
    script.client.disconnected(OLD_STREAM, "closed", script.now)
    script.drain()
    assert script.client.state is ClientState.ALLOCATED


def test_a_new_stream_that_breaks_leaves_the_old_one() -> None:
    script = allocated(UNCONNECTED)
    move(script, UNCONNECTED)
    connect(script)
    script.take()

    script.client.disconnected(NEW_STREAM, "reset", script.now)
    script.drain()

    assert script.events_of(MoveFailed) == [MoveFailed(None, FailureReason.UNREACHABLE)]
    assert script.client.path == OLD_STREAM
    assert script.take() == []


def test_the_old_stream_may_break_while_the_new_one_is_opened() -> None:
    script = allocated(UNCONNECTED)
    move(script, UNCONNECTED)
    script.client.disconnected(OLD_STREAM, "reset", script.now)
    script.drain()

    connect(script)
    script.succeed(script.take_one(), Lifetime(600), SECOND)

    assert script.events_of(Moved) == [Moved(NEW_STREAM)]
    assert script.events_of(ConnectRequested)[1:] == [
        ConnectRequested(TransportProtocol.TCP, SERVER, None)
    ]


def test_a_stream_that_nobody_asked_for_is_closed() -> None:
    script = allocated(UNCONNECTED)

    connect(script)

    assert script.events_of(CloseRequested) == [CloseRequested(NEW_STREAM)]
