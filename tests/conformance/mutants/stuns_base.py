"""What breaks the rows of STUNS-BASE."""

from __future__ import annotations

from conformance.building import MessageBuilder, address, xor_address
from conformance.codes import MAGIC_COOKIE, Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import TransportAddress

from .changing import is_error, losing, with_error, with_more, with_success, with_value, without
from .mutant import Answer, Mutant, Setup, edited, silent_to

ELSEWHERE = TransportAddress.parse("192.0.2.99", 9)


def _moved(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    value = xor_address(ELSEWHERE, response.transaction_id)
    return edited(response, request, change={Attr.XOR_MAPPED_ADDRESS: value})


def _answer_indication(data: bytes) -> bytes | None:
    message = ReceivedMessage.parse(data)
    if message.message_class is not Class.INDICATION:
        return None
    return MessageBuilder(message.method, Class.SUCCESS, message.transaction_id).build()


def _echo(data: bytes) -> bytes | None:
    return data if data[0] >= 4 else None


class _Counting:
    """Another SOFTWARE in each answer."""

    def __init__(self) -> None:
        self._answers = 0

    def __call__(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        self._answers += 1
        return edited(response, request, add=[(Attr.SOFTWARE, b"%d" % self._answers)])


def unauthorized(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if request.method != Method.BINDING:
        return response.data
    builder = MessageBuilder(request.method, Class.ERROR, request.transaction_id)
    return builder.add(Attr.ERROR_CODE, bytes([0, 0, 4, 1])).build()


def _classic(*kinds: Attr, of: TransportAddress | None = None, cookie: int | None = None) -> Answer:
    """Answers clients of RFC 3489 with these attributes."""

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if request.cookie == MAGIC_COOKIE:
            return response.data
        found = response.get(Attr.MAPPED_ADDRESS)
        assert found is not None
        builder = MessageBuilder(
            Method.BINDING,
            Class.SUCCESS,
            request.transaction_id,
            cookie=request.cookie if cookie is None else cookie,
        )
        for kind in kinds:
            builder.add(kind, found if of is None else address(of))
        return builder.build()

    return answer


def _software(value: bytes) -> Mutant:
    return with_more(lambda _, __: True, (Attr.SOFTWARE, value))


def _has_cookie(data: bytes) -> bool:
    return data[4:8] == MAGIC_COOKIE.to_bytes(4, "big")


def _another_id(data: bytes) -> bytes | None:
    """Answers a client of RFC 3489 with an id of its own."""
    if _has_cookie(data):
        return None
    cookie = int.from_bytes(data[4:8], "big")
    builder = MessageBuilder(Method.BINDING, Class.SUCCESS, bytes(12), cookie=cookie)
    return builder.add(Attr.MAPPED_ADDRESS, address(ELSEWHERE)).build()


_NO_ANSWERS = {
    "of-an-id-of-its-own": Mutant(reply=_another_id),
    "no-message": Mutant(reply=lambda data: None if _has_cookie(data) else b"\1\1\0\1"),
}
"""What clients of RFC 3489 are told that answers nothing."""

MUTANTS = {
    "STUNS-BASE-15": {
        "signs-wrongly": with_more(
            lambda q, _: Attr.NONCE in q.types, (Attr.MESSAGE_INTEGRITY, bytes(20))
        ),
    },
    "STUNS-BASE-13": _NO_ANSWERS,
    "STUNS-BASE-06": {
        "no-utf-8": _software(b"\xff\xfe"),
        "too-long": _software(b"x" * 128),
    },
    "STUNS-BASE-01": {
        "silent": Mutant(silent_to(Method.BINDING)),
        "refuses": Mutant(unauthorized),
    },
    "STUNS-BASE-02": {
        "another-address": Mutant(_moved),
        "mapped-address-only": Mutant(
            lambda q, a: edited(
                a,
                q,
                drop=[Attr.XOR_MAPPED_ADDRESS],
                add=[(Attr.MAPPED_ADDRESS, address(ELSEWHERE))],
            )
        ),
    },
    "STUNS-BASE-03": {
        "silent": Mutant(silent_to(Method.BINDING)),
        "from-another-port": Mutant(answers_from_elsewhere=True),
    },
    "STUNS-BASE-04": {"asks-for-credentials": Mutant(unauthorized)},
    "STUNS-BASE-05": {
        "wants-a-fingerprint": Mutant(lambda q, a: a.data if Attr.FINGERPRINT in q.types else None)
    },
    "STUNS-BASE-07": {
        "refuses-and-deletes": losing(420),
        "lists-none-of-turn": without(
            is_error(420, Method.CREATE_PERMISSION), Attr.UNKNOWN_ATTRIBUTES
        ),
        "lists-another-of-turn": with_value(
            is_error(420, Method.CHANNEL_BIND), Attr.UNKNOWN_ATTRIBUTES, b"\x7f\x01\x7f\x03"
        ),
        "lists-the-first": Mutant(
            lambda q, a: (
                edited(a, q, change={Attr.UNKNOWN_ATTRIBUTES: b"\x7f\x01"})
                if Attr.UNKNOWN_ATTRIBUTES in a.types
                else a.data
            )
        ),
        "takes-them-in-refresh": with_success(
            is_error(420, Method.REFRESH), (Attr.LIFETIME, bytes(4))
        ),
        "takes-them-in-permissions": with_success(is_error(420, Method.CREATE_PERMISSION)),
        "says-400-to-channels": with_error(is_error(420, Method.CHANNEL_BIND), 400),
        "lists-none": Mutant(lambda q, a: edited(a, q, drop=[Attr.UNKNOWN_ATTRIBUTES])),
        "says-400": Mutant(
            lambda q, a: edited(a, q, change={Attr.ERROR_CODE: bytes([0, 0, 4, 0])})
        ),
    },
    "STUNS-BASE-08": {
        "success": Mutant(lambda q, a: edited(a, q, message_class=Class.SUCCESS)),
        "no-code": Mutant(lambda q, a: edited(a, q, drop=[Attr.ERROR_CODE])),
        "another-method": Mutant(lambda q, a: edited(a, q, method=Method.ALLOCATE)),
    },
    "STUNS-BASE-09": {"answers": Mutant(reply=_answer_indication)},
    "STUNS-BASE-10": {"answers": Mutant(reply=_answer_indication)},
    "STUNS-BASE-11": {"counts": Mutant(_Counting())},
    "STUNS-BASE-14": {
        **_NO_ANSWERS,
        "xored": Mutant(_classic(Attr.XOR_MAPPED_ADDRESS)),
        "both": Mutant(_classic(Attr.MAPPED_ADDRESS, Attr.XOR_MAPPED_ADDRESS)),
        "another-address": Mutant(_classic(Attr.MAPPED_ADDRESS, of=ELSEWHERE)),
        "another-id": Mutant(_classic(Attr.MAPPED_ADDRESS, cookie=MAGIC_COOKIE)),
    },
    "STUNS-BASE-16": {"echoes": Mutant(reply=_echo)},
}

OPEN = {
    "STUNS-BASE-06": "SOFTWARE may be left out",
    "STUNS-BASE-13": "whether clients of RFC 3489 are served is for who runs the server to say",
    "STUNS-BASE-15": "no sentence asks for a signature, nor forbids it",
}

SETUPS = {"STUNS-BASE-14": Setup({"classic_stun": True})}
