"""What breaks the rows of SEC that are about strangers and about load."""

from __future__ import annotations

from conformance.building import MessageBuilder, xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import DecodeError, TransportAddress

from .changing import failing, is_success, losing, once
from .mutant import Mutant, Setup, edited, only
from .stuns_tcp import HELLO_VERIFY_REQUEST, SERVER_HELLO

ORIGIN = 0x802F
LONG = (Attr.SOFTWARE, bytes(300))
RELAYED = TransportAddress.parse("192.0.2.1", 50_000)


def _error(code: int) -> bytes:
    return bytes([0, 0, code // 100, code % 100])


def _hello(answer: bytes) -> Mutant:
    return Mutant(reply=lambda data: answer if data[:1] == b"\x16" else None)


def _long(method: Method) -> Mutant:
    return Mutant(only(method, lambda q, a: edited(a, q, add=[LONG])))


def _answer_headers(data: bytes) -> bytes | None:
    """A long answer to each Allocate that is a header alone."""
    if len(data) != 20 or data[:2] != b"\0\3":
        return None
    builder = MessageBuilder(Method.ALLOCATE, Class.ERROR, data[8:20])
    return builder.add(Attr.ERROR_CODE, _error(401)).add(*LONG).build()


def _granting(method: Method, *codes: int) -> Mutant:
    """Says success instead of these errors."""

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if request.method != method or response.error_code not in codes:
            return response.data
        drop = [Attr.ERROR_CODE, Attr.REALM, Attr.NONCE, Attr.PASSWORD_ALGORITHMS]
        return edited(response, request, message_class=Class.SUCCESS, drop=drop)

    return Mutant(answer)


class _Pinned:
    """Believes what the first stranger says the realm is."""

    def __init__(self) -> None:
        self._realm: bytes | None = None

    def __call__(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if ORIGIN in request.types:
            self._realm = request.get(Attr.REALM)
        if self._realm is None or Attr.REALM not in response.types:
            return response.data
        return edited(response, request, change={Attr.REALM: self._realm})


class _Fragile:
    """Says nothing more after a datagram that ends before its length does."""

    def __init__(self) -> None:
        self._is_dead = False

    def __call__(self, data: bytes) -> bytes | None:
        is_truncated = 4 <= len(data) < 20 + int.from_bytes(data[2:4], "big") and data[0] < 4
        self._is_dead = self._is_dead or is_truncated
        return None if self._is_dead else data


class _Racing:
    """Finds the quota exhausted once, and then forgets to look so many times."""

    def __init__(self, times: int) -> None:
        self._times = times
        self._refused = 0

    def __call__(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        self._refused += response.error_code == 486
        if response.error_code != 486 or not 1 < self._refused <= 1 + self._times:
            return response.data
        value = xor_address(RELAYED, response.transaction_id)
        return edited(
            response,
            request,
            message_class=Class.SUCCESS,
            drop=[Attr.ERROR_CODE],
            add=[(Attr.XOR_RELAYED_ADDRESS, value)],
        )


class _Tiring:
    """Takes so many ChannelBinds, and answers no more."""

    def __init__(self) -> None:
        self._left = 100

    def __call__(self, data: bytes) -> bytes | None:
        try:
            self._left -= ReceivedMessage.parse(data).method == Method.CHANNEL_BIND
        except DecodeError:
            return data
        return data if self._left > 0 else None


def _dying_of_hellos() -> Mutant:
    """Has room for forty clients that have said hello."""
    hellos = 0

    def reply(data: bytes) -> bytes | None:
        nonlocal hellos
        hellos += data[:1] == b"\x16"
        return HELLO_VERIFY_REQUEST if data[:1] == b"\x16" and hellos <= 40 else None

    return Mutant(reply=reply)


MUTANTS = {
    "SEC-09": {
        "tells-a-lot": _long(Method.ALLOCATE),
        "tells-a-lot-in-binding": _long(Method.BINDING),
        "no-limit": Mutant(reply=_answer_headers),
    },
    "SEC-13": {"dies": _dying_of_hellos(), "no-cookie": _hello(SERVER_HELLO)},
    "SEC-15": {"dies": Mutant(take=_Fragile())},
    "SEC-16": {
        "races": Mutant(_Racing(14)),
    },
    "SEC-17": {
        "loses-it": losing(508),
        "says-400": Mutant(
            lambda q, a: (
                edited(a, q, change={Attr.ERROR_CODE: _error(400)})
                if a.error_code == 508
                else a.data
            )
        ),
        "dies": Mutant(take=_Tiring()),
    },
    "SEC-18": {
        "loses-it": losing(441),
        "lets-delete": _granting(Method.REFRESH, 441),
        "lets-in": _granting(Method.CREATE_PERMISSION, 441),
    },
    "SEC-19": {"loses-it": losing(437, 438), "replays": _granting(Method.REFRESH, 437, 438)},
    "SEC-22": {
        "bears-a-grudge": once(
            lambda q, _: ORIGIN in q.types, is_success(Method.ALLOCATE), failing(403)
        ),
        "believes-strangers": Mutant(_Pinned()),
    },
}

OPEN = {
    "SEC-12": "RFC 8489 wants no nonce to be bound to a client",
    "SEC-20": "what differs is told: how much matters is no matter of the RFC",
    "SEC-24": "allocations may outlive their credential",
}

SETUPS = {
    "SEC-13": Setup(reply=_hello(HELLO_VERIFY_REQUEST).reply),
    "SEC-16": Setup({"quota_per_id": 10}),
}
