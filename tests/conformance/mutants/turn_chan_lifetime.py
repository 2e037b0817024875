"""What breaks the rows of TURN-CHAN about how long channels last."""

from __future__ import annotations

import collections

from conformance.building import channel_data
from conformance.codes import Attr, Method
from conformance.reading import ReceivedMessage

from .binding import BIND, bind_of, forgetting_channels, number_of
from .injecting import is_data, request_like
from .mutant import Mutant, Setup, edited
from .relaying import own, parsed, refuses
from .turn_data import CHANNEL, never_on_a_channel, told


class _Once:
    """Binds a channel again, but lets it end as it would have ended."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def take(self, data: bytes) -> bytes:
        message = bind_of(data)
        if message is None or Attr.NONCE not in message.types:
            return data
        owner = message.get(Attr.NONCE) or b""  # each 5-tuple has its own
        if owner not in self._seen:
            self._seen.add(owner)
            return data
        method = Method.CREATE_PERMISSION
        return edited(message, message, method=method, drop=[Attr.CHANNEL_NUMBER])

    def answer(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        return edited(response, request, method=request.method)


class _Remembering:
    """Binds again what was bound, whenever its client sends data and has a permission, too."""

    def __init__(self) -> None:
        self._bound: dict[bytes | None, ReceivedMessage] = {}
        self._permitted: set[bytes | None] = set()

    def take(self, data: bytes) -> bytes:
        message = parsed(data)
        if message is not None and message.method == BIND:
            self._bound[message.get(Attr.NONCE)] = message  # each 5-tuple has its own
        if message is not None and message.method == Method.CREATE_PERMISSION:
            self._permitted.add(message.get(Attr.NONCE))
        return data

    def inject(self, data: bytes, signed: ReceivedMessage) -> bytes | None:
        owner = signed.get(Attr.NONCE)
        bound = self._bound.get(owner)
        if bound is None or not is_data(data) or owner not in self._permitted:
            return None
        # XOR-PEER-ADDRESS of IPv4 does not depend on the transaction id.
        return request_like(signed, BIND, *own(bound))


class _EndingWithPermissions:
    """A channel ends with its permission: a new one does not bring it back."""

    def __init__(self) -> None:
        self._refreshed: collections.Counter[bytes | None] = collections.Counter()
        self._ended = False

    def take(self, data: bytes) -> bytes | None:
        message = parsed(data)
        if message is None:
            return None if self._ended else data
        owner = message.get(Attr.NONCE)  # each 5-tuple has its own
        if message.method == Method.REFRESH:  # once in 25 seconds
            self._refreshed[owner] += 1
        elif message.method == Method.CREATE_PERMISSION:
            self._ended |= self._refreshed[owner] >= 12
            self._refreshed[owner] = 0
        return data


class _Never:
    """What was bound once is bound for ever."""

    def __init__(self) -> None:
        self._numbers: dict[int, bytes] = {}

    def __call__(self, request: ReceivedMessage) -> bool:
        peer = request.get(Attr.XOR_PEER_ADDRESS)
        assert peer is not None
        return self._numbers.setdefault(number_of(request), peer) != peer


class _NeverThePeer:
    """The same of peers."""

    def __init__(self) -> None:
        self._peers: dict[bytes, int] = {}

    def __call__(self, request: ReceivedMessage) -> bool:
        peer = request.get(Attr.XOR_PEER_ADDRESS)
        assert peer is not None
        return self._peers.setdefault(peer, number_of(request)) != number_of(request)


def _once() -> Mutant:
    once = _Once()
    return Mutant(answer=once.answer, take=once.take)


def _data_refreshes() -> Mutant:
    remembering = _Remembering()
    return Mutant(take=remembering.take, before_take=remembering.inject)


def _unbinding_to_hear_before(left: int) -> Mutant:
    """What a peer sends comes so many times on the channel that is looked at, and no more."""

    def tell(data: bytes) -> bytes:
        nonlocal left
        left -= data[4:] == b"bound"
        return data if left >= 0 else never_on_a_channel(data)

    return Mutant(tell=tell)


def _on_a_channel(message: ReceivedMessage) -> bytes:
    """As if a channel that has ended had not, for what a peer sends."""
    data = message.get(Attr.DATA)
    return channel_data(CHANNEL, data) if data == b"unbound" else message.data


def _permission_at_channel_data(data: bytes, signed: ReceivedMessage) -> bytes | None:
    if data[0] < 0x40:
        return None
    return request_like(signed, Method.CREATE_PERMISSION, peer=True)


MUTANTS = {
    "TURN-CHAN-08": {
        "twice-as-long": Mutant(clock=0.5),
        "two-thirds-as-long": Mutant(clock=1.5),
        "ends-with-its-permission": Mutant(take=_EndingWithPermissions().take),
        "refreshes-none": _once(),
        "ends-with-its-permission-to-hear": _unbinding_to_hear_before(0),
        "two-thirds-as-long-to-hear": _unbinding_to_hear_before(1),
        "refreshes-none-to-hear": _unbinding_to_hear_before(2),
        "for-ever-to-hear": told(_on_a_channel),
    },
    "TURN-CHAN-09": {
        "data-refreshes": _data_refreshes(),
        "data-refreshes-what-is-heard": told(_on_a_channel),
        "data-refreshes-the-permission": Mutant(before_take=_permission_at_channel_data),
    },
    "TURN-CHAN-11": {
        "forgets-what-is-new": forgetting_channels(),
        "forgets-the-new-number": Mutant(
            take=lambda data: None if data[:2] == b"\x40\x02" else data
        ),
        "keeps-the-number": refuses(BIND, 400, when=_Never()),
        "keeps-the-peer": refuses(BIND, 400, when=_NeverThePeer()),
    },
}

OPEN: dict[str, str] = {}

SETUPS: dict[str, Setup] = {}
