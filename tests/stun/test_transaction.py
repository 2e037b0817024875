from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from stun import (
    ClientTransaction,
    ErrorCode,
    IntegrityAlgorithm,
    IntegrityKey,
    Message,
    MessageClass,
    Method,
    ResponseReceived,
    ShortTermVerifier,
    TransactionFailed,
    TransactionFailure,
    TransactionTimedOut,
    UnknownAttribute,
    UnknownAttributes,
    XorMappedAddress,
    encode_message,
    short_term_key,
)
from stun.attributes import AnyAttribute
from transport import Event, Path, TransportAddress, TransportProtocol

LOCAL = TransportAddress.parse("192.0.2.10", 50000)
SERVER = TransportAddress.parse("192.0.2.1", 3478)
UDP = Path(TransportProtocol.UDP, LOCAL, SERVER)
TCP = Path(TransportProtocol.TCP, LOCAL, SERVER)
ID = bytes(range(12))
KEY = short_term_key("password")
REQUEST = encode_message(Method.BINDING, MessageClass.REQUEST, ID, [])
SCHEDULE = [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]


def response(
    message_class: MessageClass = MessageClass.SUCCESS,
    attributes: Sequence[AnyAttribute] = (XorMappedAddress(LOCAL),),
    *,
    method: int = Method.BINDING,
    transaction_id: bytes = ID,
    key: IntegrityKey | None = None,
    algorithm: IntegrityAlgorithm = IntegrityAlgorithm.SHA1,
    fingerprint: bool = False,
) -> bytes:
    return encode_message(
        method,
        message_class,
        transaction_id,
        attributes,
        key=key,
        algorithm=algorithm,
        fingerprint=fingerprint,
    )


def events(transaction: ClientTransaction) -> list[Event]:
    found = []
    while (event := transaction.poll_event()) is not None:
        found.append(event)
    return found


def run(transaction: ClientTransaction, *, until: float = 1000) -> list[tuple[float, bytes]]:
    """Let time pass; return when each datagram was sent."""
    sent: list[tuple[float, bytes]] = []
    now: float | None = 0.0
    while now is not None and now <= until:
        transaction.handle_timeout(now)
        while (transmit := transaction.poll_transmit()) is not None:
            assert transmit.path == transaction.path
            sent.extend((now, segment) for segment in transmit.segments)
        now = transaction.next_timeout()
    return sent


def started(path: Path = UDP, verifier: ShortTermVerifier | None = None) -> ClientTransaction:
    transaction = ClientTransaction(REQUEST, path, verifier=verifier)
    transaction.start(0)
    return transaction


@pytest.mark.requirement("stun-turn:STUNC-UDP-01")
@pytest.mark.requirement("stun-turn:STUNC-UDP-02")
@pytest.mark.requirement("stun-turn:STUNC-UDP-03")
@pytest.mark.requirement("stun-turn:STUNC-UDP-07")
def test_over_udp_the_same_bytes_go_out_seven_times_at_doubling_intervals() -> None:
    sent = run(started())

    assert [time for time, _ in sent] == SCHEDULE
    assert {data for _, data in sent} == {REQUEST}


@pytest.mark.requirement("stun-turn:STUNC-UDP-04")
def test_over_udp_a_silent_server_times_out_after_39_5_seconds() -> None:
    transaction = started()
    run(transaction, until=39.4)
    before = events(transaction), transaction.next_timeout()

    transaction.handle_timeout(39.5)

    assert before == ([], 39.5)
    assert events(transaction) == [TransactionTimedOut(ID)]
    assert transaction.next_timeout() is None
    assert not transaction.is_open


@pytest.mark.requirement("stun-turn:STUNC-UDP-03")
def test_rto_rc_and_rm_can_be_chosen() -> None:
    transaction = ClientTransaction(REQUEST, UDP, rto=0.25, rc=3, rm=4)
    transaction.start(0)

    sent = run(transaction, until=1.7)

    assert [time for time, _ in sent] == [0, 0.25, 0.75]
    assert transaction.next_timeout() == 1.75


@pytest.mark.requirement("stun-turn:STUNC-TCP-01")
@pytest.mark.requirement("stun-turn:STUNC-TCP-02")
@pytest.mark.parametrize("transport", [TransportProtocol.TCP, TransportProtocol.TLS])
def test_over_a_stream_one_copy_goes_out_and_times_out_after_39_5_seconds(
    transport: TransportProtocol,
) -> None:
    transaction = ClientTransaction(REQUEST, dataclasses.replace(UDP, transport=transport))
    transaction.start(0)

    sent = run(transaction, until=39)

    assert sent == [(0, REQUEST)]
    assert transaction.next_timeout() == 39.5
    transaction.handle_timeout(39.5)
    assert events(transaction) == [TransactionTimedOut(ID)]


def test_ti_can_be_chosen() -> None:
    transaction = ClientTransaction(REQUEST, TCP, ti=5)
    transaction.start(2)

    assert transaction.next_timeout() == 7


def test_over_dtls_requests_are_retransmitted() -> None:
    transaction = ClientTransaction(
        REQUEST, dataclasses.replace(UDP, transport=TransportProtocol.DTLS)
    )
    transaction.start(0)

    assert [time for time, _ in run(transaction)] == SCHEDULE


def test_a_timeout_that_is_called_early_does_nothing() -> None:
    transaction = started()
    transaction.poll_transmit()

    transaction.handle_timeout(0.499)

    assert transaction.poll_transmit() is None
    assert transaction.next_timeout() == 0.5


def test_a_driver_that_comes_late_shifts_the_schedule_without_a_burst() -> None:
    transaction = started()
    transaction.poll_transmit()

    transaction.handle_timeout(100)

    assert transaction.poll_transmit() is not None
    assert transaction.poll_transmit() is None
    assert transaction.next_timeout() == 101
    transaction.cancel_retransmissions()
    assert transaction.next_timeout() == 101 + 38


@pytest.mark.requirement("stun-turn:STUNC-UDP-12")
def test_the_response_ends_the_transaction() -> None:
    transaction = started()

    transaction.receive(response(), UDP, 0.125)

    [event] = events(transaction)
    assert isinstance(event, ResponseReceived)
    assert event.message.get(XorMappedAddress) == XorMappedAddress(LOCAL)
    assert (event.path, event.round_trip_time) == (UDP, 0.125)
    assert transaction.next_timeout() is None
    assert transaction.poll_transmit() is None


@pytest.mark.requirement("stun-turn:STUNC-UDP-05")
def test_a_retransmitted_request_gives_no_round_trip_time() -> None:
    transaction = started()
    transaction.handle_timeout(0.5)

    transaction.receive(response(), UDP, 0.6)

    [event] = events(transaction)
    assert isinstance(event, ResponseReceived)
    assert event.round_trip_time is None
    assert transaction.requests_sent == 2


@pytest.mark.requirement("stun-turn:STUNC-UDP-12")
def test_a_second_response_is_ignored() -> None:
    transaction = started()
    transaction.receive(response(), UDP, 0.1)
    events(transaction)

    transaction.receive(response(), UDP, 0.2)

    assert events(transaction) == []


@pytest.mark.requirement("stun-turn:STUNC-UDP-12")
@pytest.mark.requirement("stun-turn:STUNC-RX-08")
@pytest.mark.requirement("stun-turn:COD-HDR-11")
@pytest.mark.parametrize(
    ("data", "path"),
    [
        pytest.param(response(transaction_id=bytes(12)), UDP, id="another-transaction"),
        pytest.param(response(method=Method.ALLOCATE), UDP, id="another-method"),
        pytest.param(response(MessageClass.REQUEST), UDP, id="a-request"),
        pytest.param(response(MessageClass.INDICATION), UDP, id="an-indication"),
        pytest.param(response(), dataclasses.replace(UDP, remote=LOCAL), id="from-another-source"),
        pytest.param(response(), dataclasses.replace(UDP, local=SERVER), id="to-another-address"),
        pytest.param(response(), TCP, id="over-another-transport"),
        pytest.param(b"", UDP, id="empty"),
        pytest.param(b"junk" * 10, UDP, id="junk"),
        pytest.param(response()[:-4], UDP, id="truncated"),
        pytest.param(response() + bytes(4), UDP, id="too-long"),
        pytest.param(response(fingerprint=True)[:-1] + b"?", UDP, id="wrong-fingerprint"),
    ],
)
def test_what_is_not_the_response_does_not_disturb(data: bytes, path: Path) -> None:
    transaction = started()

    transaction.receive(data, path, 0.1)

    assert events(transaction) == []
    assert transaction.next_timeout() == 0.5
    transaction.receive(response(), UDP, 0.2)
    assert len(events(transaction)) == 1


@pytest.mark.requirement("stun-turn:STUNC-RX-07")
def test_an_error_response_is_a_response_with_all_it_says() -> None:
    transaction = started()
    unknown = UnknownAttributes((0x7F01, 0x7F02))

    transaction.receive(response(MessageClass.ERROR, [ErrorCode(420), unknown]), UDP, 0.1)

    [event] = events(transaction)
    assert isinstance(event, ResponseReceived)
    assert event.message.get(ErrorCode) == ErrorCode(420)
    assert event.message.get(UnknownAttributes) == unknown


@pytest.mark.requirement("stun-turn:STUNC-RX-01")
@pytest.mark.requirement("stun-turn:STUNC-RX-04")
@pytest.mark.parametrize("message_class", [MessageClass.SUCCESS, MessageClass.ERROR])
def test_a_response_with_an_unknown_required_attribute_fails_the_transaction(
    message_class: MessageClass,
) -> None:
    transaction = started()
    attributes: list[AnyAttribute] = [
        ErrorCode(400),
        UnknownAttribute(0x7FFE, b""),
        UnknownAttribute(0xFFFE, b""),
    ]

    transaction.receive(response(message_class, attributes), UDP, 0.1)

    failure = TransactionFailed(ID, TransactionFailure.UNKNOWN_ATTRIBUTES, (0x7FFE,))
    assert events(transaction) == [failure]
    assert transaction.next_timeout() is None


@pytest.mark.requirement("stun-turn:STUNC-RX-04")
@pytest.mark.requirement("stun-turn:COD-TXT-07")
@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param([], id="absent"),
        pytest.param([UnknownAttribute(ErrorCode.TYPE, bytes(4))], id="class-0"),
        pytest.param([UnknownAttribute(ErrorCode.TYPE, b"\0\0\7\0")], id="class-7"),
    ],
)
def test_an_error_response_without_a_legible_error_code_fails_the_transaction(
    attributes: list[AnyAttribute],
) -> None:
    transaction = started()

    transaction.receive(response(MessageClass.ERROR, attributes), UDP, 0.1)

    assert events(transaction) == [TransactionFailed(ID, TransactionFailure.NO_ERROR_CODE)]


@pytest.mark.requirement("stun-turn:STUNC-UDP-09")
def test_a_hard_icmp_error_fails_the_transaction_at_once() -> None:
    transaction = started()

    transaction.unreachable()
    transaction.unreachable()

    assert events(transaction) == [TransactionFailed(ID, TransactionFailure.UNREACHABLE)]
    assert transaction.poll_transmit() is None
    assert transaction.next_timeout() is None


def test_cancelled_retransmissions_stop_but_a_late_response_counts() -> None:
    transaction = started()
    transaction.poll_transmit()
    transaction.handle_timeout(0.5)

    transaction.cancel_retransmissions()

    assert run(transaction, until=39) == []
    assert transaction.next_timeout() == 39.5
    transaction.receive(response(), UDP, 39)
    assert isinstance(events(transaction)[0], ResponseReceived)


def test_cancelled_retransmissions_time_out_when_the_transaction_would_have() -> None:
    transaction = started()

    transaction.cancel_retransmissions()
    transaction.handle_timeout(39.5)

    assert events(transaction) == [TransactionTimedOut(ID)]


def test_cancelling_before_the_start_or_after_the_end_does_nothing() -> None:
    transaction = ClientTransaction(REQUEST, UDP)
    transaction.cancel_retransmissions()
    transaction.start(0)
    transaction.receive(response(), UDP, 0.1)

    transaction.cancel_retransmissions()

    assert transaction.next_timeout() is None


@pytest.mark.requirement("stun-turn:STUNC-STC-03")
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(response(), id="without-integrity"),
        pytest.param(response(key=short_term_key("another")), id="another-key"),
    ],
)
def test_over_udp_a_response_that_fails_integrity_is_as_if_never_received(data: bytes) -> None:
    transaction = started(verifier=ShortTermVerifier(KEY))
    transaction.receive(data, UDP, 0.1)

    sent = run(transaction, until=39)

    assert [time for time, _ in sent] == SCHEDULE
    assert events(transaction) == []
    transaction.receive(response(key=KEY), UDP, 39)
    assert isinstance(events(transaction)[0], ResponseReceived)


@pytest.mark.requirement("stun-turn:STUNC-STC-03")
def test_over_udp_the_end_says_that_integrity_was_violated_not_that_it_timed_out() -> None:
    transaction = started(verifier=ShortTermVerifier(KEY))
    transaction.receive(response(), UDP, 0.1)

    run(transaction)

    assert events(transaction) == [TransactionFailed(ID, TransactionFailure.INTEGRITY_VIOLATED)]


@pytest.mark.requirement("stun-turn:STUNC-STC-04")
def test_over_tcp_a_response_that_fails_integrity_ends_the_transaction() -> None:
    transaction = started(TCP, ShortTermVerifier(KEY))

    transaction.receive(response(), TCP, 0.1)

    assert events(transaction) == [TransactionFailed(ID, TransactionFailure.INTEGRITY_VIOLATED)]
    assert transaction.next_timeout() is None


@pytest.mark.requirement("stun-turn:STUNC-STC-02")
def test_a_response_with_the_other_algorithm_is_ignored() -> None:
    transaction = started(verifier=ShortTermVerifier(KEY))
    transaction.receive(response(key=KEY, algorithm=IntegrityAlgorithm.SHA256), UDP, 0.1)

    run(transaction)

    assert events(transaction) == [TransactionTimedOut(ID)]


def test_a_message_that_was_decoded_before_is_taken_too() -> None:
    transaction = started()

    transaction.receive_message(Message.decode(response()), UDP, 0.1)

    assert isinstance(events(transaction)[0], ResponseReceived)


def test_nothing_is_received_before_the_start() -> None:
    transaction = ClientTransaction(REQUEST, UDP)

    transaction.receive(response(), UDP, 0)
    transaction.receive_message(Message.decode(response()), UDP, 0)
    transaction.handle_timeout(0)

    assert events(transaction) == []
    assert transaction.next_timeout() is None


def test_a_transaction_starts_once() -> None:
    transaction = started()

    with pytest.raises(RuntimeError, match="once"):
        transaction.start(1)


@pytest.mark.requirement("stun-turn:STUNC-UDP-11")
@pytest.mark.parametrize(
    "message_class", [MessageClass.INDICATION, MessageClass.SUCCESS, MessageClass.ERROR]
)
def test_only_a_request_makes_a_transaction(message_class: MessageClass) -> None:
    with pytest.raises(ValueError, match="only a request"):
        ClientTransaction(response(message_class), UDP)


@pytest.mark.parametrize(
    ("rto", "rc", "rm", "ti"), [(0, 7, 16, 39.5), (1, 0, 16, 39.5), (1, 7, 0, 39.5), (1, 7, 16, 0)]
)
def test_numbers_that_make_no_schedule_are_refused(rto: float, rc: int, rm: int, ti: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        ClientTransaction(REQUEST, UDP, rto=rto, rc=rc, rm=rm, ti=ti)
