"""What breaks the rows of TURN-MOB."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from conformance.building import u32
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import DecodeError, Path

from .changing import is_error, is_success, losing, with_error, with_more, with_success
from .mutant import Answer, Mutant, Setup, edited, only

TICKET = b"another ticket, of thirty-two by"


def _error(code: int) -> bytes:
    return bytes([0, 0, code // 100, code % 100])


def _granted(answer: Answer) -> Mutant:
    """Changes successes that have a ticket."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        return (
            answer(request, response) if Attr.MOBILITY_TICKET in response.types else (response.data)
        )

    return Mutant(change)


def _told(value: bytes) -> Mutant:
    return _granted(lambda q, a: edited(a, q, change={Attr.MOBILITY_TICKET: value}))


def _success(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    granted = [(Attr.LIFETIME, u32(600)), (Attr.MOBILITY_TICKET, TICKET)]
    drop = [Attr.ERROR_CODE]
    return edited(response, request, message_class=Class.SUCCESS, drop=drop, add=granted)


def _instead_of(code: int, other: int | None) -> Mutant:
    """Another error, or a success, where a ticket is refused."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if response.error_code != code or Attr.MOBILITY_TICKET not in request.types:
            return response.data
        if other is None:
            return _success(request, response)
        return edited(response, request, change={Attr.ERROR_CODE: _error(other)})

    return Mutant(change)


def _same_ticket(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    """The one that the client has come with."""
    ticket = request.get(Attr.MOBILITY_TICKET) or response.get(Attr.MOBILITY_TICKET)
    assert ticket is not None
    return edited(response, request, change={Attr.MOBILITY_TICKET: ticket})


def _without_ticket_at_refresh(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if request.method != Method.REFRESH:
        return response.data
    return edited(response, request, drop=[Attr.MOBILITY_TICKET])


def _unknown(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if Attr.MOBILITY_TICKET not in request.types or response.message_class is not Class.SUCCESS:
        return response.data
    change = [(Attr.ERROR_CODE, _error(420)), (Attr.UNKNOWN_ATTRIBUTES, b"\x80\x30")]
    return edited(response, request, message_class=Class.ERROR, add=change)


def _emptied(data: bytes) -> bytes:
    """Takes any ticket in an Allocate for an empty one."""
    message = _parsed(data)
    if message is None or message.method != Method.ALLOCATE:
        return data
    return edited(message, message, change={Attr.MOBILITY_TICKET: b""})


def _parsed(data: bytes) -> ReceivedMessage | None:
    try:
        return ReceivedMessage.parse(data)
    except DecodeError:
        return None


class _Deaf:
    """Tells the client of no data once it has begun to move."""

    def __init__(self) -> None:
        self._is_moving = False

    def take(self, data: bytes) -> bytes:
        message = _parsed(data)
        if message is not None and message.method == Method.REFRESH:
            self._is_moving = self._is_moving or Attr.MOBILITY_TICKET in message.types
        return data

    def tell(self, data: bytes) -> bytes | None:
        return None if self._is_moving else data


def _deaf() -> Mutant:
    server = _Deaf()
    return Mutant(take=server.take, tell=server.tell)


class _Forgetful:
    """Knows no retransmission: the ticket is gone."""

    def __init__(self) -> None:
        self._answered: set[bytes] = set()

    def __call__(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if Attr.MOBILITY_TICKET not in request.types or request.method != Method.REFRESH:
            return response.data
        if request.transaction_id not in self._answered:
            self._answered.add(request.transaction_id)
            return response.data
        drop = [Attr.LIFETIME, Attr.MOBILITY_TICKET]
        error = [(Attr.ERROR_CODE, _error(400))]
        return edited(response, request, message_class=Class.ERROR, drop=drop, add=error)


class _Counting:
    """A new ticket for each answer."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        self._count += 1
        ticket = TICKET[:-4] + u32(self._count)
        if request.method != Method.REFRESH:
            return response.data
        return edited(response, request, change={Attr.MOBILITY_TICKET: ticket})


def _gone(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    """Who has moved has nothing left."""
    if response.message_class is not Class.SUCCESS or Attr.MOBILITY_TICKET in request.types:
        return response.data
    error = [(Attr.ERROR_CODE, _error(437))]
    drop = [Attr.LIFETIME]
    return edited(response, request, message_class=Class.ERROR, drop=drop, add=error)


def _with_ticket(request: ReceivedMessage, response: ReceivedMessage) -> bool:
    """Whether it is a success of an Allocate with a ticket that is not empty."""
    return bool(request.get(Attr.MOBILITY_TICKET)) and is_success(Method.ALLOCATE)(
        request, response
    )


class _Sticky:
    """Tells all to who was told first."""

    def __init__(self) -> None:
        self._first: Path | None = None

    def __call__(self, path: Path, _: Sequence[Path]) -> Sequence[Path]:
        self._first = self._first or path
        return [self._first]


def _telling_both_once_moved() -> Mutant:
    """Goes on to tell the old 5-tuple, too, when data has come on the new one."""
    has_moved = False

    def relay(data: bytes) -> bytes:
        nonlocal has_moved
        if data in (b"old", b"new"):
            has_moved = data == b"new"
        return data

    return Mutant(relay=relay, route=lambda path, all_: all_ if has_moved else (path,))


def _is_of_stranger(request: ReceivedMessage, response: ReceivedMessage) -> bool:
    """Whether it is a Refresh with a ticket, of somebody who is challenged."""
    return is_error(401, Method.REFRESH)(request, response) and (
        Attr.MOBILITY_TICKET in request.types
    )


MUTANTS = {
    "TURN-MOB-01": {
        "empty": _told(b""),
        "long": _told(bytes(600)),
        "none": _granted(lambda q, a: edited(a, q, drop=[Attr.MOBILITY_TICKET])),
    },
    "TURN-MOB-02": {
        "refuses-what-it-knows-not": dataclasses.replace(
            with_error(_with_ticket, 400), options={"mobility": False}
        ),
        "knows-what-it-knows-not": dataclasses.replace(
            with_more(_with_ticket, (Attr.MOBILITY_TICKET, TICKET)), options={"mobility": False}
        ),
        "takes-any": Mutant(take=_emptied),
        "says-401": _instead_of(400, 401),
        "says-420": Mutant(_unknown, options={"mobility": False}),
    },
    "TURN-MOB-03": {
        "refuses": with_error(is_success(Method.REFRESH), 437),
        "relays-nothing": Mutant(relay=lambda data: None if data == b"moved" else data),
        "the-same-ticket": _granted(_same_ticket),
        "no-ticket": _granted(_without_ticket_at_refresh),
        "tells-nothing": _deaf(),
    },
    "TURN-MOB-04": {
        "loses-it": losing(400),
        "grants": _instead_of(400, None),
        "says-437": _instead_of(400, 437),
    },
    "TURN-MOB-05": {
        "invalid-is-401": _instead_of(400, 401),
        "gone-is-400": _instead_of(437, 400),
        "moves-for-anybody": _instead_of(441, None),
        "moves-for-strangers": with_success(
            lambda q, a: _is_of_stranger(q, a) and Attr.NONCE not in q.types
        ),
        "moves-with-any-password": with_success(
            lambda q, a: _is_of_stranger(q, a) and Attr.NONCE in q.types
        ),
    },
    "TURN-MOB-06": {
        "drops-what-the-old-sends": Mutant(relay=lambda data: None if data == b"old" else data),
        "drops-what-the-new-sends": Mutant(relay=lambda data: None if data == b"new" else data),
        "stays-on-the-old": Mutant(route=_Sticky()),
        "tells-both-in-the-end": _telling_both_once_moved(),
        "tells-both": Mutant(route=lambda _, clients: clients),
        "loses-data-on-the-old": _deaf(),
    },
    "TURN-MOB-07": {
        "forgets": Mutant(_Forgetful()),
        "another-ticket": _granted(_Counting()),
        "moves-by-an-old-one": _instead_of(400, None),
    },
    "TURN-MOB-08": {
        "one-for-all": _told(TICKET),
        "takes-a-changed-one": _instead_of(400, None),
    },
    "TURN-MOB-09": {"loses-it": Mutant(only(Method.REFRESH, _gone))},
}

OPEN = {"TURN-MOB-09": "how often a client may move is the server's choice"}

SETUPS = {row_id: Setup({"mobility": True}) for row_id in MUTANTS}
