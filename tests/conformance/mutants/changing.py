"""Ways to break what a server answers, whichever the row."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from conformance.building import MessageBuilder
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import DecodeError

from .mutant import Answer, Mutant, edited

When = Callable[[ReceivedMessage, ReceivedMessage], bool]
"""Of a request and the right answer to it: whether it is to be another."""

GRANTED = (Attr.XOR_RELAYED_ADDRESS, Attr.LIFETIME, Attr.MOBILITY_TICKET, Attr.CONNECTION_ID)
"""What successes have, and errors have not."""


def code(number: int) -> bytes:
    """The value of ERROR-CODE."""
    return bytes([0, 0, number // 100, number % 100])


def parsed(data: bytes) -> ReceivedMessage | None:
    """None for what is no message."""
    try:
        return ReceivedMessage.parse(data)
    except DecodeError:
        return None


def is_success(method: int) -> When:
    return lambda q, a: q.method == method and a.message_class is Class.SUCCESS


def is_error(number: int, method: int | None = None) -> When:
    return lambda q, a: a.error_code == number and method in (None, q.method)


def where(when: When, answer: Answer) -> Mutant:
    """Another answer where that is so."""
    return Mutant(lambda q, a: answer(q, a) if when(q, a) else a.data)


def silent_where(when: When) -> Mutant:
    return where(when, lambda _, __: None)


def without(when: When, *kinds: int) -> Mutant:
    """No such attributes in answers."""
    return where(when, lambda q, a: edited(a, q, drop=kinds))


def with_more(when: When, *attributes: tuple[int, bytes]) -> Mutant:
    """These attributes besides, in front of the integrity."""
    return where(when, lambda q, a: edited(a, q, add=attributes))


def with_value(when: When, kind: int, value: bytes) -> Mutant:
    """Another value of an attribute."""
    return where(when, lambda q, a: edited(a, q, change={kind: value}))


def with_error(when: When, number: int) -> Mutant:
    """An error in place of a success, or of another error."""
    return where(when, failing(number))


def failing(number: int) -> Answer:
    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        drop = (Attr.ERROR_CODE, *GRANTED)
        add = [(Attr.ERROR_CODE, code(number))]
        return edited(response, request, message_class=Class.ERROR, drop=drop, add=add)

    return answer


def with_success(when: When, *attributes: tuple[int, bytes]) -> Mutant:
    """A success in place of an error; nothing is done."""
    drop = (Attr.ERROR_CODE, Attr.UNKNOWN_ATTRIBUTES, Attr.REALM, Attr.NONCE)
    return where(
        when,
        lambda q, a: edited(a, q, message_class=Class.SUCCESS, drop=drop, add=attributes),
    )


def answering(when: Callable[[ReceivedMessage], bool], number: int | None = None) -> Mutant:
    """Answers messages that the right server is silent to: with an error, or success."""

    def reply(data: bytes) -> bytes | None:
        message = parsed(data)
        if message is None or not when(message):
            return None
        kind = Class.SUCCESS if number is None else Class.ERROR
        builder = MessageBuilder(message.method, kind, message.transaction_id)
        if number is not None:
            builder.add(Attr.ERROR_CODE, code(number))
        return builder.build()

    return Mutant(reply=reply)


def losing(*numbers: int, method: int = Method.REFRESH) -> Mutant:
    """Once it has said one of these errors, the allocation is gone: 437 to Refresh."""
    return once(lambda _, a: a.error_code in numbers, is_success(method), failing(437))


def losing_when_deleted() -> Mutant:
    """A deletion takes all allocations with it."""
    return once(
        lambda q, a: is_success(Method.REFRESH)(q, a) and q.number(Attr.LIFETIME) == 0,
        is_success(Method.REFRESH),
        failing(437),
    )


def once(begin: When, when: When, answer: Answer) -> Mutant:
    """After an answer for which ``begin`` is so, others where ``when`` is."""
    has_begun = False

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        nonlocal has_begun
        if has_begun and when(request, response):
            return answer(request, response)
        has_begun = has_begun or begin(request, response)
        return response.data

    return Mutant(change)


def nth(when: When, numbers: Iterable[int], answer: Answer) -> Mutant:
    """Of the answers where that is so, those with these numbers (from 1) are others."""
    count, meant = 0, set(numbers)

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        nonlocal count
        if not when(request, response):
            return response.data
        count += 1
        return answer(request, response) if count in meant else response.data

    return Mutant(change)
