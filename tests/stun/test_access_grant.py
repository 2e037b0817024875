"""Access tokens in the long-term mechanism, from both sides (RFC 7635 sections 5 to 9)."""

from __future__ import annotations

import pytest

from stun import (
    AccessGrant,
    AccessToken,
    ErrorCode,
    IntegrityAlgorithm,
    KeyAlgorithm,
    LongTermClient,
    LongTermRequest,
    Message,
    MessageClass,
    Method,
    Nonce,
    Realm,
    ThirdPartyAuthorization,
    Userhash,
    encode_message,
)
from stun.server import KnownUser, LongTermAuthenticated, LongTermRejected, LongTermServer
from transport import TransportAddress

CLIENT = TransportAddress.parse("192.0.2.9", 40000)
MAC_KEY = b"a session key of 20!"
GRANT = AccessGrant("kid", b"a token", MAC_KEY, 3600)
THIRD_PARTY = ThirdPartyAuthorization("stun.example")
ID = bytes(12)


def challenge(nonce: str = "nonce", *, code: int = 401, third_party: bool = True) -> Message:
    attributes = (ErrorCode(code), Realm("realm"), Nonce(nonce))
    extra = (THIRD_PARTY,) if third_party else ()
    return Message.decode(
        encode_message(Method.BINDING, MessageClass.ERROR, ID, (*attributes, *extra))
    )


def token_of(request: LongTermRequest) -> AccessToken | None:
    return Message.decode(request.encode(ID)).get(AccessToken)


def client(*, takes_tokens: bool = True) -> LongTermClient:
    return LongTermClient("user", "pass", takes_tokens=takes_tokens)


@pytest.mark.requirement("stun-turn:TURNC-OAUTH-01")
def test_a_token_is_wanted_before_the_password_is_used() -> None:
    mechanism = client()
    request = mechanism.request(Method.BINDING, ())
    request.encode(ID)

    assert request.wanted_token(challenge()) == "stun.example"
    assert not request.retry(challenge())
    mechanism.use_token(GRANT)
    assert request.wanted_token(challenge()) is None
    assert request.retry(challenge())
    assert token_of(request) == AccessToken(b"a token")
    assert mechanism.grant is GRANT


@pytest.mark.parametrize(
    ("takes_tokens", "third_party", "code"),
    [(False, True, 401), (True, False, 401), (True, True, 438)],
)
def test_no_token_is_wanted(takes_tokens: bool, third_party: bool, code: int) -> None:
    request = client(takes_tokens=takes_tokens).request(Method.BINDING, ())
    request.encode(ID)
    response = challenge(code=code, third_party=third_party)

    assert request.wanted_token(response) is None
    assert request.retry(response)
    assert token_of(request) is None


@pytest.mark.requirement("stun-turn:TURNC-OAUTH-02")
@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (Method.BINDING, True),
        (Method.ALLOCATE, True),
        (Method.REFRESH, True),
        (Method.CREATE_PERMISSION, False),
        (Method.CHANNEL_BIND, False),
        (Method.CONNECT, False),
        (Method.CONNECTION_BIND, False),
    ],
)
def test_the_token_goes_where_the_rfc_wants_it(method: Method, expected: bool) -> None:
    mechanism = client()
    mechanism.use_token(GRANT)
    mechanism.take_challenge(challenge())

    assert (token_of(mechanism.request(method, ())) is not None) is expected


def test_another_token_takes_the_place_of_the_one_in_use() -> None:
    mechanism = client()
    mechanism.use_token(GRANT)
    mechanism.take_challenge(challenge("newest"))

    mechanism.use_token(AccessGrant("next", b"another", bytes(32), 60, IntegrityAlgorithm.SHA256))

    message = Message.decode(mechanism.request(Method.ALLOCATE, ()).encode(ID))
    assert message.get(AccessToken) == AccessToken(b"another")
    assert message.get(Nonce) == Nonce("newest")
    assert message.integrity is IntegrityAlgorithm.SHA256


def test_a_token_that_is_refused_is_wanted_anew_and_not_sent_again() -> None:
    mechanism = client()
    mechanism.use_token(GRANT)
    mechanism.take_challenge(challenge())
    request = mechanism.request(Method.ALLOCATE, ())
    request.encode(ID)

    assert request.wanted_token(challenge()) == "stun.example"
    assert not request.retry(challenge())
    mechanism.takes_tokens = False
    assert not request.retry(challenge())


def test_without_a_password_and_a_token_no_challenge_is_answered() -> None:
    mechanism = LongTermClient(None, None)
    request = mechanism.request(Method.BINDING, ())
    request.encode(ID)

    assert not request.retry(challenge())


@pytest.mark.parametrize("integrity", [IntegrityAlgorithm.SHA1, IntegrityAlgorithm.SHA256])
@pytest.mark.requirement("stun-turn:TURN-OAUTH-02")
def test_a_server_answers_a_token_in_the_way_it_was_asked(integrity: IntegrityAlgorithm) -> None:
    server = LongTermServer(
        "realm",
        nonce_key=bytes(32),
        nonce_lifetime=60.0,
        random_bytes=bytes,
        server_name="stun.example",
    )

    def find_user(user: str | Userhash, algorithm: KeyAlgorithm) -> KnownUser | None:
        return KnownUser("kid", (MAC_KEY,), is_token=True) if user == "kid" else None

    mechanism = client()
    mechanism.use_token(AccessGrant("kid", b"a token", MAC_KEY, 60, integrity))
    request = mechanism.request(Method.BINDING, ())
    rejected = server.authenticate(
        Message.decode(request.encode(ID)), CLIENT, time=0.0, find_user=find_user
    )
    assert isinstance(rejected, LongTermRejected)
    assert THIRD_PARTY in rejected.attributes
    assert request.retry(Message.decode(rejected.response(Message.decode(request.encode(ID)))))

    outcome = server.authenticate(
        Message.decode(request.encode(ID)), CLIENT, time=0.0, find_user=find_user
    )

    assert isinstance(outcome, LongTermAuthenticated)
    assert (outcome.key_algorithm, outcome.integrity) == (None, integrity)
    assert outcome.key_bytes == MAC_KEY


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("", b"t", b"m", 1), id="no-kid"),
        pytest.param(("k" * 509, b"t", b"m", 1), id="long-kid"),
        pytest.param(("k", b"", b"m", 1), id="no-token"),
        pytest.param(("k", bytes(65536), b"m", 1), id="long-token"),
        pytest.param(("k", b"t", b"", 1), id="no-key"),
        pytest.param(("k", b"t", b"m", 0), id="no-time"),
    ],
)
def test_a_grant_that_cannot_be_used_is_refused(change: tuple[str, bytes, bytes, int]) -> None:
    with pytest.raises(ValueError, match=r"grant|username|token"):
        AccessGrant(*change)


def test_a_grant_names_one_algorithm() -> None:
    with pytest.raises(ValueError, match="one algorithm"):
        AccessGrant("k", b"t", b"m", 1, IntegrityAlgorithm.BOTH)


def test_a_grant_does_not_show_its_secrets() -> None:
    mechanism = client()
    mechanism.use_token(GRANT)
    mechanism.take_challenge(challenge())

    shown = repr((GRANT, mechanism.challenge))

    assert "a token" not in shown
    assert "session key" not in shown
