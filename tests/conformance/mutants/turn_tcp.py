"""What breaks the rows of TURN-TCP."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from conformance.building import xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import DecodeError, TransportAddress

from .changing import (
    failing,
    is_error,
    is_success,
    nth,
    once,
    silent_where,
    with_error,
    with_success,
)
from .mutant import Answer, Mutant, Setup, TcpFault, edited, only

SAME_ID = b"same"
ELSEWHERE = TransportAddress(ipaddress.ip_address("192.0.2.2"), 9)


def _code(number: int) -> bytes:
    return bytes([0, 0, number // 100, number % 100])


def _for(method: int, code: int, instead: int) -> Mutant:
    """Has another error code in answers to a method."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if response.error_code != code:
            return response.data
        return edited(response, request, change={Attr.ERROR_CODE: _code(instead)})

    return Mutant(only(method, change))


def _for_id(code: int, *, has_id: bool) -> Mutant:
    """Has another error code in answers to ConnectionBind with a CONNECTION-ID, or without."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        is_meant = (Attr.CONNECTION_ID in request.types) == has_id
        if response.error_code != 400 or not is_meant:
            return response.data
        return edited(response, request, change={Attr.ERROR_CODE: _code(code)})

    return Mutant(only(Method.CONNECTION_BIND, change))


def _without(*kinds: int) -> Mutant:
    """Does not see some attributes of Allocate."""

    def take(data: bytes) -> bytes:
        message = _parsed(data)
        if (
            message is None
            or message.method != Method.ALLOCATE
            or not set(kinds) & set(message.types)
        ):
            return data
        return edited(message, message, drop=kinds)

    return Mutant(take=take)


def _in_success(
    method: int,
    *,
    change: dict[int, bytes] | None = None,
    drop: Iterable[int] = (),
    add: Iterable[tuple[int, bytes]] = (),
) -> Mutant:
    """Has other attributes in successes to a method."""
    added = list(add)

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if response.message_class is not Class.SUCCESS:
            return response.data
        return edited(response, request, change=change, drop=drop, add=added)

    return Mutant(only(method, answer))


def _attempt(change: Answer) -> Mutant:
    """Tells of peers in another way."""

    def tell(data: bytes) -> bytes | None:
        message = _parsed(data)
        if message is None or message.method != Method.CONNECTION_ATTEMPT:
            return data
        return change(message, message)

    return Mutant(tell=tell)


def _for_udp(code: int) -> Mutant:
    """Refuses allocations of UDP with this code."""

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        is_udp = (request.get(Attr.REQUESTED_TRANSPORT) or b"")[:1] == b"\x11"
        if not is_udp or response.message_class is not Class.SUCCESS:
            return response.data
        drop = [Attr.XOR_RELAYED_ADDRESS, Attr.LIFETIME]
        add = [(Attr.ERROR_CODE, _code(code))]
        return edited(response, request, message_class=Class.ERROR, drop=drop, add=add)

    return Mutant(only(Method.ALLOCATE, answer))


def _of_another(_: ReceivedMessage, attempt: ReceivedMessage) -> bytes:
    value = xor_address(ELSEWHERE, attempt.transaction_id)
    return edited(attempt, change={Attr.XOR_PEER_ADDRESS: value})


def _with_any_password() -> Mutant:
    """Takes any ConnectionBind for one with the right password."""

    def take(data: bytes) -> bytes:
        message = _parsed(data)
        if message is None or message.method != Method.CONNECTION_BIND:
            return data
        return edited(message, message)

    return Mutant(take=take)


def _of_any_user() -> Mutant:
    """Takes a ConnectionBind of bob for one of ann."""

    def take(data: bytes) -> bytes:
        message = _parsed(data)
        if message is None or message.method != Method.CONNECTION_BIND:
            return data
        if message.get(Attr.USERNAME) != b"bob":
            return data
        renamed = _parsed(edited(message, message, change={Attr.USERNAME: b"ann"}))
        return data if renamed is None else edited(renamed, renamed)

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        return edited(response, request)

    return Mutant(only(Method.CONNECTION_BIND, answer), take=take)


def _parsed(data: bytes) -> ReceivedMessage | None:
    try:
        return ReceivedMessage.parse(data)
    except DecodeError:
        return None


_UNBOUND = is_error(400, Method.CONNECTION_BIND)
_EXISTS = is_error(446, Method.CONNECT)


def _granted(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    return edited(response, request, message_class=Class.SUCCESS, drop=[Attr.ERROR_CODE])


def _taking(protocol: int) -> Mutant:
    """Takes another protocol for UDP."""

    def take(data: bytes) -> bytes:
        message = _parsed(data)
        wanted = None if message is None else message.get(Attr.REQUESTED_TRANSPORT)
        if message is None or wanted != bytes([protocol, 0, 0, 0]):
            return data
        return edited(message, message, change={Attr.REQUESTED_TRANSPORT: b"\x11\0\0\0"})

    return Mutant(take=take)


def _has_bad_peer(request: ReceivedMessage, response: ReceivedMessage) -> bool:
    is_meant = request.method == Method.CONNECT and Attr.XOR_PEER_ADDRESS in request.types
    return is_meant and response.error_code == 400


def _taking_for_the_last(size: int) -> Mutant:
    """Says that somebody is connected to, where XOR-PEER-ADDRESS is bad and has that size."""

    def when(request: ReceivedMessage, response: ReceivedMessage) -> bool:
        peer = request.get(Attr.XOR_PEER_ADDRESS) or b""
        return _has_bad_peer(request, response) and len(peer) == size

    return with_success(when, (Attr.CONNECTION_ID, SAME_ID))


def _one_peer_for_all() -> Mutant:
    """Takes another port of a peer for the same peer."""
    return once(is_success(Method.CONNECT), is_success(Method.CONNECT), failing(446))


MUTANTS = {
    "TURN-TCP-01": {"unsupported": _for(Method.ALLOCATE, 400, 442)},
    "TURN-TCP-03": {
        "refuses": with_error(is_success(Method.ALLOCATE), 442),
        "deaf": Mutant(tcp=TcpFault.DEAF),
        "no-address": _in_success(Method.ALLOCATE, drop=[Attr.XOR_RELAYED_ADDRESS]),
    },
    "TURN-TCP-04": {
        "takes-dont-fragment": _without(Attr.DONT_FRAGMENT),
        "takes-even-port": _without(Attr.EVEN_PORT),
        "takes-reservation-token": _without(Attr.RESERVATION_TOKEN),
        "gives-a-token": _in_success(Method.ALLOCATE, add=[(Attr.RESERVATION_TOKEN, bytes(8))]),
    },
    "TURN-TCP-05": {
        **{f"takes-{each}": _taking(each) for each in (132, 1, 255, 0)},
        "bad-request": _for(Method.ALLOCATE, 442, 400),
        "udp-unsupported": _for_udp(442),
    },
    "TURN-TCP-06": {"bad-request": _for(Method.CONNECT, 437, 400)},
    "TURN-TCP-07": {
        "forbids-bad-ones": with_error(_has_bad_peer, 403),
        "takes-4-bytes": _taking_for_the_last(4),
        "takes-family-3": _taking_for_the_last(8),
        "forbidden": _for(Method.CONNECT, 400, 403),
    },
    "TURN-TCP-08": {
        "one-peer-for-all": _one_peer_for_all(),
        "failure-while-another-is-processed": nth(_EXISTS, [3], failing(447)),
        "failure": _for(Method.CONNECT, 446, 447),
        "forgets-connecting": Mutant(tcp=TcpFault.FORGETS_CONNECTING),
        "forgets-pending": Mutant(tcp=TcpFault.FORGETS_PENDING),
        "forgets-active": Mutant(tcp=TcpFault.FORGETS_ACTIVE),
    },
    "TURN-TCP-09": {"failure": _for(Method.CONNECT, 403, 447)},
    "TURN-TCP-10": {
        "silent": silent_where(is_error(447)),
        "server-error-of-the-deaf": nth(is_error(447), [2], failing(500)),
        "server-error": _for(Method.CONNECT, 447, 500),
        "gives-up-soon": Mutant(tcp=TcpFault.GIVES_UP_SOON),
    },
    "TURN-TCP-11": {
        "refuses": with_error(is_success(Method.CONNECT), 400),
        "connects-nobody": Mutant(tcp=TcpFault.CONNECTS_NOBODY),
        "from-another-port": Mutant(tcp=TcpFault.FROM_ANOTHER_PORT),
    },
    "TURN-TCP-12": {
        "none": _in_success(Method.CONNECT, drop=[Attr.CONNECTION_ID]),
        "long": _in_success(Method.CONNECT, change={Attr.CONNECTION_ID: bytes(8)}),
        "the-same": _in_success(Method.CONNECT, change={Attr.CONNECTION_ID: SAME_ID}),
    },
    "TURN-TCP-13": {
        "closes-soon": Mutant(tcp=TcpFault.CLOSES_SOON),
        "keeps": Mutant(tcp=TcpFault.KEEPS_UNBOUND),
        "keeps-those-of-peers": Mutant(tcp=TcpFault.KEEPS_UNBOUND_OF_PEERS),
    },
    "TURN-TCP-14": {
        "long-id": _attempt(
            lambda _, attempt: edited(attempt, change={Attr.CONNECTION_ID: bytes(8)})
        ),
        "another-id": _attempt(
            lambda _, attempt: edited(attempt, change={Attr.CONNECTION_ID: b"\xa5\x5a\xa5\x5a"})
        ),
        "no-indication": _attempt(lambda _, attempt: edited(attempt, message_class=Class.REQUEST)),
        "no-message": _attempt(
            lambda _, attempt: attempt.data[:20] + bytes(len(attempt.data) - 20)
        ),
        "keeps-strangers": Mutant(tcp=TcpFault.KEEPS_STRANGERS),
        "tells-of-strangers": Mutant(tcp=TcpFault.TELLS_OF_STRANGERS),
        "silent": _attempt(lambda _message, _same: None),
        "another-peer": _attempt(_of_another),
        "no-peer": _attempt(lambda _, attempt: edited(attempt, drop=[Attr.XOR_PEER_ADDRESS])),
        "no-id": _attempt(lambda _, attempt: edited(attempt, drop=[Attr.CONNECTION_ID])),
    },
    "TURN-TCP-15": {
        **{
            f"{name}-is-a-mismatch": nth(_UNBOUND, [number], failing(437))
            for number, name in enumerate(("bound", "over-udp", "unknown", "missing"), start=1)
        },
        **{
            f"{name}-is-taken": nth(_UNBOUND, [number], _granted)
            for number, name in enumerate(("bound", "over-udp", "unknown", "missing"), start=1)
        },
        "mismatch-without-id": _for_id(437, has_id=False),
        "mismatch-with-id": _for_id(437, has_id=True),
        "another-user-is-forbidden": _for(Method.CONNECTION_BIND, 441, 403),
        "another-user-may": _of_any_user(),
    },
    "TURN-TCP-16": {
        "reads-data": Mutant(tcp=TcpFault.READS_DATA),
        "spoils-much-to-peers": Mutant(tcp=TcpFault.SPOILS_MUCH_TO_PEERS),
        "spoils-much-to-clients": Mutant(tcp=TcpFault.SPOILS_MUCH_TO_CLIENTS),
        "loses-much-to-peers": Mutant(tcp=TcpFault.LOSES_MUCH_TO_PEERS),
        "loses-much-to-clients": Mutant(tcp=TcpFault.LOSES_MUCH_TO_CLIENTS),
        "loses-early": Mutant(tcp=TcpFault.LOSES_EARLY),
        "frames": Mutant(tcp=TcpFault.FRAMES),
    },
    "TURN-TCP-17": {
        "says-goodbye-to-peers": Mutant(tcp=TcpFault.SAYS_GOODBYE_TO_PEERS),
        "says-goodbye-to-clients": Mutant(tcp=TcpFault.SAYS_GOODBYE_TO_CLIENTS),
        "peer-outlives-allocation": Mutant(tcp=TcpFault.PEER_OUTLIVES_ALLOCATION),
        "keeps-peer": Mutant(tcp=TcpFault.KEEPS_PEER),
        "keeps-client": Mutant(tcp=TcpFault.KEEPS_CLIENT),
        "outlives-allocation": Mutant(tcp=TcpFault.OUTLIVES_ALLOCATION),
    },
    "TURN-TCP-18": {
        "without-credentials": with_success(
            lambda q, a: q.method == Method.CONNECTION_BIND and Attr.NONCE not in q.types
        ),
        "any-password": _with_any_password(),
        "any-user": _of_any_user(),
    },
    "TURN-TCP-19": {
        "spoils-what-it-held-back": Mutant(tcp=TcpFault.SPOILS_MUCH_TO_CLIENTS),
        "no-bound": Mutant(tcp=TcpFault.HAS_NO_BOUND),
    },
}

OPEN: dict[str, str] = {}

SETUPS = {row_id: Setup(options={"tcp_relay": True}) for row_id in MUTANTS}
