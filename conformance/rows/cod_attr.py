"""COD-ATTR: attributes, their order and their sizes (RFC 8489 section 14)."""

from __future__ import annotations

from conformance.allocation import UDP, delete_granted
from conformance.building import channel_number, one_byte, u32
from conformance.checks import mark_attribute, mark_of
from conformance.client import Client, describe, xor
from conformance.codes import Attr, Class, Method, attribute_name
from conformance.expect import (
    expect_error,
    expect_no_attribute,
    expect_success,
    need_success,
)
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.row import Feature, row
from transport import TransportAddress

from .needs import expect_granted, somewhere

OPTIONAL = 0xC001
REQUIRED = 0x7FFF
FAMILY = Attr.REQUESTED_ADDRESS_FAMILY


@row(
    "COD-ATTR-01",
    "Each attribute MUST be TLV encoded, with a 16-bit type, 16-bit length, and value. "
    "Attributes are padded to 32 bits; the length is that prior to padding.",
)
async def answers_are_made_of_whole_attributes(probe: Probe) -> None:
    client = await probe.client()
    for request in _provoking(client, probe):
        await client.send(request)
        data = await client.link.receive(probe.target.patience)
        if data is None:
            raise NotOffered("no answer")
        offset = 20
        while offset < len(data):
            size = int.from_bytes(data[offset + 2 : offset + 4], "big")
            end = offset + 4 + size + -size % 4
            if end > len(data):
                detail = f"an attribute of {size} bytes passes the end of the message"
                raise Violated(detail, Mark(data, offset, len(data)))
            offset = end


@row(
    "COD-ATTR-02",
    "The padding bits MUST be set to zero on sending and MUST be ignored by the receiver.",
    about_answers=True,
)
async def padding_is_sent_as_zeros(probe: Probe) -> Outcome | None:
    client = await probe.client()
    padded = 0
    for request in _provoking(client, probe):
        response = await client.demand(request)
        for each in response.attributes:
            padded += bool(each.padding)
            if any(each.padding):
                raise Violated("padding that is not zero", mark_of(response, each))
    return None if padded else seen("no attribute of an answer has padding")


@row(
    "COD-ATTR-03",
    "The padding bits MUST be ignored by the receiver.",
    Feature.TURN,
)
async def padding_that_is_not_zero_changes_nothing(probe: Probe) -> None:
    client = await probe.client()
    await client.learn_challenge()
    builder = client.message(Method.ALLOCATE, UDP)
    builder.add(Attr.SOFTWARE, b"x", padding=b"\xff\x20\xff")
    response = await client.demand(client.sign(builder).build())
    await delete_granted(client, response)
    expect_granted(response, to="Allocate with padding of 0xFF and 0x20")


@row(
    "COD-ATTR-04",
    "Any attribute type MAY appear more than once in a STUN message. Unless specified "
    "otherwise, only the first occurrence needs to be processed by a receiver, and any "
    "duplicates MAY be ignored.",
    Feature.TURN,
    Feature.REFRESH,
)
async def which_of_two_lifetimes_counts(probe: Probe) -> Outcome:
    allocation = await probe.allocate()
    lifetimes = (Attr.LIFETIME, u32(1200)), (Attr.LIFETIME, u32(1800))
    response = await allocation.refresh(*lifetimes)
    expect_success(response, to="Refresh with two LIFETIME")
    granted = response.number(Attr.LIFETIME)
    which = {1200: "the first counts", 1800: "the last counts"}.get(granted or 0)
    return seen(which or f"of 1200 and 1800 the server makes {granted}")


@row(
    "COD-ATTR-05",
    "Attributes with type values between 0x0000 and 0x7FFF are comprehension-required; those "
    "between 0x8000 and 0xFFFF are comprehension-optional.",
    Feature.OPEN_BINDING,
)
async def types_below_0x8000_have_to_be_understood(probe: Probe) -> None:
    client = await probe.client()
    required = await client.request(Method.BINDING, (REQUIRED, b""))
    expect_error(required, 420, to="attribute 0x7FFF")
    optional = await client.request(Method.BINDING, (0xFFFF, b""))
    expect_success(optional, to="attribute 0xFFFF")


@row(
    "COD-ATTR-06",
    "Unknown comprehension-optional attributes MUST be ignored by the agent.",
    Feature.OPEN_BINDING,
)
async def unknown_optional_attributes_are_ignored(probe: Probe) -> None:
    client = await probe.client()
    for kind in (OPTIONAL, 0x80FF):
        for size in (0, 1, 3, 4, 255):
            response = await client.request(Method.BINDING, (kind, bytes(size)))
            expect_success(response, to=f"attribute 0x{kind:04X} of {size} bytes")


@row(
    "COD-ATTR-07",
    "Known-but-unexpected attributes SHOULD be ignored by the agent.",
    Feature.OPEN_BINDING,
)
async def known_attributes_out_of_place_are_ignored(probe: Probe) -> None:
    client = await probe.client()
    somewhere = TransportAddress.parse("192.0.2.1", 9)
    for attribute in (
        (Attr.LIFETIME, u32(600)),
        xor(Attr.XOR_MAPPED_ADDRESS, somewhere),
        (Attr.ERROR_CODE, bytes([0, 0, 4, 0])),
    ):
        response = await client.request(Method.BINDING, attribute)
        expect_success(response, to=f"Binding with {attribute_name(attribute[0])}")


@row(
    "COD-ATTR-08",
    "The value in the Length field MUST contain the length of the Value part of the attribute. "
    "In our reading an attribute that passes the end of its message is one of the errors of "
    "section 6.3, for which the message is silently discarded; an error response is accepted, "
    "too.",
)
async def an_attribute_that_passes_the_end_is_no_success(probe: Probe) -> None:
    for more in (1, 4, 0xFFFF - 4):
        client = await probe.client()
        builder = client.message(Method.BINDING)
        builder.add(Attr.SOFTWARE, b"test", length=4 + more)
        await client.send(builder.build())
        answer = await client.answer(builder.build(), probe.target.silence)
        if answer is not None and answer.message_class is Class.SUCCESS:
            detail = f"an attribute {more} bytes longer than its message is taken"
            raise Violated(detail, Mark(answer.data, 0, 2))
    await probe.is_alive()


@row(
    "COD-ATTR-11",
    "When present, the FINGERPRINT attribute MUST be the last attribute in the message.",
)
async def what_becomes_of_attributes_behind_fingerprint(probe: Probe) -> Outcome:
    client = await probe.client()
    right = await client.demand(client.message(Method.BINDING).add_fingerprint().build())
    if Attr.FINGERPRINT in right.types and right.types[-1] != Attr.FINGERPRINT:
        mark = mark_attribute(right, Attr.FINGERPRINT)
        raise Violated("FINGERPRINT is not the last attribute of an answer", mark)
    builder = client.message(Method.BINDING).add_fingerprint().add(OPTIONAL, b"tail")
    await client.send(builder.build())
    answer = await client.answer(builder.build(), probe.target.silence)
    await probe.is_alive()
    return seen(f"an attribute behind FINGERPRINT is met with {describe(answer)}")


@row(
    "COD-ATTR-12",
    "All fields in an attribute are transmitted most significant bit first.",
    Feature.TURN,
)
async def numbers_are_big_endian(probe: Probe) -> None:
    allocation = await probe.allocate((Attr.LIFETIME, u32(600)))
    lifetime = allocation.response.number(Attr.LIFETIME) or 0
    if not 1 <= lifetime <= 7 * 86_400:
        mark = mark_attribute(allocation.response, Attr.LIFETIME)
        raise Violated(f"LIFETIME is {lifetime} seconds", mark)


@row(
    "COD-ATTR-13",
    'CHANNEL-NUMBER, LIFETIME: "The value portion of this attribute is 4 bytes long"; '
    'REQUESTED-ADDRESS-FAMILY: "The value of this attribute is 4 bytes" (RFC 8656 sections 18.1, '
    "18.2 and 18.6). That another size must not be taken for right is our reading.",
    Feature.TURN,
    Feature.REFRESH,
)
async def a_value_of_another_size_is_refused(probe: Probe) -> Outcome | None:
    allocation = await probe.allocate()
    client = allocation.client
    peer = xor(Attr.XOR_PEER_ADDRESS, TransportAddress(probe.peer_ip, 9))
    others = []
    for wrong in (3, 5, 0):
        number = (Attr.CHANNEL_NUMBER, channel_number(0x4000)[:wrong].ljust(wrong, b"\0"))
        for method, kind, attributes in (
            (Method.REFRESH, Attr.LIFETIME, [(Attr.LIFETIME, bytes(wrong))]),
            (Method.REFRESH, FAMILY, [(FAMILY, bytes(wrong))]),
            (Method.CHANNEL_BIND, Attr.CHANNEL_NUMBER, [number, peer]),
        ):
            name = f"{attribute_name(kind)} of {wrong} bytes"
            request = client.sign(client.message(method, *attributes)).build()
            await client.send(request)
            response = await client.answer(request, probe.target.silence)
            if response is None or response.error_code not in (None, 400):
                others.append(f"{name}: {describe(response)}")  # no sentence says 400
            else:
                expect_error(response, 400, to=name)
    expect_success(await allocation.refresh(), to="a Refresh afterwards")
    return seen("; ".join(others)) if others else None


@row(
    "COD-ATTR-14",
    "The RFFU field MUST be set to zero on transmission and MUST be ignored on reception "
    "(RFC 8656 section 18).",
    Feature.TURN,
)
async def reserved_bits_change_nothing(probe: Probe) -> None:
    transport = (Attr.REQUESTED_TRANSPORT, b"\x11\xff\xff\xff")
    response, allocation = await probe.try_to_allocate(transport)
    expect_granted(response, to="REQUESTED-TRANSPORT with reserved bits set")
    family = 2 if probe.peer_ip.version == 6 else 1
    plain, _ = await probe.try_to_allocate(UDP, (FAMILY, one_byte(family)))
    if plain.message_class is Class.SUCCESS:
        value = bytes([family]) + b"\xff\xff\xff"
        response, _ = await probe.try_to_allocate(UDP, (FAMILY, value))
        expect_granted(response, to="REQUESTED-ADDRESS-FAMILY with reserved bits set")
    if Feature.EVEN_PORT not in probe.survey.missing:
        response, _ = await probe.try_to_allocate(UDP, (Attr.EVEN_PORT, b"\x7f"))
        expect_granted(response, to="EVEN-PORT with reserved bits set")
        expect_no_attribute(response, Attr.RESERVATION_TOKEN)
    if Feature.PEER not in probe.survey.missing and allocation is not None:
        other = TransportAddress(probe.peer_ip, 10)
        await need_success(allocation.bind(0x4001, other), "ChannelBind")
        number = (Attr.CHANNEL_NUMBER, channel_number(0x4000)[:2] + b"\xff\xff")
        peer = xor(Attr.XOR_PEER_ADDRESS, somewhere(probe))
        response = await allocation.client.authenticated(Method.CHANNEL_BIND, number, peer)
        expect_success(response, to="CHANNEL-NUMBER with reserved bits set")


def _provoking(client: Client, probe: Probe) -> list[bytes]:
    """Requests whose answers have text in them."""
    requests = [
        client.message(Method.BINDING).build(),
        client.message(Method.BINDING, (REQUIRED, b"")).build(),
    ]
    if probe.target.is_turn:
        requests.append(client.message(Method.ALLOCATE, UDP).build())
    return requests
