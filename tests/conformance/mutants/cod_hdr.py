"""What breaks the rows about headers and datagrams: COD-HDR and DEMUX."""

from __future__ import annotations

from conformance.building import MessageBuilder
from conformance.codes import MAGIC_COOKIE, Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import DecodeError

from .changing import silent_where
from .crafting import ERROR_400, Crashing, is_binding, refusal, success
from .mutant import Mutant, Setup, edited


def _answer_other_bits(data: bytes) -> bytes | None:
    return success(data[8:20]) if len(data) == 20 and data[0] & 0xC0 else None


def _answer_any_cookie(data: bytes) -> bytes | None:
    is_other = data[4:8] != MAGIC_COOKIE.to_bytes(4, "big")
    return success(data[8:20]) if is_binding(data) and is_other else None


def _challenge_any_cookie(data: bytes) -> bytes | None:
    """As a server that has read about RFC 3489, and looks at no cookie at all."""
    if data[:2] != b"\x00\x03" or data[4:8] == MAGIC_COOKIE.to_bytes(4, "big"):
        return None
    cookie = int.from_bytes(data[4:8], "big")
    builder = MessageBuilder(Method.ALLOCATE, Class.ERROR, data[8:20], cookie=cookie)
    return builder.add(Attr.ERROR_CODE, bytes([0, 0, 4, 1])).build()


def _answer_short(data: bytes) -> bytes | None:
    size = int.from_bytes(data[2:4], "big")
    return success(data[8:20]) if is_binding(data) and len(data) < 20 + size else None


def _answer_odd_lengths(data: bytes) -> bytes | None:
    return success(data[8:20]) if is_binding(data) and data[3] % 4 else None


def _answer_both(data: bytes) -> bytes | None:
    return success(data[28:40]) if len(data) == 40 and data[20:22] == b"\x00\x01" else None


def _answer_all_methods(data: bytes) -> bytes | None:
    try:
        message = ReceivedMessage.parse(data)
    except DecodeError:
        return None
    is_known = message.method in set(Method)
    return None if is_known else success(message.transaction_id, message.method)


def _answer_allocate_indication(data: bytes) -> bytes | None:
    return success(data[8:20], Method.ALLOCATE) if data[:2] == b"\x00\x13" else None


def _answer_responses(data: bytes) -> bytes | None:
    return success(data[8:20]) if data[:2] in (b"\x01\x01", b"\x01\x11") else None


def _grown(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    return edited(response, request, add=[(Attr.SOFTWARE, bytes(600))])


def _answer_with_the_last_id(data: bytes) -> bytes | None:
    """Takes a transaction id from the end of a datagram."""
    is_longer = len(data) > 20 + int.from_bytes(data[2:4], "big")
    return success(data[-12:]) if is_binding(data) and is_longer else None


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


def _confused() -> Mutant:
    """Takes no requests from who has sent a response."""
    has_answered = False

    def take(data: bytes) -> bytes:
        nonlocal has_answered
        has_answered = has_answered or data[:1] == b"\x01"
        return data

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        return refusal(request, ERROR_400) if has_answered else response.data

    return Mutant(answer, take=take)


MUTANTS = {
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
        "dies": Mutant(take=Crashing()),
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
    "DEMUX-01": {"echoes": Mutant(reply=lambda data: bytes(20) if len(data) < 20 else None)},
}

OPEN = {
    "COD-HDR-06": "a datagram may be longer than its message, or not",
}

SETUPS: dict[str, Setup] = {}
