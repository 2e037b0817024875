"""Third-party authorization: RFC 7635 sections 4, 7 and 9."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import NamedTuple

import pytest

from stun import (
    AccessToken,
    AnyAttribute,
    ErrorCode,
    IntegrityAlgorithm,
    IntegrityKey,
    Lifetime,
    Message,
    MessageClass,
    Method,
    MobilityTicket,
    Nonce,
    PasswordAlgorithms,
    Realm,
    ThirdPartyAuthorization,
    UnknownAttribute,
    UnknownAttributes,
    Username,
    XorPeerAddress,
    encode_message,
)
from turn import CredentialVerifier
from turn.server import ServerConfig
from turn.tokens import TokenContents, TokenKey, TokenVerifier, make_access_token

from .harness import (
    PEER,
    REALM,
    UDP_REQUEST,
    WALL_CLOCK,
    Client,
    Relay,
    client_on,
    code,
    config,
)

SERVER_NAME = "turn1.example"
KEY = TokenKey("spring", bytes(range(32)))
NEXT_KEY = TokenKey("summer", bytes(range(16)))
MAC_KEY = b"a session key of 20!"
SHA1, SHA256 = IntegrityAlgorithm.SHA1, IntegrityAlgorithm.SHA256

OFFERING = dataclasses.replace(
    config(), third_party_auth=TokenVerifier(SERVER_NAME, [KEY, NEXT_KEY])
)


def token(
    *,
    key: TokenKey = KEY,
    server_name: str = SERVER_NAME,
    mac_key: bytes = MAC_KEY,
    at: float = 0.0,
    lifetime: int = 3600,
) -> bytes:
    """What the authorization server makes, ``at`` the time of the test's clock."""
    contents = TokenContents(mac_key, WALL_CLOCK + at, lifetime)
    return make_access_token(key, server_name, contents, nonce=b"once is once")


@dataclasses.dataclass
class Bearer:
    """A client with a token."""

    client: Client
    token: bytes = dataclasses.field(default_factory=token)
    mac_key: bytes = MAC_KEY
    kid: str = KEY.kid
    algorithm: IntegrityAlgorithm = SHA1

    def ask(self, method: int, *attributes: AnyAttribute) -> Message:
        """The answer to a request with the token where it belongs; a success is signed."""
        carries = method in (Method.ALLOCATE, Method.REFRESH)
        extra = (AccessToken(self.token),) if carries else ()
        return self.ask_just(method, *attributes, *extra)

    def ask_just(self, method: int, *attributes: AnyAttribute) -> Message:
        if not self.client.nonce:
            self.client.fetch_nonce()
        key = IntegrityKey(self.mac_key)
        response = self.client.answer(
            encode_message(
                method,
                MessageClass.REQUEST,
                self.client.transaction_id(),
                (*attributes, Username(self.kid), Realm(REALM), Nonce(self.client.nonce)),
                key=key,
                algorithm=self.algorithm,
            )
        )
        if response.message_class is MessageClass.SUCCESS:
            assert response.integrity is self.algorithm
            assert response.verify_integrity(key)
        return response

    def allocate(self, *attributes: AnyAttribute) -> Message:
        return self.ask(Method.ALLOCATE, UDP_REQUEST, *attributes)


GOOD = token()


class Bad(NamedTuple):
    """What a client may show that is not right."""

    token: bytes = GOOD
    mac_key: bytes = MAC_KEY
    kid: str = KEY.kid


def bearer(settings: ServerConfig = OFFERING) -> Bearer:
    return Bearer(Client(Relay(settings)))


def lifetime_of(response: Message) -> int:
    lifetime = response.get(Lifetime)
    assert lifetime is not None, code(response)
    return lifetime.lifetime


@pytest.mark.requirement("stun-turn:TURN-OAUTH-01")
def test_a_401_names_the_server_to_authorization_servers() -> None:
    client = Client(Relay(OFFERING))

    response = client.bare(Method.ALLOCATE, UDP_REQUEST)

    assert code(response) == 401
    assert response.get(ThirdPartyAuthorization) == ThirdPartyAuthorization(SERVER_NAME)
    assert response.has(Nonce)
    assert response.has(PasswordAlgorithms)


@pytest.mark.requirement("stun-turn:TURN-OAUTH-01")
def test_a_server_without_tokens_names_no_name() -> None:
    response = Client(Relay()).bare(Method.ALLOCATE, UDP_REQUEST)

    assert not response.has(ThirdPartyAuthorization)


@pytest.mark.requirement("stun-turn:SEC-09")
def test_the_longest_names_keep_a_401_below_3_times_the_request() -> None:
    verifier = TokenVerifier("n" * 20, [KEY])
    relay = Relay(dataclasses.replace(OFFERING, realm="r" * 20, third_party_auth=verifier))

    response = Client(relay).bare(Method.ALLOCATE, UDP_REQUEST)

    assert len(response.data) + 28 <= 3 * (28 + 28)
    with pytest.raises(ValueError, match="40 bytes together"):
        dataclasses.replace(OFFERING, realm="r" * 21, third_party_auth=verifier)


@pytest.mark.parametrize(
    ("mac_key", "algorithm", "sent_key"),
    [
        pytest.param(MAC_KEY, SHA1, MAC_KEY, id="20-bytes-sha1"),
        pytest.param(bytes(32), SHA256, bytes(32), id="32-bytes-sha256"),
        pytest.param(bytes(32), SHA1, bytes(32), id="32-bytes-sha1"),
        pytest.param(
            bytes(32), SHA1, hashlib.sha1(bytes(32)).digest(), id="32-bytes-hashed-for-sha1"
        ),
        pytest.param(MAC_KEY, SHA1, MAC_KEY[:16], id="20-bytes-of-which-coturn-uses-16"),
    ],
)
@pytest.mark.requirement("stun-turn:TURN-OAUTH-02")
def test_a_token_opens_the_relay_for_a_whole_session(
    mac_key: bytes, algorithm: IntegrityAlgorithm, sent_key: bytes
) -> None:
    user = Bearer(Client(Relay(OFFERING)), token(mac_key=mac_key), sent_key, algorithm=algorithm)

    assert code(user.allocate()) == 0
    assert code(user.ask(Method.CREATE_PERMISSION, XorPeerAddress(PEER))) == 0
    assert user.client.send_to(PEER, b"out")
    assert code(user.ask(Method.REFRESH)) == 0
    assert code(user.ask(Method.REFRESH, Lifetime(0))) == 0


@pytest.mark.requirement("stun-turn:TURN-OAUTH-02")
def test_errors_of_a_bearer_are_signed_too() -> None:
    user = bearer()

    response = user.ask(Method.REFRESH)

    assert code(response) == 437
    assert response.verify_integrity(IntegrityKey(MAC_KEY))


def test_passwords_serve_beside_tokens() -> None:
    assert Client(Relay(OFFERING)).allocate()


def test_a_relay_can_do_with_tokens_alone() -> None:
    assert (
        code(bearer(dataclasses.replace(OFFERING, credentials=CredentialVerifier())).allocate())
        == 0
    )


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(Bad(token=token(server_name="turn2.example")), id="of-another-server"),
        pytest.param(Bad(token=token(key=NEXT_KEY)), id="of-another-key"),
        pytest.param(Bad(token=token(at=-3605)), id="expired"),
        pytest.param(Bad(token=token(at=3605)), id="from-the-future"),
        pytest.param(Bad(mac_key=b"another session key!"), id="bad-integrity"),
        pytest.param(Bad(kid="autumn"), id="unknown-kid"),
        pytest.param(Bad(kid="alice"), id="a-users-name"),
        pytest.param(Bad(token=token()[:-1]), id="truncated"),
        pytest.param(Bad(token=b""), id="empty"),
        pytest.param(Bad(token=b"\xff\xff" + token()[2:]), id="nonce-length-65535"),
        pytest.param(Bad(token=bytes(500)), id="zeros"),
    ],
)
@pytest.mark.requirement("stun-turn:TURN-OAUTH-03", "stun-turn:TURN-OAUTH-06")
def test_a_token_that_does_not_count_is_401_and_the_relay_goes_on(bad: Bad) -> None:
    relay = Relay(OFFERING)
    user = Bearer(Client(relay), bad.token, bad.mac_key, bad.kid)

    response = user.allocate()

    assert code(response) == 401
    assert response.has(ThirdPartyAuthorization)
    assert not response.has_integrity
    assert relay.server.allocations(0.0) == ()
    assert code(Bearer(Client(relay)).allocate()) == 0


def test_a_password_does_not_help_a_token_that_does_not_count() -> None:
    client = Client(Relay(OFFERING))

    response = client.ask(Method.ALLOCATE, UDP_REQUEST, AccessToken(token(at=-4000)))

    assert code(response) == 401


@pytest.mark.requirement("stun-turn:TURN-OAUTH-06")
def test_a_mac_key_of_a_length_that_has_no_other_form_serves_as_it_is() -> None:
    mac_key = bytes(24)

    assert code(Bearer(Client(Relay(OFFERING)), token(mac_key=mac_key), mac_key).allocate()) == 0


def test_a_username_that_is_malformed_is_400() -> None:
    user = bearer()
    user.client.fetch_nonce()
    attributes = (UDP_REQUEST, UnknownAttribute(Username.TYPE, b"\xff"), AccessToken(user.token))

    response = user.client.answer(
        encode_message(
            Method.ALLOCATE,
            MessageClass.REQUEST,
            user.client.transaction_id(),
            (*attributes, Realm(REALM), Nonce(user.client.nonce)),
            key=IntegrityKey(MAC_KEY),
        )
    )

    assert code(response) == 400


@pytest.mark.requirement("stun-turn:TURN-OAUTH-02")
def test_a_stale_nonce_is_438_for_a_bearer_too() -> None:
    user = bearer()
    user.client.nonce = "stale"

    assert code(user.allocate()) == 438


@pytest.mark.requirement("stun-turn:TURN-OAUTH-04")
def test_a_token_where_none_is_wanted_is_420() -> None:
    response = bearer(config()).allocate()

    assert response.get(ErrorCode) == ErrorCode(420)
    assert response.get(UnknownAttributes) == UnknownAttributes((AccessToken.TYPE,))


@pytest.mark.requirement("stun-turn:TURN-OAUTH-04")
def test_a_token_beside_a_password_where_none_is_wanted_is_a_signed_420() -> None:
    response = Client(Relay()).ask(Method.ALLOCATE, UDP_REQUEST, AccessToken(token()))

    assert code(response) == 420
    assert response.has_integrity


@pytest.mark.parametrize(
    ("lifetime", "age", "asked", "granted"),
    [
        pytest.param(120, 0, None, 120, id="below-the-default"),
        pytest.param(120, 0, 3600, 120, id="below-what-is-asked"),
        pytest.param(1000, 900, 900, 105, id="what-is-left"),
        pytest.param(3600, 0, None, 600, id="above-the-default"),
    ],
)
@pytest.mark.requirement("stun-turn:TURN-OAUTH-05")
def test_an_allocation_is_granted_no_longer_than_the_token_lasts(
    lifetime: int, age: int, asked: int | None, granted: int
) -> None:
    relay = Relay(OFFERING)
    user = Bearer(Client(relay), token(at=-age, lifetime=lifetime))
    wanted = () if asked is None else (Lifetime(asked),)

    assert lifetime_of(user.allocate(*wanted)) == granted
    assert lifetime_of(user.ask(Method.REFRESH, *wanted)) == granted

    relay.run_until(granted)
    assert len(relay.released) == 1


@pytest.mark.requirement("stun-turn:TURN-OAUTH-05")
def test_a_refresh_without_the_token_gains_no_time() -> None:
    relay = Relay(OFFERING)
    user = Bearer(Client(relay), token(lifetime=120))
    user.allocate()
    relay.run_until(50.0)

    assert lifetime_of(user.ask_just(Method.REFRESH)) == 70


@pytest.mark.requirement("stun-turn:TURN-OAUTH-05")
def test_a_new_token_of_a_new_key_keeps_the_allocation() -> None:
    relay = Relay(OFFERING)
    user = Bearer(Client(relay), token(lifetime=120))
    user.allocate()
    relay.run_until(100.0)
    mac_key = b"the next session key"
    renewed = Bearer(
        user.client, token(key=NEXT_KEY, mac_key=mac_key, at=100.0), mac_key, NEXT_KEY.kid
    )

    assert lifetime_of(renewed.ask(Method.REFRESH)) == 600
    assert code(renewed.ask(Method.CREATE_PERMISSION, XorPeerAddress(PEER))) == 0
    assert code(user.ask(Method.CREATE_PERMISSION, XorPeerAddress(PEER))) == 401


def test_a_token_refreshes_no_allocation_of_a_password() -> None:
    relay = Relay(OFFERING)
    client = Client(relay)
    client.allocate()

    assert code(Bearer(client).ask(Method.REFRESH, Lifetime(0))) == 441
    assert len(relay.server.allocations(0.0)) == 1


def test_a_password_refreshes_no_allocation_of_a_token() -> None:
    user = bearer()
    user.allocate()

    assert code(user.client.refresh(0)) == 441


@pytest.mark.requirement("stun-turn:SEC-16")
def test_the_allocations_of_a_token_are_counted() -> None:
    relay = Relay(dataclasses.replace(OFFERING, quota_per_id=2))
    codes = [code(Bearer(client_on(relay, 1000 + number)).allocate()) for number in range(3)]
    mac_key = b"the next session key"
    other = Bearer(client_on(relay, 2000), token(mac_key=mac_key), mac_key)

    assert codes == [0, 0, 486]
    assert code(other.allocate()) == 0


@pytest.mark.requirement("stun-turn:TURN-MOB-05")
def test_an_allocation_moves_with_its_own_token_alone() -> None:
    """All who have a token of one authorization server have the same kid."""
    relay = Relay(dataclasses.replace(OFFERING, mobility=True))
    user = Bearer(client_on(relay, 1000))
    ticket = user.allocate(MobilityTicket()).get(MobilityTicket)
    assert ticket is not None
    mac_key = b"another session key!"
    thief = Bearer(client_on(relay, 2000), token(mac_key=mac_key), mac_key)

    assert code(thief.ask(Method.REFRESH, ticket)) == 441
    moved = Bearer(client_on(relay, 3000))
    assert code(moved.ask(Method.REFRESH, ticket)) == 0
