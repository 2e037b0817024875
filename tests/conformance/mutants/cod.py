"""What breaks the rows about the coding of messages: COD-HDR, COD-ATTR and DEMUX."""

from __future__ import annotations

from conformance.building import MessageBuilder, u32, xor_address
from conformance.codes import MAGIC_COOKIE, Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import DecodeError, TransportAddress

from .changing import losing, parsed, silent_where, with_error, with_more
from .mutant import Mutant, Setup, edited

SOMEWHERE = TransportAddress.parse("192.0.2.2", 9)
ERROR_400 = bytes([0, 0, 4, 0])
ERROR_420 = bytes([0, 0, 4, 20])


def _answer(transaction_id: bytes, method: int = Method.BINDING) -> bytes:
    """A Binding success."""
    builder = MessageBuilder(method, Class.SUCCESS, transaction_id)
    return builder.add(Attr.XOR_MAPPED_ADDRESS, xor_address(SOMEWHERE, transaction_id)).build()


def _is_request(data: bytes) -> bool:
    return len(data) >= 20 and data[:2] == b"\x00\x01"


def _answer_other_bits(data: bytes) -> bytes | None:
    return _answer(data[8:20]) if len(data) == 20 and data[0] & 0xC0 else None


def _answer_any_cookie(data: bytes) -> bytes | None:
    is_other = data[4:8] != MAGIC_COOKIE.to_bytes(4, "big")
    return _answer(data[8:20]) if _is_request(data) and is_other else None


def _challenge_any_cookie(data: bytes) -> bytes | None:
    """As a server that has read about RFC 3489, and looks at no cookie at all."""
    if data[:2] != b"\x00\x03" or data[4:8] == MAGIC_COOKIE.to_bytes(4, "big"):
        return None
    cookie = int.from_bytes(data[4:8], "big")
    builder = MessageBuilder(Method.ALLOCATE, Class.ERROR, data[8:20], cookie=cookie)
    return builder.add(Attr.ERROR_CODE, bytes([0, 0, 4, 1])).build()


def _answer_short(data: bytes) -> bytes | None:
    size = int.from_bytes(data[2:4], "big")
    return _answer(data[8:20]) if _is_request(data) and len(data) < 20 + size else None


def _answer_odd_lengths(data: bytes) -> bytes | None:
    return _answer(data[8:20]) if _is_request(data) and data[3] % 4 else None


def _answer_both(data: bytes) -> bytes | None:
    return _answer(data[28:40]) if len(data) == 40 and data[20:22] == b"\x00\x01" else None


def _answer_all_methods(data: bytes) -> bytes | None:
    try:
        message = ReceivedMessage.parse(data)
    except DecodeError:
        return None
    is_known = message.method in set(Method)
    return None if is_known else _answer(message.transaction_id, message.method)


def _answer_allocate_indication(data: bytes) -> bytes | None:
    return _answer(data[8:20], Method.ALLOCATE) if data[:2] == b"\x00\x13" else None


def _answer_responses(data: bytes) -> bytes | None:
    return _answer(data[8:20]) if data[:2] in (b"\x01\x01", b"\x01\x11") else None


def _answer_truncated(data: bytes) -> bytes | None:
    try:
        ReceivedMessage.parse(data)
    except DecodeError:
        return _answer(data[8:20]) if _is_request(data) else None
    return None


def _cut_last_byte(_request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    kind, length = response.data[:2], len(response.data) - 20
    return kind + length.to_bytes(2, "big") + response.data[4:-1]


def _grown(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    return edited(response, request, add=[(Attr.SOFTWARE, bytes(600))])


def _with_error(value: bytes, *kinds: int) -> Mutant:
    """Refuses requests that have one of these attributes with an error."""

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if not set(kinds) & set(request.types):
            return response.data
        return edited(
            response,
            request,
            drop=[Attr.XOR_MAPPED_ADDRESS],
            add=[(Attr.ERROR_CODE, value)],
            message_class=Class.ERROR,
        )

    return Mutant(answer)


def _refuse_padding(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if not any(any(each.padding) for each in request.attributes):
        return response.data
    return _error(request, ERROR_400)


def _refuse_reserved_bits(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    value = request.get(Attr.REQUESTED_TRANSPORT) or bytes(4)
    return _error(request, ERROR_400) if any(value[1:]) else response.data


def _error(request: ReceivedMessage, value: bytes) -> bytes:
    builder = MessageBuilder(request.method, Class.ERROR, request.transaction_id)
    return builder.add(Attr.ERROR_CODE, value).build()


def _reads_behind(kind: Attr) -> Mutant:
    """Deletes an allocation for a LIFETIME behind the integrity."""

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        types = request.types
        has_tail = kind in types and Attr.LIFETIME in types[types.index(kind) :]
        return (
            edited(response, request, change={Attr.LIFETIME: u32(0)}) if has_tail else response.data
        )

    return Mutant(answer)


def _complains_behind(kind: Attr) -> Mutant:
    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        types = request.types
        has_tail = kind in types and 0x7FFF in types[types.index(kind) :]
        return _error(request, ERROR_420) if has_tail else response.data

    return Mutant(answer)


def _little_endian(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    lifetime = response.get(Attr.LIFETIME)
    if lifetime is None:
        return response.data
    return edited(response, request, change={Attr.LIFETIME: lifetime[::-1]})


def _takes_any_size(kind: Attr) -> Mutant:
    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        value = request.get(kind)
        if value is None or len(value) == 4 or response.error_code != 400:
            return response.data
        return edited(response, request, drop=[Attr.ERROR_CODE], message_class=Class.SUCCESS)

    return Mutant(answer)


def _answer_with_the_last_id(data: bytes) -> bytes | None:
    """Takes a transaction id from the end of a datagram."""
    is_longer = len(data) > 20 + int.from_bytes(data[2:4], "big")
    return _answer(data[-12:]) if _is_request(data) and is_longer else None


class _Numbered:
    """Data indications have numbers for ids."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, data: bytes) -> bytes:
        if data[:2] != b"\x00\x17":
            return data
        self._count += 1
        # XOR-PEER-ADDRESS of IPv4 does not depend on the transaction id.
        return data[:8] + self._count.to_bytes(12, "big") + data[20:]


def _with_one_id(data: bytes) -> bytes:
    return data[:8] + b"0123456789ab" + data[20:] if data[:2] == b"\x00\x17" else data


class _Crashing:
    """Says nothing more after a message with something behind its end, or its FINGERPRINT."""

    def __init__(self) -> None:
        self._is_dead = False

    def __call__(self, data: bytes) -> bytes | None:
        self._is_dead = self._is_dead or self._is_fatal(data)
        return None if self._is_dead else data

    def _is_fatal(self, data: bytes) -> bool:
        message = parsed(data)
        if message is None:
            return _is_request(data)
        return Attr.FINGERPRINT in message.types and message.types[-1] != Attr.FINGERPRINT


def _confused() -> Mutant:
    """Takes no requests from who has sent a response."""
    has_answered = False

    def take(data: bytes) -> bytes:
        nonlocal has_answered
        has_answered = has_answered or data[:1] == b"\x01"
        return data

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        return _error(request, ERROR_400) if has_answered else response.data

    return Mutant(answer, take=take)


def _something_behind_fingerprint(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    builder = MessageBuilder(response.method, response.message_class, response.transaction_id)
    for each in response.attributes:
        if each.type != Attr.FINGERPRINT:
            builder.add(each.type, each.value)
    return builder.add_fingerprint().add(Attr.SOFTWARE, b"server").build()


MUTANTS = {
    "COD-ATTR-11": {
        "something-behind-it": Mutant(_something_behind_fingerprint),
        "dies": Mutant(take=_Crashing()),
    },
    "COD-ATTR-04": {
        "refuses": with_error(lambda q, _: len(q.get_all(Attr.LIFETIME)) > 1, 400),
    },
    "COD-HDR-01": {"answers": Mutant(reply=_answer_other_bits)},
    "COD-HDR-02": {
        "answers": Mutant(reply=_answer_any_cookie),
        "challenges": Mutant(reply=_challenge_any_cookie),
    },
    "COD-HDR-03": {"another-type": Mutant(lambda q, a: b"\x11\x01" + a.data[2:])},
    "COD-HDR-04": {"answers": Mutant(reply=_answer_short)},
    "COD-HDR-05": {"answers": Mutant(reply=_answer_odd_lengths)},
    "COD-HDR-06": {
        "answers-with-the-last-id": Mutant(reply=_answer_with_the_last_id),
        "dies": Mutant(take=_Crashing()),
        "answers-both": Mutant(reply=_answer_both),
    },
    "COD-HDR-07": {
        "numbers": Mutant(tell=_Numbered()),
        "one-for-all": Mutant(tell=_with_one_id),
    },
    "COD-HDR-08": {
        "deaf-to-zeros": silent_where(lambda q, _: q.transaction_id == bytes(12)),
        "another-id": Mutant(lambda q, a: edited(a, q, transaction_id=bytes(11) + b"\x01")),
    },
    "COD-HDR-09": {"long-answers": Mutant(_grown)},
    "COD-HDR-10": {
        "answers": Mutant(reply=_answer_all_methods),
        "answers-an-indication": Mutant(reply=_answer_allocate_indication),
    },
    "COD-HDR-11": {"is-confused": _confused(), "answers": Mutant(reply=_answer_responses)},
    "COD-ATTR-01": {"too-short": Mutant(_cut_last_byte)},
    "COD-ATTR-02": {"spaces": Mutant(lambda q, a: edited(a, q, padding=0x20))},
    "COD-ATTR-03": {"refuses": Mutant(_refuse_padding)},
    "COD-ATTR-05": {
        "takes-unknown-ones": Mutant(
            lambda q, a: _answer(q.transaction_id) if 0x7FFF in q.types else a.data
        ),
        "knows-all-of-them": _with_error(ERROR_420, 0xFFFF),
    },
    "COD-ATTR-06": {"refuses": _with_error(ERROR_420, 0xC001)},
    "COD-ATTR-07": {"refuses": _with_error(ERROR_400, Attr.LIFETIME)},
    "COD-ATTR-08": {"takes-what-is-there": Mutant(reply=_answer_truncated)},
    "COD-ATTR-09": {
        "reads-on": _reads_behind(Attr.MESSAGE_INTEGRITY),
        "complains": _complains_behind(Attr.MESSAGE_INTEGRITY),
    },
    "COD-ATTR-10": {
        "reads-on": _reads_behind(Attr.MESSAGE_INTEGRITY_SHA256),
        "complains": _complains_behind(Attr.MESSAGE_INTEGRITY_SHA256),
    },
    "COD-ATTR-12": {"little-endian": Mutant(_little_endian)},
    "COD-ATTR-13": {
        "loses-it": losing(400),
        "lifetime": _takes_any_size(Attr.LIFETIME),
        "channel-number": _takes_any_size(Attr.CHANNEL_NUMBER),
    },
    "COD-ATTR-14": {
        "refuses": Mutant(_refuse_reserved_bits),
        "refuses-families": with_error(
            lambda q, _: any((q.get(Attr.REQUESTED_ADDRESS_FAMILY) or bytes(4))[1:]), 440
        ),
        "refuses-channels": with_error(
            lambda q, _: any((q.get(Attr.CHANNEL_NUMBER) or bytes(4))[2:]), 400
        ),
        "reserves-a-port": with_more(
            lambda q, a: q.get(Attr.EVEN_PORT) == b"\x7f" and a.error_code is None,
            (Attr.RESERVATION_TOKEN, bytes(8)),
        ),
    },
    "DEMUX-01": {"echoes": Mutant(reply=lambda data: bytes(20) if len(data) < 20 else None)},
}

OPEN = {
    "COD-HDR-06": "a datagram may be longer than its message, or not",
    "COD-ATTR-04": "which of two counts is left open",
    "COD-ATTR-11": "no RFC says what a receiver does",
}

SETUPS: dict[str, Setup] = {}
