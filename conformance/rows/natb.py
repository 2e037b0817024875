"""NATB: NAT behavior discovery (RFC 5780 sections 6 and 7)."""

from __future__ import annotations

from typing import Final

from conformance.checks import mark_attribute
from conformance.client import describe
from conformance.codes import Attr, Method, attribute_name
from conformance.expect import expect_attribute, expect_error, expect_no_attribute, expect_value
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import read_xor_address
from conformance.row import Feature, row
from transport import DecodeError, TransportAddress

from .discovery import (
    CHANGE_IP,
    CHANGE_PORT,
    FLAGS,
    TRIES,
    addresses_of,
    ask,
    ask_to_change,
    binding,
    change,
    due_where_unknown,
    exchange,
    expect_known,
    expect_unknown,
    offers,
    open_socket,
    reachable,
    response_at,
    to_port,
)
from .stuns_tcp import stream_client

PADDING: Final = bytes(64)
PADDING_LIMIT: Final = 1280
"""Bytes of PADDING below which it hardly is the MTU of any interface."""

OF_RFC_5780: Final = (Attr.RESPONSE_ORIGIN, Attr.OTHER_ADDRESS, Attr.PADDING)


@row(
    "NATB-01",
    "The server MUST include both MAPPED-ADDRESS and XOR-MAPPED-ADDRESS in its Response.",
    Feature.BEHAVIOR,
)
async def both_mapped_addresses_are_told(probe: Probe) -> None:
    socket = await open_socket(probe)
    answer = await ask(probe, socket, probe.target.address)
    for kind in (Attr.XOR_MAPPED_ADDRESS, Attr.MAPPED_ADDRESS):
        expect_attribute(answer.message, kind)
    plain = answer.message.address(Attr.MAPPED_ADDRESS)
    xored = answer.message.xor_address(Attr.XOR_MAPPED_ADDRESS)
    # A NAT on the way may rewrite the plain one.
    if plain != xored and xored == socket.local:
        expect_value(answer.message, Attr.MAPPED_ADDRESS, xored, plain)


@row(
    "NATB-02",
    "The server MUST add a RESPONSE-ORIGIN attribute to the Binding Response, containing the "
    "source address and port used to send the Binding Response.",
    Feature.BEHAVIOR,
)
async def the_origin_is_where_the_response_comes_from(probe: Probe) -> Outcome | None:
    socket = await open_socket(probe)
    await reachable(probe, socket, await addresses_of(probe, socket))
    for flags in FLAGS:
        answer = await ask_to_change(probe, socket, probe.target.address, flags)
        expect_attribute(answer.message, Attr.RESPONSE_ORIGIN)
        origin = answer.message.address(Attr.RESPONSE_ORIGIN)
        if origin is not None and _is_behind_nat(origin, answer.source):
            return seen(f"RESPONSE-ORIGIN says {origin}: the server is behind a NAT")
        expect_value(answer.message, Attr.RESPONSE_ORIGIN, answer.source, origin)
    return None


@row(
    "NATB-03",
    "If the server supports an alternate address and port, the server MUST add an OTHER-ADDRESS "
    "attribute to the Binding Response: Ca and Cp, regardless of the value of the CHANGE-REQUEST "
    "flags.",
    Feature.BEHAVIOR,
)
async def the_other_address_is_told_whatever_is_asked(probe: Probe) -> None:
    socket = await open_socket(probe)
    addresses = await addresses_of(probe, socket)
    for asked in await reachable(probe, socket, addresses):
        for flags in FLAGS:
            answer = await ask_to_change(probe, socket, asked, flags)
            expect_attribute(answer.message, Attr.OTHER_ADDRESS)
            other = answer.message.address(Attr.OTHER_ADDRESS)
            wanted = addresses.changed(asked, CHANGE_IP | CHANGE_PORT)
            expect_value(answer.message, Attr.OTHER_ADDRESS, wanted, other)


@row(
    "NATB-04",
    "The source address and port of the Binding Response depend on the value of the "
    "CHANGE-REQUEST attribute and on the address and port on which the Binding Request was "
    "received (table 1).",
    Feature.BEHAVIOR,
)
async def responses_leave_from_where_the_client_asks(probe: Probe) -> None:
    socket = await open_socket(probe)
    addresses = await addresses_of(probe, socket)
    for asked in await reachable(probe, socket, addresses):
        for flags, name in FLAGS.items():
            answer = await ask_to_change(probe, socket, asked, flags)
            wanted = addresses.changed(asked, flags)
            if answer.source != wanted:
                data = answer.message.data
                detail = f"asked at {asked} with {name}, {answer.source} answers, not {wanted}"
                raise Violated(detail, Mark(data, 0, len(data)))


@row(
    "NATB-05",
    "If a server cannot allocate the same ports on two different IP address, then it MUST NOT "
    "include an OTHER-ADDRESS attribute in any Response and MUST respond with a 420 (Unknown "
    "Attribute) to any Request with a CHANGE-REQUEST attribute.",
    Feature.OPEN_BINDING,
)
async def a_server_with_one_address_knows_nochange(probe: Probe) -> None:
    socket = await open_socket(probe)
    plain = await ask(probe, socket, probe.target.address)
    if Attr.OTHER_ADDRESS in plain.message.types:
        raise NotOffered("the server has two addresses: its responses have OTHER-ADDRESS")
    for flags, name in FLAGS.items():
        answer = (await ask_to_change(probe, socket, probe.target.address, flags)).message
        expect_no_attribute(answer, Attr.OTHER_ADDRESS)
        if answer.error_code != 420:
            mark = mark_attribute(answer, Attr.ERROR_CODE) or Mark(answer.data, 0, 2)
            told = f"CHANGE-REQUEST with {name} is met with {describe(answer)}"
            raise Violated(f"{told}; {due_where_unknown(Attr.CHANGE_REQUEST)}", mark)
        expect_unknown(answer, Attr.CHANGE_REQUEST)


@row(
    "NATB-06",
    "For servers which support the RESPONSE-PORT attribute, the Binding Response MUST be "
    "transmitted to the source IP address of the Binding Request and the port contained in "
    "RESPONSE-PORT.",
    Feature.OPEN_BINDING,
)
async def the_response_goes_to_the_port_that_is_asked_for(probe: Probe) -> None:
    socket, other = await open_socket(probe), await probe.socket()
    request = to_port(probe, other.local.port).build()
    for _ in range(TRIES):
        await socket.send(request, probe.target.address)
        if await response_at(probe, other, request, probe.target.patience / TRIES) is not None:
            return
        answer = await response_at(probe, socket, request, 0)
        if answer is not None:
            expect_known(answer.message, Attr.RESPONSE_PORT)
            raise Violated(
                f"the response to RESPONSE-PORT {other.local.port} comes to where the request "
                f"came from, {socket.local.port}; {due_where_unknown(Attr.RESPONSE_PORT)}",
                Mark(answer.message.data, 0, len(answer.message.data)),
            )
    await probe.is_alive()
    raise NotOffered("a request with RESPONSE-PORT is not answered at all")


@row(
    "NATB-07",
    "If the Request contained a PADDING attribute, PADDING MUST be included in the Binding "
    "Response. The server SHOULD use a length of PADDING equal to the MTU on the outgoing "
    "interface, rounded up to an even multiple of four bytes.",
    Feature.OPEN_BINDING,
)
async def padding_is_answered_with_padding(probe: Probe) -> Outcome | None:
    socket = await open_socket(probe)
    builder = binding(probe).add(Attr.PADDING, PADDING)
    answer = await exchange(probe, socket, probe.target.address, builder.build())
    if answer is None:
        # Answers with PADDING are fragmented, and rare where they are limited.
        await probe.is_alive()
        raise NotOffered("a request with PADDING is not answered: perhaps fragments are lost")
    expect_known(answer.message, Attr.PADDING)
    padding = answer.message.get(Attr.PADDING)
    if padding is None:
        mark = Mark(answer.message.data, 0, 20)
        raise Violated(f"PADDING is missing; {due_where_unknown(Attr.PADDING)}", mark)
    size = len(padding)
    if size < PADDING_LIMIT or size % 4:
        return seen(f"PADDING of {size} bytes, which is no MTU rounded up to a multiple of four")
    return None


@row(
    "NATB-08",
    "The server MUST NOT process a request containing a RESPONSE-PORT and a PADDING attribute; "
    "the server MUST return an error response of type 400.",
    Feature.OPEN_BINDING,
)
async def padding_does_not_go_to_another_port(probe: Probe) -> None:
    socket, other = await open_socket(probe), await probe.socket()
    for kind, builder in (
        (Attr.RESPONSE_PORT, to_port(probe, socket.local.port)),
        (Attr.PADDING, binding(probe).add(Attr.PADDING, PADDING)),
    ):
        answer = await exchange(probe, socket, probe.target.address, builder.build())
        if answer is None:
            raise NotOffered(f"a request with {attribute_name(kind)} alone is not answered")
        expect_known(answer.message, kind)
    request = to_port(probe, other.local.port).add(Attr.PADDING, PADDING).build()
    answer = await exchange(probe, socket, probe.target.address, request)
    if await response_at(probe, other, request, 0) is not None:
        raise Violated(f"a response comes to RESPONSE-PORT {other.local.port}")
    if answer is None:
        raise Violated("RESPONSE-PORT with PADDING is not answered")
    expect_error(answer.message, 400, to="RESPONSE-PORT with PADDING")


@row(
    "NATB-09",
    "An ALTERNATE-SERVER attribute MUST NOT be included with any other attribute defined in this "
    "specification.",
    Feature.BEHAVIOR,
)
async def no_redirection_comes_with_these_attributes(probe: Probe) -> None:
    socket = await open_socket(probe)
    requests = [binding(probe, flags=flags) for flags in FLAGS]
    requests.append(to_port(probe, socket.local.port))
    requests.append(binding(probe).add(Attr.PADDING, PADDING))
    found = 0
    for builder in requests:
        answer = await exchange(probe, socket, probe.target.address, builder.build())
        if answer is not None and set(OF_RFC_5780) & set(answer.message.types):
            found += 1
            expect_no_attribute(answer.message, Attr.ALTERNATE_SERVER)
    await probe.is_alive()
    if not found:
        raise NotOffered("no answer has an attribute of RFC 5780")


@row(
    "NATB-10",
    "If the Request contains the CHANGE-REQUEST attribute and the server does not have an "
    "alternate address and port, the server MUST generate an error response of type 420: over "
    "TCP it cannot answer from elsewhere.",
    Feature.BEHAVIOR,
    Feature.STREAM,
)
async def what_becomes_of_a_change_over_tcp(probe: Probe) -> Outcome:
    client = await stream_client(probe)
    if await client.ask(client.message(Method.BINDING).build()) is None:
        raise NotOffered("a Binding request over TCP is not answered")
    answer = await client.ask(client.message(Method.BINDING, change(CHANGE_PORT)).build())
    if answer is None:
        raise Violated("a Binding request over TCP with CHANGE-REQUEST is not answered")
    return seen(f"CHANGE-REQUEST over TCP: {describe(answer)}")


@row(
    "NATB-11",
    "What reflects (RESPONSE-PORT, CHANGE-REQUEST) is there only where it was asked for.",
)
async def what_is_there_of_behavior_discovery(probe: Probe) -> Outcome | None:
    found = await offers(probe)
    await probe.is_alive()
    return seen(f"the server has {', '.join(found)}: is that wanted?") if found else None


@row(
    "COD-ADDR-07",
    "Whenever an attribute contains a transport IP address and port, it has the same format as "
    "MAPPED-ADDRESS (RESPONSE-ORIGIN, OTHER-ADDRESS: RFC 5780 section 7.1).",
    Feature.BEHAVIOR,
)
async def origin_and_other_address_are_plain(probe: Probe) -> Outcome | None:
    socket = await open_socket(probe)
    answer = await ask(probe, socket, probe.target.address)
    for kind in (Attr.RESPONSE_ORIGIN, Attr.OTHER_ADDRESS):
        value, mark = expect_attribute(answer.message, kind), mark_attribute(answer.message, kind)
        try:
            answer.message.address(kind)
        except DecodeError as error:
            raise Violated(f"{attribute_name(kind)}: {error}", mark) from error
        if kind is Attr.RESPONSE_ORIGIN and answer.source == read_xor_address(
            value, answer.message.transaction_id
        ):
            raise Violated("RESPONSE-ORIGIN is XORed", mark)
    origin = answer.message.address(Attr.RESPONSE_ORIGIN)
    if origin != answer.source:
        return seen(f"RESPONSE-ORIGIN says {origin}, but {answer.source} answers")
    return None


def _is_behind_nat(told: TransportAddress, seen_from_here: TransportAddress) -> bool:
    return seen_from_here.ip.is_global and not told.ip.is_global and not told.ip.is_unspecified
