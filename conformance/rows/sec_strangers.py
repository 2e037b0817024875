"""SEC: what somebody without a credential, or with that of another, can do to a server."""

from __future__ import annotations

import collections
import statistics
from collections.abc import Mapping
from typing import Final

from conformance.allocation import UDP, Allocation
from conformance.building import dtls_client_hello, u32
from conformance.checks import mark_attribute
from conformance.client import Client, describe
from conformance.codes import Attr, Class, Method, method_name
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.row import Feature, row
from conformance.target import Credential
from transport import TransportProtocol

from .needs import (
    expect_granted,
    expect_kept,
    expect_turn,
    is_offered,
    offered,
    requests_to,
    somewhere,
)
from .stuns_tcp import HANDSHAKE, SERVER_HELLO

MAX_FACTOR: Final = 3.0
"""Size of an answer beside that of its request, with the headers of IP and UDP."""

HEADERS: Final = {4: 28, 6: 48}
FLOOD: Final = 200
BAN_TRIES: Final = 5
MOST: Final = 0.95
"""Of the answers to a flood: if they all come there is no limit."""

HELLOS: Final = 50
GREETINGS: Final = 3
GUESSES: Final = 12
PAUSE: Final = 0.01
"""Seconds between guesses, so that none waits for its turn to be sent."""

ORIGIN: Final = 0x802F
"""Of an expired draft; some servers choose a realm by it."""

LIFE: Final = 3
"""Seconds of a credential that is to expire."""


@row(
    "SEC-09",
    "Answers to who has not shown its address are at most 3 times as long as the request; longer "
    "ones (to an Allocate that is a header alone) are rare.",
    alone=True,
)
async def strangers_get_short_answers(probe: Probe) -> None:
    probe.needs_udp()  # over DTLS, who has an association has shown its address
    expect_turn(probe)
    client = await probe.client()
    for method, attributes in ((Method.BINDING, ()), (Method.ALLOCATE, (UDP,))):
        request = client.message(method, *attributes).build()
        response = await client.demand(request)
        factor = _factor(client, request, response)
        if factor > MAX_FACTOR:
            detail = (
                f"{len(response.data)} bytes answer {len(request)} bytes of {method_name(method)}: "
                f"{factor:.1f} times as much, with headers"
            )
            raise Violated(detail, Mark(response.data, 0, len(response.data)))
    await _expect_limit(probe, client)


@row(
    "SEC-12",
    "A nonce is bound to the client that it was given to.",
    Feature.LONG_TERM,
    about_answers=True,
)
async def whether_nonces_serve_others(probe: Probe) -> Outcome | None:
    owner, other = await probe.client(), await probe.client()
    other.challenge = await owner.learn_challenge()
    response = await other.demand(other.sign(other.message(Method.ALLOCATE, UDP)).build())
    _keep(probe, other, response)
    if response.error_code in (401, 438):
        return None
    return seen(f"a nonce that another port was given is met with {describe(response)}")


@row(
    "SEC-13",
    "No state is kept of who has sent a ClientHello without a cookie (RFC 6347 section 4.2.1).",
    alone=True,
)
async def a_flood_of_client_hellos_is_met_with_cookies(probe: Probe) -> None:
    client, kinds = await probe.plain_client(), collections.Counter[int]()
    for _ in range(HELLOS):
        await client.send(dtls_client_hello(probe.wire.random_bytes(32)))
    while (data := await client.link.receive(probe.target.silence)) is not None:
        if data[:1] == bytes([HANDSHAKE]) and len(data) > 13:
            kinds[data[13]] += 1
        if kinds[SERVER_HELLO]:
            raise Violated("a ServerHello comes without a cookie", Mark(data, 0, len(data)))
    if not kinds:
        raise NotOffered("a DTLS ClientHello at this port is not answered")
    await _expect_greeting(probe)


@row(
    "SEC-18",
    "Nobody touches the allocation of another user, even with its 5-tuple.",
    Feature.TURN,
    Feature.SECOND_USER,
)
async def allocations_obey_their_owner_alone(probe: Probe) -> None:
    if len(probe.target.credentials) < 2:
        raise NotOffered("one credential was given: name a second --user")
    stranger, allocation = probe.target.credentials[1], await probe.allocate()
    for method, attributes in offered(probe, requests_to(somewhere(probe))).items():
        response = await allocation.client.authenticated(method, *attributes, credential=stranger)
        if response.message_class is Class.SUCCESS:
            detail = f"{method_name(method)} of another user is granted"
            raise Violated(detail, Mark(response.data, 0, 2))
    await expect_kept(probe, allocation, when="of its owner afterwards")


@row(
    "SEC-19",
    "A request that was captured does nothing when it is sent again from another address.",
    Feature.TURN,
)
async def captured_requests_are_worth_nothing(probe: Probe) -> Outcome | None:
    allocation = await probe.allocate()
    owner, thief = allocation.client, await probe.client()
    thief.challenge = owner.challenge
    if is_offered(probe, Method.REFRESH):
        deletion = owner.sign(owner.message(Method.REFRESH, (Attr.LIFETIME, u32(0)))).build()
        response = await thief.ask(deletion)
        if response is not None and response.message_class is Class.SUCCESS:
            detail = "the Refresh of another 5-tuple is carried out"
            raise Violated(detail, Mark(response.data, 0, 2))
        await expect_kept(probe, allocation, when="after another port has tried to delete")
    response = await thief.ask(owner.sign(owner.message(Method.ALLOCATE, UDP)).build())
    await probe.is_alive()
    if response is None or response.message_class is not Class.SUCCESS:
        return None
    _keep(probe, thief, response)
    return seen(
        "an Allocate that another port has signed is granted: nonces are not bound to ports"
    )


@row(
    "SEC-20",
    "An unknown user and a wrong password cannot be told apart.",
    Feature.LONG_TERM,
    alone=True,
)
async def what_tells_unknown_users_from_wrong_passwords(probe: Probe) -> Outcome:
    known = probe.target.credentials[0].username if probe.target.credentials else None
    if known is None:
        raise NotOffered("no credential was given: --user NAME:PASSWORD")
    shapes: dict[str, set[tuple[object, ...]]] = {"unknown": set(), "wrong": set()}
    seconds: dict[str, list[float]] = {"unknown": [], "wrong": []}
    for _ in range(GUESSES):
        nobody = probe.wire.random_bytes(len(known)).hex()[: len(known)]
        for kind, name in (("unknown", nobody), ("wrong", known)):
            guess = Credential(name, probe.wire.random_bytes(8).hex())
            # A 5-tuple that has failed before may be told something else.
            client = await probe.client()
            await client.learn_challenge()
            await probe.wire.sleep(PAUSE)
            begun = probe.wire.now()
            response = await client.authenticated(Method.ALLOCATE, UDP, credential=guess)
            seconds[kind].append(probe.wire.now() - begun)
            shapes[kind].add((response.error_code, *response.types, len(response.data)))
    same = "the same answers" if shapes["unknown"] == shapes["wrong"] else _difference(shapes)
    unknown, wrong = (1000 * statistics.median(seconds[each]) for each in ("unknown", "wrong"))
    return seen(
        f"{same}; {unknown:.2f} ms for an unknown user, {wrong:.2f} ms for a wrong "
        f"password (medians of {GUESSES})"
    )


@row(
    "SEC-22",
    "What is not authenticated does not settle the realm of a client.",
    Feature.TURN,
)
async def a_realm_is_not_what_strangers_say(probe: Probe) -> None:
    realm = (await (await probe.client()).learn_challenge()).realm
    client = await probe.client()
    forged = ((ORIGIN, b"https://attacker.example"), (Attr.REALM, b"attacker.example"))
    await client.ask(client.message(Method.ALLOCATE, UDP, *forged).build())
    response = await client.request(Method.ALLOCATE, UDP)
    if response.get(Attr.REALM) != realm:
        found, mark = response.text(Attr.REALM), mark_attribute(response, Attr.REALM)
        raise Violated(f"after an unsigned ORIGIN and REALM the realm is {found!r}", mark)
    answer, _ = await probe.try_to_allocate(UDP, client=client)
    expect_granted(answer, to="Allocate after an unsigned one with ORIGIN and REALM")


@row(
    "SEC-24",
    "When a credential expires, the allocation made with it ends, or lives on by choice.",
    Feature.TURN,
    Feature.REFRESH,
)
async def what_becomes_of_allocations_whose_credential_expires(probe: Probe) -> Outcome:
    secret = probe.target.secret
    if secret is None:
        raise NotOffered("no shared secret was given: --secret")
    expiry = int(probe.wire.unix_time()) + LIFE
    client = await probe.client()
    client.credential = Credential.time_limited(secret, "conformance-expiring", expiry)
    allocation = await probe.allocate(client=client)
    await probe.wire.sleep(expiry + 1.5 - probe.wire.unix_time())
    response = await allocation.refresh()
    return seen(f"Refresh with a credential that has expired since: {describe(response)}")


async def _expect_greeting(probe: Probe) -> None:
    """That a ClientHello is still answered: plain STUN need not be, where DTLS is.

    Raises:
        Violated: it is not.
    """
    client = await probe.client(transport=TransportProtocol.UDP)
    for _ in range(GREETINGS):
        await client.send(dtls_client_hello(probe.wire.random_bytes(32)))
        if await client.link.receive(probe.target.patience) is not None:
            return
    raise Violated("afterwards the server answers no ClientHello")


def _difference(shapes: Mapping[str, set[tuple[object, ...]]]) -> str:
    """What unknown users and wrong passwords are answered with."""
    words = {
        kind: " or ".join(sorted(f"{shape[0]} in {shape[-1]} bytes" for shape in found))
        for kind, found in shapes.items()
    }
    return f"other answers: {words['unknown']} to an unknown user, {words['wrong']} else"


def _factor(client: Client, request: bytes, response: ReceivedMessage) -> float:
    headers = HEADERS[client.local.ip.version]
    return (len(response.data) + headers) / (len(request) + headers)


async def _expect_limit(probe: Probe, client: Client) -> None:
    """Many requests of a header alone are not all answered at length.

    Raises:
        Violated: they are.
    """
    longest = b""
    requests = {}
    for _ in range(FLOOD):
        request = client.message(Method.ALLOCATE).build()
        requests[request[8:20]] = request
        await client.send(request)
    answered = set()
    while (data := await client.link.receive(probe.target.silence)) is not None:
        if data[8:20] in requests:
            answered.add(data[8:20])
            longest = max(longest, data, key=len)
    headers = HEADERS[client.local.ip.version]
    factor = (len(longest) + headers) / (20 + headers)
    if factor > MAX_FACTOR and len(answered) > MOST * FLOOD:
        detail = (
            f"{len(answered)} of {FLOOD} Allocate requests of 20 bytes are answered with "
            f"{len(longest)}: {factor:.1f} times as much, with headers, and no limit"
        )
        raise Violated(detail, Mark(longest, 0, len(longest)))
    await _outwait_ban(probe)


async def _outwait_ban(probe: Probe) -> None:
    """A limit may be silence to everything, for a while.

    Raises:
        NotOffered: that lasts, or the server has died: one cannot be told from the other.
    """
    client = await probe.client()
    for _ in range(BAN_TRIES):
        if await client.ask(client.message(Method.BINDING).build()) is not None:
            return
    seconds = BAN_TRIES * probe.target.patience
    raise NotOffered(f"after {FLOOD} Allocate requests the server is silent for {seconds:g} s")


def _keep(probe: Probe, client: Client, response: ReceivedMessage) -> None:
    """Have an allocation deleted that should not be there."""
    relayed = response.xor_address(Attr.XOR_RELAYED_ADDRESS)
    if response.message_class is Class.SUCCESS and relayed is not None:
        probe.keep(Allocation(client, response, relayed))
