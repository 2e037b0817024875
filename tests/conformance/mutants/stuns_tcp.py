"""What breaks the rows of STUNS-TCP and STUNS-ALT."""

from __future__ import annotations

import functools

from conformance.building import MessageBuilder, address, xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import TransportAddress
from turn.server import TurnServer

from .changing import failing, is_error, is_success, nth, once, with_error, without
from .mutant import Answer, Mutant, Segments, Setup, edited

ALTERNATE = TransportAddress.parse("192.0.2.7", 3478)
SERVER6 = TransportAddress.parse("2001:db8::1", 3478)
MULTICAST = TransportAddress.parse("224.0.0.1", 3478)
ALTERNATE6 = TransportAddress.parse("2001:db8::7", 3478)
HELLO_VERIFY_REQUEST = b"\x16\xfe\xff" + bytes(8) + b"\0\x0f" + b"\x03" + bytes(14)
BAD_REQUEST = MessageBuilder(0x3FF, Class.ERROR, bytes(12)).build()
SERVER_HELLO = b"\x16\xfe\xfd" + bytes(8) + b"\0\x0f" + b"\x02" + bytes(14)


def _on_hello(answer: bytes) -> Mutant:
    """Answers a DTLS ClientHello."""
    return Mutant(reply=lambda data: answer if data[:1] == b"\x16" else None)


def _drain(server: TurnServer) -> None:
    server.drain(0.0, alternate=ALTERNATE)


def _drain_to_ipv6(server: TurnServer) -> None:
    server.drain(0.0, alternate=ALTERNATE6)


def _redirected(answer: Answer) -> Mutant:
    """Changes the answers that are 300."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        return answer(request, response) if response.error_code == 300 else response.data

    return Mutant(change)


def redirect_strangers(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if request.method != Method.ALLOCATE or Attr.NONCE in request.types:
        return response.data
    builder = MessageBuilder(request.method, Class.ERROR, request.transaction_id)
    builder.add(Attr.ERROR_CODE, bytes([0, 0, 3, 0]))
    return builder.add(Attr.ALTERNATE_SERVER, address(ALTERNATE)).build()


def _unsigned(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    drop = [Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256]
    return edited(response, request, drop=drop)


def _xored(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    return _to(xor_address(SERVER6, response.transaction_id), request, response)


def _to(value: bytes, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    """Redirects to there."""
    return edited(response, request, change={Attr.ALTERNATE_SERVER: value})


def _of_ipv6(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    return _to(address(ALTERNATE6), request, response)


def _unpadded(data: bytes) -> bytes:
    """ChannelData without its padding."""
    if not 0x40 <= data[0] < 0x50:
        return data
    return data[: 4 + int.from_bytes(data[2:4], "big")]


def _refuses() -> Mutant:
    return with_error(is_success(Method.BINDING), 400)


MUTANTS = {
    "STUNS-TCP-10": {
        "answers-in-stun": Mutant(reply=lambda data: BAD_REQUEST if data[:1] == b"\x16" else None),
    },
    "STUNS-TCP-01": {
        "loses-pieces": Mutant(segments=Segments.LOSES_PIECES),
        "the-first-alone": Mutant(segments=Segments.FIRST_ALONE),
        "refuses-the-third": nth(is_success(Method.BINDING), [3], failing(400)),
        "refuses": _refuses(),
        "a-segment-is-a-message": Mutant(segments=Segments.WHOLE),
    },
    "STUNS-TCP-02": {
        "refuses": _refuses(),
        "closes": Mutant(segments=Segments.CLOSES_AFTER_ANSWER),
    },
    "STUNS-TCP-03": {"refuses": _refuses(), "gives-up": Mutant(segments=Segments.ENDS_WITH_CLIENT)},
    "STUNS-TCP-04": {"refuses": _refuses(), "silent": Mutant(segments=Segments.SILENT)},
    "STUNS-TCP-06": {"looks-for-the-next": Mutant(segments=Segments.RESYNCHRONISES)},
    "STUNS-TCP-07": {
        "other-bytes": Mutant(tell=lambda data: data[:-1] + b"x" if data[0] >= 0x40 else data),
        "refuses-what-follows": once(
            is_success(Method.CHANNEL_BIND), is_success(Method.BINDING), failing(400)
        ),
        "no-padding": Mutant(tell=_unpadded),
        "tells-nothing": Mutant(tell=lambda data: None if data[0] >= 0x40 else data),
    },
    "STUNS-TCP-09": {"no-cookie": _on_hello(SERVER_HELLO)},
    "STUNS-ALT-01": {
        "none": without(is_error(300), Attr.ALTERNATE_SERVER),
        "the-other-family": _redirected(_of_ipv6),
    },
    "STUNS-ALT-02": {
        "redirects-strangers": Mutant(redirect_strangers),
        "unsigned": _redirected(_unsigned),
    },
    "COD-ADDR-06": {
        "xored": _redirected(_xored),
        "no-port": _redirected(functools.partial(_to, address(TransportAddress(ALTERNATE.ip, 0)))),
        "multicast": _redirected(functools.partial(_to, address(MULTICAST))),
    },
}

OPEN = {
    "STUNS-TCP-05": "no RFC says how long a stranger may be idle",
    "STUNS-TCP-10": "DTLS may have a port of its own",
}

SETUPS = {
    "STUNS-TCP-09": Setup(reply=_on_hello(HELLO_VERIFY_REQUEST).reply),
    "STUNS-TCP-10": Setup(reply=_on_hello(HELLO_VERIFY_REQUEST).reply),
    "STUNS-ALT-01": Setup(prepare=_drain),
    "STUNS-ALT-02": Setup(prepare=_drain),
    # Of an IPv4 address that is XORed, multicast is made.
    "COD-ADDR-06": Setup(prepare=_drain_to_ipv6, ipv6=True),
}
