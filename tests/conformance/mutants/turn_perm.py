"""What breaks the rows of TURN-PERM."""

from __future__ import annotations

from conformance.building import xor_address
from conformance.codes import Attr, Method
from conformance.reading import ReceivedMessage
from transport import TransportAddress

from .binding import sending_to_ports
from .injecting import is_data, permission, permission_at_data
from .mutant import Mutant, Setup, edited
from .relaying import error, grants, own, parsed, refuses, rewritten, says, unsigned

CREATE = Method.CREATE_PERMISSION
_SINK = TransportAddress.parse("192.31.196.9", 9)


def _valid(message: ReceivedMessage) -> list[tuple[int, bytes]]:
    """Its attributes without invalid addresses."""
    return [each for each in own(message) if each[1][1:2] == b"\x01" and len(each[1]) == 8]


def _ipv4_alone(message: ReceivedMessage) -> list[tuple[int, bytes]]:
    """A server that passes over peers of another family."""
    kept = [each for each in own(message) if each[1][1:2] != b"\x02"]
    sink = xor_address(_SINK, message.transaction_id)
    return kept or ([(Attr.XOR_PEER_ADDRESS, sink)] if own(message) else [])


class _SharedPermissions:
    """Once anybody has a permission, all have."""

    def __init__(self) -> None:
        self._is_open = False

    def take(self, data: bytes) -> bytes:
        message = parsed(data)
        self._is_open |= message is not None and message.method == CREATE
        return data

    def inject(self, data: bytes, signed: ReceivedMessage) -> bytes | None:
        return permission(data, signed) if self._is_open else None


class _Once:
    """Grants a permission again, but lets it end as it would have ended."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def take(self, data: bytes) -> bytes:
        message = parsed(data)
        if message is None or message.method != CREATE or Attr.NONCE not in message.types:
            return data
        owner = message.get(Attr.NONCE) or b""  # each 5-tuple has its own
        if owner not in self._seen:
            self._seen.add(owner)
            return data
        sink = xor_address(_SINK, message.transaction_id)
        return edited(message, message, change={Attr.XOR_PEER_ADDRESS: sink})


class _BoundForEver:
    """What ChannelBind permits is permitted for good."""

    def __init__(self) -> None:
        self._bound: set[bytes | None] = set()

    def take(self, data: bytes) -> bytes:
        message = parsed(data)
        if message is not None and message.method == Method.CHANNEL_BIND:
            self._bound.add(message.get(Attr.NONCE))  # each 5-tuple has its own
        return data

    def inject(self, data: bytes, signed: ReceivedMessage) -> bytes | None:
        return permission(data, signed) if signed.get(Attr.NONCE) in self._bound else None


class _PortsCount:
    """Hears only peers at the port that the permission names."""

    def __init__(self) -> None:
        self._named = 0

    def tell(self, data: bytes) -> bytes | None:
        message = parsed(data)
        if message is None or message.method != Method.DATA:
            return data
        peer = message.xor_address(Attr.XOR_PEER_ADDRESS)
        assert peer is not None
        return data if peer.port == self._named else None

    def take(self, data: bytes) -> bytes:
        message = parsed(data)
        if message is not None and message.method == CREATE:
            peer = message.xor_address(Attr.XOR_PEER_ADDRESS)
            assert peer is not None
            self._named = peer.port
        return data


def _shared() -> Mutant:
    shared = _SharedPermissions()
    return Mutant(take=shared.take, before_hear=shared.inject)


def _bound_for_ever() -> Mutant:
    bound = _BoundForEver()
    return Mutant(take=bound.take, before_hear=bound.inject)


def _by_port() -> Mutant:
    counting = _PortsCount()
    return Mutant(take=counting.take, tell=counting.tell)


def _no_room(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if request.method != CREATE or response.error_code != 508:
        return response.data
    return edited(response, request, change={Attr.ERROR_CODE: error(486)})


def _bound_for_ever_to_send() -> Mutant:
    bound = _BoundForEver()

    def inject(data: bytes, signed: ReceivedMessage) -> bytes | None:
        return bound.inject(data, signed) if is_data(data) else None

    return Mutant(take=bound.take, before_take=inject)


def _silencing_after(left: int) -> Mutant:
    """Relays so many datagrams to peers, and no more: the first shows that any pass."""

    def relay(data: bytes) -> bytes | None:
        nonlocal left
        left -= 1
        return data if left >= 0 else None

    return Mutant(relay=relay)


def _late_to_peers(data: bytes) -> bytes | None:
    """What is sent when the permission has ended does not come out."""
    return None if data == b"late" else data


def _binding_elsewhere(message: ReceivedMessage) -> list[tuple[int, bytes]]:
    sink = xor_address(_SINK, message.transaction_id)
    return [(kind, sink if kind == Attr.XOR_PEER_ADDRESS else each) for kind, each in own(message)]


MUTANTS = {
    "TURN-PERM-01": {
        "grants": grants(CREATE, 400),
        "says-443": says(CREATE, 443, 400),
    },
    "TURN-PERM-02": {
        "passes-over-the-bad": Mutant(take=rewritten(CREATE, _valid)),
        "says-403": says(CREATE, 403, 400),
        "grants": grants(CREATE, 400, 443),
    },
    "TURN-PERM-03": {
        "says-400": says(CREATE, 400, 443),
        "says-403": says(CREATE, 403, 443),
        "passes-over-it": Mutant(take=rewritten(CREATE, _ipv4_alone)),
    },
    "TURN-PERM-04": {"says-401": says(CREATE, 401, 403), "says-400": says(CREATE, 400, 403)},
    "TURN-PERM-05": {
        "refuses-three": refuses(
            CREATE, 400, when=lambda each: len(each.get_all(Attr.XOR_PEER_ADDRESS)) == 3
        ),
        "first-alone": Mutant(take=rewritten(CREATE, lambda message: own(message)[:1])),
        "last-alone": Mutant(take=rewritten(CREATE, lambda message: own(message)[-1:])),
        "two-alone": Mutant(take=rewritten(CREATE, lambda message: own(message)[:2])),
        "wants-the-port": _by_port(),
    },
    "TURN-PERM-06": {"sends-to-the-port": sending_to_ports(), "wants-the-port": _by_port()},
    "TURN-PERM-07": {
        "lets-all-in": Mutant(before_hear=permission),
        "any-permission-opens": _shared(),
    },
    "TURN-PERM-08": {
        "peers-for-ever": Mutant(before_hear=permission),
        "binding-refreshes-none": Mutant(take=rewritten(Method.CHANNEL_BIND, _binding_elsewhere)),
        "never-to-send": _silencing_after(1),
        "refreshes-none-to-send": _silencing_after(2),
        "binding-refreshes-none-to-send": _silencing_after(3),
        "bound-for-ever-to-send": _bound_for_ever_to_send(),
        "twice-as-long": Mutant(clock=0.5),
        "half-as-long": Mutant(clock=2.0),
        "refreshes-none": Mutant(take=_Once().take),
        "bound-for-ever": _bound_for_ever(),
    },
    "TURN-PERM-09": {
        "send-refreshes": Mutant(before_take=permission_at_data),
        "send-refreshes-what-is-heard": Mutant(
            before_take=permission_at_data, relay=_late_to_peers
        ),
    },
    "TURN-PERM-10": {
        "peers-refresh": Mutant(before_hear=permission),
        "peers-refresh-what-is-heard": Mutant(before_hear=permission, relay=_late_to_peers),
    },
    "TURN-PERM-11": {
        "shares-them": _shared(),
        "lets-all-send": Mutant(before_take=permission_at_data),
    },
    "TURN-PERM-12": {"says-486": Mutant(_no_room)},
    "TURN-PERM-13": {
        "not-signed": unsigned(CREATE),
        "refuses": refuses(CREATE, 400, when=lambda _: True),
    },
}

OPEN: dict[str, str] = {}

SETUPS: dict[str, Setup] = {}
