"""Requests to one server, over UDP."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import (
    AlternateDomain,
    AlternateServer,
    ErrorNumber,
    IntegrityAlgorithm,
    KeyAlgorithm,
    Lifetime,
    LongTermClient,
    MessageClass,
    Method,
    Nonce,
    Realm,
    ShortTermClient,
    Software,
    TransactionTiming,
    UnknownAttribute,
    UnknownAttributes,
    Username,
    XorMappedAddress,
    encode_message,
    long_term_key,
    short_term_key,
)
from stun.client import (
    ClientClosed,
    ClientConfig,
    DropReason,
    FailureReason,
    RequestRefused,
    ServerReached,
    ServerSilent,
    ServerUnreachable,
    error_of,
)
from stun.client.config import MAX_SERVER_ERRORS
from transport import Path, TransportAddress, TransportProtocol

from .script import HERE, MAPPED, SERVER, Script

USER, PASSWORD, REALM = "ann", "open sesame", "stun.example"
LONG_TERM_KEY = long_term_key(USER, REALM, password=PASSWORD, algorithm=KeyAlgorithm.MD5)
SHORT_TERM_KEY = short_term_key(PASSWORD)
ELSEWHERE = TransportAddress.parse("203.0.113.9", 3478)


def test_a_binding_tells_our_mapped_address() -> None:
    script = Script()
    token = script.ask()
    script.now = 0.1

    script.succeed(script.take_one())

    assert script.success.token == token
    assert script.success.mapped == MAPPED
    assert script.success.path == script.client.path
    assert script.success.round_trip_time == pytest.approx(0.1)


@pytest.mark.requirement("stun-turn:STUNC-UDP-10")
def test_of_50_requests_10_are_under_way_at_a_time() -> None:
    script = Script()
    for _ in range(50):
        script.ask()
    first = script.take()
    assert len(first) == 10

    script.succeed(first[0])

    assert len(script.take()) == 1
    script.advance(0.4)
    assert script.take() == []


@pytest.mark.requirement("stun-turn:STUNC-UDP-02")
def test_a_silent_server_is_asked_on_the_schedule_of_the_rfc() -> None:
    script = Script()
    script.ask()

    script.advance(100.0)

    assert [at for at, *_ in script.sent] == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert script.failure.reason is FailureReason.TIMED_OUT
    assert [at for at, _ in script.events] == [39.5]
    assert isinstance(error_of(script.failure), ServerSilent)


@pytest.mark.requirement("stun-turn:STUNC-UDP-03")
def test_the_number_of_requests_can_be_configured() -> None:
    script = Script(config=ClientConfig(timing=TransactionTiming(rc=3)))
    script.ask()

    script.advance(100.0)

    assert len(script.sent) == 3


@pytest.mark.requirement("stun-turn:STUNC-UDP-06")
def test_the_next_request_to_a_slow_server_is_repeated_later() -> None:
    script = Script()
    script.ask()
    script.now = 0.4
    script.succeed(script.take_one())

    script.ask()
    script.advance(0.4 + 1.19)
    assert len(script.sent) == 1
    script.advance(0.4 + 1.2)

    assert len(script.sent) == 2


@pytest.mark.requirement("stun-turn:STUNC-UDP-09")
def test_a_closed_port_fails_what_is_under_way_at_once() -> None:
    script = Script()
    script.ask()

    script.client.unreachable(script.client.path, 0.2)
    script.drain()

    assert script.failure.reason is FailureReason.UNREACHABLE
    assert isinstance(error_of(script.failure), ServerUnreachable)
    assert script.client.next_timeout() is None


def test_an_icmp_error_of_another_path_is_not_ours() -> None:
    script = Script()
    script.ask()

    script.client.unreachable(Path(TransportProtocol.UDP, HERE, ELSEWHERE), 0.2)
    script.drain()

    assert script.events == []


@pytest.mark.requirement("stun-turn:STUNC-UDP-11")
def test_an_indication_is_sent_once() -> None:
    script = Script()

    script.client.indicate(Method.BINDING)
    script.drain()
    script.advance(60.0)

    sent = script.take_one()
    assert sent.message_class is MessageClass.INDICATION
    assert script.events == []


# Errors


@pytest.mark.requirement("stun-turn:STUNC-RX-06")
def test_5xx_is_asked_again_4_times_later_each_time() -> None:
    script = Script()
    script.ask()
    times = []

    for _ in range(1 + MAX_SERVER_ERRORS):
        times.append(script.now)
        script.fail(script.take_one(), 500)
        if (deadline := script.client.next_timeout()) is not None:
            script.advance(deadline)

    assert times == [0.0, 1.0, 3.0, 7.0, 15.0]
    assert script.failure.code == 500
    assert script.client.next_timeout() is None


def test_a_server_that_recovers_from_5xx_has_answered() -> None:
    script = Script()
    script.ask()
    script.fail(script.take_one(), 500)
    script.advance(1.0)

    script.succeed(script.take_one())

    assert script.success.mapped == MAPPED


@pytest.mark.requirement("stun-turn:STUNC-RX-05")
@pytest.mark.parametrize("code", [300, 400, 420, 600])
def test_other_errors_are_final(code: int) -> None:
    script = Script()
    script.ask()

    script.fail(script.take_one(), code)

    assert script.failure.reason is FailureReason.REFUSED
    assert (script.failure.code, script.failure.phrase) == (code, "Because")
    with pytest.raises(RequestRefused, match=f"{code} Because"):
        raise error_of(script.failure)


@pytest.mark.requirement("stun-turn:STUNC-RX-07")
def test_what_the_server_does_not_know_is_told() -> None:
    script = Script()
    script.ask(Lifetime(1))

    script.fail(script.take_one(), 420, UnknownAttributes((Lifetime.TYPE,)))

    assert script.failure.unknown_attributes == (Lifetime.TYPE,)


@pytest.mark.requirement("stun-turn:STUNC-RX-02")
def test_a_binding_without_a_mapped_address_has_failed() -> None:
    script = Script()
    script.ask()

    script.succeed(script.take_one(), Software("x"))

    assert script.failure.reason is FailureReason.UNUSABLE_RESPONSE


@pytest.mark.requirement("stun-turn:STUNC-RX-01")
def test_a_response_that_demands_what_we_do_not_know_has_failed() -> None:
    script = Script()
    script.ask()

    script.succeed(script.take_one(), XorMappedAddress(MAPPED), UnknownAttribute(0x7FFE, b""))

    assert script.failure.reason is FailureReason.UNUSABLE_RESPONSE
    assert script.failure.unknown_attributes == (0x7FFE,)


# Redirection


@pytest.mark.requirement("stun-turn:STUNC-ALT-04")
def test_a_redirection_names_the_first_server_of_our_family_and_its_domain() -> None:
    script = Script()
    script.ask()

    script.fail(
        script.take_one(),
        300,
        AlternateServer(TransportAddress.parse("2001:db8::9", 3478)),
        AlternateServer(ELSEWHERE),
        AlternateServer(SERVER),
        AlternateDomain("other.example"),
    )

    assert script.failure.reason is FailureReason.REDIRECTED
    assert script.failure.alternate == ELSEWHERE
    assert script.failure.alternate_domain == "other.example"


@pytest.mark.requirement("stun-turn:STUNC-LTC-15")
def test_who_has_credentials_follows_proven_redirections_alone() -> None:
    reasons = []
    for key in (None, LONG_TERM_KEY):
        script = Script(credentials=LongTermClient(USER, PASSWORD))
        script.ask()
        script.fail(script.take_one(), 401, Realm(REALM), Nonce("nonce"))
        script.fail(script.take_one(), 300, AlternateServer(ELSEWHERE), key=key)
        script.advance(60.0)
        reasons.append((script.failure.reason, script.failure.alternate))

    assert reasons[0][1] is None
    assert reasons[1] == (FailureReason.REDIRECTED, ELSEWHERE)


@pytest.mark.requirement("stun-turn:STUNC-LTC-15")
def test_a_redirection_before_any_credentials_went_out_proves_nothing_to_who_has_some() -> None:
    script = Script(credentials=LongTermClient(USER, PASSWORD))
    script.ask()

    script.fail(script.take_one(), 300, AlternateServer(ELSEWHERE))

    assert script.failure.reason is FailureReason.REFUSED
    assert script.failure.alternate is None


# Credentials


def test_long_term_credentials_are_sent_when_they_are_asked_for_and_kept() -> None:
    script = Script(credentials=LongTermClient(USER, PASSWORD))
    script.ask()
    first = script.take_one()
    script.fail(first, ErrorNumber.UNAUTHENTICATED, Realm(REALM), Nonce("nonce"))
    second = script.take_one()
    script.succeed(second, key=LONG_TERM_KEY)
    script.ask()

    assert not first.has_integrity
    assert second.verify_integrity(LONG_TERM_KEY)
    assert script.events_of(ServerReached)
    assert script.success.mapped == MAPPED
    assert script.take_one().verify_integrity(LONG_TERM_KEY)


def test_wrong_credentials_are_told() -> None:
    script = Script(credentials=LongTermClient(USER, "wrong"))
    script.ask()
    for _ in range(2):
        script.fail(script.take_one(), 401, Realm(REALM), Nonce("nonce"))

    assert script.failure.reason is FailureReason.UNAUTHENTICATED


@pytest.mark.requirement("stun-turn:STUNC-STC-01")
@pytest.mark.requirement("stun-turn:STUNC-STC-05")
def test_short_term_credentials_sign_both_ways_until_the_server_has_shown_its_own() -> None:
    script = Script(credentials=ShortTermClient(USER, PASSWORD))
    script.ask()
    first = script.take_one()
    script.succeed(first, key=SHORT_TERM_KEY, algorithm=IntegrityAlgorithm.SHA256)
    script.ask()
    second = script.take_one()
    script.client.indicate(Method.BINDING)
    script.drain()

    assert first.integrity is IntegrityAlgorithm.BOTH
    assert first.get(Username) == Username(USER)
    assert second.integrity is IntegrityAlgorithm.SHA256
    assert script.take_one().integrity is IntegrityAlgorithm.SHA256


@pytest.mark.requirement("stun-turn:STUNC-STC-03")
def test_answers_without_integrity_are_none_and_that_is_said_in_the_end() -> None:
    script = Script(credentials=ShortTermClient(USER, PASSWORD))
    script.ask()
    script.succeed(script.take_one())

    script.advance(60.0)

    assert script.failure.reason is FailureReason.INTEGRITY_VIOLATED


def test_a_refused_short_term_credential_is_not_tried_again() -> None:
    script = Script(credentials=ShortTermClient(USER, PASSWORD))
    script.ask()

    script.fail(script.take_one(), 401, key=SHORT_TERM_KEY)

    assert script.failure.reason is FailureReason.UNAUTHENTICATED
    assert script.take() == []


# What is not for us


@pytest.mark.requirement("stun-turn:STUNC-UDP-12")
def test_what_does_not_answer_is_counted_and_dropped() -> None:
    script = Script()
    script.ask()
    request = script.take_one()
    good = encode_message(
        Method.BINDING, MessageClass.SUCCESS, request.transaction_id, (XorMappedAddress(MAPPED),)
    )
    bad_fingerprint = (
        encode_message(
            Method.BINDING, MessageClass.SUCCESS, request.transaction_id, (), fingerprint=True
        )[:-1]
        + b"\x00"
    )

    script.receive(good, dataclasses.replace(script.client.path, remote=ELSEWHERE))
    script.receive(b"junk")
    script.receive(bad_fingerprint)
    script.receive(request.data)
    script.receive(encode_message(Method.BINDING, MessageClass.SUCCESS, bytes(12), ()))

    assert script.events == []
    assert script.client.drops() == dict.fromkeys(DropReason, 1)
    script.receive(good)
    assert script.success.mapped == MAPPED


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_no_bytes_disturb_a_request(junk: list[bytes]) -> None:
    script = Script()
    script.ask()
    request = script.take_one()
    for data in junk:
        script.receive(data)

    script.succeed(request)

    assert script.success.mapped == MAPPED


# Its end


def test_after_close_nothing_is_sent_nor_told() -> None:
    script = Script()
    script.ask()
    request = script.take_one()

    script.client.close(0.0)
    script.succeed(request)
    script.advance(60.0)

    assert script.events == []
    assert script.take() == []
    with pytest.raises(ClientClosed):
        script.ask()
    with pytest.raises(ClientClosed):
        script.client.indicate(Method.BINDING)


def test_software_goes_into_each_request_if_it_is_configured() -> None:
    script = Script(config=ClientConfig(software="test"))
    script.ask()

    assert script.take_one().get(Software) == Software("test")


def test_what_cannot_be_encoded_is_refused_at_once() -> None:
    script = Script()

    with pytest.raises(ValueError, match="username"):
        script.ask(Username("x" * 600))

    assert script.take() == []


def test_every_request_has_another_transaction_id() -> None:
    script = Script()
    for _ in range(3):
        script.ask()

    ids = [message.transaction_id for message in script.take()]

    assert len(set(ids)) == 3
