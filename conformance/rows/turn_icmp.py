"""TURN-ICMP: what a client is told of ICMP errors (RFC 8656 sections 11.5 and 18.13).

A peer whose port is closed has its host send one. Hosts and firewalls may not, a server may
not be allowed to hear of it, and the figure of the attribute has two readings: all of it is
told, nothing judged.
"""

from __future__ import annotations

from typing import Final

from conformance.codes import Attr, Class, Method
from conformance.outcome import NotOffered, Outcome, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.relaying import CHANNEL, Pair, bound_pair, permitted_pair
from conformance.row import Feature, row
from transport import DecodeError

TRIES: Final = 3
TYPES: Final = frozenset({1, 2, 3, 11})
MAX_CODE: Final = 15
NOTHING: Final = "a closed port of the peer brings no Data indication with ICMP"


@row(
    "TURN-ICMP-01",
    "If relaying is permitted, then the server forms and sends a Data indication. The Data "
    "indication MUST contain both an XOR-PEER-ADDRESS and an ICMP attribute.",
    Feature.TURN,
    Feature.PEER,
)
async def whether_a_closed_port_is_told(probe: Probe) -> Outcome:
    pair = await permitted_pair(probe)
    await pair.need_both_ways(when="with a permission")
    message = await _told_of_closed_port(pair)
    if message is None:
        return seen(NOTHING)
    peer = message.xor_address(Attr.XOR_PEER_ADDRESS)
    data = " and DATA" if Attr.DATA in message.types else ""
    return seen(f"XOR-PEER-ADDRESS {peer} (sent to {pair.peer.local}), {_icmp(message)}{data}")


@row(
    "TURN-ICMP-04",
    "For other ICMPv6 types and ICMPv4 types and codes, the Error Data field MUST be set to zero. "
    "Reserved: This field MUST be set to 0 when sent.",
    Feature.TURN,
    Feature.PEER,
)
async def what_the_fields_of_icmp_say(probe: Probe) -> Outcome:
    pair = await permitted_pair(probe)
    await pair.need_both_ways(when="with a permission")
    message = await _told_of_closed_port(pair)
    value = None if message is None else message.get(Attr.ICMP)
    if value is None:
        return seen(NOTHING)
    reserved, error = value[:2].hex(), value[4:].hex()
    return seen(f"{len(value)} bytes: Reserved {reserved}, Error Data {error} for a closed port")


@row(
    "TURN-ICMP-05",
    "When the server receives an ICMP packet, the server processes it as described in Section "
    "11.5: a Data indication, where a channel is bound, too.",
    Feature.TURN,
    Feature.PEER,
)
async def whether_a_closed_port_is_told_beside_a_channel(probe: Probe) -> Outcome:
    pair = await bound_pair(probe)
    if await pair.send_channel(b"out") is None:
        raise NotOffered("data on a channel does not come to the peer")
    message = await _told_of_closed_port(pair, is_bound=True)
    if message is None:
        return seen(f"with a channel bound, {NOTHING}")
    return seen(f"with a channel bound, a Data indication with {_icmp(message)}")


async def _told_of_closed_port(pair: Pair, *, is_bound: bool = False) -> ReceivedMessage | None:
    """The Data indication with ICMP that comes when the peer's port is closed, or None."""
    pair.peer.close()
    await pair.probe.wire.sleep(pair.probe.target.silence / 4)  # for the port to be closed
    client = pair.allocation.client
    for _ in range(TRIES):
        if is_bound:
            await pair.allocation.send_channel(CHANNEL, b"to nobody")
        else:
            await pair.allocation.send(pair.peer.local, b"to nobody")
        data = await client.next_message(pair.probe.target.silence)
        while data is not None:
            if (found := _indication(data)) is not None:
                return found
            data = await client.next_message(0)
    await pair.probe.is_alive()
    return None


def _indication(data: bytes) -> ReceivedMessage | None:
    try:
        message = ReceivedMessage.parse(data)
    except DecodeError:
        return None
    is_data = message.method == Method.DATA and message.message_class is Class.INDICATION
    return message if is_data and Attr.ICMP in message.types else None


def _icmp(message: ReceivedMessage) -> str:
    """Type and code: 7 and 9 bits as figure 11 has them, or 8 and 8."""
    value = message.get(Attr.ICMP) or b""
    if len(value) != 8:
        return f"ICMP of {len(value)} bytes"
    drawn = int.from_bytes(value[2:4], "big")
    if drawn >> 9 in TYPES and drawn & 0x1FF <= MAX_CODE:
        return f"ICMP type {drawn >> 9} code {drawn & 0x1FF} (in 7 and 9 bits)"
    return f"ICMP type {value[2]} code {value[3]} (in 8 and 8 bits)"
