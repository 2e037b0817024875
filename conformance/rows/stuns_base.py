"""STUNS-BASE: a STUN server answers Binding requests (RFC 8489 sections 6.3 and 12)."""

from __future__ import annotations

from conformance.allocation import UDP
from conformance.checks import mark_attribute
from conformance.client import describe
from conformance.codes import Attr, Class, Method, attribute_name, method_name
from conformance.expect import (
    expect_attribute,
    expect_error,
    expect_success,
    expect_text,
    expect_value,
)
from conformance.outcome import Mark, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.row import Feature, row

from .needs import expect_kept, offered, requests_to, somewhere

UNKNOWN = (0x7F01, 0x7F02)
NOT_STUN = (4, 15, 16, 19, 80, 127, 128, 191, 192, 255)
"""First bytes that are neither STUN nor DTLS nor a TURN channel (RFC 7983)."""


@row(
    "STUNS-BASE-01",
    "A basic STUN server MUST support the Binding method. It SHOULD NOT utilize the short-term "
    "or long-term credential mechanism.",
)
async def a_binding_request_is_answered(probe: Probe) -> None:
    client = await probe.client()
    expect_success(await client.request(Method.BINDING), to="a Binding request")


@row(
    "STUNS-BASE-02",
    "The server MUST add an XOR-MAPPED-ADDRESS attribute to the response, with the source "
    "transport address of the request.",
    Feature.OPEN_BINDING,
)
async def the_mapped_address_is_the_source(probe: Probe) -> None:
    client = await probe.client()
    response = await client.request(Method.BINDING)
    expect_attribute(response, Attr.XOR_MAPPED_ADDRESS)
    mapped = response.xor_address(Attr.XOR_MAPPED_ADDRESS)
    expect_value(response, Attr.XOR_MAPPED_ADDRESS, client.local, mapped)


@row(
    "STUNS-BASE-03",
    "If the request was received over UDP, the destination IP address and port of the response "
    "are the source IP address and port of the received request message, and the source IP "
    "address and port of the response are equal to the destination IP address and port of the "
    "received request message.",
)
async def the_response_leaves_from_where_the_request_came_to(probe: Probe) -> None:
    client = await probe.client()
    answer = await client.ask(client.message(Method.BINDING).build())
    if client.link.strangers:
        data, source = client.link.strangers[0]
        raise Violated(f"the response comes from {source}", Mark(data, 0, len(data)))
    if answer is None:
        raise Violated("no answer to Binding")


@row(
    "STUNS-BASE-05",
    "It MAY utilize the FINGERPRINT mechanism but MUST NOT require it.",
    Feature.OPEN_BINDING,
)
async def no_fingerprint_is_needed(probe: Probe) -> None:
    client = await probe.client()
    expect_success(await client.request(Method.BINDING), to="Binding without FINGERPRINT")


@row(
    "STUNS-BASE-07",
    "If the request contains one or more unknown comprehension-required attributes, the server "
    "replies with an error response with an error code of 420 (Unknown Attribute) and includes "
    "an UNKNOWN-ATTRIBUTES attribute that lists the unknown comprehension-required attributes.",
    Feature.OPEN_BINDING,
)
async def unknown_attributes_are_all_listed(probe: Probe) -> None:
    client = await probe.client()
    response = await client.request(Method.BINDING, *((kind, b"") for kind in UNKNOWN))
    _expect_listed(response, to="an unknown comprehension-required attribute")
    await _expect_in_turn(probe)


async def _expect_in_turn(probe: Probe) -> None:
    """The same of the requests of TURN, where there is an allocation to be had."""
    if Feature.TURN in probe.survey.missing:
        return
    _, allocation = await probe.try_to_allocate(UDP)
    if allocation is None:
        return
    unknown = [(kind, b"") for kind in UNKNOWN]
    for method, attributes in offered(probe, requests_to(somewhere(probe))).items():
        response = await allocation.client.authenticated(method, *attributes, *unknown)
        _expect_listed(response, to=f"{method_name(method)} with unknown attributes")
    await expect_kept(probe, allocation, when="afterwards")


def _expect_listed(response: ReceivedMessage, *, to: str) -> None:
    expect_error(response, 420, to=to)
    listed = expect_attribute(response, Attr.UNKNOWN_ATTRIBUTES)
    types = {int.from_bytes(listed[at : at + 2], "big") for at in range(0, len(listed), 2)}
    expect_value(response, Attr.UNKNOWN_ATTRIBUTES, _hex(set(UNKNOWN)), _hex(types))


@row(
    "STUNS-BASE-06",
    "The server SHOULD include a SOFTWARE attribute in the response.",
    about_answers=True,
)
async def whether_software_is_named(probe: Probe) -> Outcome:
    client = await probe.client()
    software = expect_text(await client.request(Method.BINDING), Attr.SOFTWARE)
    return seen("SOFTWARE is not sent" if software is None else f"SOFTWARE is {software!r}")


@row(
    "STUNS-BASE-08",
    "The method of the response is the same as that of the request. For an error response, the "
    "server MUST add an ERROR-CODE attribute.",
)
async def an_error_has_a_code(probe: Probe) -> None:
    client = await probe.client()
    response = await client.request(Method.BINDING, (UNKNOWN[0], b""))
    if response.message_class is not Class.ERROR:
        raise Violated("420 is no error response", Mark(response.data, 0, 2))
    expect_attribute(response, Attr.ERROR_CODE)


@row(
    "STUNS-BASE-09",
    "No response is generated for an indication.",
)
async def an_indication_is_not_answered(probe: Probe) -> None:
    client = await probe.client()
    indication = client.begin(Method.BINDING, Class.INDICATION).build()
    await client.expect_silence(indication, why="a Binding indication")
    await probe.is_alive()


@row(
    "STUNS-BASE-10",
    "If the indication contains unknown comprehension-required attributes, the indication is "
    "discarded and processing ceases.",
)
async def an_indication_with_unknown_attributes_is_not_answered(probe: Probe) -> None:
    client = await probe.client()
    indication = client.begin(Method.BINDING, Class.INDICATION, (UNKNOWN[0], b"")).build()
    await client.expect_silence(indication, why="an indication with unknown attributes")
    await probe.is_alive()


@row(
    "STUNS-BASE-11",
    "The server MUST respond to retransmissions such that the overall state on the client and "
    "server is identical. To recompute the response MUST only be applied to requests that are "
    "idempotent and result in the same success response for the same request.",
)
async def a_retransmission_gets_the_same_answer(probe: Probe) -> None:
    client = await probe.client()
    request = client.message(Method.BINDING).build()
    answers = [await client.demand(request) for _ in range(3)]
    for again in answers[1:]:
        if again.data != answers[0].data:
            raise Violated("another answer to the same request", Mark(again.data, 0, 20))


@row(
    "STUNS-BASE-15",
    "A Binding request may have credentials; whether the answer is signed then is left open.",
    Feature.LONG_TERM,
)
async def whether_a_signed_binding_request_has_a_signed_answer(probe: Probe) -> Outcome:
    client = await probe.client()
    await client.learn_challenge()
    response = await client.demand(client.sign(client.message(Method.BINDING)).build())
    kinds = {Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256} & set(response.types)
    key = client.key()
    is_right = {
        Attr.MESSAGE_INTEGRITY: response.has_integrity(key),
        Attr.MESSAGE_INTEGRITY_SHA256: response.has_integrity_sha256(key),
    }
    for kind in kinds:
        if response.message_class is Class.SUCCESS and not is_right[kind]:
            detail = f"{attribute_name(kind)} of the answer is not that of the key"
            raise Violated(detail, mark_attribute(response, kind))
    return seen(f"the answer is {describe(response)}, {'signed' if kinds else 'not signed'}")


@row(
    "STUNS-BASE-16",
    "If the value does not match any known range, then the packet MUST be dropped (RFC 7983 "
    "section 7).",
)
async def what_is_no_stun_is_dropped(probe: Probe) -> None:
    for first in NOT_STUN:
        client = await probe.plain_client()  # a stream with garbage is STUNS-TCP-06
        data = bytes([first]) + bytes(31)
        await client.expect_silence(data, why=f"a datagram that begins with {first}")
    await probe.is_alive()


def _hex(types: set[int]) -> str:
    return ", ".join(f"0x{kind:04X}" for kind in sorted(types))


@row(
    "STUNS-BASE-04",
    "A basic STUN server SHOULD NOT utilize the short-term or long-term credential mechanism.",
    Feature.LONG_TERM,
)
async def binding_needs_no_credentials(probe: Probe) -> None:
    client = await probe.client()
    expect_success(await client.request(Method.BINDING), to="Binding without credentials")
