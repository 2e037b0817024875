"""What breaks the rows of NATB."""

from __future__ import annotations

from conformance.building import MessageBuilder, address, xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import DecodeError, TransportAddress

from .changing import is_error, silent_where, with_more, without
from .mutant import Answer, Mutant, Setup, edited

ALTERNATE = TransportAddress.parse("192.0.2.3", 3479)
SOMEWHERE = TransportAddress.parse("192.0.2.99", 9)
SERVER = TransportAddress.parse("192.0.2.1", 3478)


def _without(kind: Attr) -> Mutant:
    """Does not look at an attribute of Binding requests."""

    def take(data: bytes) -> bytes:
        message = _binding(data)
        return data if message is None else edited(message, drop=[kind])

    return Mutant(take=take)


def _binding(data: bytes) -> ReceivedMessage | None:
    try:
        message = ReceivedMessage.parse(data)
    except DecodeError:
        return None
    return message if message.method == Method.BINDING else None


def _swapped_flags(data: bytes) -> bytes:
    """Takes the flags for each other."""
    message = _binding(data)
    value = None if message is None else message.get(Attr.CHANGE_REQUEST)
    if message is None or value is None:
        return data
    flags = (value[3] & 4) >> 1 | (value[3] & 2) << 1
    return edited(message, change={Attr.CHANGE_REQUEST: bytes([0, 0, 0, flags])})


def _in_success(answer: Answer) -> Mutant:
    """Changes the successes of Binding requests."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        is_meant = request.method == Method.BINDING and response.message_class is Class.SUCCESS
        return answer(request, response) if is_meant else response.data

    return Mutant(change)


def _dropped(*kinds: Attr) -> Mutant:
    return _in_success(lambda q, a: edited(a, q, drop=kinds))


def _changed(kind: Attr, value: bytes) -> Mutant:
    return _in_success(lambda q, a: edited(a, q, change={kind: value}))


def _added(kind: Attr, value: bytes) -> Mutant:
    return _in_success(lambda q, a: edited(a, q, add=[(kind, value)]))


def _without_other_if_changed(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if request.get(Attr.CHANGE_REQUEST) in (None, bytes(4)):
        return response.data
    return edited(response, request, drop=[Attr.OTHER_ADDRESS])


def _xored(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    value = xor_address(SERVER, response.transaction_id)
    return edited(response, request, change={Attr.RESPONSE_ORIGIN: value})


def _error(request: ReceivedMessage, response: ReceivedMessage, code: int) -> bytes:
    builder = MessageBuilder(request.method, Class.ERROR, request.transaction_id)
    builder.add(Attr.ERROR_CODE, bytes([0, 0, code // 100, code % 100]))
    return builder.build()


def _instead_of(code: int, other: int) -> Mutant:
    """Another error, with the attributes of the right one."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if response.error_code != code:
            return response.data
        value = bytes([0, 0, other // 100, other % 100])
        return edited(response, request, change={Attr.ERROR_CODE: value})

    return Mutant(change)


def _takes_change_for_nothing(data: bytes) -> bytes:
    message = _binding(data)
    return data if message is None else edited(message, drop=[Attr.CHANGE_REQUEST])


def _unlisted(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if response.error_code != 420:
        return response.data
    return edited(response, request, change={Attr.UNKNOWN_ATTRIBUTES: b"\x7f\xff"})


def _padding_forgotten(data: bytes) -> bytes:
    """With RESPONSE-PORT beside it, PADDING is not looked at."""
    message = _binding(data)
    if message is None or Attr.RESPONSE_PORT not in message.types:
        return data
    return edited(message, drop=[Attr.PADDING])


def _port_forgotten(data: bytes) -> bytes:
    message = _binding(data)
    if message is None or Attr.PADDING not in message.types:
        return data
    return edited(message, drop=[Attr.RESPONSE_PORT])


def _is_change(request: ReceivedMessage, _: ReceivedMessage) -> bool:
    return Attr.CHANGE_REQUEST in request.types


MUTANTS = {
    "NATB-10": {
        "drops-it": silent_where(_is_change),
    },
    "NATB-01": {
        "xored-alone": _dropped(Attr.MAPPED_ADDRESS),
        "plain-alone": _dropped(Attr.XOR_MAPPED_ADDRESS),
        "two-addresses": _changed(Attr.MAPPED_ADDRESS, address(SOMEWHERE)),
    },
    "NATB-02": {
        "drops-flags": silent_where(_is_change),
        "none": _dropped(Attr.RESPONSE_ORIGIN),
        "where-it-was-asked": _changed(Attr.RESPONSE_ORIGIN, address(SERVER)),
    },
    "NATB-03": {
        "drops-flags": silent_where(_is_change),
        "only-without-flags": _in_success(_without_other_if_changed),
        "always-the-same": _changed(Attr.OTHER_ADDRESS, address(ALTERNATE)),
    },
    "NATB-04": {
        "drops-flags": silent_where(_is_change),
        "answers-from-where-it-is-asked": Mutant(take=_takes_change_for_nothing),
        "takes-flags-for-each-other": Mutant(take=_swapped_flags),
        "another-port-without-flags": Mutant(answers_from_elsewhere=True),
    },
    "NATB-05": {
        "drops-it": silent_where(_is_change),
        "names-another-address": with_more(_is_change, (Attr.OTHER_ADDRESS, address(ALTERNATE))),
        "lists-nothing": without(is_error(420), Attr.UNKNOWN_ATTRIBUTES),
        "ignores-it": Mutant(take=_takes_change_for_nothing),
        "says-400": _instead_of(420, 400),
        "lists-another": Mutant(_unlisted),
    },
    "NATB-06": {"to-where-it-came-from": _without(Attr.RESPONSE_PORT)},
    "NATB-07": {"none": _dropped(Attr.PADDING)},
    "NATB-08": {
        "drops-it": silent_where(is_error(400)),
        "without-padding": Mutant(take=_padding_forgotten),
        "to-where-it-came-from": Mutant(take=_port_forgotten),
        "says-420": _instead_of(400, 420),
    },
    "NATB-09": {"redirects": _added(Attr.ALTERNATE_SERVER, address(ALTERNATE))},
    "COD-ADDR-07": {
        "none": _dropped(Attr.RESPONSE_ORIGIN),
        "xored": _in_success(_xored),
        "no-family": _changed(Attr.OTHER_ADDRESS, bytes(8)),
    },
}

OPEN = {
    "NATB-10": "whether CHANGE-REQUEST is refused over TCP, or passed over, is left open",
    "NATB-11": "what an operator has switched on is the operator's choice",
}

_WITH_FOUR = Setup({"nat_discovery": True, "alternate_address": ALTERNATE})

SETUPS = {
    row_id: _WITH_FOUR for row_id in (*MUTANTS, *OPEN) if row_id not in ("NATB-05", "NATB-11")
}
