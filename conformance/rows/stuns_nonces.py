"""STUNS-LTC: nonces, which are given to one client each, and go stale (RFC 8489 section 9.2)."""

from __future__ import annotations

from typing import Final

from conformance.allocation import UDP, Allocation, delete_granted
from conformance.checks import mark_attribute
from conformance.client import Attribute, Client
from conformance.codes import Attr, Class, Method, method_name
from conformance.expect import expect_attribute, expect_error, expect_success
from conformance.identity import SHA256_BIT, Challenge, feature_bits
from conformance.outcome import NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.row import Feature, row

from .needs import expect_granted, expect_kept, offered, requests_to, somewhere
from .stuns_ltc import challenge_of

NONCE_HEAD: Final = 13
"""Characters of a NONCE that may say what the server can do (section 9.2)."""


@row(
    "STUNS-LTC-03",
    "The server MUST NOT choose the same NONCE for two requests unless they have the same source "
    "IP address and port.",
    Feature.LONG_TERM,
)
async def each_5_tuple_gets_a_nonce_of_its_own(probe: Probe) -> None:
    nonces = []
    for _ in range(3):
        response = await challenge_of(probe)
        nonces.append(expect_attribute(response, Attr.NONCE))
    if len(set(nonces)) < len(nonces):
        mark = mark_attribute(response, Attr.NONCE)
        raise Violated("clients at different ports are given the same NONCE", mark)


@row(
    "STUNS-LTC-04",
    "A nonce is bound to the client that it was given to (a consequence of section 9.2.4).",
    Feature.TURN,
)
async def a_nonce_is_good_for_one_5_tuple(probe: Probe) -> Outcome | None:
    mine, other = await probe.client(), await probe.client()
    other.challenge = await mine.learn_challenge()
    request = other.sign(other.message(Method.ALLOCATE, UDP)).build()
    response = await other.demand(request)
    await delete_granted(other, response)
    if response.message_class is Class.SUCCESS:
        # How nonces are chosen is a MUST (STUNS-LTC-03), how they are validated is open.
        return seen("the NONCE of another 5-tuple is taken, too")
    expect_error(response, 438, 401, to="the NONCE of another 5-tuple")
    return None


@row(
    "STUNS-LTC-13",
    "If the NONCE is no longer valid, the server MUST generate an error response with an error "
    "code of 438 (Stale Nonce); it MUST include NONCE, REALM and PASSWORD-ALGORITHMS.",
    Feature.TURN,
)
async def a_stale_nonce_is_replaced(probe: Probe) -> None:
    client = await probe.client()
    await client.learn_challenge()
    await _expect_stale(client, Method.ALLOCATE, UDP)
    again = await client.demand(client.sign(client.message(Method.ALLOCATE, UDP)).build())
    expect_granted(again, to="the NONCE of the 438")
    relayed = again.xor_address(Attr.XOR_RELAYED_ADDRESS)
    if relayed is None:
        raise NotOffered("the success of Allocate has no XOR-RELAYED-ADDRESS")
    allocation = probe.keep(Allocation(client, again, relayed))
    for method, attributes in offered(probe, requests_to(somewhere(probe))).items():
        await _expect_stale(client, method, *attributes)
    await expect_kept(probe, allocation, when="afterwards")


@row(
    "STUNS-LTC-17",
    "The server SHOULD expire the nonce at least once every hour during the lifetime of the "
    "allocation (RFC 8656 section 5).",
    Feature.TURN,
    Feature.REFRESH,
    slow=True,
)
async def a_nonce_goes_stale_within_an_hour(probe: Probe) -> None:
    allocation = await probe.allocate()
    first = allocation.client.challenge
    for _ in range(14):
        await probe.wire.sleep(285)
        response = await allocation.refresh()
        expect_success(response, to="Refresh")
        if allocation.client.challenge != first:
            return
    raise Violated("after 66 minutes the first NONCE is still taken")


@row(
    "STUNS-LTC-18",
    "For each Allocate request, the server SHOULD generate a new random nonce when the "
    "allocation is first attempted (RFC 8656 section 5).",
    Feature.LONG_TERM,
)
async def each_attempt_gets_a_nonce_of_its_own(probe: Probe) -> Outcome | None:
    client = await probe.client()
    nonces = [(await client.learn_challenge()).nonce for _ in range(2)]
    if nonces[0] != nonces[1]:
        return None
    return seen("two Allocate requests of one 5-tuple are given the same NONCE")


async def _expect_stale(client: Client, method: Method, *attributes: Attribute) -> None:
    """That a NONCE which was never given is replaced; the client goes on with the new one."""
    fresh = client.challenge
    assert fresh is not None
    client.challenge = Challenge(fresh.realm, _changed(fresh.nonce), fresh.algorithms)
    response = await client.demand(client.sign(client.message(method, *attributes)).build())
    client.challenge = Challenge.of(response) or fresh
    if method == Method.ALLOCATE:
        await delete_granted(client, response)
    expect_error(response, 438, to=f"{method_name(method)} with an invalid NONCE")
    if Challenge.of(response) is None:
        raise Violated("438 without NONCE and REALM", mark_attribute(response, Attr.ERROR_CODE))
    if (feature_bits(client.challenge.nonce) or 0) & SHA256_BIT:
        expect_attribute(response, Attr.PASSWORD_ALGORITHMS)


def _changed(nonce: bytes) -> bytes:
    """Another one, that differs in the middle of what is the server's own: what ends base64 may
    be written in several ways, which are one nonce to who decodes it."""
    at = (min(NONCE_HEAD, len(nonce) - 1) + len(nonce)) // 2
    return nonce[:at] + (b"0" if nonce[at : at + 1] != b"0" else b"1") + nonce[at + 1 :]
