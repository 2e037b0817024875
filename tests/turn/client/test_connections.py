"""TCP allocations from the client's side (RFC 6062 section 4), with a scripted server."""

from __future__ import annotations

import pytest

from stun import (
    ConnectionId,
    DontFragment,
    EvenPort,
    IpProtocol,
    Lifetime,
    MessageClass,
    Method,
    RequestedTransport,
    ReservationToken,
    UnknownAttribute,
    XorPeerAddress,
    encode_message,
)
from transport import (
    CloseRequested,
    ConnectRequested,
    Path,
    TransportAddress,
    TransportProtocol,
)
from turn.client import (
    AllocationLost,
    ClientConfig,
    ClientStateError,
    DropReason,
    FailureReason,
    PeerConnected,
    PeerConnectFailed,
    PeerConnectionAttempted,
    PortWish,
    TurnClient,
)
from turn.client.limits import MAX_ATTEMPTS, MAX_CONNECTING, MAX_CONNECTS, MAX_RESTING_PEERS

from .script import HERE, PATH, PEER, SERVER, Script, Sent, peer

TLS = TransportProtocol.TLS
UNKNOWN = Path(TLS, TransportAddress.parse("0.0.0.0", 0), SERVER)
CONTROL = Path(TLS, HERE, SERVER)
CONFIG = ClientConfig(protocol=IpProtocol.TCP, server_name="relay.example")
ID = ConnectionId(0x01020304)


def data_path(number: int = 1) -> Path:
    return Path(TLS, TransportAddress(HERE.ip, HERE.port + number), SERVER)


def allocated() -> Script:
    """A client with a TCP allocation, and nothing in ``sent``."""
    script = Script(UNKNOWN, config=CONFIG)
    script.allocate()
    script.client.connected(CONTROL, script.now)
    script.drain()
    script.challenge(script.take_one())
    script.grant(script.take_one())
    return script


def connect(script: Script, to: TransportAddress = PEER) -> None:
    script.client.connect_peer(to, script.now)
    script.drain()


def accept(script: Script, attempt: int) -> None:
    script.client.accept_peer(attempt, script.now)
    script.drain()


def open_stream(script: Script, number: int = 1) -> Sent:
    """The stream that the client asked for is open; the first request on it."""
    script.client.connected(data_path(number), script.now)
    script.drain()
    return script.take_one()


def lose_stream(script: Script, path: Path) -> None:
    script.client.disconnected(path, "reset", script.now)
    script.drain()


def attempt(script: Script, *attributes: XorPeerAddress | ConnectionId | UnknownAttribute) -> None:
    script.receive(
        encode_message(Method.CONNECTION_ATTEMPT, MessageClass.INDICATION, bytes(12), attributes)
    )


def streams_asked_for(script: Script) -> int:
    """Beside that of the control connection."""
    return len(script.events_of(ConnectRequested)) - 1


def id_of(request: Sent) -> ConnectionId | None:
    return request.message.get(ConnectionId)


class TestAllocate:
    @pytest.mark.requirement("stun-turn:TURNC-TCP-01")
    def test_the_request_asks_for_tcp_and_for_nothing_of_udp(self) -> None:
        script = Script(UNKNOWN, config=CONFIG)
        script.allocate()
        script.client.connected(CONTROL, 0.0)
        script.drain()

        request = script.take_one().message

        assert request.get(RequestedTransport) == RequestedTransport(IpProtocol.TCP)
        assert not any(request.has(each) for each in (DontFragment, EvenPort, ReservationToken))

    @pytest.mark.requirement("stun-turn:TURNC-TCP-01")
    @pytest.mark.parametrize("transport", [TransportProtocol.UDP, TransportProtocol.DTLS])
    def test_it_is_for_clients_on_streams_alone(self, transport: TransportProtocol) -> None:
        path = Path(transport, HERE, SERVER)

        with pytest.raises(ValueError, match="over TCP and TLS"):
            TurnClient(path, username="a", password="b", random_bytes=bytes, config=CONFIG)

    @pytest.mark.requirement("stun-turn:TURNC-TCP-01")
    @pytest.mark.parametrize("wish", ["dont-fragment", "even", "token"])
    def test_what_is_of_udp_alone_cannot_be_wished(self, wish: str) -> None:
        with pytest.raises(ValueError, match="UDP alone"):
            ClientConfig(
                protocol=IpProtocol.TCP,
                dont_fragment=wish == "dont-fragment",
                port=PortWish.EVEN if wish == "even" else PortWish.ANY,
                reservation_token=bytes(8) if wish == "token" else None,
            )

    def test_a_tcp_allocation_has_no_channels_and_one_of_udp_no_connections(self) -> None:
        script, udp = allocated(), Script()
        udp.get_allocation()

        with pytest.raises(ClientStateError, match="not one of UDP"):
            script.bind()
        with pytest.raises(ClientStateError, match="not one of TCP"):
            connect(udp)
        with pytest.raises(ClientStateError, match="not one of TCP"):
            accept(udp, 1)


class TestConnect:
    @pytest.mark.requirement("stun-turn:TURNC-TCP-02")
    def test_a_connection_takes_a_connect_and_a_bind_on_a_stream_of_its_own(self) -> None:
        script = allocated()
        connect(script)
        request = script.take_one()
        assert (request.method, request.path, request.peers) == (Method.CONNECT, CONTROL, [PEER])

        script.succeed(request, ID)

        asked = script.events_of(ConnectRequested)[-1]
        assert asked == ConnectRequested(TLS, SERVER, "relay.example")
        first = open_stream(script)
        assert (first.method, first.path) == (Method.CONNECTION_BIND, data_path())
        assert first.nonce == request.nonce
        script.challenge(first, code=438, nonce="of the new stream")
        bind = script.take_one()
        assert (bind.path, bind.nonce, id_of(bind)) == (data_path(), "of the new stream", ID)
        assert bind.message.has_integrity
        script.succeed(bind)
        assert script.events_of(PeerConnected) == [PeerConnected(PEER, data_path())]

    def test_the_control_connection_keeps_its_nonce(self) -> None:
        script = allocated()
        before = script.nonce
        connect(script)
        script.succeed(script.take_one(), ID)
        script.challenge(open_stream(script), code=438, nonce="of the new stream")
        script.succeed(script.take_one())

        connect(script, peer(8))

        assert script.take_one().nonce == before

    @pytest.mark.requirement("stun-turn:TURNC-TCP-03")
    def test_a_second_connect_to_a_peer_waits_for_the_end_of_the_first(self) -> None:
        script = allocated()
        connect(script)

        with pytest.raises(ClientStateError, match="is being made"):
            connect(script)

        connect(script, peer(8))
        assert len(script.take()) == 2

    @pytest.mark.requirement("stun-turn:TURNC-TCP-03")
    def test_after_447_the_peer_is_left_alone_for_10_seconds(self) -> None:
        script = allocated()
        script.advance(5.0)
        connect(script)
        script.fail(script.take_one(), 447)
        failed = PeerConnectFailed(PEER, None, 447, FailureReason.REFUSED, "Because")
        assert script.events_of(PeerConnectFailed) == [failed]
        script.advance(6.0)

        connect(script)
        connect(script, peer(8))

        assert [each.peers for each in script.take()] == [[peer(8)]]
        script.advance(14.999)
        assert script.take() == []
        script.advance(15.0)
        assert [(each.at, each.peers) for each in script.take()] == [(15.0, [PEER])]

    def test_after_another_error_it_may_be_tried_at_once(self) -> None:
        script = allocated()
        connect(script)
        script.fail(script.take_one(), 403)

        connect(script)

        assert script.take_one().peers == [PEER]

    def test_the_pause_ends_by_itself(self) -> None:
        script = allocated()
        connect(script)
        script.fail(script.take_one(), 447)
        script.advance(10.0)

        connect(script)

        assert script.take_one().at == 10.0

    @pytest.mark.parametrize(
        "attributes",
        [(), (UnknownAttribute(ConnectionId.TYPE, b"\1"),)],
        ids=["no-id", "short-id"],
    )
    def test_a_success_without_an_id_is_of_no_use(
        self, attributes: tuple[UnknownAttribute, ...]
    ) -> None:
        script = allocated()
        connect(script)

        script.succeed(script.take_one(), *attributes)

        (failed,) = script.events_of(PeerConnectFailed)
        assert failed.reason is FailureReason.UNUSABLE_RESPONSE
        assert streams_asked_for(script) == 0

    def test_437_says_that_the_allocation_is_gone(self) -> None:
        script = allocated()
        connect(script)

        script.fail(script.take_one(), 437)

        assert script.events_of(AllocationLost) == [AllocationLost(FailureReason.MISMATCH, 437)]

    def test_a_stream_that_cannot_be_opened_fails_the_connection(self) -> None:
        script = allocated()
        connect(script)
        script.succeed(script.take_one(), ID)

        lose_stream(script, UNKNOWN)

        (failed,) = script.events_of(PeerConnectFailed)
        assert failed.reason is FailureReason.UNREACHABLE
        connect(script)
        assert script.take_one().method == Method.CONNECT

    def test_a_stream_that_breaks_before_it_is_bound_fails_the_connection(self) -> None:
        script = allocated()
        connect(script)
        script.succeed(script.take_one(), ID)
        open_stream(script)

        lose_stream(script, data_path())

        (failed,) = script.events_of(PeerConnectFailed)
        assert failed.reason is FailureReason.UNREACHABLE
        script.advance(100.0)
        assert len(script.events_of(PeerConnectFailed)) == 1

    def test_a_bind_that_is_refused_closes_its_stream(self) -> None:
        script = allocated()
        connect(script)
        script.succeed(script.take_one(), ID)

        script.fail(open_stream(script), 400)

        (failed,) = script.events_of(PeerConnectFailed)
        assert failed.code == 400
        assert script.events_of(CloseRequested) == [CloseRequested(data_path())]

    def test_several_connections_are_made_beside_each_other(self) -> None:
        script = allocated()
        connect(script, peer(1))
        connect(script, peer(2))
        first, second = script.take()
        script.succeed(second, ConnectionId(2))
        script.succeed(first, ConnectionId(1))

        binds = []
        for number in (1, 2):
            binds.append(open_stream(script, number))
        for bind in reversed(binds):
            script.succeed(bind)

        assert [id_of(each) for each in binds] == [ConnectionId(2), ConnectionId(1)]
        assert script.events_of(PeerConnected) == [
            PeerConnected(peer(1), data_path(2)),
            PeerConnected(peer(2), data_path(1)),
        ]

    def test_a_stream_that_nobody_asked_for_is_closed(self) -> None:
        script = allocated()

        script.client.connected(data_path(), 0.0)
        script.drain()

        assert script.events_of(CloseRequested) == [CloseRequested(data_path())]

    def test_a_peer_of_another_family_cannot_be_connected_to(self) -> None:
        with pytest.raises(ValueError, match="another family"):
            connect(allocated(), TransportAddress.parse("2001:db8::1", 1))

    def test_connects_under_way_leave_room_for_a_refresh(self) -> None:
        script = allocated()
        for number in range(MAX_CONNECTS + 2):
            connect(script, peer(number))
        requests = script.take()
        assert len(requests) == MAX_CONNECTS

        script.fail(requests[0], 403)

        assert script.take_one().peers == [peer(MAX_CONNECTS)]
        script.advance(510.0)
        assert Method.REFRESH in [each.method for each in script.take()]

    def test_connections_that_are_being_made_have_a_bound(self) -> None:
        script = allocated()
        for number in range(MAX_CONNECTING + 1):
            connect(script, TransportAddress(PEER.ip, 1000 + number))

        (failed,) = script.events_of(PeerConnectFailed)
        assert failed.reason is FailureReason.LIMIT_REACHED

    def test_peers_that_rest_have_a_bound(self) -> None:
        script = allocated()
        for number in range(MAX_RESTING_PEERS):
            connect(script, TransportAddress(PEER.ip, 1000 + number))
            script.fail(script.take_one(), 447)
        script.events.clear()

        connect(script)

        (failed,) = script.events_of(PeerConnectFailed)
        assert failed.reason is FailureReason.LIMIT_REACHED
        script.advance(10.0)
        connect(script)
        assert script.take_one().peers == [PEER]


class TestAttempt:
    @pytest.mark.requirement("stun-turn:TURNC-TCP-04")
    def test_an_attempt_that_is_accepted_is_bound_on_a_stream_of_its_own(self) -> None:
        script = allocated()
        attempt(script, XorPeerAddress(PEER), ID)
        told = PeerConnectionAttempted(PEER, ID.connection_id)
        assert script.events_of(PeerConnectionAttempted) == [told]
        assert streams_asked_for(script) == 0

        accept(script, told.attempt)

        assert streams_asked_for(script) == 1
        bind = open_stream(script)
        assert (bind.path, bind.method, id_of(bind)) == (data_path(), Method.CONNECTION_BIND, ID)
        script.succeed(bind)
        assert script.events_of(PeerConnected) == [PeerConnected(PEER, data_path(), told.attempt)]

    def test_it_is_accepted_once(self) -> None:
        script = allocated()
        attempt(script, XorPeerAddress(PEER), ID)
        accept(script, ID.connection_id)

        with pytest.raises(ClientStateError, match="no peer has attempted"):
            accept(script, ID.connection_id)

    def test_its_failure_names_it(self) -> None:
        script = allocated()
        attempt(script, XorPeerAddress(PEER), ID)
        accept(script, ID.connection_id)
        connect(script)
        script.take()

        lose_stream(script, UNKNOWN)

        (failed,) = script.events_of(PeerConnectFailed)
        assert failed.attempt == ID.connection_id
        with pytest.raises(ClientStateError):
            connect(script)

    @pytest.mark.parametrize(
        ("attributes", "reason"),
        [
            pytest.param((XorPeerAddress(PEER),), DropReason.INCOMPLETE_INDICATION, id="no-id"),
            pytest.param((ID,), DropReason.INCOMPLETE_INDICATION, id="no-peer"),
            pytest.param(
                (UnknownAttribute(XorPeerAddress.TYPE, b"\0"), ID),
                DropReason.MALFORMED,
                id="malformed",
            ),
        ],
    )
    def test_an_indication_that_lacks_something_is_dropped(
        self, attributes: tuple[XorPeerAddress | ConnectionId, ...], reason: DropReason
    ) -> None:
        script = allocated()

        attempt(script, *attributes)

        assert script.client.stats().drops == {reason: 1}
        assert script.events_of(PeerConnectionAttempted) == []

    def test_on_a_udp_allocation_it_is_unexpected_and_data_on_one_of_tcp(self) -> None:
        script, udp = allocated(), Script(PATH)
        udp.get_allocation()

        attempt(udp, XorPeerAddress(PEER), ID)
        script.indicate(PEER, b"data")

        assert udp.client.stats().drops == {DropReason.UNEXPECTED_MESSAGE: 1}
        assert script.client.stats().drops == {DropReason.UNEXPECTED_MESSAGE: 1}

    def test_an_attempt_that_is_told_again_is_the_same(self) -> None:
        script = allocated()
        for _ in range(2):
            attempt(script, XorPeerAddress(PEER), ID)

        assert len(script.events_of(PeerConnectionAttempted)) == 1
        assert script.client.stats().drops == {DropReason.REPEATED_ATTEMPT: 1}

    def test_attempts_that_nobody_accepts_have_a_bound(self) -> None:
        script = allocated()
        for number in range(MAX_ATTEMPTS + 1):
            attempt(script, XorPeerAddress(PEER), ConnectionId(number))

        with pytest.raises(ClientStateError):
            accept(script, 0)
        accept(script, 1)


@pytest.mark.requirement("stun-turn:TURNC-TCP-05")
def test_the_allocation_is_refreshed_on_the_control_connection_as_long_as_it_is_wanted() -> None:
    script = allocated()
    connect(script)
    script.succeed(script.take_one(), ID)
    script.succeed(open_stream(script))

    refreshes = []
    for _ in range(10):
        script.advance(script.now + 510.0)
        refresh = script.take_one()
        refreshes.append((refresh.method, refresh.path))
        script.succeed(refresh, Lifetime(600))

    assert refreshes == [(Method.REFRESH, CONTROL)] * 10


def test_the_end_of_a_data_stream_is_not_that_of_the_allocation() -> None:
    script = allocated()
    connect(script)
    script.succeed(script.take_one(), ID)
    open_stream(script)

    lose_stream(script, data_path())

    assert script.events_of(AllocationLost) == []
    lose_stream(script, CONTROL)
    assert script.events_of(AllocationLost) == [AllocationLost(FailureReason.UNREACHABLE)]


def test_a_response_on_another_stream_counts_for_nothing() -> None:
    script = allocated()
    connect(script)
    request = script.take_one()
    script.succeed(request, ID)
    first = open_stream(script)

    script.succeed(Sent(first.at, CONTROL, first.message))

    assert script.events_of(PeerConnected) == []
    script.succeed(first)
    assert script.events_of(PeerConnected) == [PeerConnected(PEER, data_path())]
