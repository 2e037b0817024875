"""What breaks the rows of TURN-DATA."""

from __future__ import annotations

from collections.abc import Callable

from conformance.building import MessageBuilder, channel_data, xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import TransportAddress

from .injecting import permission
from .mutant import Mutant, Setup, edited
from .relaying import parsed

ELSEWHERE = TransportAddress.parse("192.0.2.2", 9)
CHANNEL = 0x4001


def told(change: Callable[[ReceivedMessage], bytes | None]) -> Mutant:
    """Changes Data indications."""

    def tell(data: bytes) -> bytes | None:
        message = parsed(data)
        if message is None or message.method != Method.DATA:
            return data
        return change(message)

    return Mutant(tell=tell)


def with_data(change: Callable[[bytes], bytes]) -> Mutant:
    """Changes the data in them."""
    return told(
        lambda message: edited(message, change={Attr.DATA: change(message.get(Attr.DATA) or b"")})
    )


def indication(peer: TransportAddress, data: bytes) -> bytes:
    builder = MessageBuilder(Method.DATA, Class.INDICATION, bytes(12))
    builder.add(Attr.XOR_PEER_ADDRESS, xor_address(peer, builder.transaction_id))
    return builder.add(Attr.DATA, data).build()


def never_on_a_channel(data: bytes) -> bytes:
    """Tells all in indications."""
    return indication(ELSEWHERE, data[4:]) if data[0] >= 0x40 else data


def _always_on_the_channel(message: ReceivedMessage) -> bytes:
    return channel_data(CHANNEL, message.get(Attr.DATA) or b"")


def _from_elsewhere(message: ReceivedMessage) -> bytes:
    peer = xor_address(ELSEWHERE, message.transaction_id)
    return edited(message, change={Attr.XOR_PEER_ADDRESS: peer})


class _FirstPeer:
    """Says of all data that it is the first peer's."""

    def __init__(self) -> None:
        self._first: TransportAddress | None = None

    def __call__(self, message: ReceivedMessage) -> bytes:
        self._first = self._first or message.xor_address(Attr.XOR_PEER_ADDRESS)
        assert self._first is not None
        peer = xor_address(self._first, message.transaction_id)
        return edited(message, change={Attr.XOR_PEER_ADDRESS: peer})


MUTANTS = {
    "TURN-DATA-01": {
        "cuts-the-longest": with_data(lambda data: data[:64_000]),
        "loses-the-end-of-the-longest": with_data(
            lambda data: data[:-1] if len(data) > 60_000 else data
        ),
        "another-peer": told(_from_elsewhere),
        "the-first-peer": told(_FirstPeer()),
        "no-peer": told(lambda message: edited(message, drop=[Attr.XOR_PEER_ADDRESS])),
        "no-data": told(lambda message: edited(message, drop=[Attr.DATA])),
        "a-send-indication": told(lambda message: edited(message, method=Method.SEND)),
        "padding": with_data(lambda data: data + bytes(-len(data) % 4)),
        "cut": with_data(lambda data: data[:1000]),
        "cuts-the-long": with_data(lambda data: data[:4096]),
        "silent": told(lambda _: None),
    },
    "TURN-DATA-02": {
        "all-on-the-channel": told(_always_on_the_channel),
        "none-on-the-channel": Mutant(tell=never_on_a_channel),
    },
    "TURN-DATA-03": {
        "drops-it": Mutant(hear=lambda data: data or None),
        "pads-it": with_data(lambda data: data or bytes(4)),
    },
    "TURN-DATA-04": {
        "tells-nobody": told(lambda _: None),
        "tells-everybody": Mutant(route=lambda _, clients: clients),
        "from-another-port": Mutant(tells_from_elsewhere=True),
    },
    "TURN-DATA-05": {
        "tells-twice": Mutant(route=lambda path, _: [path, path]),
        "pads-to-kilobytes": told(lambda message: edited(message, add=[(0x8022, bytes(700))])),
        "lets-all-in": Mutant(before_hear=permission),
    },
}

OPEN: dict[str, str] = {}

SETUPS: dict[str, Setup] = {}
