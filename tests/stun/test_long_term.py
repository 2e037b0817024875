from __future__ import annotations

from collections.abc import Sequence

import pytest

from stun import (
    AlgorithmChoice,
    AlgorithmParameters,
    AnyAttribute,
    ErrorCode,
    IntegrityAlgorithm,
    KeyAlgorithm,
    Lifetime,
    LongTermClient,
    LongTermRequest,
    Message,
    MessageClass,
    MessageIntegrity,
    Method,
    Nonce,
    OpaqueStringError,
    PasswordAlgorithm,
    PasswordAlgorithms,
    Realm,
    SecurityFeature,
    UnknownAttribute,
    Userhash,
    Username,
    Verdict,
    encode_message,
    long_term_key,
    nonce_cookie,
    userhash,
)
from stun.long_term import MAX_RETRIES
from transport import DecodeError

REALM = Realm("example.org")
NONCE = Nonce("f//499k954d6OL34oL9FSTvy64sA")
MD5 = AlgorithmParameters(KeyAlgorithm.MD5)
SHA256 = AlgorithmParameters(KeyAlgorithm.SHA256)
MD5_KEY = long_term_key("user", "example.org", password="pass")
SHA256_KEY = long_term_key("user", "example.org", password="pass", algorithm=KeyAlgorithm.SHA256)
CREDENTIALS = (
    Username,
    Userhash,
    MessageIntegrity,
    Realm,
    Nonce,
    PasswordAlgorithm,
    PasswordAlgorithms,
)


def cookie_nonce(*features: SecurityFeature, tail: str = "tail") -> Nonce:
    combined = SecurityFeature(0)
    for feature in features:
        combined |= feature
    return Nonce(nonce_cookie(combined) + tail)


ALGORITHMS_NONCE = cookie_nonce(SecurityFeature.PASSWORD_ALGORITHMS)
ANONYMOUS_NONCE = cookie_nonce(SecurityFeature.USERNAME_ANONYMITY)


class Conversation:
    """A client and the requests it has sent."""

    def __init__(self, choice: AlgorithmChoice = AlgorithmChoice.FIRST_SUPPORTED) -> None:
        self.client = LongTermClient("user", "pass", choice=choice)
        self.request = self.new_request()
        self.transactions = 0

    def new_request(self) -> LongTermRequest:
        self.request = self.client.request(Method.ALLOCATE, [Lifetime(600)])
        return self.request

    def send(self) -> Message:
        self.transactions += 1
        data = self.request.encode(self.transactions.to_bytes(12, "big"))
        return Message.decode(data)

    def answer(self, code: int | None, attributes: Sequence[AnyAttribute] = ()) -> Message:
        """A response without integrity; None for success."""
        return Message.decode(self.answer_bytes(code, attributes))

    def answer_bytes(
        self,
        code: int | None,
        attributes: Sequence[AnyAttribute] = (),
        *,
        signed: bool = False,
        algorithm: IntegrityAlgorithm = IntegrityAlgorithm.SHA1,
    ) -> bytes:
        key = MD5_KEY if algorithm is IntegrityAlgorithm.SHA1 else SHA256_KEY
        return encode_message(
            Method.ALLOCATE,
            MessageClass.SUCCESS if code is None else MessageClass.ERROR,
            self.transactions.to_bytes(12, "big"),
            attributes if code is None else [ErrorCode(code), *attributes],
            key=key if signed else None,
            algorithm=algorithm,
        )

    def signed(
        self,
        code: int | None,
        attributes: Sequence[AnyAttribute] = (),
        algorithm: IntegrityAlgorithm = IntegrityAlgorithm.SHA1,
    ) -> Message:
        return Message.decode(self.answer_bytes(code, attributes, signed=True, algorithm=algorithm))

    def challenged(self, *attributes: AnyAttribute) -> Message:
        """The second request, after a 401 with these attributes."""
        self.send()
        assert self.request.retry(self.answer(401, attributes))
        return self.send()


def authenticated(nonce: Nonce = NONCE) -> Conversation:
    conversation = Conversation()
    conversation.challenged(REALM, nonce)
    return conversation


@pytest.mark.requirement("stun-turn:STUNC-LTC-01")
def test_the_first_request_carries_no_credentials() -> None:
    request = Conversation().send()

    assert request.get(Lifetime) == Lifetime(600)
    assert not any(request.has(cls) for cls in CREDENTIALS)
    assert not request.has_integrity


@pytest.mark.requirement("stun-turn:STUNC-LTC-02")
@pytest.mark.requirement("stun-turn:STUNC-UDP-08")
def test_a_401_is_answered_with_username_realm_nonce_and_integrity() -> None:
    conversation = Conversation()
    first = conversation.send()

    second = conversation.challenged(REALM, NONCE)

    assert second.transaction_id != first.transaction_id
    assert second.get(Lifetime) == Lifetime(600)
    assert second.get(Username) == Username("user")
    assert (second.get(Realm), second.get(Nonce)) == (REALM, NONCE)
    assert not second.has(PasswordAlgorithms)
    assert second.integrity is IntegrityAlgorithm.SHA1
    assert second.verify_integrity(MD5_KEY)


@pytest.mark.requirement("stun-turn:STUNC-LTC-02")
@pytest.mark.parametrize("text", ["r", "r" * 127, "\u00e9" * 127, "e\u0301", '"quoted"'])
def test_realm_and_nonce_go_back_byte_for_byte(text: str) -> None:
    request = Conversation().challenged(Realm(text), Nonce(text))

    assert request.raw_value(Realm.TYPE) == text.encode()
    assert request.raw_value(Nonce.TYPE) == text.encode()


@pytest.mark.requirement("stun-turn:STUNC-LTC-03")
def test_a_second_401_for_the_same_credentials_is_not_answered() -> None:
    conversation = authenticated()

    assert not conversation.request.retry(conversation.answer(401, [REALM, Nonce("another")]))


def test_a_401_for_another_realm_is_answered() -> None:
    conversation = authenticated()

    assert conversation.request.retry(conversation.answer(401, [Realm("other.example"), NONCE]))
    assert conversation.send().get(Realm) == Realm("other.example")


@pytest.mark.requirement("stun-turn:STUNC-LTC-04")
def test_a_438_is_answered_with_the_new_nonce_again_and_again() -> None:
    conversation = authenticated()

    for number in range(3):
        nonce = Nonce(f"nonce {number}")
        assert conversation.request.retry(conversation.answer(438, [REALM, nonce]))
        request = conversation.send()
        assert request.get(Nonce) == nonce
        assert request.get(Username) == Username("user")
        assert request.get(Realm) == REALM
        assert request.verify_integrity(MD5_KEY)


@pytest.mark.requirement("stun-turn:STUNC-LTC-04")
def test_a_438_without_a_realm_keeps_the_old_one() -> None:
    conversation = authenticated()

    assert conversation.request.retry(conversation.answer(438, [Nonce("new")]))
    assert conversation.send().get(Realm) == REALM


@pytest.mark.requirement("stun-turn:STUNC-LTC-05")
def test_a_server_that_always_says_438_is_given_up() -> None:
    conversation = authenticated()

    sent = 0
    while conversation.request.retry(conversation.answer(438, [REALM, Nonce(str(sent))])):
        conversation.send()
        sent += 1

    assert sent == MAX_RETRIES - 1  # the 401 took one
    assert conversation.request.retries == MAX_RETRIES


@pytest.mark.requirement("stun-turn:STUNC-LTC-06")
@pytest.mark.parametrize("code", [401, 438])
def test_a_cookie_that_announces_algorithms_which_are_missing_is_not_answered(code: int) -> None:
    conversation = Conversation()
    conversation.send()

    assert not conversation.request.retry(conversation.answer(code, [REALM, ALGORITHMS_NONCE]))


@pytest.mark.requirement("stun-turn:STUNC-LTC-06")
def test_a_server_that_stops_listing_algorithms_is_not_answered() -> None:
    conversation = Conversation()
    conversation.challenged(REALM, ALGORITHMS_NONCE, PasswordAlgorithms((SHA256,)))

    assert not conversation.request.retry(conversation.answer(438, [REALM, NONCE]))


@pytest.mark.requirement("stun-turn:STUNC-LTC-07")
@pytest.mark.parametrize(
    ("offered", "choice", "chosen"),
    [
        pytest.param((SHA256, MD5), AlgorithmChoice.FIRST_SUPPORTED, SHA256, id="sha256-first"),
        pytest.param((MD5, SHA256), AlgorithmChoice.FIRST_SUPPORTED, MD5, id="md5-first"),
        pytest.param((MD5, SHA256), AlgorithmChoice.STRONGEST, SHA256, id="turn"),
        pytest.param((MD5,), AlgorithmChoice.STRONGEST, MD5, id="turn-with-md5-alone"),
        pytest.param(
            (AlgorithmParameters(0x7777, b"abc"), SHA256),
            AlgorithmChoice.FIRST_SUPPORTED,
            SHA256,
            id="unknown-first",
        ),
        pytest.param(
            (AlgorithmParameters(2, b"abc"), MD5),
            AlgorithmChoice.FIRST_SUPPORTED,
            MD5,
            id="parameters-that-should-be-empty",
        ),
    ],
)
def test_the_list_of_algorithms_goes_back_with_the_chosen_one(
    offered: tuple[AlgorithmParameters, ...], choice: AlgorithmChoice, chosen: AlgorithmParameters
) -> None:
    conversation = Conversation(choice)

    request = conversation.challenged(REALM, ALGORITHMS_NONCE, PasswordAlgorithms(offered))

    assert request.get(PasswordAlgorithms) == PasswordAlgorithms(offered)
    assert request.get(PasswordAlgorithm) == PasswordAlgorithm(chosen)
    assert request.integrity is IntegrityAlgorithm.SHA256
    assert request.verify_integrity(SHA256_KEY if chosen is SHA256 else MD5_KEY)


@pytest.mark.requirement("stun-turn:STUNC-LTC-07")
def test_the_list_goes_back_with_the_padding_it_came_with() -> None:
    listed = bytes.fromhex("7777000161ffffff" + "00020000")

    request = Conversation().challenged(
        REALM, ALGORITHMS_NONCE, UnknownAttribute(PasswordAlgorithms.TYPE, listed)
    )

    assert request.raw_value(PasswordAlgorithms.TYPE) == listed


@pytest.mark.requirement("stun-turn:STUNC-LTC-08")
@pytest.mark.parametrize(
    "algorithms",
    [
        pytest.param(PasswordAlgorithms((AlgorithmParameters(0x7777),)), id="unknown"),
        pytest.param(PasswordAlgorithms(()), id="empty"),
        pytest.param(UnknownAttribute(PasswordAlgorithms.TYPE, b"\0"), id="illegible"),
    ],
)
def test_a_list_without_a_supported_algorithm_is_not_answered(algorithms: AnyAttribute) -> None:
    conversation = Conversation()
    conversation.send()

    answer = conversation.answer(401, [REALM, ALGORITHMS_NONCE, algorithms])

    assert not conversation.request.retry(answer)


@pytest.mark.requirement("stun-turn:STUNC-LTC-09")
def test_username_anonymity_puts_a_userhash_in_place_of_the_username() -> None:
    request = Conversation().challenged(REALM, ANONYMOUS_NONCE)

    assert request.get(Userhash) == Userhash(userhash("user", "example.org"))
    assert not request.has(Username)
    assert b"user" not in request.data
    assert request.verify_integrity(MD5_KEY)


@pytest.mark.requirement("stun-turn:STUNC-LTC-10")
@pytest.mark.parametrize("code", [None, 400, 300, 500])
def test_another_response_whose_cookie_announces_missing_algorithms_is_ignored(
    code: int | None,
) -> None:
    conversation = authenticated()

    verdict = conversation.request.verify(conversation.signed(code, [ALGORITHMS_NONCE]))

    assert verdict is Verdict.IGNORED


@pytest.mark.requirement("stun-turn:STUNC-LTC-11")
def test_an_unsigned_400_to_an_authenticated_request_is_ignored() -> None:
    conversation = authenticated()

    assert conversation.request.verify(conversation.answer(400)) is Verdict.IGNORED
    assert conversation.request.verify(conversation.signed(400)) is Verdict.ACCEPTED


def test_an_unsigned_400_to_the_first_request_counts() -> None:
    conversation = Conversation()
    conversation.send()

    assert conversation.request.verify(conversation.answer(400)) is Verdict.ACCEPTED


@pytest.mark.requirement("stun-turn:STUNC-LTC-12")
@pytest.mark.requirement("stun-turn:STUNC-LTC-15")
@pytest.mark.parametrize("code", [None, 300, 420, 486, 500])
def test_a_response_to_an_authenticated_request_must_be_signed(code: int | None) -> None:
    conversation = authenticated()

    assert conversation.request.verify(conversation.answer(code)) is Verdict.INTEGRITY_VIOLATED
    assert conversation.request.verify(conversation.signed(code)) is Verdict.ACCEPTED


@pytest.mark.requirement("stun-turn:STUNC-LTC-12")
@pytest.mark.parametrize("code", [None, 400, 401, 438])
def test_a_response_signed_with_another_key_violates_integrity(code: int | None) -> None:
    conversation = authenticated()

    forged = conversation.signed(code, [REALM, NONCE], IntegrityAlgorithm.SHA256)

    assert conversation.request.verify(forged) is Verdict.INTEGRITY_VIOLATED


@pytest.mark.parametrize("code", [401, 438])
def test_an_unsigned_challenge_counts_at_any_time(code: int) -> None:
    conversation = authenticated()

    verdict = conversation.request.verify(conversation.answer(code, [REALM, NONCE]))

    assert verdict is Verdict.ACCEPTED


@pytest.mark.requirement("stun-turn:STUNC-LTC-13")
def test_once_algorithms_were_listed_later_requests_use_sha256_alone() -> None:
    conversation = authenticated()
    signed = conversation.signed(None, [PasswordAlgorithms((MD5,))])
    assert conversation.request.verify(signed) is Verdict.ACCEPTED

    conversation.new_request()

    assert conversation.send().integrity is IntegrityAlgorithm.SHA256


@pytest.mark.requirement("stun-turn:STUNC-LTC-14")
def test_the_next_request_to_the_server_starts_authenticated() -> None:
    conversation = authenticated()

    conversation.new_request()
    request = conversation.send()

    assert request.get(Username) == Username("user")
    assert (request.get(Realm), request.get(Nonce)) == (REALM, NONCE)
    assert request.verify_integrity(MD5_KEY)


@pytest.mark.requirement("stun-turn:STUNC-LTC-03")
def test_a_401_to_a_request_that_started_authenticated_is_not_answered() -> None:
    conversation = authenticated()
    conversation.new_request()
    conversation.send()

    assert not conversation.request.retry(conversation.answer(401, [REALM, Nonce("new")]))


@pytest.mark.requirement("stun-turn:STUNC-LTC-15")
def test_only_a_response_with_our_integrity_is_authenticated() -> None:
    conversation = Conversation()
    conversation.send()
    before = conversation.request.is_authenticated(conversation.signed(300))
    conversation.challenged(REALM, NONCE)

    assert not before
    assert conversation.request.is_authenticated(conversation.signed(300))
    assert not conversation.request.is_authenticated(conversation.answer(300))


@pytest.mark.parametrize("code", [None, 300, 400, 420, 437, 500])
def test_other_responses_are_not_retried(code: int | None) -> None:
    conversation = Conversation()
    conversation.send()

    assert not conversation.request.retry(conversation.answer(code, [REALM, NONCE]))


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param([], id="neither"),
        pytest.param([REALM], id="no-nonce"),
        pytest.param([NONCE], id="no-realm"),
        pytest.param([REALM, UnknownAttribute(Nonce.TYPE, b"\xff")], id="illegible-nonce"),
        pytest.param([REALM, UnknownAttribute(Nonce.TYPE, b"n" * 128)], id="long-nonce"),
        pytest.param([UnknownAttribute(Realm.TYPE, b"\xff"), NONCE], id="illegible-realm"),
        pytest.param([Realm("\t"), NONCE], id="realm-that-opaque-string-refuses"),
        pytest.param([Realm(""), NONCE], id="empty-realm"),
    ],
)
def test_a_401_that_cannot_be_answered_is_not(attributes: list[AnyAttribute]) -> None:
    conversation = Conversation()
    conversation.send()

    assert not conversation.request.retry(conversation.answer(401, attributes))
    assert conversation.client.challenge is None


def test_an_illegible_error_code_is_no_challenge() -> None:
    conversation = Conversation()
    conversation.send()
    data = encode_message(
        Method.ALLOCATE,
        MessageClass.ERROR,
        bytes(12),
        [UnknownAttribute(ErrorCode.TYPE, b""), REALM, NONCE],
    )
    response = Message.decode(data)

    with pytest.raises(DecodeError):
        response.get(ErrorCode)
    assert not conversation.request.retry(response)
    assert conversation.request.verify(response) is Verdict.ACCEPTED


def test_an_illegible_nonce_announces_nothing() -> None:
    conversation = authenticated()

    response = conversation.signed(None, [UnknownAttribute(Nonce.TYPE, b"\xff")])

    assert conversation.request.verify(response) is Verdict.ACCEPTED


def test_username_and_password_go_through_opaque_string() -> None:
    client = LongTermClient("cafe\u0301", "a\u00a0b")
    request = client.request(Method.ALLOCATE, [])
    request.encode(bytes(12))
    challenge = encode_message(
        Method.ALLOCATE, MessageClass.ERROR, bytes(12), [ErrorCode(401), REALM, NONCE]
    )
    request.retry(Message.decode(challenge))

    sent = Message.decode(request.encode(bytes(12)))

    assert sent.get(Username) == Username("caf\u00e9")
    assert sent.verify_integrity(long_term_key("caf\u00e9", "example.org", password="a b"))
    with pytest.raises(OpaqueStringError):
        LongTermClient("", "password")
    with pytest.raises(OpaqueStringError):
        LongTermClient("user", "tab\t")


def test_credentials_do_not_show_in_repr() -> None:
    client = LongTermClient("user", "secret")

    assert "secret" not in repr(client)
    assert "secret" not in repr(client.request(Method.ALLOCATE, []))
