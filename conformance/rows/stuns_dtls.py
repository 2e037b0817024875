"""STUNS-TCP, STUNS-BASE: what is said by ALPN, and what DTLS forbids (RFC 7443, RFC 8489
section 11)."""

from __future__ import annotations

from typing import Final

from conformance.building import MessageBuilder
from conformance.client import Client
from conformance.codes import Class, Method, method_name
from conformance.expect import expect_error
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.row import row
from transport import DecodeError, TransportProtocol

SECURED: Final = (TransportProtocol.TLS, TransportProtocol.DTLS)
PROTOCOLS: Final = ("stun.turn", "stun.nat-discovery")
"""Of ALPN (RFC 7443)."""

SERVER_ERROR: Final = 500
NO_COOKIE: Final = 0x33343839
TRIES: Final = 3
"""Times that a request is sent which may get lost."""


@row(
    "STUNS-TCP-11",
    "Who speaks STUN over TLS or DTLS may say so by ALPN: stun.turn or stun.nat-discovery (RFC "
    "7443).",
)
async def whether_alpn_is_understood(probe: Probe) -> Outcome:
    if probe.target.transport not in SECURED:
        raise NotOffered("ALPN is part of TLS and DTLS: name the target as turns: or stuns:")
    found = {name: await _what_becomes_of(probe, name) for name in PROTOCOLS}
    return seen(", ".join(f"{name} is {how}" for name, how in found.items()))


async def _what_becomes_of(probe: Probe, protocol: str) -> str:
    """A client that offers it.

    Raises:
        Violated: it is agreed on, and is not spoken.
    """
    try:
        client = await probe.client(protocols=(protocol,))
    except NotOffered as error:
        await probe.is_alive()
        return f"refused ({error.detail})"
    answer = await client.ask(client.message(Method.BINDING).build())
    if answer is None and client.link.protocol == protocol:
        raise Violated(f"{protocol} is agreed on, and a Binding request is not answered")
    agreed = "agreed on" if client.link.protocol == protocol else "not agreed on"
    return agreed if answer is not None else f"{agreed}, and nothing is answered"


@row(
    "STUNS-BASE-12",
    "Any STUN request or indication without the magic cookie over DTLS MUST be considered "
    "invalid: all requests MUST generate a 500 (Server Error) error response, and indications "
    "MUST be ignored.",
)
async def nothing_without_a_cookie_is_valid_over_dtls(probe: Probe) -> None:
    for method in (Method.BINDING, *((Method.ALLOCATE,) if probe.target.is_turn else ())):
        to = f"{method_name(method)} without the magic cookie over DTLS"
        answer = await _answer_without_cookie(probe, method)
        await _expect_life(probe)
        if answer is None:
            raise Violated(f"{to} is not answered with 500")
        expect_error(answer, SERVER_ERROR, to=to)
    client = await dtls_client(probe)
    indication = _without_cookie(probe, Method.BINDING, Class.INDICATION)
    await client.expect_silence(indication, why="an indication without the magic cookie over DTLS")
    await _expect_life(probe)


async def dtls_client(probe: Probe) -> Client:
    """One over DTLS.

    Raises:
        NotOffered: the target is not secured, or there is no DTLS beside TLS.
    """
    if probe.target.transport not in SECURED:
        raise NotOffered("it is about DTLS: name the target as turns:HOST?transport=udp")
    return await probe.client(transport=TransportProtocol.DTLS)


async def _answer_without_cookie(probe: Probe, method: Method) -> ReceivedMessage | None:
    client = await dtls_client(probe)
    request = _without_cookie(probe, method, Class.REQUEST)
    for _ in range(TRIES):
        await client.send(request)
        data = await client.link.receive(probe.target.silence)
        if data is not None:
            return _read(data)
    return None


def _read(data: bytes) -> ReceivedMessage:
    try:
        return ReceivedMessage.parse(data)
    except DecodeError as error:
        raise Violated(f"the answer is no message: {error}", Mark(data, 0, len(data))) from error


def _without_cookie(probe: Probe, method: Method, message_class: Class) -> bytes:
    transaction_id = probe.wire.random_bytes(12)
    builder = MessageBuilder(method, message_class, transaction_id, cookie=NO_COOKIE)
    return builder.build()


async def _expect_life(probe: Probe) -> None:
    """That a Binding request is answered, with a challenge if need be.

    Raises:
        Violated: it is not.
    """
    client = await dtls_client(probe)
    await client.request(Method.BINDING)
