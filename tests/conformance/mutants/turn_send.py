"""What breaks the rows of TURN-SEND."""

from __future__ import annotations

from conformance.building import MessageBuilder
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage

from .injecting import permission_at_data
from .mutant import Mutant, Setup, edited
from .relaying import error, parsed, rewritten

UNKNOWN = 0x7FFF


def _send(data: bytes) -> ReceivedMessage | None:
    """The Send indication that it is, or None."""
    message = parsed(data)
    return message if message is not None and message.method == Method.SEND else None


class _Guessing:
    """Puts in what is missing or invalid: the peer and the data of before."""

    def __init__(self, kind: Attr, value: bytes) -> None:
        self._kind = kind
        self._value = value

    def take(self, data: bytes) -> bytes:
        message = parsed(data)
        if message is None:
            return data
        if message.method == Method.CREATE_PERMISSION and self._kind is Attr.XOR_PEER_ADDRESS:
            peer = message.get(self._kind)
            self._value = peer[:8] if peer is not None else b""
            self._id = message.transaction_id
        if message.method != Method.SEND or self._is_right(message):
            return data
        # XOR-PEER-ADDRESS of IPv4 does not depend on the transaction id.
        return edited(message, drop=[self._kind], add=[(self._kind, self._value)])

    def _is_right(self, message: ReceivedMessage) -> bool:
        value = message.get(self._kind)
        if self._kind is Attr.DATA:
            return value is not None
        return value is not None and len(value) == 8 and value[1] == 1


def _guessing(kind: Attr) -> Mutant:
    return Mutant(take=_Guessing(kind, b"guessed").take)


def _answers_400(data: bytes) -> bytes | None:
    message = _send(data)
    if message is None or {Attr.DATA, Attr.XOR_PEER_ADDRESS} <= set(message.types):
        return None
    return _error(message, 400)


def _answers_420(data: bytes) -> bytes | None:
    message = _send(data)
    return None if message is None or UNKNOWN not in message.types else _error(message, 420)


def _answers_403(data: bytes) -> bytes | None:
    message = _send(data)
    if message is None or message.get(Attr.DATA) != b"unpermitted":
        return None
    return _error(message, 403)


def _error(message: ReceivedMessage, code: int) -> bytes:
    builder = MessageBuilder(message.method, Class.ERROR, message.transaction_id)
    return builder.add(Attr.ERROR_CODE, error(code)).build()


def _without_empty_data(data: bytes) -> bytes | None:
    message = _send(data)
    return None if message is not None and message.get(Attr.DATA) == b"" else data


def _without_dont_fragment(data: bytes) -> bytes | None:
    message = _send(data)
    return None if message is not None and Attr.DONT_FRAGMENT in message.types else data


def _dont_fragment_is_unknown(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if request.method != Method.ALLOCATE or Attr.DONT_FRAGMENT not in request.types:
        return response.data
    if Attr.NONCE not in request.types:
        return response.data
    return edited(
        response,
        request,
        message_class=Class.ERROR,
        add=[(Attr.ERROR_CODE, error(420)), (Attr.UNKNOWN_ATTRIBUTES, b"\x00\x1a")],
    )


class _Last:
    """Sends to the peer that was named first, whatever an indication names, until there is a
    permission again."""

    def __init__(self) -> None:
        self._first: bytes | None = None

    def take(self, data: bytes) -> bytes:
        message = _send(data)
        if message is None:
            if data[:2] == b"\x00\x08":
                self._first = None
            return data
        self._first = self._first or message.get(Attr.XOR_PEER_ADDRESS)
        assert self._first is not None
        return edited(message, change={Attr.XOR_PEER_ADDRESS: self._first})


class _ChannelsAlone:
    """Once a channel is bound, indications are dropped."""

    def __init__(self) -> None:
        self._is_bound = False

    def take(self, data: bytes) -> bytes | None:
        message = parsed(data)
        self._is_bound |= message is not None and message.method == Method.CHANNEL_BIND
        return None if self._is_bound and _send(data) is not None else data


def _known(message: ReceivedMessage) -> list[tuple[int, bytes]]:
    return [(each.type, each.value) for each in message.attributes if each.type != UNKNOWN]


class _Second:
    """Answers the second indication without a permission, with 403."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, data: bytes) -> bytes | None:
        answer = _answers_403(data)
        self._count += answer is not None
        return answer if self._count == 2 else None


def _any_permission_opens() -> Mutant:
    """Who has a permission may send to all."""
    is_permitted = False

    def take(data: bytes) -> bytes:
        nonlocal is_permitted
        message = parsed(data)
        is_meant = message is not None and message.method == Method.CREATE_PERMISSION
        is_permitted = is_permitted or is_meant
        return data

    def inject(data: bytes, signed: ReceivedMessage) -> bytes | None:
        return permission_at_data(data, signed) if is_permitted else None

    return Mutant(take=take, before_take=inject)


def _answers_dont_fragment(data: bytes) -> bytes | None:
    message = _send(data)
    if message is None or Attr.DONT_FRAGMENT not in message.types:
        return None
    return _error(message, 420)


MUTANTS = {
    "TURN-SEND-01": {
        "sends-no-data": _guessing(Attr.DATA),
        "sends-to-the-last-peer": _guessing(Attr.XOR_PEER_ADDRESS),
        "answers": Mutant(reply=_answers_400),
    },
    "TURN-SEND-02": {
        "drops-it": Mutant(take=_without_empty_data),
        "relays-none": Mutant(relay=lambda data: data or None),
        "relays-padding": Mutant(relay=lambda data: data or bytes(4)),
    },
    "TURN-SEND-03": {
        "any-permission-opens": _any_permission_opens(),
        "answers-the-second": Mutant(reply=_Second()),
        "lets-all-send": Mutant(before_take=permission_at_data),
        "answers": Mutant(reply=_answers_403),
    },
    "TURN-SEND-04": {
        "relays-nothing": Mutant(relay=lambda _: None),
        "relays-more": Mutant(relay=lambda data: data + b"\0"),
        "from-another-port": Mutant(relays_from_elsewhere=True),
        "to-the-first-peer": Mutant(take=_Last().take),
    },
    "TURN-SEND-05": {
        "relays-nothing": Mutant(relay=lambda _: None),
        "loses-the-end-of-the-longest": Mutant(
            relay=lambda data: data[:-1] if len(data) > 60_000 else data
        ),
        "relays-padding": Mutant(relay=lambda data: data + bytes(-len(data) % 4)),
        "cuts-to-words": Mutant(relay=lambda data: data[: len(data) // 4 * 4] or data),
        "cuts-to-1000": Mutant(relay=lambda data: data[:1000]),
        "changes-a-bit": Mutant(
            relay=lambda data: data[:-1] + bytes([data[-1] ^ 1]) if len(data) > 1000 else data
        ),
        "cuts-the-long": Mutant(relay=lambda data: data[:4096]),
    },
    "TURN-SEND-06": {
        "answers-what-it-knows-not": Mutant(
            _dont_fragment_is_unknown, take=_without_dont_fragment, reply=_answers_dont_fragment
        ),
        "drops-what-it-knows": Mutant(take=_without_dont_fragment),
        "relays-what-it-knows-not": Mutant(_dont_fragment_is_unknown),
    },
    "TURN-SEND-08": {
        "passes-over-it": Mutant(take=rewritten(Method.SEND, _known)),
        "answers": Mutant(reply=_answers_420),
    },
    "TURN-SEND-09": {
        "relays-more": Mutant(relay=lambda data: data + b"\0" if data == b"indication" else data),
        "drops-them": Mutant(take=_ChannelsAlone().take),
    },
}

OPEN = {"TURN-SEND-06": "the DF bit of what is relayed cannot be seen at a socket"}

SETUPS: dict[str, Setup] = {}
