"""COD-MI, COD-FP: integrity, what follows it, and FINGERPRINT (RFC 8489 sections 14.5 to 14.7)."""

from __future__ import annotations

from conformance.allocation import UDP, delete_granted
from conformance.building import u32
from conformance.checks import mark_attribute
from conformance.client import Client, describe
from conformance.codes import Attr, Class, Method
from conformance.expect import expect_success
from conformance.outcome import Mark, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.relayed import expect_arrival
from conformance.relaying import permitted_pair
from conformance.row import Feature, row
from conformance.target import Credential

from .needs import expect_granted

UNKNOWN = 0x7FFF
"""A comprehension-required attribute that nobody has assigned."""


@row(
    "COD-MI-01",
    "The text used as input to HMAC is the STUN message, up to and including the attribute "
    "preceding the MESSAGE-INTEGRITY attribute; the Length field is adjusted to point to the end "
    "of MESSAGE-INTEGRITY.",
    Feature.TURN,
    Feature.REFRESH,
)
async def message_integrity_is_verified_and_sent(probe: Probe) -> None:
    client = await _md5_client(probe)
    await probe.allocate(client=client)
    response = await client.authenticated(Method.REFRESH, (Attr.LIFETIME, u32(600)))
    expect_success(response, to="Refresh with MESSAGE-INTEGRITY")
    if not response.has_integrity(client.key()):
        raise Violated(
            "the answer's MESSAGE-INTEGRITY is not that of the key", Mark(response.data, 0, 20)
        )
    request = client.sign(client.message(Method.REFRESH, (Attr.LIFETIME, u32(600)))).build()
    changed = request[:-1] + bytes([request[-1] ^ 1])
    what = "a MESSAGE-INTEGRITY with a changed bit"
    await _expect_refused(probe, await client.ask(changed), what)


@row(
    "COD-MI-02",
    "When validating, the Length field is adjusted to point to the end of the attribute, though "
    "FINGERPRINT and MESSAGE-INTEGRITY-SHA256 follow it.",
    Feature.TURN,
    Feature.REFRESH,
)
async def what_follows_does_not_disturb_the_integrity(probe: Probe) -> None:
    client = await _md5_client(probe)
    await probe.allocate(client=client)
    with_fingerprint = client.sign(client.message(Method.REFRESH)).add_fingerprint()
    response = await client.demand(with_fingerprint.build())
    expect_success(response, to="MESSAGE-INTEGRITY and FINGERPRINT")
    both = client.sign(client.message(Method.REFRESH)).add_integrity_sha256(client.key())
    response = await client.demand(both.add_fingerprint().build())
    expect_success(response, to="both integrities and FINGERPRINT")


@row(
    "COD-MI-03",
    "The value will be at most 32 bytes, but it MUST be at least 16 bytes and MUST be a multiple "
    "of 4 bytes. The value must be the full 32 bytes unless the STUN Usage explicitly specifies "
    "that truncation is allowed (that of TURN does not).",
    Feature.TURN,
    Feature.SHA256,
    Feature.REFRESH,
)
async def a_truncated_sha256_is_refused(probe: Probe) -> None:
    allocation = await probe.allocate()
    client = allocation.client
    for size in (12, 16, 18, 20, 28):
        builder = client.identify(client.message(Method.REFRESH))
        builder.add_integrity_sha256(client.key(), size=size)
        response = await client.ask(builder.build())
        if response is not None and response.message_class is Class.SUCCESS:
            detail = f"MESSAGE-INTEGRITY-SHA256 cut to {size} bytes is taken"
            raise Violated(detail, Mark(response.data, 0, 2))
    expect_success(await allocation.refresh(), to="the whole of it")


@row(
    "COD-MI-05",
    'key = MD5(username ":" OpaqueString(realm) ":" OpaqueString(password))',
    Feature.TURN,
)
async def the_md5_key_is_taken(probe: Probe) -> None:
    client = await _md5_client(probe)
    await client.learn_challenge()
    response = await client.authenticated(Method.ALLOCATE, UDP)
    await delete_granted(client, response)
    expect_granted(response, to="Allocate with the MD5 key")
    await _expect_password_counts(await _md5_client(probe), probe)


@row(
    "COD-MI-06",
    'key = SHA-256(username ":" OpaqueString(realm) ":" OpaqueString(password))',
    Feature.TURN,
    Feature.SHA256,
)
async def the_sha256_key_is_taken(probe: Probe) -> None:
    client = await probe.client()
    response = await client.authenticated(Method.ALLOCATE, UDP)
    await delete_granted(client, response)
    expect_granted(response, to="Allocate with the SHA-256 key")
    await _expect_password_counts(await probe.client(), probe)


@row(
    "COD-MI-09",
    "Since the long-term credential mechanism cannot be used to protect indications, they are "
    "not authenticated; MESSAGE-INTEGRITY may be present in any STUN message type.",
    Feature.TURN,
    Feature.PEER,
)
async def an_indication_may_have_integrity(probe: Probe) -> None:
    way = await permitted_pair(probe)
    await way.need_both_ways(when="with a permission")
    builder = way.allocation.indication(way.peer.local, b"signed")
    signed = way.allocation.client.sign(builder).build()
    expect_arrival(await way.carry(signed), b"signed", of="a signed Send indication")


@row(
    "COD-ATTR-09",
    "Agents MUST ignore all attributes that follow MESSAGE-INTEGRITY, with the exception of the "
    "MESSAGE-INTEGRITY-SHA256 and FINGERPRINT attributes.",
    Feature.TURN,
    Feature.REFRESH,
)
async def what_follows_message_integrity_is_ignored(probe: Probe) -> None:
    await _nothing_counts_behind_the_integrity(probe, sha256=False)


@row(
    "COD-ATTR-10",
    "Agents MUST ignore all attributes that follow the MESSAGE-INTEGRITY-SHA256 attribute if the "
    "MESSAGE-INTEGRITY attribute is not present, with the exception of the FINGERPRINT attribute.",
    Feature.TURN,
    Feature.SHA256,
    Feature.REFRESH,
)
async def what_follows_message_integrity_sha256_is_ignored(probe: Probe) -> None:
    await _nothing_counts_behind_the_integrity(probe, sha256=True)


@row(
    "COD-FP-01",
    "The value is the CRC-32 of the STUN message up to (but excluding) the FINGERPRINT "
    "attribute itself, XOR'ed with the 32-bit value 0x5354554e.",
    Feature.OPEN_BINDING,
)
async def a_right_fingerprint_is_taken_and_sent(probe: Probe) -> Outcome | None:
    client = await probe.client()
    response = await client.demand(client.message(Method.BINDING).add_fingerprint().build())
    expect_success(response, to="Binding with FINGERPRINT")
    if response.fingerprint_is_right is False:
        raise Violated("the answer's FINGERPRINT is wrong", Mark(response.data, 0, 20))
    return None


@row(
    "COD-FP-02",
    "When the FINGERPRINT extension is used, the agent also checks that the message contains a "
    "FINGERPRINT attribute and that the attribute contains the correct value. A basic server MAY "
    "utilize it but MUST NOT require it (section 12).",
    Feature.OPEN_BINDING,
)
async def what_becomes_of_a_wrong_fingerprint(probe: Probe) -> Outcome:
    client = await probe.client()
    expect_success(await client.request(Method.BINDING), to="Binding without FINGERPRINT")
    data = bytearray(client.message(Method.BINDING).add_fingerprint().build())
    data[-1] ^= 1
    await client.send(bytes(data))
    answer = await client.answer(bytes(data), probe.target.silence)
    await probe.is_alive()
    return seen(f"a wrong FINGERPRINT is met with {describe(answer)}")


@row(
    "COD-FP-03",
    "If the MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 attribute is also present, then it "
    "must be present with the correct message-integrity value before the CRC is computed.",
    Feature.TURN,
    Feature.REFRESH,
)
async def fingerprint_stands_behind_the_integrity(probe: Probe) -> None:
    allocation = await probe.allocate()
    client = allocation.client
    builder = client.sign(client.message(Method.REFRESH)).add_fingerprint()
    response = await client.demand(builder.build())
    expect_success(response, to="Refresh with the integrity and FINGERPRINT")
    types = response.types
    for kind in (Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256):
        if Attr.FINGERPRINT in types and kind in types[types.index(Attr.FINGERPRINT) :]:
            raise Violated("the integrity stands behind FINGERPRINT", Mark(response.data, 0, 20))
    if response.fingerprint_is_right is False:
        raise Violated("FINGERPRINT was computed before the integrity", Mark(response.data, 0, 20))


async def _nothing_counts_behind_the_integrity(probe: Probe, *, sha256: bool) -> None:
    """LIFETIME 0 there deletes nothing, and an unknown attribute is not complained of."""
    client = await probe.client()
    client.is_bound_to_md5 = not sha256
    await probe.allocate(client=client)
    tails = {"an unknown attribute": (UNKNOWN, b""), "LIFETIME": (Attr.LIFETIME, u32(0))}
    for name, tail in tails.items():
        builder = client.sign(client.message(Method.REFRESH)).add(*tail)
        response = await client.demand(builder.build())
        expect_success(response, to=f"{name} behind the integrity")
        if response.number(Attr.LIFETIME) == 0:
            mark = mark_attribute(response, Attr.LIFETIME)
            raise Violated("LIFETIME behind the integrity has deleted the allocation", mark)


async def _md5_client(probe: Probe) -> Client:
    """One that signs with MESSAGE-INTEGRITY, as clients of RFC 5389 do."""
    client = await probe.client()
    client.is_bound_to_md5 = True
    return client


async def _expect_password_counts(client: Client, probe: Probe) -> None:
    """Who takes any key shows nothing by taking the right one."""
    wrong = Credential(client.username.decode(), probe.wire.random_bytes(8).hex())
    await client.learn_challenge()
    request = client.sign(client.message(Method.ALLOCATE, UDP), wrong).build()
    response = await client.ask(request)
    if response is not None:
        await delete_granted(client, response)
    await _expect_refused(probe, response, "the key of another password")


async def _expect_refused(probe: Probe, response: ReceivedMessage | None, what: str) -> None:
    if response is None:
        await probe.is_alive()
    elif response.message_class is Class.SUCCESS:
        raise Violated(f"{what} is taken", Mark(response.data, 0, 2))
