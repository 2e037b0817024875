from __future__ import annotations

from collections.abc import Sequence

import pytest

from stun import (
    KNOWN_TYPES,
    AnyAttribute,
    Authenticated,
    ErrorCode,
    IntegrityAlgorithm,
    IntegrityKey,
    Message,
    MessageClass,
    MessageIntegrity,
    MessageIntegritySha256,
    Method,
    Rejected,
    ShortTermVerifier,
    Software,
    UnknownAttribute,
    UnknownAttributes,
    Username,
    Verdict,
    authenticate_short_term,
    encode_message,
    short_term_key,
)

ID = bytes(range(12))
KEY = short_term_key("password")
OTHER = short_term_key("another")


def find_key(username: str) -> IntegrityKey | None:
    return KEY if username == "user" else None


def request(
    attributes: Sequence[AnyAttribute] = (Username("user"),),
    *,
    key: IntegrityKey | None = KEY,
    algorithm: IntegrityAlgorithm = IntegrityAlgorithm.SHA1,
    message_class: MessageClass = MessageClass.REQUEST,
) -> Message:
    data = encode_message(
        Method.BINDING, message_class, ID, attributes, key=key, algorithm=algorithm
    )
    return Message.decode(data)


@pytest.mark.requirement("stun-turn:STUNS-STC-03")
@pytest.mark.parametrize("message_class", [MessageClass.REQUEST, MessageClass.INDICATION])
@pytest.mark.parametrize(
    ("algorithm", "answer"),
    [
        (IntegrityAlgorithm.SHA1, IntegrityAlgorithm.SHA1),
        (IntegrityAlgorithm.SHA256, IntegrityAlgorithm.SHA256),
        (IntegrityAlgorithm.BOTH, IntegrityAlgorithm.SHA256),
    ],
)
def test_a_sound_message_is_authenticated_and_answered_with_its_best_algorithm(
    message_class: MessageClass, algorithm: IntegrityAlgorithm, answer: IntegrityAlgorithm
) -> None:
    message = request(algorithm=algorithm, message_class=message_class)

    assert authenticate_short_term(message, find_key) == Authenticated("user", KEY, answer)


@pytest.mark.requirement("stun-turn:STUNC-STC-01")
def test_a_request_to_a_server_of_unknown_age_has_both_integrities_and_no_password() -> None:
    sent = request(algorithm=IntegrityAlgorithm.BOTH)

    assert sent.get(Username) == Username("user")
    assert sent.has(MessageIntegrity)
    assert sent.has(MessageIntegritySha256)
    assert b"password" not in sent.data


@pytest.mark.requirement("stun-turn:STUNS-STC-01")
@pytest.mark.requirement("stun-turn:STUNS-STC-02")
@pytest.mark.parametrize(
    ("message", "code"),
    [
        pytest.param(request(key=None), 400, id="no-integrity"),
        pytest.param(request([]), 400, id="no-username"),
        pytest.param(request([], key=None), 400, id="neither"),
        pytest.param(request([UnknownAttribute(6, b"\xff")]), 400, id="illegible-username"),
        pytest.param(request([Username("nobody")]), 401, id="unknown-username"),
        pytest.param(request([Username("")]), 401, id="empty-username"),
        pytest.param(request(key=OTHER), 401, id="wrong-key"),
        pytest.param(
            request(key=OTHER, algorithm=IntegrityAlgorithm.BOTH), 401, id="wrong-key-for-both"
        ),
        pytest.param(
            request([Username("nobody"), UnknownAttribute(0x7FFF, b"")]),
            401,
            id="authentication-comes-before-unknown-attributes",
        ),
    ],
)
def test_a_message_that_fails_a_check_is_rejected_with_its_code(
    message: Message, code: int
) -> None:
    result = authenticate_short_term(message, find_key)

    assert isinstance(result, Rejected)
    assert result.error.code == code
    assert result.authenticated is None


def test_a_bad_sha256_is_not_saved_by_a_good_sha1() -> None:
    signed = request().data
    forged = signed + b"\x00\x1c\x00\x20" + bytes(32)
    forged = forged[:2] + (len(forged) - 20).to_bytes(2, "big") + forged[4:]

    result = authenticate_short_term(Message.decode(forged), find_key)

    assert isinstance(result, Rejected)
    assert result.error.code == 401


@pytest.mark.requirement("stun-turn:STUNS-STC-04")
@pytest.mark.parametrize("message", [request(key=None), request(key=OTHER)])
def test_the_response_to_a_failed_check_carries_no_integrity_and_no_username(
    message: Message,
) -> None:
    result = authenticate_short_term(message, find_key)
    assert isinstance(result, Rejected)

    response = Message.decode(result.response(message, fingerprint=True))

    assert (response.method, response.message_class) == (Method.BINDING, MessageClass.ERROR)
    assert response.transaction_id == ID
    assert response.get(ErrorCode) == result.error
    assert not response.has_integrity
    assert not response.has(Username)
    assert response.fingerprint_ok


@pytest.mark.requirement("stun-turn:COD-ATTR-05")
@pytest.mark.requirement("stun-turn:COD-TXT-08")
@pytest.mark.requirement("stun-turn:STUNS-STC-03")
@pytest.mark.parametrize("algorithm", [IntegrityAlgorithm.SHA1, IntegrityAlgorithm.SHA256])
def test_unknown_attributes_are_answered_with_420_their_list_and_integrity(
    algorithm: IntegrityAlgorithm,
) -> None:
    unknown = [UnknownAttribute(number, b"") for number in (0x7FFF, 0xFFFF, 0x0002, 0x7FFF)]
    message = request([Username("user"), *unknown], algorithm=algorithm)
    result = authenticate_short_term(message, find_key)
    assert isinstance(result, Rejected)

    response = Message.decode(result.response(message))

    assert response.get(ErrorCode) == ErrorCode(420, "Unknown Attribute")
    assert response.get(UnknownAttributes) == UnknownAttributes((0x7FFF, 0x0002))
    assert response.integrity is algorithm
    assert response.verify_integrity(KEY)
    assert not response.has(Username)


@pytest.mark.requirement("stun-turn:COD-ATTR-07")
def test_known_but_unexpected_attributes_are_ignored() -> None:
    message = request([Username("user"), Software("x"), ErrorCode(400)])

    assert isinstance(authenticate_short_term(message, find_key), Authenticated)


def test_a_usage_says_what_it_understands() -> None:
    message = request([Username("user"), ErrorCode(400)])

    result = authenticate_short_term(message, find_key, understood=KNOWN_TYPES - {ErrorCode.TYPE})

    assert isinstance(result, Rejected)
    assert result.unknown_attributes == (ErrorCode.TYPE,)


@pytest.mark.requirement("stun-turn:STUNC-STC-02")
@pytest.mark.requirement("stun-turn:STUNC-STC-05")
@pytest.mark.parametrize(
    ("sent", "answered", "verdict", "agreed"),
    [
        (IntegrityAlgorithm.SHA1, IntegrityAlgorithm.SHA1, Verdict.ACCEPTED, None),
        (IntegrityAlgorithm.SHA1, IntegrityAlgorithm.SHA256, Verdict.IGNORED, None),
        (IntegrityAlgorithm.SHA256, IntegrityAlgorithm.SHA256, Verdict.ACCEPTED, None),
        (IntegrityAlgorithm.SHA256, IntegrityAlgorithm.SHA1, Verdict.IGNORED, None),
        (
            IntegrityAlgorithm.BOTH,
            IntegrityAlgorithm.SHA1,
            Verdict.ACCEPTED,
            IntegrityAlgorithm.SHA1,
        ),
        (
            IntegrityAlgorithm.BOTH,
            IntegrityAlgorithm.SHA256,
            Verdict.ACCEPTED,
            IntegrityAlgorithm.SHA256,
        ),
        (IntegrityAlgorithm.BOTH, IntegrityAlgorithm.BOTH, Verdict.ACCEPTED, None),
    ],
)
def test_the_response_must_have_the_algorithm_of_the_request_and_settles_later_ones(
    sent: IntegrityAlgorithm,
    answered: IntegrityAlgorithm,
    verdict: Verdict,
    agreed: IntegrityAlgorithm | None,
) -> None:
    verifier = ShortTermVerifier(KEY, sent)
    response = request(algorithm=answered, message_class=MessageClass.SUCCESS)

    assert verifier.verify(response) is verdict
    assert verifier.agreed is (agreed or sent)


@pytest.mark.requirement("stun-turn:STUNC-STC-03")
@pytest.mark.parametrize("key", [None, OTHER])
def test_a_response_without_our_integrity_violates_it(key: IntegrityKey | None) -> None:
    response = request(key=key, message_class=MessageClass.SUCCESS)

    assert ShortTermVerifier(KEY).verify(response) is Verdict.INTEGRITY_VIOLATED
