"""Ways in which clients are wrong about responses, errors, and what proves them."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from conformance.building import MessageBuilder
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage

from .mutant import LONG_TERM_KEY, Mutant, Sent, edited, is_signed, request_of, response_of
from .wrongs import SHA1, changes_signed, hears_otherwise, new_id


def without_unknown(message: ReceivedMessage) -> bytes:
    return edited(message, drop=[0x7FFE], key=LONG_TERM_KEY)


def signs_again(message: ReceivedMessage, *, sign: int = SHA1, key: bytes = b"secret") -> bytes:
    """As if the response had been proven with what the client uses."""
    return edited(message, sign=[sign], key=key)


def proves(*methods: int, error: int | None = None) -> Mutant:
    """It takes for proven what is not."""
    return hears_otherwise(lambda m: signs_again(m, key=LONG_TERM_KEY), *methods, error=error)


def with_another_nonce(nonce: bytes, *, error: int | None = 401) -> Mutant:
    """It overlooks what the nonce says."""
    return hears_otherwise(lambda m: edited(m, change={Attr.NONCE: nonce}), error=error)


def keeps_the_nonce() -> Mutant:
    first: list[bytes] = []

    def change(message: ReceivedMessage) -> bytes:
        nonce = message.get(Attr.NONCE)
        first.append(nonce or b"")
        return edited(message, change={Attr.NONCE: first[0]})

    return changes_signed(change)


def with_the_list(message: ReceivedMessage) -> bytes:
    """As if the algorithms of before were still there."""
    if Attr.PASSWORD_ALGORITHMS in message.types:
        return message.data
    return edited(message, add=[(Attr.PASSWORD_ALGORITHMS, bytes.fromhex("0002000000010000"))])


def changes_after(code: int, change: Callable[[ReceivedMessage], bytes]) -> Mutant:
    """Requests with credentials are others once this error has come."""
    refused: list[bool] = []

    def hears(data: bytes) -> list[bytes]:
        if response_of(data, error=code) is not None:
            refused.append(True)
        return [data]

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data)
        if message is None or not refused or not is_signed(message):
            return [(0.0, data)]
        return [(0.0, change(message))]

    return Mutant(sends, hears)


def asks_otherwise_elsewhere() -> Mutant:
    """It is redirected, and only asks for its address there."""
    sent_away: list[bool] = []

    def hears(data: bytes) -> list[bytes]:
        if response_of(data, error=300) is not None:
            sent_away.append(True)
        return [data]

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data)
        if message is None or not sent_away:
            return [(0.0, data)]
        return [(0.0, MessageBuilder(Method.BINDING, Class.REQUEST, data[8:20]).build())]

    return Mutant(sends, hears)


def leaves_at(code: int) -> Mutant:
    """It ends at this error."""
    left: list[bool] = []

    def hears(data: bytes) -> list[bytes]:
        if response_of(data, error=code) is not None:
            left.append(True)
            mutant.ends.append(False)
        return [data]

    mutant = Mutant(lambda data, now: [] if left else [(0.0, data)], hears)
    return mutant


def content_with(error: int | None) -> Mutant:
    """It ends with success at such a response."""

    def hears(data: bytes) -> list[bytes]:
        if response_of(data, error=error) is None:
            return [data]
        mutant.ends.append(True)
        return []

    mutant = Mutant(hears=hears)
    return mutant


def gives_up_at(code: int) -> Mutant:
    """It is silent from this error on."""
    refused: list[bool] = []

    def hears(data: bytes) -> list[bytes]:
        if response_of(data, error=code) is not None:
            refused.append(True)
        return [] if refused else [data]

    return Mutant(lambda data, now: [] if refused else [(0.0, data)], hears)


def never_tires() -> Mutant:
    """Each 438 is answered with another request at once."""
    last: list[bytes] = []
    numbers = itertools.count(1)

    def sends(data: bytes, now: float) -> Sent:
        last.append(data)
        return [(0.0, data)]

    def hears(data: bytes) -> list[bytes]:
        stale, request = response_of(data, error=438), request_of(last[-1])
        if stale is not None and request is not None:
            again = new_id(request.transaction_id, next(numbers))
            mutant.replies.append((0.01, edited(request, transaction_id=again)))
            return []
        return [data]

    mutant = Mutant(sends, hears)
    return mutant


def with_the_last_alternate(message: ReceivedMessage) -> bytes:
    last = message.get_all(Attr.ALTERNATE_SERVER)[-1]
    return edited(
        message,
        drop=[Attr.ALTERNATE_SERVER],
        add=[(Attr.ALTERNATE_SERVER, last)],
        key=LONG_TERM_KEY,
    )


def forgets_credentials(message: ReceivedMessage) -> bytes:
    kinds = [Attr.USERNAME, Attr.REALM, Attr.NONCE, Attr.MESSAGE_INTEGRITY]
    return edited(message, drop=kinds)
