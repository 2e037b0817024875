"""Access tokens (RFC 7635), from a scripted server."""

from __future__ import annotations

import pytest

from stun import (
    AccessGrant,
    AccessToken,
    AnyAttribute,
    IntegrityAlgorithm,
    IntegrityKey,
    Lifetime,
    Message,
    Method,
    Nonce,
    PasswordAlgorithms,
    Realm,
    ThirdPartyAuthorization,
    UnknownAttribute,
    Username,
    XorMappedAddress,
    XorRelayedAddress,
)
from turn.client import (
    Allocated,
    AllocationFailed,
    ClientConfig,
    ClientState,
    FailureReason,
    PermissionInstalled,
    ServerMemory,
    TokenRequested,
)

from .script import KEY, MAPPED, PASSWORD, REALM, RELAYED, SERVER, USER, Script, Sent, ip

SERVER_NAME = "turn1.example"
MAC_KEY = b"a session key of 20!"
GRANT = AccessGrant("spring", b"a token", MAC_KEY, lifetime=3600)
NEXT = AccessGrant("summer", b"the next token", b"the next session key", lifetime=3600)
CONFIG = ClientConfig(third_party_auth=True)


def challenge(script: Script, request: Sent, *attributes: AnyAttribute) -> None:
    """A 401 that says that tokens are taken."""
    third_party = ThirdPartyAuthorization(SERVER_NAME)
    script.fail_unsigned(request, 401, Realm(REALM), Nonce(script.nonce), third_party, *attributes)


def asked(*, password: str | None = PASSWORD) -> Script:
    """A script whose client waits for a token."""
    script = Script(config=CONFIG, password=password)
    script.allocate()
    challenge(script, script.take_one())
    assert script.events_of(TokenRequested) == [TokenRequested(SERVER_NAME)]
    return script


def give(script: Script, grant: AccessGrant = GRANT) -> None:
    script.key = IntegrityKey(grant.mac_key)
    script.algorithm = grant.algorithm
    script.client.token_granted(grant, script.now)
    script.drain()


def refuse(script: Script) -> None:
    script.client.token_refused(script.now)
    script.drain()


def grant_allocation(script: Script, *, lifetime: int = 600) -> None:
    granted = (XorRelayedAddress(RELAYED), XorMappedAddress(MAPPED), Lifetime(lifetime))
    script.succeed(script.take_one(), *granted)
    assert script.events_of(Allocated)


def shown(message: Message) -> tuple[str | None, bytes | None]:
    """The username and the token of a request."""
    username, token = message.get(Username), message.get(AccessToken)
    return (
        None if username is None else username.username,
        None if token is None else token.token,
    )


@pytest.mark.requirement("stun-turn:TURNC-OAUTH-01")
def test_where_tokens_are_taken_one_is_asked_for_before_the_password_is_used() -> None:
    script = asked()

    assert script.take() == []
    give(script)

    request = script.take_one()
    assert shown(request.message) == ("spring", b"a token")
    assert request.message.verify_integrity(IntegrityKey(MAC_KEY))
    assert request.message.integrity is IntegrityAlgorithm.SHA1


@pytest.mark.requirement("stun-turn:TURNC-OAUTH-01")
def test_the_password_serves_where_there_is_no_token() -> None:
    script = asked()

    refuse(script)

    request = script.take_one()
    assert shown(request.message) == (USER, None)
    assert request.message.verify_integrity(KEY)


@pytest.mark.requirement("stun-turn:TURNC-OAUTH-01")
def test_a_client_that_takes_no_tokens_uses_its_password() -> None:
    script = Script()
    script.allocate()

    challenge(script, script.take_one())

    assert shown(script.take_one().message) == (USER, None)
    assert script.events == []


def test_without_a_password_it_is_a_token_or_nothing() -> None:
    script = asked(password=None)

    refuse(script)

    (failed,) = script.events_of(AllocationFailed)
    assert (failed.code, failed.reason) == (401, FailureReason.UNAUTHENTICATED)
    assert script.take() == []


def test_a_server_that_takes_no_tokens_is_given_the_password() -> None:
    script = Script(config=CONFIG)
    script.allocate()

    script.challenge(script.take_one())

    assert shown(script.take_one().message) == (USER, None)
    assert script.events == []


def test_the_memory_of_a_server_does_not_get_in_the_way_of_tokens() -> None:
    memory = ServerMemory()
    memory.preset(SERVER, realm=REALM, nonce="old")
    script = Script(config=CONFIG, memory=memory)

    script.allocate()

    assert not script.take_one().message.has_integrity


@pytest.mark.requirement("stun-turn:TURNC-OAUTH-02")
def test_the_token_goes_along_with_allocate_and_refresh_alone() -> None:
    script = asked()
    give(script)
    grant_allocation(script)

    script.permit(ip(1))
    script.bind()
    permission, channel = script.take()
    script.release()
    refresh = script.take_one()

    assert [shown(each.message) for each in (permission, channel)] == [("spring", None)] * 2
    assert shown(refresh.message) == ("spring", b"a token")
    for each in (permission, channel, refresh):
        assert each.message.verify_integrity(IntegrityKey(MAC_KEY))


@pytest.mark.requirement("stun-turn:TURNC-OAUTH-02")
def test_the_authorization_server_says_which_hmac_it_is() -> None:
    script = asked()
    offered = PasswordAlgorithms(()).TYPE

    give(script, AccessGrant("k", b"t", bytes(32), 60, IntegrityAlgorithm.SHA256))

    request = script.take_one().message
    assert request.integrity is IntegrityAlgorithm.SHA256
    assert request.verify_integrity(IntegrityKey(bytes(32)))
    assert request.raw_value(offered) is None


@pytest.mark.requirement("stun-turn:TURNC-OAUTH-03")
def test_a_response_without_the_integrity_of_the_token_is_discarded() -> None:
    script = asked()
    give(script)
    request = script.take_one()
    granted = (XorRelayedAddress(RELAYED), XorMappedAddress(MAPPED), Lifetime(600))

    script.key = KEY
    script.succeed(request, *granted)
    script.fail_unsigned(request, 403)
    assert (script.events_of(Allocated), script.events_of(AllocationFailed)) == ([], [])

    script.key = IntegrityKey(MAC_KEY)
    script.succeed(request, *granted)
    assert script.events_of(Allocated)


def test_a_stale_nonce_costs_a_round_trip_and_no_token() -> None:
    script = asked()
    give(script)

    script.challenge(script.take_one(), code=438, nonce="nonce-1")

    request = script.take_one()
    assert (request.nonce, *shown(request.message)) == ("nonce-1", "spring", b"a token")
    assert len(script.events_of(TokenRequested)) == 1


def test_a_token_that_is_refused_is_replaced() -> None:
    script = asked()
    give(script)

    challenge(script, script.take_one())
    assert len(script.events_of(TokenRequested)) == 2
    give(script, NEXT)

    assert shown(script.take_one().message) == ("summer", b"the next token")


def test_a_token_that_is_refused_and_not_replaced_is_the_end() -> None:
    for answer in (refuse, give):  # none, or the same again
        script = asked()
        give(script)
        challenge(script, script.take_one())

        answer(script)

        (failed,) = script.events_of(AllocationFailed)
        assert (failed.code, failed.reason) == (401, FailureReason.UNAUTHENTICATED)


def test_a_server_that_refuses_every_token_is_given_up() -> None:
    script = asked()
    for number in range(10):
        if script.client.state is ClientState.CLOSED:
            break
        give(script, AccessGrant("k", b"token %d" % number, MAC_KEY, 3600))
        for request in script.take():
            challenge(script, request)

    assert len(script.events_of(TokenRequested)) <= 7
    assert script.events_of(AllocationFailed)


@pytest.mark.requirement("stun-turn:TURNC-OAUTH-02")
def test_a_refresh_waits_for_a_new_token_where_the_old_one_ends() -> None:
    script = asked()
    give(script, AccessGrant("spring", b"a token", MAC_KEY, lifetime=600))
    grant_allocation(script)

    script.advance(510.0)
    assert script.take() == []
    assert len(script.events_of(TokenRequested)) == 2
    give(script, NEXT)

    refresh = script.take_one()
    assert (refresh.method, *shown(refresh.message)) == (
        Method.REFRESH,
        "summer",
        b"the next token",
    )
    script.succeed(refresh, Lifetime(600))
    script.permit(ip(1))
    request = script.take_one()
    assert request.message.verify_integrity(IntegrityKey(NEXT.mac_key))
    script.succeed(request)
    assert script.events_of(PermissionInstalled) == [PermissionInstalled(ip(1))]


def test_a_refresh_long_before_the_end_of_the_token_asks_for_none() -> None:
    script = asked()
    give(script)
    grant_allocation(script)

    script.advance(510.0)

    assert shown(script.take_one().message) == ("spring", b"a token")
    assert len(script.events_of(TokenRequested)) == 1


def test_a_refresh_uses_what_is_left_where_no_new_token_comes() -> None:
    script = asked()
    give(script, AccessGrant("spring", b"a token", MAC_KEY, lifetime=600))
    grant_allocation(script)
    script.advance(510.0)

    refuse(script)

    assert shown(script.take_one().message) == ("spring", b"a token")


def test_a_token_that_is_there_beforehand_is_not_asked_for() -> None:
    script = Script(config=CONFIG)
    give(script)
    script.allocate()

    challenge(script, script.take_one())

    assert script.events_of(TokenRequested) == []
    assert shown(script.take_one().message) == ("spring", b"a token")


def test_a_token_that_comes_too_late_does_nothing() -> None:
    for answer in (give, refuse):
        script = asked()
        script.release()
        assert script.client.state is ClientState.CLOSED

        answer(script)

        assert script.take() == []


def test_a_name_that_is_malformed_is_no_name() -> None:
    script = Script(config=CONFIG)
    script.allocate()

    script.fail_unsigned(
        script.take_one(),
        401,
        Realm(REALM),
        Nonce("nonce"),
        UnknownAttribute(ThirdPartyAuthorization.TYPE, b"\xff"),
    )

    assert shown(script.take_one().message) == (USER, None)
