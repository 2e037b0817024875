"""Ways in which clients are wrong about TURN: what mutants are made with."""

from __future__ import annotations

import itertools

from conformance.building import MessageBuilder, channel_data, xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import TransportAddress

from .mutant import (
    LONG_TERM_KEY,
    SETTINGS,
    Mutant,
    Sent,
    edited,
    is_signed,
    read,
    request_of,
    response_of,
)
from .wrongs import changes_requests, changes_signed, hears_otherwise, new_id

LONG = (6000).to_bytes(4, "big")
UNBOUND = {0x4ABC, 0x4ABD}


def as_heard(message: ReceivedMessage, **changes: object) -> bytes:
    """A response changed and proven again."""
    return edited(message, key=LONG_TERM_KEY, **changes)  # type: ignore[arg-type]  # passed on as they are


def drops_requests(*methods: int, when: str = "always") -> Mutant:
    """Requests of these methods do not go out: always, or but for the first transaction."""
    first: list[bytes] = []

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data, *methods)
        if message is None:
            return [(0.0, data)]
        if when == "after the first" and (not first or message.transaction_id in first):
            first.append(message.transaction_id)
            return [(0.0, data)]
        return []

    return Mutant(sends)


def is_deletion(message: ReceivedMessage) -> bool:
    return message.method == Method.REFRESH and message.number(Attr.LIFETIME) == 0


def keeps_allocations() -> Mutant:
    """It never gives one back."""
    return changes_requests(lambda m: None if is_deletion(m) else m.data, Method.REFRESH)


def leaves_its_allocation() -> Mutant:
    """It is gone where it should give the allocation back."""

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data, Method.REFRESH)
        if message is None or not is_deletion(message):
            return [(0.0, data)]
        mutant.ends.append(True)
        return []

    mutant = Mutant(sends)
    return mutant


def believes_long_lives() -> Mutant:
    return hears_otherwise(
        lambda m: as_heard(m, change={Attr.LIFETIME: LONG}), Method.ALLOCATE, Method.REFRESH
    )


def deaf_to(code: int, *methods: int) -> Mutant:
    return hears_otherwise(lambda m: None, *methods, error=code)


def takes_ipv6_for_ipv4() -> Mutant:
    relayed = TransportAddress.parse("192.0.2.1", 50000)

    def change(message: ReceivedMessage) -> bytes:
        value = xor_address(relayed, message.transaction_id)
        return as_heard(message, change={Attr.XOR_RELAYED_ADDRESS: value})

    return hears_otherwise(change, Method.ALLOCATE)


def asks_for_the_given_back() -> Mutant:
    return changes_signed(
        lambda m: (
            m.data
            if is_deletion(m)
            else edited(
                m,
                drop=[Attr.REQUESTED_ADDRESS_FAMILY],
                add=[(Attr.REQUESTED_ADDRESS_FAMILY, b"\2\0\0\0")],
            )
        ),
        Method.REFRESH,
    )


def sends_before_it_may() -> Mutant:
    """A Send indication goes before the first CreatePermission."""
    numbers = itertools.count(1)

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data, Method.CREATE_PERMISSION)
        if message is None:
            return [(0.0, data)]
        number = new_id(message.transaction_id, next(numbers))
        early = MessageBuilder(Method.SEND, Class.INDICATION, number)
        early.add(Attr.XOR_PEER_ADDRESS, xor_address(SETTINGS.peer, number))
        return [(0.0, early.add(Attr.DATA, b"early").build()), (0.01, data)]

    return Mutant(sends)


def uses_channels_at_once() -> Mutant:
    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data, Method.CHANNEL_BIND)
        if message is None:
            return [(0.0, data)]
        value = message.get(Attr.CHANNEL_NUMBER) or b"\x40\0"
        return [(0.0, data), (0.1, channel_data(int.from_bytes(value[:2], "big"), b"soon"))]

    return Mutant(sends)


def with_channel(number: int) -> Mutant:
    """All channels have this number."""
    value = number.to_bytes(2, "big") + bytes(2)
    return changes_signed(
        lambda m: edited(m, change={Attr.CHANNEL_NUMBER: value}), Method.CHANNEL_BIND
    )


def with_peer(peer: TransportAddress, *methods: int) -> Mutant:
    return changes_signed(
        lambda m: edited(m, change={Attr.XOR_PEER_ADDRESS: xor_address(peer, m.transaction_id)}),
        *methods,
    )


def other_numbers() -> Mutant:
    """Every ChannelBind has a number of its own, for the same peer."""
    numbers = itertools.count(0x4100)

    def twice(data: bytes, now: float) -> Sent:
        message = request_of(data, Method.CHANNEL_BIND)
        if message is None:
            return [(0.0, data)]
        number = next(numbers)
        value = number.to_bytes(2, "big") + bytes(2)
        again = edited(
            message,
            transaction_id=new_id(message.transaction_id, number),
            change={Attr.CHANNEL_NUMBER: value},
        )
        return [(0.0, data), (0.1, again)]

    return Mutant(twice)


def data_for(change_to: dict[bytes, bytes | None]) -> Mutant:
    """ChannelData is taken for something else by its payload."""

    def hears(data: bytes) -> list[bytes]:
        if data and 0x40 <= data[0] <= 0x4F:
            found = next((to for part, to in change_to.items() if part in data[4:]), data)
            return [] if found is None else [found]
        return [data]

    return Mutant(hears=hears)


def takes_any_channel() -> Mutant:
    def hears(data: bytes) -> list[bytes]:
        if data and int.from_bytes(data[:2], "big") in UNBOUND:
            return [b"\x40\0" + data[2:]]
        return [data]

    return Mutant(hears=hears)


def takes_cut_datagrams() -> Mutant:
    def hears(data: bytes) -> list[bytes]:
        if data and 0x40 <= data[0] <= 0x4F:
            return [data[:2] + (len(data) - 4).to_bytes(2, "big") + data[4:]]
        return [data]

    return Mutant(hears=hears)


def takes_padding_for_data() -> Mutant:
    def hears(data: bytes) -> list[bytes]:
        if data and 0x40 <= data[0] <= 0x4F and len(data) - 4 > int.from_bytes(data[2:4], "big"):
            return [data[:2] + (len(data) - 4).to_bytes(2, "big") + data[4:]]
        return [data]

    return Mutant(hears=hears)


def followed_by_junk() -> Mutant:
    """After ChannelData comes a message whose attribute is longer than it."""
    header = bytes.fromhex("00160004") + (0x2112A442).to_bytes(4, "big") + bytes(12)

    def sends(data: bytes, now: float) -> Sent:
        if data and 0x40 <= data[0] <= 0x4F:
            return [(0.0, data), (0.01, header + bytes.fromhex("00130028"))]
        return [(0.0, data)]

    return Mutant(sends)


def ends_with_its_refresh() -> Mutant:
    """It says that all is well where its Refresh has no answer yet."""

    def sends(data: bytes, now: float) -> Sent:
        if request_of(data, Method.REFRESH) is not None:
            mutant.ends.append(True)
        return [(0.0, data)]

    mutant = Mutant(sends)
    return mutant


def drops_empty_data() -> Mutant:
    def hears(data: bytes) -> list[bytes]:
        return [] if len(data) == 4 else [data]

    return Mutant(hears=hears)


def takes_indications(what: str) -> Mutant:
    """Data indications that lack something, or are of strangers, are taken all the same."""

    def hears(data: bytes) -> list[bytes]:
        message = read(data)
        if message is None or message.method != Method.DATA:
            return [data]
        peer = xor_address(SETTINGS.peer, message.transaction_id)
        if what == "of strangers":
            return [edited(message, change={Attr.XOR_PEER_ADDRESS: peer})]
        if what == "without a peer" and Attr.XOR_PEER_ADDRESS not in message.types:
            return [edited(message, add=[(Attr.XOR_PEER_ADDRESS, peer)])]
        if what == "without data" and Attr.DATA not in message.types:
            return [edited(message, add=[(Attr.DATA, b"")])]
        return [data]

    return Mutant(hears=hears)


def gives_up_after(code: int, method: int) -> Mutant:
    """After this error to one request no other of its method goes out."""
    refused: list[bool] = []

    def hears(data: bytes) -> list[bytes]:
        if response_of(data, method, error=code) is not None:
            refused.append(True)
        return [data]

    def sends(data: bytes, now: float) -> Sent:
        return [] if refused and request_of(data, method) is not None else [(0.0, data)]

    return Mutant(sends, hears)


def unpadded() -> Mutant:
    def sends(data: bytes, now: float) -> Sent:
        if data and 0x40 <= data[0] <= 0x4F:
            return [(0.0, data[: 4 + int.from_bytes(data[2:4], "big")])]
        return [(0.0, data)]

    return Mutant(sends)


def asks_again_for(kind: int) -> Mutant:
    """After an error the same request is made again."""
    asked: list[ReceivedMessage] = []

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data, Method.ALLOCATE)
        if message is None:
            return [(0.0, data)]
        if asked and is_signed(message) and kind not in message.types:
            again = edited(asked[-1], transaction_id=message.transaction_id)
            return [(0.0, again)]
        if is_signed(message):
            asked.append(message)
        return [(0.0, data)]

    return Mutant(sends)
