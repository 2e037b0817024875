"""What breaks the rows of TURN-CDATA."""

from __future__ import annotations

from conformance.building import MessageBuilder, channel_data, channel_number
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import TransportAddress

from .mutant import Mutant, Segments, Setup
from .relaying import own, parsed, rewritten
from .turn_data import indication, never_on_a_channel

CHANNEL = 0x4001
WHOLE = 0xFFFF


def _is_channel_data(data: bytes) -> bool:
    return data[0] >= 0x40


def _of_what_is_there(data: bytes) -> bytes:
    """Relays what there is, whatever the length says."""
    if not _is_channel_data(data) or len(data) < 4:
        return data
    return channel_data(int.from_bytes(data[:2], "big"), data[4:])


def _cut_alone(data: bytes) -> bytes:
    """The same where less is there than the length says."""
    length = int.from_bytes(data[2:4], "big")
    return _of_what_is_there(data) if len(data) < 4 + length else data


def _filled(data: bytes) -> bytes:
    """Relays as much as the length says, whatever is there (a short one, or memory)."""
    length = int.from_bytes(data[2:4], "big")
    if not _is_channel_data(data) or not len(data) < 4 + length < 1000:
        return data
    return data + bytes(4 + length - len(data))


def _on_the_channel(first: int, last: int) -> Mutant:
    """Takes other numbers for the one that is bound."""

    def take(data: bytes) -> bytes:
        if first <= int.from_bytes(data[:2], "big") <= last:
            return CHANNEL.to_bytes(2, "big") + data[2:]
        return data

    return Mutant(take=take)


def _number_below(number: int) -> int:
    """Another one, that may be bound, for one of 0x5000 to 0x7FFF; others are what they are."""
    return 0x4800 | number & 0x3FF if 0x5000 <= number <= 0x7FFF else number


def _takes_numbers_of_rfc_5766(data: bytes) -> bytes:
    """Binds what is reserved by now, and relays what comes with it."""
    if _is_channel_data(data):
        return channel_number(_number_below(int.from_bytes(data[:2], "big")))[:2] + data[2:]
    return rewritten(Method.CHANNEL_BIND, _bound_below)(data) or data


def _bound_below(message: ReceivedMessage) -> list[tuple[int, bytes]]:
    number = (message.number(Attr.CHANNEL_NUMBER) or 0) >> 16
    value = channel_number(_number_below(number))
    return [(kind, value if kind == Attr.CHANNEL_NUMBER else each) for kind, each in own(message)]


def _answers_unbound(data: bytes) -> bytes | None:
    if not _is_channel_data(data) or data[:2] == CHANNEL.to_bytes(2, "big"):
        return None
    return MessageBuilder(Method.CHANNEL_BIND, Class.ERROR, data[8:20].ljust(12)).build()


def _on(number: int) -> Mutant:
    return Mutant(
        tell=lambda data: channel_data(number, data[4:]) if _is_channel_data(data) else data
    )


def _told(data: bytes) -> bytes:
    """Without padding."""
    return data[: 4 + int.from_bytes(data[2:4], "big")] if _is_channel_data(data) else data


def _counts_padding(data: bytes) -> bytes:
    if not _is_channel_data(data):
        return data
    return channel_data(int.from_bytes(data[:2], "big"), data[4:])


def _answers_inner(data: bytes) -> bytes | None:
    """Counts with 16 bits: the longest message ends behind its header."""
    if not _is_channel_data(data) or int.from_bytes(data[2:4], "big") != WHOLE:
        return None
    return MessageBuilder(Method.BINDING, Class.SUCCESS, data[12:24]).build()


class _StuckInChannelData:
    """After the longest message it answers nothing."""

    def __init__(self) -> None:
        self._is_stuck = False

    def take(self, data: bytes) -> bytes | None:
        self._is_stuck |= data[2:4] == b"\xff\xff" and _is_channel_data(data)
        return None if self._is_stuck else data


class _StuckBehindPadding:
    """Answers nothing behind the last of a dozen messages."""

    def __init__(self) -> None:
        self._left = 12

    def take(self, data: bytes) -> bytes | None:
        self._left -= _is_channel_data(data)
        return data if self._left > 0 or _is_channel_data(data) else None


class _Permitting:
    """Tells of a peer in Data indications, once there is a permission beside the channel."""

    def __init__(self) -> None:
        self._peer: TransportAddress | None = None

    def take(self, data: bytes) -> bytes:
        message = parsed(data)
        if message is not None and message.method == Method.CREATE_PERMISSION:
            self._peer = message.xor_address(Attr.XOR_PEER_ADDRESS)
        return data

    def tell(self, data: bytes) -> bytes:
        is_meant = self._peer is not None and _is_channel_data(data)
        return indication(self._peer, data[4:]) if is_meant and self._peer else data


class _Merging:
    """Of the second message in a segment the header is relayed, too."""

    def __init__(self) -> None:
        self._in_turn = 0

    def hear(self, data: bytes) -> bytes:
        self._in_turn = 0  # what a peer sends between two messages tells segments apart
        return data

    def relay(self, data: bytes) -> bytes:
        self._in_turn += 1
        return data if self._in_turn < 2 else channel_data(CHANNEL, data)


def _permitting() -> Mutant:
    server = _Permitting()
    return Mutant(take=server.take, tell=server.tell)


def _merging() -> Mutant:
    server = _Merging()
    return Mutant(hear=server.hear, relay=server.relay)


MUTANTS = {
    "TURN-CDATA-01": {
        "loses-the-end-of-the-longest": Mutant(
            relay=lambda data: data[:-1] if len(data) > 60_000 else data
        ),
        "relays-nothing": Mutant(relay=lambda _: None),
        "from-another-port": Mutant(relays_from_elsewhere=True),
        "pads": Mutant(relay=lambda data: data + bytes(-len(data) % 4)),
        "cuts-to-words": Mutant(relay=lambda data: data[: len(data) // 4 * 4] or data),
        "cuts-to-1000": Mutant(relay=lambda data: data[:1000]),
        "cuts-the-long": Mutant(relay=lambda data: data[:4096]),
        "relays-the-header": Mutant(
            relay=lambda data: channel_data(CHANNEL, data) if len(data) > 5 else data
        ),
    },
    "TURN-CDATA-02": {
        "drops-it": Mutant(relay=lambda data: data or None),
        "pads-it": Mutant(relay=lambda data: data or bytes(4)),
    },
    "TURN-CDATA-03": {
        "answers-3-bytes": Mutant(
            reply=lambda data: data if data[0] >= 0x40 and len(data) < 4 else None
        ),
        "relays-what-is-there": Mutant(take=_cut_alone),
        "relays-what-is-not-there": Mutant(take=_filled),
        "answers": Mutant(
            reply=lambda data: (
                None
                if not _is_channel_data(data) or len(data) >= 4 + int.from_bytes(data[2:4], "big")
                else MessageBuilder(Method.SEND, Class.ERROR, data[8:20].ljust(12)).build()
            )
        ),
    },
    "TURN-CDATA-04": {
        "relays-padding": Mutant(take=_of_what_is_there),
        "drops-it": Mutant(
            take=lambda data: None if _is_channel_data(data) and _told(data) != data else data
        ),
    },
    "TURN-CDATA-05": {
        "to-the-one-that-is-bound": _on_the_channel(0x4002, 0x4FFF),
        "answers": Mutant(reply=_answers_unbound),
    },
    "TURN-CDATA-06": {
        "answers": Mutant(reply=lambda data: data if data[0] >= 0x50 else None),
        "takes-0x5001": _on_the_channel(0x5001, 0x5001),
        "takes-0x7fff": _on_the_channel(0x7FFF, 0x7FFF),
        "takes-what-is-bound": Mutant(take=_takes_numbers_of_rfc_5766),
        "takes-0xc001": _on_the_channel(0xC001, 0xC001),
    },
    "TURN-CDATA-07": {
        "in-indications": Mutant(tell=never_on_a_channel),
        "on-another-channel": _on(0x4002),
        "counts-padding": Mutant(
            tell=lambda data: (
                channel_data(CHANNEL, data[4:] + bytes(-len(data) % 4))
                if _is_channel_data(data)
                else data
            )
        ),
        "in-indications-to-who-is-permitted": _permitting(),
        "drops-empty-ones": Mutant(hear=lambda data: data or None),
    },
    "TURN-CDATA-08": {
        "is-stuck": Mutant(take=_StuckBehindPadding().take),
        "relays-nothing": Mutant(relay=lambda _: None),
        "the-first-of-a-segment-alone": Mutant(segments=Segments.FIRST_ALONE),
        "pads-nothing": Mutant(tell=_told),
        "merges-segments": _merging(),
        "counts-padding": Mutant(tell=_counts_padding),
        "relays-padding": Mutant(take=_of_what_is_there),
    },
    "TURN-CDATA-09": {
        "searches-what-is-not-whole": Mutant(segments=Segments.SEARCHES),
        "counts-with-16-bits": Mutant(reply=_answers_inner),
        "is-stuck": Mutant(take=_StuckInChannelData().take),
    },
}

OPEN: dict[str, str] = {}

SETUPS: dict[str, Setup] = {}
