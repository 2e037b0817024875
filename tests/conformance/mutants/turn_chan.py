"""What breaks the rows of TURN-CHAN about binding channels."""

from __future__ import annotations

from conformance.building import MessageBuilder, channel_data, channel_number, xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import TransportAddress

from .binding import BIND, bind_of, forgetting_channels, number_of, permitting_to_hear
from .mutant import Mutant, Setup, edited
from .relaying import error, grants, own, refuses, rewritten, says
from .turn_data import never_on_a_channel, told

ELSEWHERE = TransportAddress.parse("192.0.2.2", 9)


def _completed(message: ReceivedMessage) -> list[tuple[int, bytes]]:
    """Makes up a number or a peer."""
    found = own(message)
    kinds = {kind for kind, _ in found}
    if Attr.CHANNEL_NUMBER not in kinds:
        found.append((Attr.CHANNEL_NUMBER, channel_number(0x4100)))
    if Attr.XOR_PEER_ADDRESS not in kinds:
        peer = xor_address(ELSEWHERE, message.transaction_id)
        found.append((Attr.XOR_PEER_ADDRESS, peer))
    return found


def _into_range(first: int, last: int) -> Mutant:
    """Takes numbers of that range too."""

    def change(message: ReceivedMessage) -> list[tuple[int, bytes]]:
        number = number_of(message)
        if not first <= number <= last:
            return own(message)
        value = channel_number(0x4000 | number & 0xFFF)
        return [
            (kind, value if kind == Attr.CHANNEL_NUMBER else each) for kind, each in own(message)
        ]

    return Mutant(take=rewritten(BIND, change))


class _Moving:
    """A number leads to the peer that it was asked for last."""

    def __init__(self) -> None:
        self._peers: dict[bytes, bytes] = {}

    def take(self, data: bytes) -> bytes:
        message = bind_of(data)
        if message is not None:
            number, peer = message.get(Attr.CHANNEL_NUMBER), message.get(Attr.XOR_PEER_ADDRESS)
            assert number is not None
            assert peer is not None
            self._peers[number[:2]] = peer
        if data[0] < 0x40:
            return data
        builder = MessageBuilder(Method.SEND, Class.INDICATION, bytes(12))
        # XOR-PEER-ADDRESS of IPv4 does not depend on the transaction id.
        builder.add(Attr.XOR_PEER_ADDRESS, self._peers[data[:2]])
        return builder.add(Attr.DATA, data[4:]).build()


class _Renumbering:
    """Data of peers comes on the number that was asked for last."""

    def __init__(self) -> None:
        self._number = 0

    def take(self, data: bytes) -> bytes:
        message = bind_of(data)
        if message is not None:
            self._number = number_of(message)
        return data

    def tell(self, data: bytes) -> bytes:
        return channel_data(self._number, data[4:]) if data[0] >= 0x40 else data


class _Shared:
    """Numbers are bound once for all clients."""

    def __init__(self, kind: Attr) -> None:
        self._kind = kind
        self._owners: dict[bytes, bytes] = {}

    def answer(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        value, name = request.get(self._kind), request.get(Attr.NONCE)
        if request.method != BIND or response.message_class is Class.ERROR:
            return response.data
        assert value is not None
        assert name is not None
        # Each 5-tuple has a nonce of its own.
        if self._owners.setdefault(value, name) == name:
            return response.data
        code = [(Attr.ERROR_CODE, error(400))]
        return edited(response, request, message_class=Class.ERROR, add=code)


class _OncePerNumber:
    """Refuses what is bound already, though it is to the same peer."""

    def __init__(self) -> None:
        self._bound: set[tuple[int, bytes]] = set()

    def __call__(self, request: ReceivedMessage) -> bool:
        peer = request.get(Attr.XOR_PEER_ADDRESS)
        bound = (number_of(request), b"" if peer is None else peer)
        if bound in self._bound:
            return True
        self._bound.add(bound)
        return False


class _OncePerIp:
    """Refuses a second channel for an IP address."""

    def __init__(self) -> None:
        self._bound: dict[bytes, int] = {}

    def __call__(self, request: ReceivedMessage) -> bool:
        peer = request.get(Attr.XOR_PEER_ADDRESS)
        assert peer is not None
        number = number_of(request)
        return self._bound.setdefault(peer[4:], number) != number


def _to_the_first_port(data: bytes) -> bytes:
    """Takes each channel for the first."""
    return b"\x40\x01" + data[2:] if data[0] >= 0x40 else data


def _renumbering() -> Mutant:
    renumbering = _Renumbering()
    return Mutant(take=renumbering.take, tell=renumbering.tell)


def _unbinding_to_hear() -> Mutant:
    """Says 400, and tells of the first peer in Data indications since."""
    has_refused = False

    def answer(_: ReceivedMessage, response: ReceivedMessage) -> bytes:
        nonlocal has_refused
        has_refused = has_refused or response.error_code == 400
        return response.data

    return Mutant(answer, tell=lambda data: never_on_a_channel(data) if has_refused else data)


class _ToAllPorts:
    """What comes on a channel goes to the peers of the others, too."""

    def __init__(self) -> None:
        self._peers: dict[bytes, TransportAddress] = {}

    def __call__(self, data: bytes) -> tuple[TransportAddress, bytes] | None:
        message = bind_of(data)
        if message is not None:
            peer = message.xor_address(Attr.XOR_PEER_ADDRESS)
            assert peer is not None
            self._peers[number_of(message).to_bytes(2, "big")] = peer
        if data[0] < 0x40:
            return None
        others = [peer for number, peer in self._peers.items() if number != data[:2]]
        return (others[0], data[4:]) if others else None


MUTANTS = {
    "TURN-CHAN-01": {
        "makes-it-up": Mutant(take=rewritten(BIND, _completed)),
        "says-403": says(BIND, 403, 400),
    },
    "TURN-CHAN-02": {
        "takes-0x5000-and-up": _into_range(0x5000, 0x7FFE),
        "takes-0x7fff": _into_range(0x7FFF, 0x7FFF),
        "takes-0x3fff": _into_range(0x3FFF, 0x3FFF),
        "takes-zero": _into_range(0, 0),
        "takes-0xffff": _into_range(0xFFFF, 0xFFFF),
        "refuses-the-first": refuses(BIND, 400, when=lambda each: number_of(each) == 0x4000),
        "drops-what-comes-on-the-last": Mutant(
            take=lambda data: None if data[:2] == b"\x4f\xff" else data
        ),
        "refuses-the-last": refuses(BIND, 400, when=lambda each: number_of(each) == 0x4FFF),
    },
    "TURN-CHAN-03": {
        "grants": grants(BIND, 400),
        "says-400-and-unbinds-to-hear": _unbinding_to_hear(),
        "moves-and-says-400": Mutant(take=_Moving().take),
        "says-508": says(BIND, 508, 400),
    },
    "TURN-CHAN-04": {
        "grants": grants(BIND, 400),
        "renumbers-and-says-400": _renumbering(),
        "says-508": says(BIND, 508, 400),
    },
    "TURN-CHAN-05": {
        "unbinds": forgetting_channels(),
        "refuses": refuses(BIND, 400, when=_OncePerNumber()),
    },
    "TURN-CHAN-06": {
        "says-400-to-a-family": says(BIND, 400, 443),
        "says-401-to-the-forbidden": says(BIND, 401, 403),
    },
    "TURN-CHAN-07": {
        "not-for-sending": permitting_to_hear(),
        "installs-none": told(
            lambda each: None if each.get(Attr.DATA) == b"another port" else each.data
        ),
    },
    "TURN-CHAN-10": {
        "from-another-port": Mutant(relays_from_elsewhere=True),
        "on-the-number-of-another": _renumbering(),
        "shares-numbers": Mutant(_Shared(Attr.CHANNEL_NUMBER).answer),
        "shares-peers": Mutant(_Shared(Attr.XOR_PEER_ADDRESS).answer),
    },
    "TURN-CHAN-12": {
        "on-the-number-of-another": _renumbering(),
        "to-all-ports": Mutant(blurt=_ToAllPorts()),
        "one-for-an-ip": refuses(BIND, 400, when=_OncePerIp()),
        "the-first-port-alone": Mutant(take=_to_the_first_port),
    },
}

OPEN: dict[str, str] = {}

SETUPS: dict[str, Setup] = {}
