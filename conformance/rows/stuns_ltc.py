"""STUNS-LTC: the challenge of the long-term credential mechanism (RFC 8489 section 9.2)."""

from __future__ import annotations

import itertools

from conformance.allocation import UDP, delete_granted
from conformance.building import MessageBuilder
from conformance.checks import mark_attribute
from conformance.client import Client, describe, xor
from conformance.codes import Attr, Class, Method, attribute_name, method_name
from conformance.expect import expect_attribute, expect_error, expect_no_attribute
from conformance.identity import SHA256_BIT, Challenge, feature_bits
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.row import Feature, row
from conformance.target import Credential

from .needs import expect_granted, expect_kept, offered, requests_to, somewhere
from .stuns_tcp import stream_client
from .tcp_needs import TCP

IDENTITY = (Attr.USERNAME, Attr.USERHASH)
INTEGRITY = (Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256)
CREDENTIALS = (Attr.USERNAME, Attr.REALM, Attr.NONCE)
HALVES = [kinds for count in (1, 2, 3) for kinds in itertools.combinations(CREDENTIALS, count)]
"""What may be missing beside the integrity."""


@row(
    "STUNS-LTC-01",
    "If the message does not contain a MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256 attribute, "
    "the server MUST generate an error response with an error code of 401 (Unauthenticated). "
    "This response MUST include a REALM value and a NONCE.",
    Feature.LONG_TERM,
)
async def a_request_without_integrity_is_challenged(probe: Probe) -> None:
    response = await (await probe.client()).request(Method.ALLOCATE, UDP)
    expect_error(response, 401, to="Allocate without credentials")
    _expect_challenge(response)
    if Feature.TURN in probe.survey.missing:
        return
    # Who has an allocation has to sign its other requests, too.
    _, allocation = await probe.try_to_allocate(UDP)
    if allocation is None:
        return
    client = allocation.client
    for method, attributes in offered(probe, requests_to(somewhere(probe))).items():
        response = await client.request(method, *attributes)
        expect_error(response, 401, to=f"{method_name(method)} without credentials")
        _expect_challenge(response)
    await expect_kept(probe, allocation, when="with credentials afterwards")
    await _expect_challenge_to_connect(probe)


@row(
    "STUNS-LTC-02",
    "The 401 response SHOULD NOT contain a USERNAME, USERHASH, MESSAGE-INTEGRITY, or "
    "MESSAGE-INTEGRITY-SHA256 attribute.",
    Feature.LONG_TERM,
)
async def a_challenge_names_nobody_and_is_not_signed(probe: Probe) -> None:
    expect_no_attribute(await challenge_of(probe), *IDENTITY, *INTEGRITY)


@row(
    "STUNS-LTC-07",
    "If the message contains MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256, but is missing "
    "USERNAME or USERHASH, REALM, or NONCE, the server MUST generate an error response with an "
    "error code of 400 (Bad Request).",
    Feature.LONG_TERM,
)
async def half_a_credential_is_a_bad_request(probe: Probe) -> None:
    for missing in HALVES:
        client = await probe.client()
        challenge = await client.learn_challenge()
        builder = client.message(Method.ALLOCATE, UDP)
        values = {Attr.USERNAME: b"ann", Attr.REALM: challenge.realm, Attr.NONCE: challenge.nonce}
        for kind, value in values.items():
            if kind not in missing:
                builder.add(kind, value)
        response = await client.demand(builder.add_integrity(bytes(16)).build())
        names = " and ".join(attribute_name(each) for each in missing)
        expect_error(response, 400, to=f"integrity without {names}")


@row(
    "STUNS-LTC-10",
    "If the value of the USERNAME or USERHASH attribute is not valid, the server MUST generate "
    "an error response with an error code of 401 (Unauthenticated). This response MUST include a "
    "REALM value, a NONCE, and a PASSWORD-ALGORITHMS attribute.",
    Feature.LONG_TERM,
)
async def an_unknown_user_is_challenged_again(probe: Probe) -> None:
    response = await refused(probe, username=b"nobody-" + probe.wire.random_bytes(4).hex().encode())
    expect_error(response, 401, to="an unknown USERNAME")
    expect_attribute(response, Attr.REALM)
    nonce = expect_attribute(response, Attr.NONCE)
    if (feature_bits(nonce) or 0) & SHA256_BIT:
        expect_attribute(response, Attr.PASSWORD_ALGORITHMS)


@row(
    "STUNS-LTC-11",
    "If the resulting value does not match the contents of the MESSAGE-INTEGRITY attribute or "
    "the MESSAGE-INTEGRITY-SHA256 attribute, the server MUST reject the request with an error "
    "code of 401 (Unauthenticated). It MUST include the REALM and NONCE attributes and SHOULD "
    "NOT include the USERNAME, USERHASH, MESSAGE-INTEGRITY, or MESSAGE-INTEGRITY-SHA256 "
    "attribute.",
    Feature.LONG_TERM,
)
async def a_wrong_password_is_challenged_again(probe: Probe) -> None:
    _expect_wrong(await refused(probe), to="a wrong password")
    if Feature.TURN in probe.survey.missing:
        return
    _, allocation = await probe.try_to_allocate(UDP)
    if allocation is None:
        return
    for method, attributes in offered(probe, requests_to(somewhere(probe))).items():
        client = allocation.client
        response = await _with_wrong_key(client, client.message(method, *attributes))
        if response.error_code == 438:  # a nonce may serve one request alone
            client.challenge = Challenge.of(response) or client.challenge
            response = await _with_wrong_key(client, client.message(method, *attributes))
        _expect_wrong(response, to=f"{method_name(method)} with a wrong password")
    await expect_kept(probe, allocation, when="with the right one afterwards")


@row(
    "STUNS-LTC-12",
    "The server performs the checks listed below in the order specified (the message integrity "
    "stands before the nonce).",
    Feature.LONG_TERM,
)
async def which_is_looked_at_first(probe: Probe) -> Outcome | None:
    response = await refused(probe, nonce=b"stale")
    if response.message_class is Class.SUCCESS:
        mark = Mark(response.data, 0, 2)
        raise Violated("a wrong password with an unknown NONCE is let in", mark)
    if response.error_code == 401:
        return None
    return seen(f"a wrong password with an unknown NONCE is met with {describe(response)}")


@row(
    "STUNS-LTC-14",
    "Any response generated by the server MUST include the MESSAGE-INTEGRITY-SHA256 attribute, "
    "unless the request was processed as though PASSWORD-ALGORITHM was MD5. In that case, the "
    "MESSAGE-INTEGRITY attribute MUST be used instead, and the REALM, NONCE, USERNAME, and "
    "USERHASH attributes SHOULD NOT be included.",
    Feature.TURN,
    about_answers=True,
)
async def answers_to_the_authenticated_are_signed(probe: Probe) -> None:
    allocation = await probe.allocate()
    client = allocation.client
    success = await allocation.refresh()
    refusal = await client.authenticated(Method.ALLOCATE, UDP)  # a second one: 437
    for response in (success, refusal):
        what = f"the answer that is {describe(response)}"
        wanted = client.integrity_kind
        if wanted not in response.types:
            raise Violated(
                f"{what} has no {attribute_name(wanted)}", mark_attribute(response, Attr.ERROR_CODE)
            )
        is_right = (
            response.has_integrity_sha256(client.key())
            if client.uses_sha256
            else response.has_integrity(client.key())
        )
        if not is_right:
            raise Violated(
                f"{what} has the integrity of another key", mark_attribute(response, wanted)
            )
        expect_no_attribute(response, *IDENTITY)


@row(
    "STUNS-LTC-20",
    "The server checks that the time in the username has not passed, and the password "
    "(draft-uberti-behave-turn-rest).",
    Feature.TURN,
)
async def a_time_limited_credential_ends(probe: Probe) -> None:
    secret = probe.target.secret
    if secret is None:
        raise NotOffered("no shared secret was given: --secret S")
    now = int(probe.wire.unix_time())
    for seconds, is_valid in ((3600, True), (-3600, False)):
        client = await probe.client()
        client.credential = Credential.time_limited(secret, "hairpin", now + seconds)
        response = await client.authenticated(Method.ALLOCATE, UDP)
        await delete_granted(client, response)
        if is_valid:
            expect_granted(response, to="a credential that is valid for an hour")
        else:
            expect_error(response, 401, to="a credential that ended an hour ago")


async def _expect_challenge_to_connect(probe: Probe) -> None:
    """The same of a TCP allocation, where there is one to be had."""
    if {Feature.TCP_RELAY, Feature.STREAM} & set(probe.survey.missing):
        return
    _, allocation = await probe.try_to_allocate(TCP, client=await stream_client(probe))
    if allocation is None:
        return
    peer = xor(Attr.XOR_PEER_ADDRESS, somewhere(probe))
    response = await allocation.client.request(Method.CONNECT, peer)
    expect_error(response, 401, to="Connect without credentials")
    _expect_challenge(response)


async def challenge_of(probe: Probe) -> ReceivedMessage:
    """The 401 to an Allocate without credentials.

    Raises:
        NotOffered: it is met with something else.
    """
    client = await probe.client()
    response = await client.request(Method.ALLOCATE, UDP)
    if response.error_code != 401:
        raise NotOffered(f"Allocate without credentials is met with {describe(response)}")
    return response


async def refused(
    probe: Probe, *, username: bytes | None = None, nonce: bytes | None = None
) -> ReceivedMessage:
    """The answer to an Allocate that a wrong key signs."""
    client = await probe.client()
    await client.learn_challenge()
    builder = client.message(Method.ALLOCATE, UDP)
    return await _with_wrong_key(client, builder, username=username, nonce=nonce)


async def _with_wrong_key(
    client: Client,
    builder: MessageBuilder,
    *,
    username: bytes | None = None,
    nonce: bytes | None = None,
) -> ReceivedMessage:
    challenge = client.challenge
    assert challenge is not None
    builder.add(Attr.USERNAME, client.username if username is None else username)
    builder.add(Attr.REALM, challenge.realm)
    builder.add(Attr.NONCE, challenge.nonce if nonce is None else nonce)
    return await client.demand(builder.add_integrity(bytes(16)).build())


def _expect_challenge(response: ReceivedMessage) -> None:
    for kind in (Attr.REALM, Attr.NONCE):
        if not expect_attribute(response, kind):
            raise Violated(f"{attribute_name(kind)} is empty", mark_attribute(response, kind))


def _expect_wrong(response: ReceivedMessage, *, to: str) -> None:
    expect_error(response, 401, to=to)
    expect_attribute(response, Attr.REALM)
    expect_attribute(response, Attr.NONCE)
    expect_no_attribute(response, *INTEGRITY)
