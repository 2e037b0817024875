"""What breaks the rows that DTLS and ALPN are asked for."""

from __future__ import annotations

from conformance.building import MessageBuilder
from conformance.codes import MAGIC_COOKIE, Attr, Class, Method
from conformance.reading import ReceivedMessage

from .mutant import Answer, Mutant, Setup, edited


def _to_classic(answer: Answer) -> Mutant:
    """Changes the answers to requests without the magic cookie."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        return response.data if request.cookie == MAGIC_COOKIE else answer(request, response)

    return Mutant(change)


def _success(request: ReceivedMessage, _: ReceivedMessage) -> bytes:
    builder = MessageBuilder(
        Method.BINDING, Class.SUCCESS, request.transaction_id, cookie=request.cookie
    )
    return builder.build()


def _bad_request(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    error = bytes([0, 0, 4, 0])
    builder = MessageBuilder(
        Method.BINDING, Class.ERROR, request.transaction_id, cookie=request.cookie
    )
    return builder.add(Attr.ERROR_CODE, error).build()


def _refuse_indication(data: bytes) -> bytes | None:
    """500 to an indication without the magic cookie, too."""
    message = ReceivedMessage.parse(data) if data[0] < 4 else None
    if message is None or message.cookie == MAGIC_COOKIE:
        return None
    if message.message_class is not Class.INDICATION:
        return None
    builder = MessageBuilder(
        Method.BINDING, Class.ERROR, message.transaction_id, cookie=message.cookie
    )
    return builder.add(Attr.ERROR_CODE, bytes([0, 0, 5, 0])).build()


def _granted(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    """A TCP allocation, which is none."""
    if request.method != Method.ALLOCATE or response.error_code != 400:
        return response.data
    return edited(response, request, drop=[Attr.ERROR_CODE], message_class=Class.SUCCESS)


def _unsupported(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if response.error_code != 400:
        return response.data
    return edited(response, request, change={Attr.ERROR_CODE: bytes([0, 0, 4, 42])})


def _babble(data: bytes) -> bytes | None:
    """What is no message, to requests without the magic cookie."""
    is_classic = data[0] < 4 and data[4:8] != MAGIC_COOKIE.to_bytes(4, "big")
    return b"\1\1\0\1" if is_classic else None


MUTANTS = {
    "STUNS-BASE-12": {
        "no-message": Mutant(reply=_babble),
        "silent": _to_classic(lambda _request, _response: None),
        "serves": _to_classic(_success),
        "says-400": _to_classic(_bad_request),
        "silent-to-allocate": _to_classic(
            lambda q, a: None if q.method == Method.ALLOCATE else a.data
        ),
        "refuses-indications": Mutant(reply=_refuse_indication),
    },
    "STUNS-TCP-11": {"silent": Mutant(take=lambda _: None)},
    "TURN-TCP-02": {"grants": Mutant(_granted), "says-442": Mutant(_unsupported)},
}

OPEN = {"STUNS-TCP-11": "nobody has to understand ALPN"}

SETUPS = {
    "STUNS-BASE-12": Setup(dtls=True),
    "STUNS-TCP-11": Setup(dtls=True),
    "TURN-TCP-02": Setup({"tcp_relay": True}, dtls=True),
}
