"""Getting an allocation (RFC 8656 section 7), from a scripted server."""

from __future__ import annotations

import os
from inspect import signature

import pytest

from stun import (
    AddressFamily,
    AlgorithmParameters,
    AlternateDomain,
    AlternateServer,
    AnyAttribute,
    IntegrityAlgorithm,
    KeyAlgorithm,
    Lifetime,
    Message,
    MessageIntegrity,
    MessageIntegritySha256,
    Method,
    Nonce,
    PasswordAlgorithm,
    PasswordAlgorithms,
    Realm,
    RequestedAddressFamily,
    RequestedTransport,
    SecurityFeature,
    Software,
    UnknownAttribute,
    Userhash,
    Username,
    XorMappedAddress,
    XorRelayedAddress,
    long_term_key,
    nonce_cookie,
)
from transport import TransportAddress
from turn.aio import connect
from turn.client import (
    Allocated,
    AllocationFailed,
    AllocationReleased,
    ClientConfig,
    ClientState,
    ClientStateError,
    FailureReason,
    ServerMemory,
    TurnClient,
)

from .script import KEY, MAPPED, PASSWORD, PATH, REALM, RELAYED, SERVER, USER, Script, silence

IPV6_RELAYED = TransportAddress.parse("2001:db8::1", 50000)


def failure(script: Script) -> AllocationFailed:
    (failed,) = script.events_of(AllocationFailed)
    assert script.client.state in (ClientState.CLOSED, ClientState.RELEASING)
    return failed


@pytest.mark.requirement("stun-turn:STUNC-LTC-01")
@pytest.mark.requirement("stun-turn:TURNC-ALLOC-01")
@pytest.mark.requirement("stun-turn:TURNC-ALLOC-14")
def test_the_first_allocate_asks_for_udp_and_carries_no_credentials() -> None:
    script = Script()

    script.allocate()

    request = script.take_one()
    assert list(request.message.raw_attributes()) == [
        (RequestedTransport.TYPE, b"\x11\0\0\0"),
        (Software.TYPE, b"hairpin"),
    ]
    assert not request.message.has_integrity


@pytest.mark.requirement("stun-turn:COD-HDR-07")
def test_every_transaction_id_is_fresh_from_the_source_of_randomness() -> None:
    drawn: list[bytes] = []

    def random_bytes(size: int) -> bytes:
        drawn.append(bytes([len(drawn)]) * size)
        return drawn[-1]

    client = TurnClient(PATH, username=USER, password=PASSWORD, random_bytes=random_bytes)
    client.allocate(0.0)

    transmit = client.poll_transmit()
    assert transmit is not None
    assert Message.decode(transmit.segments[0]).transaction_id == drawn[-1]
    assert len(drawn[-1]) == 12
    assert signature(connect).parameters["random_bytes"].default is os.urandom


@pytest.mark.requirement("stun-turn:STUNC-LTC-02")
def test_a_401_is_answered_at_once_with_credentials_in_a_new_transaction() -> None:
    script = Script()
    script.allocate()
    first = script.take_one()

    script.challenge(first, nonce="n" * 127)

    second = script.take_one()
    assert second.message.transaction_id != first.message.transaction_id
    assert second.message.get(Username) == Username(USER)
    assert second.message.get(Realm) == Realm(REALM)
    assert second.nonce == "n" * 127
    assert second.message.has(RequestedTransport)
    assert second.message.verify_integrity(KEY)


def test_an_allocation_is_reported_with_its_addresses() -> None:
    script = Script()

    script.get_allocation(lifetime=777)

    assert script.events == [(0.0, Allocated(RELAYED, MAPPED, 777))]
    assert script.client.relayed == RELAYED
    assert script.client.state is ClientState.ALLOCATED


def test_what_is_asked_for_is_in_the_request() -> None:
    config = ClientConfig(family=AddressFamily.IPV6, lifetime=1800, software=None)
    script = Script(config=config)

    script.allocate()

    message = script.take_one().message
    assert message.get(RequestedAddressFamily) == RequestedAddressFamily(AddressFamily.IPV6)
    assert message.get(Lifetime) == Lifetime(1800)
    assert not message.has(Software)


@pytest.mark.requirement("stun-turn:STUNC-LTC-14")
def test_a_second_client_of_a_server_starts_with_the_nonce_of_the_first() -> None:
    memory = ServerMemory()
    Script(memory=memory).get_allocation()
    second = Script(memory=memory, seed=2)

    second.allocate()

    request = second.take_one()
    assert request.nonce == "nonce-0"
    assert request.message.verify_integrity(KEY)
    second.grant(request)
    assert second.events_of(Allocated)


def test_realm_and_nonce_can_be_preset() -> None:
    memory = ServerMemory()
    memory.preset(SERVER, realm=REALM, nonce="from-a-former-run")
    script = Script(memory=memory)

    script.allocate()

    request = script.take_one()
    assert request.nonce == "from-a-former-run"
    assert request.message.verify_integrity(KEY)


@pytest.mark.requirement("stun-turn:STUNC-LTC-04")
def test_a_preset_nonce_that_is_stale_costs_one_round_trip() -> None:
    memory = ServerMemory()
    memory.preset(SERVER, realm=REALM, nonce="stale")
    script = Script(memory=memory)
    script.allocate()

    script.challenge(script.take_one(), code=438, nonce="fresh")

    request = script.take_one()
    assert request.nonce == "fresh"
    script.grant(request)
    assert script.events_of(Allocated)


def test_a_preset_nonce_that_is_answered_with_401_is_forgotten() -> None:
    memory = ServerMemory()
    memory.preset(SERVER, realm=REALM, nonce="unknown")
    script = Script(memory=memory)
    script.allocate()

    script.challenge(script.take_one(), code=401, nonce="fresh")

    bare = script.take_one()
    assert not bare.message.has_integrity
    script.challenge(bare)
    script.grant(script.take_one())
    assert script.events_of(Allocated)


@pytest.mark.requirement("stun-turn:STUNC-LTC-03")
def test_credentials_that_are_refused_are_not_tried_again() -> None:
    script = Script()
    script.allocate()
    script.challenge(script.take_one())

    script.challenge(script.take_one(), nonce="another")

    assert script.take() == []
    assert failure(script) == AllocationFailed(
        401, FailureReason.UNAUTHENTICATED, "Because", retry_after=None
    )


@pytest.mark.requirement("stun-turn:STUNC-LTC-05")
def test_a_server_that_never_likes_a_nonce_is_given_up() -> None:
    script = Script()
    script.allocate()
    script.challenge(script.take_one())

    requests = 0
    while sent := script.take():
        requests += 1
        script.challenge(sent[0], code=438, nonce=f"nonce-{requests}")

    assert requests == 5
    assert failure(script).code == 438


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-13")
@pytest.mark.requirement("stun-turn:STUNC-LTC-13")
def test_sha256_is_chosen_wherever_it_is_in_the_servers_list() -> None:
    script = Script()
    script.key = long_term_key(USER, REALM, password=PASSWORD, algorithm=KeyAlgorithm.SHA256)
    script.algorithm = IntegrityAlgorithm.SHA256
    offered = PasswordAlgorithms(
        (AlgorithmParameters(KeyAlgorithm.MD5), AlgorithmParameters(KeyAlgorithm.SHA256))
    )
    cookie = nonce_cookie(SecurityFeature.PASSWORD_ALGORITHMS)
    script.allocate()

    script.fail_unsigned(script.take_one(), 401, Realm(REALM), Nonce(f"{cookie}1"), offered)

    request = script.take_one()
    chosen = request.message.get(PasswordAlgorithm)
    assert chosen is not None
    assert chosen.algorithm.number == KeyAlgorithm.SHA256
    assert request.message.get(PasswordAlgorithms) == offered
    assert request.message.has(MessageIntegritySha256)
    assert not request.message.has(MessageIntegrity)
    script.grant(request)
    assert script.events_of(Allocated)


@pytest.mark.requirement("stun-turn:STUNC-LTC-09")
def test_the_username_is_hashed_where_the_server_wants_it() -> None:
    script = Script()
    cookie = nonce_cookie(SecurityFeature.USERNAME_ANONYMITY)
    script.allocate()

    script.challenge(script.take_one(), nonce=f"{cookie}1")

    message = script.take_one().message
    assert message.has(Userhash)
    assert not message.has(Username)


@pytest.mark.requirement("stun-turn:STUNC-UDP-02")
def test_a_dead_server_is_given_up_after_the_transactions_time() -> None:
    script = Script()
    script.allocate()

    sent = silence(script, 100.0)

    assert [request.at for request in sent] == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert len({request.message.data for request in sent}) == 1
    assert script.events == [(39.5, AllocationFailed(None, FailureReason.TIMED_OUT))]
    assert script.client.next_timeout() is None


@pytest.mark.requirement("stun-turn:STUNC-LTC-12")
def test_a_response_with_the_wrong_integrity_is_as_if_it_had_not_come() -> None:
    script = Script()
    script.allocate()
    script.challenge(script.take_one())
    request = script.take_one()

    script.key = long_term_key(USER, REALM, password="forged", algorithm=KeyAlgorithm.MD5)
    script.grant(request)

    assert script.events == []
    script.key = KEY
    script.grant(request)
    assert script.events_of(Allocated)


@pytest.mark.requirement("stun-turn:STUNC-LTC-12")
def test_nothing_but_forged_responses_ends_in_a_failure_that_says_so() -> None:
    script = Script()
    script.allocate()
    script.challenge(script.take_one())
    script.key = long_term_key(USER, REALM, password="forged", algorithm=KeyAlgorithm.MD5)
    script.grant(script.take_one())

    script.advance(100.0)

    assert failure(script).reason is FailureReason.INTEGRITY_VIOLATED


@pytest.mark.requirement("stun-turn:STUNC-LTC-11")
def test_an_unsigned_400_to_an_authenticated_request_is_ignored() -> None:
    script = Script()
    script.allocate()
    script.challenge(script.take_one())
    request = script.take_one()

    script.fail_unsigned(request, 400)

    assert script.events == []
    script.grant(request)
    assert script.events_of(Allocated)


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-08")
@pytest.mark.requirement("stun-turn:STUNC-RX-05")
@pytest.mark.requirement("stun-turn:STUNC-RX-06")
@pytest.mark.parametrize(
    ("code", "reason", "retry_after"),
    [
        pytest.param(300, FailureReason.REFUSED, 0.0, id="redirection to nowhere"),
        pytest.param(400, FailureReason.REFUSED, None, id="bad request"),
        pytest.param(403, FailureReason.REFUSED, None, id="forbidden"),
        pytest.param(420, FailureReason.REFUSED, None, id="unknown attribute"),
        pytest.param(440, FailureReason.REFUSED, None, id="address family"),
        pytest.param(441, FailureReason.UNAUTHENTICATED, None, id="wrong credentials"),
        pytest.param(442, FailureReason.REFUSED, None, id="transport protocol"),
        pytest.param(486, FailureReason.REFUSED, 60.0, id="quota"),
        pytest.param(500, FailureReason.REFUSED, 0.0, id="server error"),
        pytest.param(508, FailureReason.REFUSED, 60.0, id="capacity"),
        pytest.param(600, FailureReason.REFUSED, 0.0, id="class 6"),
    ],
)
def test_an_error_is_reported_with_how_long_to_leave_the_server_alone(
    code: int, reason: FailureReason, retry_after: float | None
) -> None:
    script = Script()
    script.allocate()
    script.challenge(script.take_one())

    script.fail(script.take_one(), code)

    expected = AllocationFailed(code, reason, "Because", retry_after=retry_after)
    assert failure(script) == expected
    assert script.take() == []


ALTERNATE = TransportAddress.parse("203.0.113.2", 3479)
ALTERNATE_IPV6 = TransportAddress.parse("2001:db8::2", 3479)


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-11")
@pytest.mark.requirement("stun-turn:STUNC-ALT-04")
def test_a_redirection_is_reported_with_the_first_address_of_our_family() -> None:
    script = Script()
    script.allocate()
    script.challenge(script.take_one())

    script.fail(
        script.take_one(),
        300,
        AlternateServer(ALTERNATE_IPV6),
        AlternateServer(ALTERNATE),
        AlternateDomain("other.example"),
    )

    assert failure(script) == AllocationFailed(
        300, FailureReason.REDIRECTED, "Because", ALTERNATE, "other.example"
    )


@pytest.mark.requirement("stun-turn:STUNC-LTC-15")
@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param((), id="without an address"),
        pytest.param((AlternateServer(ALTERNATE_IPV6),), id="of another family"),
        pytest.param((UnknownAttribute(AlternateServer.TYPE, b"\0"),), id="malformed"),
    ],
)
def test_a_redirection_to_nowhere_is_a_refusal(attributes: tuple[AnyAttribute, ...]) -> None:
    script = Script()
    script.allocate()
    script.challenge(script.take_one())

    script.fail(script.take_one(), 300, *attributes)

    assert failure(script) == AllocationFailed(300, FailureReason.REFUSED, "Because")


@pytest.mark.requirement("stun-turn:STUNC-LTC-15")
def test_a_redirection_that_nothing_proves_names_no_server() -> None:
    script = Script()
    script.allocate()

    script.fail_unsigned(script.take_one(), 300, AlternateServer(ALTERNATE))

    assert failure(script).alternate is None


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-07")
def test_a_leftover_allocation_on_our_port_is_deleted_before_the_next_try() -> None:
    script = Script()
    script.allocate()
    script.challenge(script.take_one())
    first = script.take_one()

    script.fail(first, 437)

    deletion = script.take_one()
    assert (deletion.method, deletion.lifetime) == (Method.REFRESH, 0)
    script.succeed(deletion, Lifetime(0))
    second = script.take_one()
    assert second.method == Method.ALLOCATE
    assert second.message.transaction_id != first.message.transaction_id
    script.grant(second)
    assert script.events_of(Allocated)


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-07")
def test_three_mismatches_are_enough() -> None:
    script = Script()
    script.allocate()
    script.challenge(script.take_one())

    allocates = 0
    while sent := script.take():
        allocates += sent[0].method == Method.ALLOCATE
        script.fail(sent[0], 437)

    assert allocates == 3
    assert failure(script) == AllocationFailed(
        437, FailureReason.MISMATCH, "Because", retry_after=120.0
    )


def test_an_allocation_of_another_user_on_our_port_is_left_alone() -> None:
    script = Script()
    script.allocate()
    script.challenge(script.take_one())
    script.fail(script.take_one(), 437)

    script.fail(script.take_one(), 441)

    assert failure(script).reason is FailureReason.MISMATCH
    assert script.take() == []


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-04")
@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param((), id="nothing"),
        pytest.param((XorMappedAddress(MAPPED), Lifetime(600)), id="no relayed transport address"),
        pytest.param(
            (XorRelayedAddress(IPV6_RELAYED), XorMappedAddress(MAPPED), Lifetime(600)),
            id="another family than was asked for",
        ),
        pytest.param(
            (UnknownAttribute(XorRelayedAddress.TYPE, b"\0\3"), XorMappedAddress(MAPPED)),
            id="a malformed address",
        ),
        pytest.param((XorRelayedAddress(RELAYED), Lifetime(600)), id="no mapped address"),
        pytest.param((XorRelayedAddress(RELAYED), XorMappedAddress(MAPPED)), id="no lifetime"),
        pytest.param(
            (XorRelayedAddress(RELAYED), XorMappedAddress(MAPPED), Lifetime(0)),
            id="a lifetime of nothing",
        ),
        pytest.param(
            (
                XorRelayedAddress(RELAYED),
                XorMappedAddress(MAPPED),
                UnknownAttribute(Lifetime.TYPE, b"\1"),
            ),
            id="a malformed lifetime",
        ),
    ],
)
def test_an_allocation_that_cannot_be_used_is_deleted(
    attributes: tuple[AnyAttribute, ...],
) -> None:
    script = Script(config=ClientConfig(family=AddressFamily.IPV4))
    script.allocate()
    script.challenge(script.take_one())

    script.succeed(script.take_one(), *attributes)

    deletion = script.take_one()
    assert (deletion.method, deletion.lifetime) == (Method.REFRESH, 0)
    assert failure(script).reason is FailureReason.UNUSABLE_RESPONSE
    script.succeed(deletion, Lifetime(0))
    assert script.events_of(AllocationReleased)
    assert script.client.state is ClientState.CLOSED


def test_a_client_allocates_once() -> None:
    script = Script()
    script.allocate()

    with pytest.raises(ClientStateError):
        script.client.allocate(1.0)


def test_a_client_is_released_before_it_has_begun() -> None:
    script = Script()

    script.release()

    assert script.events_of(AllocationReleased)
    assert script.take() == []


def test_an_allocation_that_was_not_answered_yet_is_deleted_on_release() -> None:
    script = Script()
    script.allocate()
    script.challenge(script.take_one())
    request = script.take_one()

    script.release()

    deletion = script.take_one()
    assert (deletion.method, deletion.lifetime) == (Method.REFRESH, 0)
    script.grant(request)
    assert script.events == []
    script.fail(deletion, 437)
    assert script.events_of(AllocationReleased)


def test_a_lifetime_to_ask_for_is_positive() -> None:
    with pytest.raises(ValueError, match="at least 1 second"):
        ClientConfig(lifetime=0)
