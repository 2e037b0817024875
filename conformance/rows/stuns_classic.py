"""STUNS-BASE: clients of RFC 3489, whose messages have no magic cookie (RFC 5389 section 12.2)."""

from __future__ import annotations

from typing import Final

from conformance.building import MessageBuilder
from conformance.codes import Attr, Class, Method
from conformance.expect import expect_attribute, expect_no_attribute, expect_value
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage, read_address
from conformance.row import row
from transport import DecodeError, TransportAddress

NO_COOKIE: Final = 0x33343839
"""The first bytes of a transaction id, as RFC 3489 has it."""


@row(
    "STUNS-BASE-13",
    "Stand-alone STUN servers SHOULD support backwards compatibility with clients using RFC 3489.",
)
async def whether_classic_clients_are_answered(probe: Probe) -> Outcome | None:
    found = await _ask_as_classic(probe)
    if found is None:
        await probe.is_alive()
        return seen("a Binding request without the magic cookie is not answered")
    response, _ = found
    if response.message_class is not Class.SUCCESS:
        return seen(f"without the magic cookie Binding is met with error {response.error_code}")
    return None


@row(
    "STUNS-BASE-14",
    "When the server detects an RFC 3489 client, it SHOULD copy the value seen in the magic cookie "
    "field in the Binding request to the magic cookie field in the Binding response message, and "
    "insert a MAPPED-ADDRESS attribute instead of an XOR-MAPPED-ADDRESS attribute.",
)
async def classic_clients_are_told_their_address_as_it_is(probe: Probe) -> None:
    found = await _ask_as_classic(probe)
    if found is None or found[0].message_class is not Class.SUCCESS:
        raise NotOffered("clients of RFC 3489 are not answered")
    response, local = found
    if response.cookie != NO_COOKIE:
        detail = f"the first bytes of the transaction id come back as {response.cookie:#010x}"
        raise Violated(detail, Mark(response.data, 4, 8))
    mapped = read_address(expect_attribute(response, Attr.MAPPED_ADDRESS))
    expect_value(response, Attr.MAPPED_ADDRESS, local, mapped)
    expect_no_attribute(response, Attr.XOR_MAPPED_ADDRESS)


async def _ask_as_classic(probe: Probe) -> tuple[ReceivedMessage, TransportAddress] | None:
    """The answer to a client of RFC 3489, and where that client is.

    Raises:
        Violated: it is no answer to what was asked.
    """
    probe.needs_udp()
    client = await probe.client()
    request = MessageBuilder(
        Method.BINDING, Class.REQUEST, probe.wire.random_bytes(12), cookie=NO_COOKIE
    ).build()
    for _ in range(3):
        await client.send(request)
        data = await client.link.receive(probe.target.silence)
        if data is not None:
            return _answer(data, request), client.local
    return None


def _answer(data: bytes, request: bytes) -> ReceivedMessage:
    try:
        message = ReceivedMessage.parse(data)
    except DecodeError as error:
        raise Violated(f"the answer is no message: {error}", Mark(data, 0, len(data))) from error
    # What stands in place of the magic cookie is the business of STUNS-BASE-14.
    if message.transaction_id != request[8:20]:
        raise Violated("the answer has another transaction id", Mark(data, 8, 20))
    return message
