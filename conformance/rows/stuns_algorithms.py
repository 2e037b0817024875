"""STUNS-LTC: password algorithms, and users whose names are hidden (RFC 8489 section 9.2)."""

from __future__ import annotations

from conformance.allocation import UDP, delete_granted
from conformance.checks import mark_attribute
from conformance.codes import COOKIE_PREFIX, Attr, Method
from conformance.expect import expect_attribute, expect_error
from conformance.identity import SHA256_BIT, USERHASH_BIT, feature_bits
from conformance.outcome import Violated
from conformance.probe import Probe
from conformance.row import Feature, row

from .needs import expect_granted
from .stuns_ltc import challenge_of


@row(
    "STUNS-LTC-05",
    "To indicate that it supports this specification, a server MUST prepend the NONCE attribute "
    'value with "obMatJos2" concatenated with the (4-character) base64 encoding of the 24-bit '
    "STUN Security Features.",
    Feature.SHA256,
)
async def the_nonce_begins_with_its_feature_bits(probe: Probe) -> None:
    response = await challenge_of(probe)
    nonce, mark = expect_attribute(response, Attr.NONCE), mark_attribute(response, Attr.NONCE)
    if not nonce.startswith(COOKIE_PREFIX.encode()):
        raise Violated(f"NONCE does not begin with {COOKIE_PREFIX}", mark)
    bits = feature_bits(nonce)
    if bits is None:
        raise Violated("the 4 characters behind the cookie are no base64", mark)
    if bits & ~(SHA256_BIT | USERHASH_BIT):
        raise Violated(f"unassigned feature bits are set: {bits:#08x}", mark)


@row(
    "STUNS-LTC-06",
    "If the server adds a PASSWORD-ALGORITHMS attribute, it MUST set the STUN Security Feature "
    '"Password algorithms" bit to 1. That the bit is set only then is our reading.',
    Feature.LONG_TERM,
)
async def the_list_of_algorithms_and_its_bit_go_together(probe: Probe) -> None:
    response = await challenge_of(probe)
    bits = feature_bits(expect_attribute(response, Attr.NONCE)) or 0
    has_list = Attr.PASSWORD_ALGORITHMS in response.types
    if has_list != bool(bits & SHA256_BIT):
        mark = mark_attribute(response, Attr.NONCE)
        raise Violated(
            f"bit 0 is {bool(bits & SHA256_BIT):d}, and the list {_there(has_list)}", mark
        )


@row(
    "STUNS-LTC-08",
    "If the NONCE has the bit of password algorithms set, and the request contains neither the "
    "PASSWORD-ALGORITHMS nor the PASSWORD-ALGORITHM algorithm, then the request is processed as "
    "though PASSWORD-ALGORITHM were MD5.",
    Feature.TURN,
    Feature.SHA256,
)
async def a_client_of_rfc_5389_is_served(probe: Probe) -> None:
    client = await probe.client()
    client.is_bound_to_md5 = True
    response = await client.authenticated(Method.ALLOCATE, UDP)
    await delete_granted(client, response)
    expect_granted(response, to="MD5 without PASSWORD-ALGORITHM")
    if not response.has_integrity(client.key()):
        raise Violated("the answer has no MESSAGE-INTEGRITY of the MD5 key")


@row(
    "STUNS-LTC-09",
    "Unless (1) PASSWORD-ALGORITHM and PASSWORD-ALGORITHMS are both present, (2) "
    "PASSWORD-ALGORITHMS matches the value sent in the response that sent this NONCE, and (3) "
    "PASSWORD-ALGORITHM matches one of the entries in PASSWORD-ALGORITHMS, the server MUST "
    "generate an error response with an error code of 400 (Bad Request).",
    Feature.SHA256,
)
async def a_list_of_algorithms_cannot_be_bid_down(probe: Probe) -> None:
    first = await probe.client()
    listed = (await first.learn_challenge()).algorithms or b""
    chosen, other = b"\0\2\0\0", b"\0\x77\0\0"
    cases = {
        "PASSWORD-ALGORITHM alone": (None, chosen),
        "PASSWORD-ALGORITHMS alone": (listed, None),
        "a list without one of its entries": (listed[:-4] or other, chosen),
        "an algorithm that is not listed": (listed, other),
    }
    for name, (algorithms, algorithm) in cases.items():
        client = await probe.client()
        challenge = await client.learn_challenge()
        builder = client.message(Method.ALLOCATE, UDP, (Attr.USERNAME, client.username))
        builder.add(Attr.REALM, challenge.realm).add(Attr.NONCE, challenge.nonce)
        if algorithms is not None:
            builder.add(Attr.PASSWORD_ALGORITHMS, algorithms)
        if algorithm is not None:
            builder.add(Attr.PASSWORD_ALGORITHM, algorithm)
        response = await client.demand(client.seal(builder).build())
        await delete_granted(client, response)
        expect_error(response, 400, to=name)


@row(
    "STUNS-LTC-15",
    "If the MESSAGE-INTEGRITY-SHA256 attribute is present, compute the value for the message "
    "integrity as described in Section 14.6. Otherwise, compute the value for the "
    "MESSAGE-INTEGRITY attribute.",
    Feature.TURN,
    Feature.SHA256,
)
async def of_two_integrities_sha256_decides(probe: Probe) -> None:
    for sha256_is_right in (True, False):
        client = await probe.client()
        await client.learn_challenge()
        builder = client.identify(client.message(Method.ALLOCATE, UDP))
        right, wrong = client.key(), bytes(32)
        builder.add_integrity(wrong if sha256_is_right else right)
        builder.add_integrity_sha256(right if sha256_is_right else wrong)
        response = await client.demand(builder.build())
        await delete_granted(client, response)
        if sha256_is_right:
            expect_granted(response, to="a right SHA-256 and a wrong SHA-1")
        else:
            expect_error(response, 401, to="a wrong SHA-256 and a right SHA-1")


@row(
    "STUNS-LTC-16",
    "The USERHASH attribute is used as a replacement for the USERNAME attribute when username "
    "anonymity is supported (section 14.4).",
    Feature.TURN,
    Feature.USERHASH,
)
async def a_hidden_user_is_found(probe: Probe) -> None:
    client = await probe.client()
    await client.learn_challenge()
    request = client.seal(client.identify_hidden(client.message(Method.ALLOCATE, UDP))).build()
    response = await client.demand(request)
    await delete_granted(client, response)
    expect_granted(response, to="USERHASH of a known user")
    other = await probe.client()
    challenge = await other.learn_challenge()
    builder = other.message(Method.ALLOCATE, UDP, (Attr.USERHASH, bytes(32)))
    builder.add(Attr.REALM, challenge.realm).add(Attr.NONCE, challenge.nonce)
    unknown = await other.demand(builder.add_integrity(bytes(16)).build())
    expect_error(unknown, 401, to="an unknown USERHASH")


def _there(is_there: bool) -> str:
    return "is there" if is_there else "is not"
