"""STUNS-LTC: the challenge of the long-term credential mechanism (RFC 8489 section 9.2)."""

from __future__ import annotations

import itertools

from conformance.building import MessageBuilder
from conformance.checks import mark_attribute
from conformance.client import Attribute, Challenge, Client, describe
from conformance.codes import COOKIE_PREFIX, Attr, Class, Method, attribute_name, method_name
from conformance.expect import (
    expect_attribute,
    expect_error,
    expect_no_attribute,
    expect_success,
)
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import UDP, Allocation, Probe
from conformance.reading import ReceivedMessage
from conformance.row import Feature, row
from conformance.surveying import SHA256_BIT, USERHASH_BIT, feature_bits
from conformance.target import Credential

from .needs import expect_granted, requests_to, somewhere

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
    for method, attributes in requests_to(somewhere(probe)).items():
        response = await client.request(method, *attributes)
        expect_error(response, 401, to=f"{method_name(method)} without credentials")
        _expect_challenge(response)
    expect_success(await allocation.refresh(), to="Refresh with credentials afterwards")


@row(
    "STUNS-LTC-02",
    "The 401 response SHOULD NOT contain a USERNAME, USERHASH, MESSAGE-INTEGRITY, or "
    "MESSAGE-INTEGRITY-SHA256 attribute.",
    Feature.LONG_TERM,
)
async def a_challenge_names_nobody_and_is_not_signed(probe: Probe) -> None:
    expect_no_attribute(await challenge_of(probe), *IDENTITY, *INTEGRITY)


@row(
    "STUNS-LTC-03",
    "The server MUST ensure that the same NONCE cannot be selected for clients that use "
    "different source IP addresses, different source ports, or both different.",
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
    await other.delete_allocation(response)
    if response.message_class is Class.SUCCESS:
        # How nonces are chosen is a MUST (STUNS-LTC-03), how they are validated is open.
        return seen("the NONCE of another 5-tuple is taken, too")
    expect_error(response, 438, 401, to="the NONCE of another 5-tuple")
    return None


@row(
    "STUNS-LTC-05",
    'The NONCE begins with "obMatJos2" and the 4 characters of the base64 encoding of the '
    "24-bit Security Feature Set.",
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
    'PASSWORD-ALGORITHMS is present if and only if the "Password algorithms" bit is set.',
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
    "STUNS-LTC-08",
    "If the NONCE has the password algorithms bit, and the request has neither "
    "PASSWORD-ALGORITHMS nor PASSWORD-ALGORITHM, then the request MUST be processed as though "
    "PASSWORD-ALGORITHM were MD5.",
    Feature.TURN,
    Feature.SHA256,
)
async def a_client_of_rfc_5389_is_served(probe: Probe) -> None:
    client = await probe.client()
    client.is_bound_to_md5 = True
    response = await client.authenticated(Method.ALLOCATE, UDP)
    await client.delete_allocation(response)
    expect_granted(response, to="MD5 without PASSWORD-ALGORITHM")
    if not response.has_integrity(client.key()):
        raise Violated("the answer has no MESSAGE-INTEGRITY of the MD5 key")


@row(
    "STUNS-LTC-09",
    "If only one of PASSWORD-ALGORITHM and PASSWORD-ALGORITHMS is present, or PASSWORD-ALGORITHMS "
    "does not match what the server sent, or PASSWORD-ALGORITHM is not in it, the server MUST "
    "generate an error response with an error code of 400.",
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
        await client.delete_allocation(response)
        expect_error(response, 400, to=name)


@row(
    "STUNS-LTC-10",
    "If the USERNAME is not known, the server MUST generate an error response with an error code "
    "of 401; it MUST include a REALM value, a NONCE, and PASSWORD-ALGORITHMS.",
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
    "If the integrity does not match, the server MUST generate an error response with an error "
    "code of 401; it MUST include REALM and NONCE and SHOULD NOT include the integrity.",
    Feature.LONG_TERM,
)
async def a_wrong_password_is_challenged_again(probe: Probe) -> None:
    _expect_wrong(await refused(probe), to="a wrong password")
    if Feature.TURN in probe.survey.missing:
        return
    _, allocation = await probe.try_to_allocate(UDP)
    if allocation is None:
        return
    for method, attributes in requests_to(somewhere(probe)).items():
        client = allocation.client
        response = await _with_wrong_key(client, client.message(method, *attributes))
        if response.error_code == 438:  # a nonce may serve one request alone
            client.challenge = Challenge.of(response) or client.challenge
            response = await _with_wrong_key(client, client.message(method, *attributes))
        _expect_wrong(response, to=f"{method_name(method)} with a wrong password")
    expect_success(await allocation.refresh(), to="Refresh with the right one afterwards")


@row(
    "STUNS-LTC-12",
    "The checks of section 9.2.4 are made in the order that is specified: the integrity before "
    "the nonce.",
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
    for method, attributes in requests_to(somewhere(probe)).items():
        await _expect_stale(client, method, *attributes)
    expect_success(await allocation.refresh(), to="a Refresh afterwards")


@row(
    "STUNS-LTC-14",
    "The response MUST contain the MESSAGE-INTEGRITY-SHA256 attribute, or MESSAGE-INTEGRITY "
    "where neither PASSWORD-ALGORITHM nor PASSWORD-ALGORITHMS was sent; USERNAME, USERHASH, REALM "
    "and NONCE SHOULD NOT be included.",
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
    "STUNS-LTC-15",
    "If both MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 are present, the server checks "
    "MESSAGE-INTEGRITY-SHA256.",
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
        await client.delete_allocation(response)
        if sha256_is_right:
            expect_granted(response, to="a right SHA-256 and a wrong SHA-1")
        else:
            expect_error(response, 401, to="a wrong SHA-256 and a right SHA-1")


@row(
    "STUNS-LTC-16",
    "If the message contains USERHASH, the server looks the username up by it.",
    Feature.TURN,
    Feature.USERHASH,
)
async def a_hidden_user_is_found(probe: Probe) -> None:
    client = await probe.client()
    await client.learn_challenge()
    request = client.seal(client.identify_hidden(client.message(Method.ALLOCATE, UDP))).build()
    response = await client.demand(request)
    await client.delete_allocation(response)
    expect_granted(response, to="USERHASH of a known user")
    other = await probe.client()
    challenge = await other.learn_challenge()
    builder = other.message(Method.ALLOCATE, UDP, (Attr.USERHASH, bytes(32)))
    builder.add(Attr.REALM, challenge.realm).add(Attr.NONCE, challenge.nonce)
    unknown = await other.demand(builder.add_integrity(bytes(16)).build())
    expect_error(unknown, 401, to="an unknown USERHASH")


@row(
    "STUNS-LTC-17",
    "The server SHOULD expire the nonce at least once every hour during the lifetime of the "
    "allocation (RFC 8656 section 5).",
    Feature.TURN,
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
    "The server SHOULD generate a new random nonce for each Allocate (RFC 8656 section 5).",
    Feature.LONG_TERM,
)
async def each_attempt_gets_a_nonce_of_its_own(probe: Probe) -> Outcome | None:
    client = await probe.client()
    nonces = [(await client.learn_challenge()).nonce for _ in range(2)]
    if nonces[0] != nonces[1]:
        return None
    return seen("two Allocate requests of one 5-tuple are given the same NONCE")


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
        await client.delete_allocation(response)
        if is_valid:
            expect_granted(response, to="a credential that is valid for an hour")
        else:
            expect_error(response, 401, to="a credential that ended an hour ago")


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


async def _expect_stale(client: Client, method: Method, *attributes: Attribute) -> None:
    """That a NONCE which was never given is replaced; the client goes on with the new one."""
    fresh = client.challenge
    assert fresh is not None
    stale = fresh.nonce[:-1] + (b"0" if fresh.nonce[-1:] != b"0" else b"1")
    client.challenge = Challenge(fresh.realm, stale, fresh.algorithms)
    response = await client.demand(client.sign(client.message(method, *attributes)).build())
    client.challenge = Challenge.of(response) or fresh
    if method == Method.ALLOCATE:
        await client.delete_allocation(response)
    expect_error(response, 438, to=f"{method_name(method)} with an invalid NONCE")
    if Challenge.of(response) is None:
        raise Violated("438 without NONCE and REALM", mark_attribute(response, Attr.ERROR_CODE))
    if (feature_bits(client.challenge.nonce) or 0) & SHA256_BIT:
        expect_attribute(response, Attr.PASSWORD_ALGORITHMS)


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


def _there(is_there: bool) -> str:
    return "is there" if is_there else "is not"
