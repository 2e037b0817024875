"""What breaks the rows about attributes: COD-ATTR."""

from __future__ import annotations

from conformance.building import MessageBuilder, u32
from conformance.codes import Attr, Class
from conformance.reading import ReceivedMessage
from transport import DecodeError

from .changing import losing, with_error, with_more
from .crafting import ERROR_400, Crashing, is_binding, refusal, success
from .mutant import Mutant, Setup, edited

ERROR_420 = bytes([0, 0, 4, 20])


def _answer_truncated(data: bytes) -> bytes | None:
    try:
        ReceivedMessage.parse(data)
    except DecodeError:
        return success(data[8:20]) if is_binding(data) else None
    return None


def _cut_last_byte(_request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    kind, length = response.data[:2], len(response.data) - 20
    return kind + length.to_bytes(2, "big") + response.data[4:-1]


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
    return refusal(request, ERROR_400)


def _refuse_reserved_bits(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    value = request.get(Attr.REQUESTED_TRANSPORT) or bytes(4)
    return refusal(request, ERROR_400) if any(value[1:]) else response.data


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
        return refusal(request, ERROR_420) if has_tail else response.data

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


def _something_behind_fingerprint(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    builder = MessageBuilder(response.method, response.message_class, response.transaction_id)
    for each in response.attributes:
        if each.type != Attr.FINGERPRINT:
            builder.add(each.type, each.value)
    return builder.add_fingerprint().add(Attr.SOFTWARE, b"server").build()


MUTANTS = {
    "COD-ATTR-01": {"too-short": Mutant(_cut_last_byte)},
    "COD-ATTR-02": {"spaces": Mutant(lambda q, a: edited(a, q, padding=0x20))},
    "COD-ATTR-03": {"refuses": Mutant(_refuse_padding)},
    "COD-ATTR-04": {
        "refuses": with_error(lambda q, _: len(q.get_all(Attr.LIFETIME)) > 1, 400),
    },
    "COD-ATTR-05": {
        "takes-unknown-ones": Mutant(
            lambda q, a: success(q.transaction_id) if 0x7FFF in q.types else a.data
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
    "COD-ATTR-11": {
        "something-behind-it": Mutant(_something_behind_fingerprint),
        "dies": Mutant(take=Crashing()),
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
        "refuses-ports": with_error(lambda q, _: q.get(Attr.EVEN_PORT) == b"\x7f", 400),
        "reserves-a-port": with_more(
            lambda q, a: q.get(Attr.EVEN_PORT) == b"\x7f" and a.error_code is None,
            (Attr.RESERVATION_TOKEN, bytes(8)),
        ),
    },
}

OPEN = {
    "COD-ATTR-04": "which of two counts is left open",
    "COD-ATTR-11": "no RFC says what a receiver does",
}

SETUPS: dict[str, Setup] = {}
