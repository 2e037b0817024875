"""Ways in which clients are wrong about requests and transactions, and what those are made of."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from conformance.building import MessageBuilder
from conformance.codes import Attr, Class, Method

from .actors import Manners
from .mutant import Mutant, Sent, edited, is_signed, read, request_of, response_of

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


def with_compression(hello: bytes) -> bytes:
    """A ClientHello that offers DEFLATE in place of no compression."""
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at : at + 2], "big")
    return hello[: at + 1] + b"\x01" + hello[at + 2 :]
