"""STUNS-TCP: STUN and TURN over streams and DTLS (RFC 8489 section 6.2.2, RFC 7350)."""

from __future__ import annotations

from typing import Final

from conformance.building import dtls_client_hello
from conformance.client import Client
from conformance.codes import Method
from conformance.expect import expect_success
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.relaying import Pair
from conformance.row import Feature, row

OPEN_SECONDS: Final = 5.0
"""That a connection stays open after an answer (STUNS-TCP-02)."""

IDLE_SECONDS: Final = 180.0
"""After which a server has let an idle stranger go."""

HALF_CLOSED: Final = 8
REST: Final = 0.25
"""Connections, and seconds between them. It may be left to chance whether an answer is sent
before the end is seen: a server that has just woken up is the one to see both at once."""

CHANNEL: Final = 0x4000
HELLO_VERIFY_REQUEST: Final = 3
SERVER_HELLO: Final = 2
HANDSHAKE: Final = 22
ALERT: Final = 21


@row(
    "STUNS-TCP-01",
    "STUN messages over TCP are framed by their length: several may come in one segment, and one "
    "in several.",
    Feature.STREAM,
    Feature.OPEN_BINDING,
)
async def segments_say_nothing_about_messages(probe: Probe) -> None:
    client = await stream_client(probe)
    first, second = (client.message(Method.BINDING).build() for _ in range(2))
    await client.send(first + second)
    for request in (first, second):
        await _expect_answer(client, request, probe, why="two requests in one segment")
    third = client.message(Method.BINDING).build()
    for at in range(len(third)):
        await client.send(third[at : at + 1])
    await _expect_answer(client, third, probe, why="a request byte by byte")


@row(
    "STUNS-TCP-02",
    "The server SHOULD keep the connection open and let the client close it.",
    Feature.STREAM,
    Feature.OPEN_BINDING,
)
async def closing_is_left_to_the_client(probe: Probe) -> Outcome | None:
    client = await stream_client(probe)
    expect_success(await client.request(Method.BINDING), to="Binding over TCP")
    await probe.wire.sleep(OPEN_SECONDS)
    again = await client.ask(client.message(Method.BINDING).build())
    if again is None:
        raise Violated(f"the connection is closed within {OPEN_SECONDS:g} s of an answer")
    return None


@row(
    "STUNS-TCP-03",
    "The server SHOULD NOT close a connection if a request was received over that connection for "
    "which a response was not sent.",
    Feature.STREAM,
    Feature.OPEN_BINDING,
    alone=True,
)
async def a_half_closed_connection_is_still_answered(probe: Probe) -> None:
    for _ in range(HALF_CLOSED):
        await probe.wire.sleep(REST)
        client = await stream_client(probe)
        request = client.message(Method.BINDING).build()
        await client.send(request)
        await client.link.end()
        await _expect_answer(client, request, probe, why="a request before the end of the stream")


@row(
    "STUNS-TCP-04",
    "If the request was received over TCP or TLS-over-TCP, the response is sent back on the same "
    "TCP connection as the request was received on (section 6.3.1.2).",
    Feature.STREAM,
    Feature.OPEN_BINDING,
)
async def the_answer_comes_on_the_same_connection(probe: Probe) -> None:
    client = await stream_client(probe)
    request = client.message(Method.BINDING).build()
    await client.send(request)
    await _expect_answer(client, request, probe, why="a request over TCP")


@row(
    "STUNS-TCP-05",
    "A stranger who says nothing on a connection is let go, or connections run out.",
    Feature.STREAM,
    slow=True,
)
async def an_idle_stranger_is_let_go(probe: Probe) -> Outcome | None:
    client = await stream_client(probe)
    await client.send(client.message(Method.BINDING).build()[:3])
    begun = probe.wire.now()
    await client.link.receive(IDLE_SECONDS)
    seconds = probe.wire.now() - begun
    await probe.is_alive()
    if not client.link.has_ended:
        return seen(f"after {IDLE_SECONDS:g} s the connection is still open")
    return seen(f"the connection is closed after {seconds:.0f} s")


@row(
    "STUNS-TCP-06",
    "Where a stream holds what is neither STUN nor ChannelData, the next message cannot be "
    "found: the connection is closed.",
    Feature.STREAM,
)
async def garbage_ends_a_stream(probe: Probe) -> Outcome | None:
    for garbage in (b"\x80" * 20, b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"):
        client = await stream_client(probe)
        request = client.message(Method.BINDING).build()
        await client.send(garbage)
        await client.send(request)
        answer = await client.answer(request, probe.target.patience)
        if answer is not None:
            detail = f"a request behind {garbage[:12]!r} is answered"
            raise Violated(detail, Mark(answer.data, 0, 20))
        if not client.link.has_ended:
            return seen(f"behind {garbage[:12]!r} the connection stays open, and silent")
    await probe.is_alive()
    return None


@row(
    "STUNS-TCP-07",
    "Over TCP and TLS-over-TCP, the ChannelData message MUST be padded to a multiple of four "
    "bytes; the padding is not reflected in the length (RFC 8656 section 12.5).",
    Feature.STREAM,
    Feature.PEER,
    Feature.OPEN_BINDING,
)
async def channel_data_is_padded_in_a_stream(probe: Probe) -> None:
    client = await stream_client(probe)
    way = Pair(probe, await probe.allocate(client=client), await probe.peer())
    await way.bind(CHANNEL)
    for size in range(1, 8):
        data = bytes(range(size))
        relayed = await way.back(data)
        if relayed is None:
            raise Violated(f"ChannelData of {size} bytes does not come whole: no padding?")
        head, message = CHANNEL.to_bytes(2, "big") + size.to_bytes(2, "big"), relayed.message
        if message[: 4 + size] != head + data:
            raise Violated(f"{size} bytes come as others", Mark(message, 0, len(message)))
        expect_success(await client.request(Method.BINDING), to=f"Binding behind {size} bytes")


@row(
    "STUNS-TCP-09",
    "The server exchanges a cookie before it keeps any state of a client (RFC 7350 section 4.1, "
    "RFC 6347 section 4.2.1).",
)
async def a_client_hello_is_met_with_a_cookie(probe: Probe) -> None:
    try:
        kinds = await _handshake_types(probe)
    except Violated as error:  # the business of STUNS-TCP-10
        raise NotOffered(error.detail) from error
    if SERVER_HELLO in kinds or HELLO_VERIFY_REQUEST not in kinds:
        raise Violated(f"handshake messages {kinds} come before a cookie was exchanged")


@row(
    "STUNS-TCP-10",
    "DTLS and UDP may be served at one port, told apart by the first byte (RFC 7983).",
)
async def whether_dtls_shares_the_port(probe: Probe) -> Outcome:
    kinds = await _handshake_types(probe)
    return seen(f"a ClientHello at this port is met with handshake messages {kinds}")


async def stream_client(probe: Probe, *, user: int = 0) -> Client:
    """One over TCP or TLS."""
    return await probe.client(user=user, transport=probe.target.stream)


async def _expect_answer(client: Client, request: bytes, probe: Probe, *, why: str) -> None:
    answer = await client.answer(request, probe.target.patience)
    if answer is None:
        state = "the connection is closed" if client.link.has_ended else "silence"
        raise Violated(f"{why}: {state}")
    expect_success(answer, to=why)


async def _handshake_types(probe: Probe) -> list[int]:
    """The DTLS handshake messages that a first ClientHello is answered with.

    Raises:
        Violated: what comes is no DTLS.
        NotOffered: nothing comes.
    """
    client = await probe.plain_client()
    await client.send(dtls_client_hello(probe.wire.random_bytes(32)))
    kinds = []
    while (data := await client.link.receive(probe.target.silence)) is not None:
        if data[:1] == bytes([HANDSHAKE]) and len(data) > 13:
            kinds.append(data[13])
        elif data[:1] != bytes([ALERT]):
            detail = "a DTLS ClientHello is met with what is no DTLS"
            raise Violated(detail, Mark(data, 0, len(data)))
    if not kinds:
        raise NotOffered("a DTLS ClientHello at this port is not answered")
    return kinds
