"""What breaks the rows of TURN-GEN."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from conformance.building import MessageBuilder, xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import DecodeError, TransportAddress

from .changing import (
    answering,
    is_success,
    losing,
    losing_when_deleted,
    with_error,
    with_more,
)
from .mutant import Answer, Mutant, Setup, edited, only, silent_to
from .relaying import relaying_for_anybody

ELSEWHERE = TransportAddress.parse("192.0.2.99", 9)


def error(code: int) -> bytes:
    """The value of ERROR-CODE."""
    return bytes([0, 0, *divmod(code, 100)])


def instead(code: int, of: int, *, method: int | None = None) -> Answer:
    """One error in place of another, in answers to one method, or to all."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if response.error_code != of or method not in (None, request.method):
            return response.data
        return edited(response, request, change={Attr.ERROR_CODE: error(code)})

    return change


def granted(request: ReceivedMessage, response: ReceivedMessage, *, port: int = 50_000) -> bytes:
    """A refusal made a success."""
    relayed = TransportAddress(ELSEWHERE.ip, port)
    return edited(
        response,
        request,
        message_class=Class.SUCCESS,
        drop=[Attr.ERROR_CODE, Attr.UNKNOWN_ATTRIBUTES],
        add=[
            (Attr.XOR_RELAYED_ADDRESS, xor_address(relayed, response.transaction_id)),
            (Attr.LIFETIME, (600).to_bytes(4, "big")),
        ],
    )


def succeeding(of: int, *, method: int = Method.ALLOCATE) -> Answer:
    """Success where there should be an error."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        return granted(request, response) if response.error_code == of else response.data

    return only(method, change)


def unfit(
    request: ReceivedMessage, response: ReceivedMessage, *attributes: tuple[int, bytes]
) -> bytes:
    """A success of Allocate made an error."""
    drop = [Attr.XOR_RELAYED_ADDRESS, Attr.LIFETIME, Attr.XOR_MAPPED_ADDRESS]
    return edited(response, request, message_class=Class.ERROR, drop=drop, add=attributes)


def on_success(change: Answer) -> Mutant:
    """Other successes of Allocate."""
    return Mutant(
        only(
            Method.ALLOCATE,
            lambda q, a: change(q, a) if a.message_class is Class.SUCCESS else a.data,
        )
    )


def refused(code: int, when: Callable[[ReceivedMessage], bool]) -> Mutant:
    """An error for an Allocate that should be granted."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if not when(request):
            return response.data
        return unfit(request, response, (Attr.ERROR_CODE, error(code)))

    return on_success(change)


def _parsed(data: bytes) -> ReceivedMessage | None:
    try:
        return ReceivedMessage.parse(data)
    except DecodeError:
        return None


def _tell_437(data: bytes) -> bytes | None:
    """An error for a Send indication that has no allocation."""
    message = _parsed(data)
    if message is None or message.method != Method.SEND:
        return None
    builder = MessageBuilder(Method.SEND, Class.ERROR, message.transaction_id)
    return builder.add(Attr.ERROR_CODE, error(437)).build()


def _echo_channel_data(data: bytes) -> bytes | None:
    return data if 0x40 <= data[0] < 0x50 else None


class _Forgetful:
    """Another relayed transport address each time that a request comes."""

    def __init__(self) -> None:
        self._port = 50_000

    def __call__(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        self._port += 1
        relayed = xor_address(TransportAddress(ELSEWHERE.ip, self._port), response.transaction_id)
        return edited(response, request, change={Attr.XOR_RELAYED_ADDRESS: relayed})


class _Strict:
    """437 to a request that was answered before."""

    def __init__(self) -> None:
        self._answered: set[bytes] = set()

    def __call__(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if response.transaction_id not in self._answered:
            self._answered.add(response.transaction_id)
            return response.data
        return unfit(request, response, (Attr.ERROR_CODE, error(437)))


class RemembersTheLast:
    """437 to an Allocate that was answered before, once there was something else behind it."""

    def __init__(self) -> None:
        self._last: dict[bytes | None, bytes] = {}

    def __call__(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if response.message_class is not Class.SUCCESS:
            return response.data
        owner = request.get(Attr.NONCE)  # each 5-tuple has its own
        is_new = owner not in self._last or request.transaction_id == self._last[owner]
        self._last[owner] = request.transaction_id
        if request.method != Method.ALLOCATE or is_new:
            return response.data
        return unfit(request, response, (Attr.ERROR_CODE, error(437)))


class _AnotherBehind:
    """The address of another allocation to an Allocate that was answered before, once there was
    something else behind it."""

    def __init__(self) -> None:
        self._first = b""
        self._has_refreshed = False

    def __call__(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        self._has_refreshed |= request.method == Method.REFRESH
        if not is_success(Method.ALLOCATE)(request, response):
            return response.data
        if request.transaction_id != self._first:
            self._first, self._has_refreshed = request.transaction_id, False
        return _one_address(request, response) if self._has_refreshed else response.data


class _OneAllocation:
    """437 to every Allocate once there is an allocation: it knows one 5-tuple."""

    def __init__(self) -> None:
        self._granted = False

    def __call__(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if not self._granted:
            self._granted = True
            return response.data
        return unfit(request, response, (Attr.ERROR_CODE, error(437)))


def _recast(method: int, message_class: Class, to: tuple[int, int]) -> Mutant:
    """Take messages of one method and class for others."""

    def take(data: bytes) -> bytes:
        message = _parsed(data)
        if message is None or (message.method, message.message_class) != (method, message_class):
            return data
        return edited(message, message, method=to[0], message_class=to[1])

    return Mutant(take=take)


def _data_as_send(data: bytes) -> bytes:
    """A Data indication with the number of Send."""
    return b"\x00\x16" + data[2:] if data[:2] == b"\x00\x17" else data


def _reads_other_numbers(data: bytes) -> bytes | None:
    """Refresh is another method here."""
    return None if data[:2] == b"\x00\x04" else data


def _one_address(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    value = xor_address(TransportAddress(ELSEWHERE.ip, 50_000), response.transaction_id)
    return edited(response, request, change={Attr.XOR_RELAYED_ADDRESS: value})


def _is(method: int, message_class: Class) -> Callable[[ReceivedMessage], bool]:
    return lambda message: (message.method, message.message_class) == (method, message_class)


MUTANTS = {
    "TURN-GEN-07": {
        "no-utf-8": with_more(is_success(Method.REFRESH), (Attr.SOFTWARE, b"\xff\xfe")),
        "too-long": with_more(is_success(Method.ALLOCATE), (Attr.SOFTWARE, b"x" * 128)),
    },
    "TURN-GEN-01": {
        "refuses-all": refused(403, lambda _: True),
        "one-for-both": on_success(_OneAllocation()),
    },
    "TURN-GEN-02": {
        "refuses-who-is-known": with_error(is_success(Method.ALLOCATE), 403),
        "no-nonce": Mutant(lambda q, a: edited(a, q, drop=[Attr.NONCE])),
        "says-403": Mutant(instead(403, 401)),
    },
    "TURN-GEN-03": {
        "says-400": Mutant(instead(400, 437)),
        "says-400-to-channel-bind": Mutant(instead(400, 437, method=Method.CHANNEL_BIND)),
        "says-400-to-connect": Mutant(
            instead(400, 437, method=Method.CONNECT), options={"tcp_relay": True}
        ),
        "silent": Mutant(lambda q, a: None if a.error_code == 437 else a.data),
    },
    "TURN-GEN-04": {
        "answers-send": Mutant(reply=_tell_437),
        "relays-for-anybody": Mutant(blurt=relaying_for_anybody()),
        "answers-channel-data": Mutant(reply=_echo_channel_data),
    },
    "TURN-GEN-05": {
        "loses-it": losing(441),
        "says-437": Mutant(instead(437, 441)),
        "takes-refresh": Mutant(succeeding(441, method=Method.REFRESH)),
        "says-401-to-channel-bind": Mutant(instead(401, 441, method=Method.CHANNEL_BIND)),
    },
    "TURN-GEN-06": {
        "another-address": on_success(_Forgetful()),
        "another-address-behind-a-refresh": Mutant(_AnotherBehind()),
        "says-437": on_success(_Strict()),
    },
    "TURN-GEN-08": {
        "one-address": on_success(_one_address),
        "deletes-nothing": with_error(
            lambda q, a: is_success(Method.REFRESH)(q, a) and Attr.LIFETIME in q.types, 437
        ),
        "deletes-both": losing_when_deleted(),
        "says-437": on_success(_OneAllocation()),
    },
    "TURN-GEN-10": {
        "grants-send-requests": answering(_is(Method.SEND, Class.REQUEST)),
        "answers-permission-indications": answering(
            _is(Method.CREATE_PERMISSION, Class.INDICATION), 400
        ),
        "answers-data": answering(_is(Method.DATA, Class.INDICATION), 400),
        "obeys-refresh-indications-in-silence": dataclasses.replace(
            _recast(Method.REFRESH, Class.INDICATION, (Method.REFRESH, Class.REQUEST)),
            answer=lambda q, a: None if q.message_class is Class.INDICATION else a.data,
        ),
        "relays-send-requests": _recast(
            Method.SEND, Class.REQUEST, (Method.SEND, Class.INDICATION)
        ),
        "relays-data": _recast(Method.DATA, Class.INDICATION, (Method.SEND, Class.INDICATION)),
        "obeys-permission-indications": dataclasses.replace(
            _recast(
                Method.CREATE_PERMISSION,
                Class.INDICATION,
                (Method.CREATE_PERMISSION, Class.REQUEST),
            ),
            answer=lambda q, a: None if q.message_class is Class.INDICATION else a.data,
        ),
        "obeys-binding-indications": dataclasses.replace(
            _recast(Method.CHANNEL_BIND, Class.INDICATION, (Method.CHANNEL_BIND, Class.REQUEST)),
            answer=lambda q, a: None if q.message_class is Class.INDICATION else a.data,
        ),
        "obeys-refresh-indications": _recast(
            Method.REFRESH, Class.INDICATION, (Method.REFRESH, Class.REQUEST)
        ),
    },
    "TURN-GEN-11": {
        "refuses-channels": with_error(is_success(Method.CHANNEL_BIND), 400),
        "send-is-another": Mutant(relay=lambda _: None),
        "relays-more": Mutant(relay=lambda data: data + b"\0"),
        "tells-nothing": Mutant(tell=lambda _: None),
        "refuses-permissions": with_error(is_success(Method.CREATE_PERMISSION), 400),
        "no-refresh": Mutant(take=_reads_other_numbers),
        "no-channel-bind": Mutant(silent_to(Method.CHANNEL_BIND)),
        "data-is-6": Mutant(tell=_data_as_send),
    },
}

OPEN = {
    "TURN-GEN-07": "SOFTWARE may be left out",
    "TURN-GEN-09": "what the limits are is the server's own business",
}

SETUPS = {"TURN-GEN-03": Setup(options={"tcp_relay": True})}
