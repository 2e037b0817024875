"""Allocations, and why there are none."""

from __future__ import annotations

import contextlib
import dataclasses

import pytest

from hairpin.probing.advice import Cause
from hairpin.probing.allocating import ALL_FEATURES, Held, allocate, cause_of, in_words
from hairpin.probing.options import Proof
from stun.resolution import Target
from transport import TransportAddress, TransportProtocol
from transport.aio import ClientTls
from turn.client import AllocationFailed, FailureReason
from turn.credentials import Credentials

from .servers import PASSWORD, USER, Refusing, relay, relay_config, serving

ANN = Credentials(USER, PASSWORD)
SERVER = TransportAddress.parse("192.0.2.1", 3478)


def udp(address: TransportAddress) -> Target:
    return Target(TransportProtocol.UDP, address, address.host)


async def outcome_at(
    address: TransportAddress, credentials: Credentials = ANN, *, patience: float = 15.0
) -> Held | AllocationFailed:
    async with contextlib.AsyncExitStack() as stack:
        return await allocate(stack, udp(address), credentials, tls=ClientTls(), patience=patience)


async def test_what_the_server_can_do_is_seen() -> None:
    config = dataclasses.replace(relay_config(), offers_userhash=True, mobility=True)
    async with relay(config) as server, contextlib.AsyncExitStack() as stack:
        target = udp(server.addresses[0])
        plain = await allocate(stack, target, ANN, tls=ClientTls())
        held = await allocate(stack, target, ANN, tls=ClientTls(), config=ALL_FEATURES)

    assert isinstance(plain, Held)
    assert isinstance(held, Held)
    assert plain.features == ("SHA-256", "USERHASH")
    assert held.features == ("SHA-256", "USERHASH", "DONT-FRAGMENT", "mobility")
    assert held.allocated.lifetime == 600
    assert held.client.software == ""


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        pytest.param(300, Cause.REDIRECTED, id="300"),
        pytest.param(403, Cause.FORBIDDEN, id="403"),
        pytest.param(438, Cause.STALE_NONCE, id="438-for-ever"),
        pytest.param(440, Cause.FAMILY_MISSING, id="440"),
        pytest.param(442, Cause.ALLOCATION_REFUSED, id="442"),
        pytest.param(486, Cause.QUOTA_REACHED, id="486"),
        pytest.param(508, Cause.NO_CAPACITY, id="508"),
    ],
)
async def test_each_error_has_its_cause(code: int, cause: Cause) -> None:
    async with serving(Refusing(code)) as address:
        outcome = await outcome_at(address)

    assert isinstance(outcome, AllocationFailed)
    assert cause_of(outcome, Proof.PASSWORD) is cause
    assert str(code) in in_words(outcome)


@pytest.mark.parametrize(
    ("proof", "cause"),
    [(Proof.PASSWORD, Cause.WRONG_PASSWORD), (Proof.SECRET, Cause.WRONG_SECRET)],
)
async def test_401_twice_is_the_password_or_the_secret(proof: Proof, cause: Cause) -> None:
    async with relay() as server:
        outcome = await outcome_at(server.addresses[0], Credentials(USER, "wrong"))

    assert isinstance(outcome, AllocationFailed)
    assert outcome.code == 401
    assert cause_of(outcome, proof) is cause


async def test_a_server_that_knows_no_allocations_is_a_stun_server() -> None:
    async with serving(Refusing(None)) as address:
        outcome = await outcome_at(address, patience=0.1)

    assert isinstance(outcome, AllocationFailed)
    assert cause_of(outcome, Proof.PASSWORD) is Cause.NO_TURN
    assert in_words(outcome) == "the server does not answer"


def test_where_a_redirection_leads_is_said() -> None:
    failure = AllocationFailed(300, FailureReason.REDIRECTED, "Try Alternate", SERVER)

    assert in_words(failure) == "the server says 300 Try Alternate, to 192.0.2.1:3478"


def test_a_connection_that_is_gone_is_no_refusal() -> None:
    failure = AllocationFailed(None, FailureReason.UNREACHABLE)

    assert cause_of(failure, Proof.PASSWORD) is Cause.CONNECTION_LOST
