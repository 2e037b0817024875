"""COD-HDR: the header of a STUN message (RFC 8489 sections 5 and 6.3)."""

from __future__ import annotations

from conformance.allocation import UDP
from conformance.building import MessageBuilder
from conformance.checks import MAX_DATAGRAM
from conformance.client import Client
from conformance.codes import MAGIC_COOKIE, Attr, Class, Method
from conformance.expect import expect_success
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.relaying import permitted_pair
from conformance.row import Feature, row
from transport import DecodeError, TransportProtocol

UNKNOWN_METHODS = (0x002, 0x0FF, 0xFFF)
TRIES = 3
"""Times that a request is sent whose answer may have another id."""

OTHER_COOKIE = MAGIC_COOKIE + 1
INDICATIONS = 32
"""From which it is plain whether their ids are random: of 32 random bytes 8 are hardly alike."""

UDP_VALUE = bytes([17, 0, 0, 0])


@row(
    "COD-HDR-01",
    "The most significant 2 bits of every STUN message MUST be zeroes.",
)
async def a_message_with_other_first_bits_is_dropped(probe: Probe) -> None:
    probe.needs_datagrams()
    for bits in (0x40, 0x80, 0xC0):
        client = await probe.client()
        request = bytearray(client.message(Method.BINDING).build())
        request[0] |= bits
        await client.expect_silence(bytes(request), why=f"a message that begins with {bits:#04x}")
    await probe.is_alive()


@row(
    "COD-HDR-02",
    "The Magic Cookie field MUST contain the fixed value 0x2112A442 in network byte order; if it "
    "does not, the message is silently discarded (section 6.3), unless it is Binding of RFC 3489.",
)
async def a_message_with_another_cookie_is_none_of_rfc_8489(probe: Probe) -> None:
    client = await probe.client()
    builder = MessageBuilder(
        Method.BINDING, Class.REQUEST, probe.wire.random_bytes(12), cookie=OTHER_COOKIE
    )
    await client.send(builder.build())
    answer = await client.link.receive(probe.target.silence)
    if answer is not None and Attr.XOR_MAPPED_ADDRESS in _types(answer):
        mark = Mark(answer, 0, len(answer))
        raise Violated("it is answered like a message with the magic cookie", mark)
    # Over DTLS that is 500: see STUNS-BASE-12. Clients of RFC 3489 know no Allocate.
    if probe.target.is_turn and probe.target.transport is not TransportProtocol.DTLS:
        stranger = await probe.client()
        allocate = MessageBuilder(
            Method.ALLOCATE, Class.REQUEST, probe.wire.random_bytes(12), cookie=OTHER_COOKIE
        )
        request = allocate.add(Attr.REQUESTED_TRANSPORT, UDP_VALUE).build()
        await stranger.expect_silence(request, why="Allocate with another cookie")
    await probe.is_alive()


@row(
    "COD-HDR-03",
    "For a Binding request the class is 0b00 and the method 0b000000000001, encoded into the "
    "first 16 bits as 0x0001; a Binding response is encoded as 0x0101.",
    Feature.OPEN_BINDING,
    about_answers=True,
)
async def class_and_method_share_the_type_field(probe: Probe) -> None:
    client = await probe.client()
    wanted = {(): 0x0101, (0x7F01,): 0x0111}
    for unknown, kind in wanted.items():
        response = await client.request(Method.BINDING, *((each, b"") for each in unknown))
        found = int.from_bytes(response.data[:2], "big")
        if found != kind:
            raise Violated(f"type 0x{found:04X}, not 0x{kind:04X}", Mark(response.data, 0, 2))


@row(
    "COD-HDR-04",
    "The message length MUST contain the size of the message in bytes, not including the 20-byte "
    "STUN header.",
)
async def a_message_shorter_than_it_says_is_dropped(probe: Probe) -> None:
    probe.needs_datagrams()
    for more in (4, 8, 0x1000):
        client = await probe.client()
        request = client.message(Method.BINDING, (Attr.SOFTWARE, b"test")).build(length=8 + more)
        await client.expect_silence(request, why=f"a message {more} bytes shorter than it says")
    await probe.is_alive()


@row(
    "COD-HDR-05",
    "Since all STUN attributes are padded to a multiple of 4 bytes, the last 2 bits of this "
    "field are always zero.",
)
async def a_length_that_is_no_multiple_of_4_is_dropped(probe: Probe) -> None:
    probe.needs_datagrams()
    for more in (1, 2, 3):
        client = await probe.client()
        request = client.message(Method.BINDING).add_raw(bytes(more)).build()
        await client.expect_silence(request, why=f"a message of length {more}")
    await probe.is_alive()


@row(
    "COD-HDR-06",
    "It checks that the message length is sensible.",
)
async def what_becomes_of_trailing_bytes(probe: Probe) -> Outcome:
    probe.needs_datagrams()
    answered = []
    for tail in (bytes(1), bytes(3), bytes(4), bytes(8)):
        client = await probe.client()
        request = client.message(Method.BINDING).build()
        await client.send(request + tail)
        data = await client.link.receive(probe.target.silence)
        if data is None:
            continue
        if data[8:20] != request[8:20]:
            detail = f"with {len(tail)} bytes behind its end a message is answered with another id"
            raise Violated(detail, Mark(data, 8, 20))
        answered.append(len(tail))
    client = await probe.client()
    second = client.message(Method.BINDING).build()
    await client.send(client.message(Method.BINDING).build() + second)
    while (data := await client.link.receive(probe.target.silence)) is not None:
        if data[8:20] == second[8:20]:
            raise Violated("a message behind the end of another is answered", Mark(data, 8, 20))
    await probe.is_alive()
    if not answered:
        return seen("a datagram longer than its message is dropped")
    return seen(f"a message is answered for all of {answered} bytes behind its end")


@row(
    "COD-HDR-07",
    "The transaction ID MUST be uniformly and randomly chosen from the interval 0 .. 2**96-1, and "
    "MUST be cryptographically random. For indications, it is chosen by the agent sending the "
    "indication.",
    Feature.TURN,
    Feature.PEER,
)
async def ids_of_indications_are_random(probe: Probe) -> None:
    way = await permitted_pair(probe)
    found: list[bytes] = []
    for number in range(INDICATIONS):
        relayed = await way.back(bytes([number]))
        if relayed is not None and relayed.peer is not None:
            found.append(relayed.message)
    if len(found) < INDICATIONS // 2:
        raise NotOffered(f"{len(found)} Data indications are too few to say")
    last = Mark(found[-1], 8, 20)
    ids = [each[8:20] for each in found]
    if len(set(ids)) < len(ids):
        raise Violated("two Data indications have the same transaction id", last)
    for position in range(12):
        values = len({each[position] for each in ids})
        if values < len(ids) // 4:
            detail = f"byte {position + 1} of {len(ids)} has {values} values"
            raise Violated(
                f"the transaction ids of Data indications are not random: {detail}", last
            )


@row(
    "COD-HDR-08",
    "For request/response transactions, the transaction ID is echoed by the server in the "
    "response.",
)
async def the_transaction_id_comes_back(probe: Probe) -> None:
    for transaction_id in (bytes(12), b"\xff" * 12, probe.wire.random_bytes(12)):
        client = await probe.client()
        request = MessageBuilder(Method.BINDING, Class.REQUEST, transaction_id).build()
        answer = None
        for _ in range(TRIES):
            await client.send(request)
            answer = await client.link.receive(probe.target.patience / TRIES)
            if answer is not None:
                break
        if answer is None:
            raise Violated(f"no answer to transaction id {transaction_id.hex()}")
        if answer[8:20] != transaction_id:
            raise Violated("another transaction id", Mark(answer, 8, 20))


@row(
    "COD-HDR-09",
    "All STUN messages sent over UDP and DTLS-over-UDP SHOULD be less than the path MTU, if "
    "known. If the path MTU is unknown for UDP, messages SHOULD be the smaller of 576 bytes and "
    "the first-hop MTU for IPv4 and 1280 bytes for IPv6.",
    about_answers=True,
)
async def answers_fit_an_unknown_mtu(probe: Probe) -> Outcome | None:
    probe.needs_datagrams()
    client = await probe.client()
    sizes = [len((await client.request(Method.BINDING)).data)]
    if probe.target.is_turn:
        sizes.append(len((await client.request(Method.ALLOCATE, UDP)).data))
    many = [(0x7E00 + number, b"") for number in range(100)]
    sizes.append(len((await client.request(Method.BINDING, *many)).data))
    most = MAX_DATAGRAM[client.local.ip.version]
    if max(sizes) > most:
        raise Violated(f"an answer has {max(sizes)} bytes, more than {most}")
    return None


@row(
    "COD-HDR-10",
    "It checks that the method value is a supported method. If any errors are detected, the "
    "message is silently discarded.",
)
async def an_unknown_method_gets_silence(probe: Probe) -> None:
    for method in UNKNOWN_METHODS:
        client = await probe.client()
        request = client.message(method).build()
        await client.expect_silence(request, why=f"a request of method 0x{method:03X}")
    client = await probe.client()
    indication = client.begin(Method.ALLOCATE, Class.INDICATION, UDP).build()
    await client.expect_silence(indication, why="an Allocate indication")
    await probe.is_alive()


@row(
    "COD-HDR-11",
    "The agent checks that the transaction ID matches a transaction that is still in progress. "
    "If any errors are detected, the message is silently discarded.",
    Feature.OPEN_BINDING,
)
async def a_response_to_nothing_is_dropped(probe: Probe) -> None:
    for message_class in (Class.SUCCESS, Class.ERROR):
        client = await probe.client()
        response = client.begin(Method.BINDING, message_class).build()
        await client.expect_silence(response, why="a response that nobody waits for")
        await _still_answers(client)


@row(
    "DEMUX-01",
    "STUN begins with 0 to 3; other first bytes belong to other protocols (RFC 7983 section 7).",
)
async def an_empty_datagram_and_short_ones_are_dropped(probe: Probe) -> None:
    for size in (0, 1, 3, 4, 19):
        client = await probe.plain_client()
        await client.expect_silence(bytes(size), why=f"a datagram of {size} zero bytes")
    await probe.is_alive()


async def _still_answers(client: Client) -> None:
    expect_success(await client.request(Method.BINDING), to="Binding on the same 5-tuple")


def _types(data: bytes) -> list[int]:
    """Of the attributes of a message, which need not have the magic cookie."""
    try:
        return ReceivedMessage.parse(data).types
    except DecodeError:
        return []
