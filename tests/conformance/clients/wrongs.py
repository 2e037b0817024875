"""Ways in which clients are wrong: what mutants are made with."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from conformance.building import MessageBuilder
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage

from .actors import Manners
from .mutant import (
    LONG_TERM_KEY,
    Mutant,
    Sent,
    edited,
    is_signed,
    read,
    request_of,
    response_of,
)

Make = Callable[[], Mutant]
SHA256 = Attr.MESSAGE_INTEGRITY_SHA256
SHA1 = Attr.MESSAGE_INTEGRITY
BINDING = MessageBuilder(Method.BINDING, Class.REQUEST, bytes(12)).build()


def new_id(message_id: bytes, number: int) -> bytes:
    return bytes([message_id[0] ^ 0x80]) + message_id[1:10] + number.to_bytes(2, "big")


def sends_again(after: float) -> Mutant:
    """What it sends first goes out once more."""
    seen: set[bytes] = set()

    def sends(data: bytes, now: float) -> Sent:
        message = read(data)
        if message is None or message.transaction_id in seen:
            return [(0.0, data)]
        seen.add(message.transaction_id)
        return [(0.0, data), (after, data)]

    return Mutant(sends)


def at_times(*times: float) -> Mutant:
    """Copies leave at these times, whatever the RFC says."""
    seen: set[bytes] = set()

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data)
        if message is None:
            return [(0.0, data)]
        if message.transaction_id in seen:
            return []
        seen.add(message.transaction_id)
        return [(at, data) for at in times]

    return Mutant(sends)


def changes_copies(change: Callable[[bytes, int], bytes]) -> Mutant:
    """From the second on they are others."""
    counts: dict[bytes, int] = {}

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data)
        if message is None:
            return [(0.0, data)]
        number = counts[message.transaction_id] = counts.get(message.transaction_id, 0) + 1
        return [(0.0, data if number == 1 else change(data, number))]

    return Mutant(sends)


def other_id(data: bytes, number: int) -> bytes:
    message = request_of(data)
    assert message is not None
    return edited(message, transaction_id=new_id(message.transaction_id, number))


def with_software(data: bytes, number: int) -> bytes:
    message = request_of(data)
    assert message is not None
    return edited(message, add=[(Attr.SOFTWARE, b"copy %d" % number)])


def changes_requests(change: Callable[..., bytes | None], *methods: int) -> Mutant:
    """Requests of these methods go out changed, or not at all."""

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data, *methods)
        changed = data if message is None else change(message)
        return [] if changed is None else [(0.0, changed)]

    return Mutant(sends)


def changes_signed(change: Callable[..., bytes], *methods: int) -> Mutant:
    return changes_requests(lambda m: change(m) if is_signed(m) else m.data, *methods)


def hears_otherwise(
    change: Callable[..., bytes | None], *methods: int, error: int | None = None
) -> Mutant:
    """Responses are heard changed, or not at all."""

    def hears(data: bytes) -> list[bytes]:
        message = response_of(data, *methods, error=error)
        changed = data if message is None else change(message)
        return [] if changed is None else [changed]

    return Mutant(hears=hears)


def counted_ids() -> Mutant:
    """Transaction ids are numbers."""
    numbers = itertools.count()
    return with_ids(lambda real: next(numbers).to_bytes(12, "big"))


def ids_of_high_bits() -> Mutant:
    return with_ids(lambda real: bytes(each | 0xF0 for each in real))


def with_ids(make: Callable[[bytes], bytes]) -> Mutant:
    """Transaction ids are made otherwise."""
    real = dict[bytes, bytes]()
    known: dict[bytes, bytes] = {}

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data)
        if message is None:
            return [(0.0, data)]
        ours = message.transaction_id
        if ours not in known:
            known[ours] = make(ours)
            real[known[ours]] = ours
        return [(0.0, edited(message, transaction_id=known[ours]))]

    def hears(data: bytes) -> list[bytes]:
        return [data[:8] + real.get(data[8:20], data[8:20]) + data[20:]]

    return Mutant(sends, hears)


def floods() -> Mutant:
    """It has many more transactions at once."""

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data)
        if message is None:
            return [(0.0, data)]
        others = [edited(message, transaction_id=new_id(message.transaction_id, n)) for n in (1, 2)]
        return [(0.0, data), *((0.1, each) for each in others)]

    return Mutant(sends)


def reuses_the_id() -> Mutant:
    first: list[bytes] = []

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data)
        if message is None:
            return [(0.0, data)]
        first.append(message.transaction_id)
        return [(0.0, edited(message, transaction_id=first[0]))]

    return Mutant(sends)


def takes_any_id() -> Mutant:
    last: list[bytes] = []

    def sends(data: bytes, now: float) -> Sent:
        last.append(data[8:20])
        return [(0.0, data)]

    def hears(data: bytes) -> list[bytes]:
        return [data[:8] + last[-1] + data[20:]]

    return Mutant(sends, hears)


def dies_of_junk() -> Mutant:
    dead: list[bool] = []

    def hears(data: bytes) -> list[bytes]:
        if read(data) is None:
            dead.append(True)
        return [] if dead else [data]

    return Mutant(lambda data, now: [] if dead else [(0.0, data)], hears)


def tries_on(count: int, *, signed: bool) -> Mutant:
    """A request is followed by others like it."""
    done: set[bytes] = set()

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data)
        if message is None or is_signed(message) != signed or message.transaction_id in done:
            return [(0.0, data)]
        done.add(message.transaction_id)
        more = [
            (float(n), edited(message, transaction_id=new_id(message.transaction_id, n)))
            for n in range(1, count)
        ]
        return [(0.0, data), *more]

    return Mutant(sends, manners=Manners(is_mute=True))


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


def with_compression(hello: bytes) -> bytes:
    """A ClientHello that offers DEFLATE in place of no compression."""
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at : at + 2], "big")
    return hello[: at + 1] + b"\x01" + hello[at + 2 :]


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
