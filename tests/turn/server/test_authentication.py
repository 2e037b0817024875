"""Whose requests are carried out: RFC 8656 section 5."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import pytest

from stun import (
    AlgorithmChoice,
    AnyAttribute,
    ChannelNumber,
    IntegrityAlgorithm,
    Lifetime,
    LongTermClient,
    Message,
    Method,
    Nonce,
    Origin,
    Realm,
    UnknownAttribute,
    Userhash,
    Username,
    XorPeerAddress,
)
from turn import CredentialVerifier, make_credentials
from turn.server import ServerConfig

from .harness import (
    PEER,
    REALM,
    SECRET,
    UDP_REQUEST,
    WALL_CLOCK,
    Client,
    Relay,
    client_on,
    code,
    config,
)

METHODS = [Method.REFRESH, Method.CREATE_PERMISSION, Method.CHANNEL_BIND]
ATTRIBUTES: dict[Method, tuple[AnyAttribute, ...]] = {
    Method.REFRESH: (Lifetime(0),),
    Method.CREATE_PERMISSION: (XorPeerAddress(PEER),),
    Method.CHANNEL_BIND: (ChannelNumber(0x4000), XorPeerAddress(PEER)),
}


def time_limited(relay: Relay, expiry: float) -> Client:
    username, password = make_credentials(SECRET, "carol", int(WALL_CLOCK + expiry))
    return client_on(relay, 1000, username=username, password=password)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.requirement("stun-turn:TURN-GEN-03")
def test_without_an_allocation_every_request_is_437(method: Method) -> None:
    response = Client(Relay()).ask(method, *ATTRIBUTES[method])

    assert code(response) == 437
    assert response.has_integrity


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.requirement("stun-turn:TURN-GEN-03")
def test_without_credentials_every_request_is_401(method: Method) -> None:
    assert code(Client(Relay()).bare(method, *ATTRIBUTES[method])) == 401


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.requirement("stun-turn:TURN-GEN-05", "stun-turn:TURN-REFR-10", "stun-turn:SEC-18")
def test_another_user_on_the_same_5_tuple_is_441_and_harms_nothing(method: Method) -> None:
    relay = Relay()
    alice = Client(relay)
    alice.allocate()
    bob = client_on(relay, alice.path.remote.port, username="bob")

    response = bob.ask(method, *ATTRIBUTES[method])

    assert code(response) == 441
    assert response.has_integrity
    (snapshot,) = relay.server.allocations(0.0)
    assert (snapshot.permissions, snapshot.channels) == ({}, {})


@pytest.mark.requirement("stun-turn:SEC-22")
def test_what_a_stranger_claims_to_be_changes_nothing() -> None:
    client = Client(Relay())

    response = client.bare(
        Method.ALLOCATE, UDP_REQUEST, Realm("elsewhere"), Origin("https://elsewhere.example")
    )

    assert code(response) == 401
    assert response.get(Realm) == Realm(REALM)
    assert client.allocate()


def test_the_same_user_with_a_wrong_password_is_401() -> None:
    relay = Relay()
    alice = Client(relay)
    alice.allocate()
    alice.password = "a guess"

    assert code(alice.refresh(0)) == 401
    assert len(relay.server.allocations(0.0)) == 1


@pytest.mark.parametrize("choice", list(AlgorithmChoice))
def test_a_sha256_client_goes_through_a_session(choice: AlgorithmChoice) -> None:
    relay = Relay()
    client = Client(relay)
    mechanism = LongTermClient("alice", "alice's password", choice=choice)
    session: list[tuple[Method, AnyAttribute]] = [
        (Method.ALLOCATE, UDP_REQUEST),
        (Method.CREATE_PERMISSION, XorPeerAddress(PEER)),
        (Method.REFRESH, Lifetime(0)),
    ]
    for method, attribute in session:
        request = mechanism.request(method, (attribute,))
        response = client.answer(request.encode(client.transaction_id()))
        if request.retry(response):
            response = client.answer(request.encode(client.transaction_id()))

        assert code(response) == 0
        assert response.integrity is IntegrityAlgorithm.SHA256
        assert request.is_authenticated(response)


def test_a_client_may_change_its_key_algorithm_during_a_session() -> None:
    relay = Relay()
    client = Client(relay)
    client.allocate()
    mechanism = LongTermClient("alice", "alice's password")
    assert mechanism.take_challenge(client.bare(Method.REFRESH))

    request = mechanism.request(Method.REFRESH, (Lifetime(0),))

    response = client.answer(request.encode(client.transaction_id()))
    assert code(response) == 0
    assert response.integrity is IntegrityAlgorithm.SHA256


def test_usernames_can_be_hidden_where_all_are_static() -> None:
    relay = Relay(dataclasses.replace(config(secrets=()), offers_userhash=True))
    client = Client(relay)
    mechanism = LongTermClient("alice", "alice's password")
    request = mechanism.request(Method.ALLOCATE, (UDP_REQUEST,))
    assert request.retry(client.answer(request.encode(client.transaction_id())))
    data = request.encode(client.transaction_id())

    response = client.answer(data)

    assert code(response) == 0
    assert Message.decode(data).has(Userhash)
    (snapshot,) = relay.server.allocations(0.0)
    assert snapshot.username == "alice"


def test_an_unknown_userhash_is_401() -> None:
    client = Client(Relay())
    mechanism = LongTermClient("mallory", "mallory's password")
    request = mechanism.request(Method.ALLOCATE, (UDP_REQUEST,))
    assert request.retry(client.answer(request.encode(client.transaction_id())))
    data = request.encode(client.transaction_id())
    hidden = data.replace(
        Username("mallory").TYPE.to_bytes(2, "big") + b"\0\x07mallory\0",
        Userhash.TYPE.to_bytes(2, "big") + b"\0\x20" + bytes(32),
    )
    assert len(hidden) == len(data) + 24
    size = len(hidden) - 20

    response = client.answer(hidden[:2] + size.to_bytes(2, "big") + hidden[4:])

    assert code(response) == 401


@pytest.mark.requirement("stun-turn:STUNS-LTC-20", "stun-turn:SEC-24")
def test_an_expired_credential_allocates_nothing() -> None:
    relay = Relay()
    client = time_limited(relay, 300)
    relay.now = 299.0
    client.allocate()
    client.refresh(0)
    relay.now = 300.0

    response = client.ask(Method.ALLOCATE, UDP_REQUEST)

    assert code(response) == 401
    assert response.has(Nonce)
    assert not response.has_integrity


@pytest.mark.requirement("stun-turn:STUNS-LTC-20", "stun-turn:SEC-24")
def test_a_live_allocation_outlives_its_credential_up_to_a_session_life() -> None:
    relay = Relay(dataclasses.replace(config(), max_session_life=2000.0))
    client = time_limited(relay, 300)
    client.allocate()
    for now in (540.0, 1080.0, 1620.0, 1999.0):
        relay.run_until(now)
        assert code(client.refresh()) == 0
        assert code(client.permit(PEER)) == 0
    relay.run_until(2000.0)

    assert code(client.refresh()) == 401
    relay.run_until(2598.0)
    assert relay.released == []
    relay.run_until(2599.0)
    assert len(relay.released) == 1


def test_a_static_user_has_no_session_life() -> None:
    relay = Relay(dataclasses.replace(config(), max_session_life=10.0))
    client = Client(relay)
    client.allocate()
    relay.run_until(500.0)

    assert code(client.refresh()) == 0


@pytest.mark.requirement("stun-turn:SEC-24")
def test_strict_checking_ends_what_has_expired() -> None:
    relay = Relay(dataclasses.replace(config(), strict_expiry=True))
    client = time_limited(relay, 300)
    client.allocate()
    relay.now = 299.0
    assert code(client.refresh()) == 0
    relay.now = 300.0

    assert code(client.refresh()) == 401


def test_deleting_twice_with_an_expired_credential_is_437() -> None:
    relay = Relay()
    client = time_limited(relay, 300)
    client.allocate()
    relay.now = 400.0
    data = client.request(Method.REFRESH, Lifetime(0))

    assert code(client.answer(data)) == 0
    assert code(client.answer(data)) == 437


@pytest.mark.parametrize(
    "username", ["1800000000:carol", "carol", "", "mallory", "18000000000000:carol"]
)
def test_a_username_that_was_tampered_with_is_401(username: str) -> None:
    _, password = make_credentials(SECRET, "carol", 1_700_000_300)
    client = client_on(Relay(), 1000, username=username, password=password)

    assert code(client.ask(Method.ALLOCATE, UDP_REQUEST)) == 401


@pytest.mark.requirement("stun-turn:SEC-20", "stun-turn:STUNS-LTC-10")
def test_as_much_is_computed_for_nobody_as_for_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    relay = Relay()
    made: list[str] = []
    usual = hashlib.new

    def new(name: str, *arguments: Any, **options: Any) -> Any:
        made.append(name)
        return usual(name, *arguments, **options)

    counts = set()
    for username in ("alice", "mallory", "18x0000000:carol"):
        client = client_on(relay, 1000, username=username, password="a guess")
        data = client.request(Method.ALLOCATE, UDP_REQUEST)
        with monkeypatch.context() as patched:
            patched.setattr(hashlib, "new", new)
            made.clear()
            assert code(client.answer(data)) == 401
            counts.add(tuple(made))

    assert counts == {("md5",)}


@pytest.mark.requirement("stun-turn:STUNS-LTC-17", "stun-turn:STUNS-LTC-13")
def test_a_nonce_lasts_an_hour_and_the_new_one_goes_on() -> None:
    relay = Relay()
    client = Client(relay)
    client.allocate(Lifetime(3600))
    relay.run_until(3599.0)
    assert code(client.refresh(3600)) == 0
    relay.run_until(3600.0)

    stale = client.refresh()

    assert code(stale) == 438
    fresh = stale.get(Nonce)
    assert fresh is not None
    client.nonce = fresh.nonce
    assert code(client.refresh()) == 0


@pytest.mark.requirement(
    "stun-turn:STUNS-LTC-03", "stun-turn:STUNS-LTC-04", "stun-turn:SEC-12", "stun-turn:SEC-19"
)
def test_a_nonce_of_another_socket_is_stale() -> None:
    relay = Relay()
    first, second = client_on(relay, 1000), client_on(relay, 1001)
    first.fetch_nonce()
    second.nonce = first.nonce

    assert code(second.ask(Method.ALLOCATE, UDP_REQUEST)) == 438
    assert code(first.ask(Method.ALLOCATE, UDP_REQUEST)) == 0


@pytest.mark.requirement("stun-turn:STUNS-LTC-18")
def test_every_challenge_has_a_new_nonce() -> None:
    client = Client(Relay())

    nonces = {client.bare(Method.ALLOCATE, UDP_REQUEST).get(Nonce) for _ in range(20)}

    assert len(nonces) == 20


@pytest.mark.requirement("stun-turn:SEC-23")
def test_a_name_cannot_forge_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    username, password = make_credentials(SECRET, "a\n%n\x1b", int(WALL_CLOCK) + 60)
    client = client_on(Relay(), 1000, username=username, password=password)

    with caplog.at_level("INFO"):
        client.allocate()
        client.refresh(0)

    assert len(caplog.messages) == 2
    assert all("a\\n%n\\x1b" in line and line.isprintable() for line in caplog.messages)


def test_servers_with_the_same_nonce_key_take_each_others_nonces() -> None:
    settings = dataclasses.replace(config(), nonce_key=bytes(32))
    first = Client(Relay(settings))
    first.fetch_nonce()

    second = Client(Relay(settings), nonce=first.nonce)

    assert second.allocate()


@pytest.mark.requirement("stun-turn:COD-MI-07")
def test_a_realm_with_a_trailing_nul_is_accepted() -> None:
    client = Client(Relay())

    data = client.request(Method.ALLOCATE, UDP_REQUEST, realm=REALM + "\0")

    assert code(client.answer(data)) == 0


@pytest.mark.requirement("stun-turn:COD-ATTR-09")
def test_what_follows_message_integrity_is_not_there() -> None:
    relay = Relay()
    client = Client(relay)
    client.allocate()
    plain = client.request(Method.REFRESH)
    tail = b"".join(
        each.TYPE.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value
        for each in (Lifetime(0), UnknownAttribute(0x7FFF, b""))
        for value in (each.encode(b""),)
    )
    size = len(plain) - 20 + len(tail)

    response = client.answer(plain[:2] + size.to_bytes(2, "big") + plain[4:] + tail)

    assert response.get(Lifetime) == Lifetime(600)


def test_a_response_has_fingerprint_if_the_request_has() -> None:
    client = Client(Relay())

    response = client.answer(client.request(Method.ALLOCATE, UDP_REQUEST, fingerprint=True))

    assert response.fingerprint_ok is True
    assert code(response) == 0


def test_time_limited_names_and_hidden_names_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="hash"):
        dataclasses.replace(config(), offers_userhash=True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("realm", ""),
        ("realm", "x" * 45),
        ("realm", "tab\there"),
        ("realm", "nul\0"),
        ("realm", 'quo"tes'),
        ("realm", "back\\slash"),
        ("realm", "e\u0301"),
        ("min_port", 1023),
        ("max_port", 49151),
        ("max_port", 65536),
        ("default_lifetime", 0),
        ("max_lifetime", 599),
        ("relay_addresses", ()),
        ("nonce_lifetime", 0.0),
        ("quota_per_id", 0),
        ("max_allocations", 0),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(field: str, value: object) -> None:
    settings = {each.name: getattr(config(), each.name) for each in dataclasses.fields(config())}
    settings[field] = value

    with pytest.raises(ValueError, match=r"realm|range|lifetime|address|positive"):
        ServerConfig(**settings)


def test_a_wildcard_is_no_relay_address() -> None:
    with pytest.raises(ValueError, match="wildcard"):
        ServerConfig(
            realm=REALM,
            credentials=CredentialVerifier(),
            listening=(),
            relay_addresses=(PEER.ip.__class__("0.0.0.0"),),
        )
