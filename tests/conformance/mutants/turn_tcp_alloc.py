"""What breaks the rows of TURN-TCP about allocations (RFC 6062 section 5.1)."""

from __future__ import annotations

from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage

from .changing import code, is_success, parsed, with_error, with_more, without
from .mutant import Mutant, Setup, TcpFault, edited, only
from .relaying import says


def _blind_to(*kinds: int) -> Mutant:
    """Does not see some attributes of Allocate."""

    def take(data: bytes) -> bytes:
        message = parsed(data)
        if (
            message is None
            or message.method != Method.ALLOCATE
            or not set(kinds) & set(message.types)
        ):
            return data
        return edited(message, message, drop=kinds)

    return Mutant(take=take)


def _for_udp(number: int) -> Mutant:
    """Refuses allocations of UDP with this code."""

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        is_udp = (request.get(Attr.REQUESTED_TRANSPORT) or b"")[:1] == b"\x11"
        if not is_udp or response.message_class is not Class.SUCCESS:
            return response.data
        drop = [Attr.XOR_RELAYED_ADDRESS, Attr.LIFETIME]
        add = [(Attr.ERROR_CODE, code(number))]
        return edited(response, request, message_class=Class.ERROR, drop=drop, add=add)

    return Mutant(only(Method.ALLOCATE, answer))


def _taking(protocol: int) -> Mutant:
    """Takes another protocol for UDP."""

    def take(data: bytes) -> bytes:
        message = parsed(data)
        wanted = None if message is None else message.get(Attr.REQUESTED_TRANSPORT)
        if message is None or wanted != bytes([protocol, 0, 0, 0]):
            return data
        return edited(message, message, change={Attr.REQUESTED_TRANSPORT: b"\x11\0\0\0"})

    return Mutant(take=take)


MUTANTS = {
    "TURN-TCP-01": {"unsupported": says(Method.ALLOCATE, 442, 400)},
    "TURN-TCP-03": {
        "refuses": with_error(is_success(Method.ALLOCATE), 442),
        "deaf": Mutant(tcp=TcpFault.DEAF),
        "no-address": without(is_success(Method.ALLOCATE), Attr.XOR_RELAYED_ADDRESS),
    },
    "TURN-TCP-04": {
        "takes-dont-fragment": _blind_to(Attr.DONT_FRAGMENT),
        "takes-even-port": _blind_to(Attr.EVEN_PORT),
        "takes-reservation-token": _blind_to(Attr.RESERVATION_TOKEN),
        "gives-a-token": with_more(is_success(Method.ALLOCATE), (Attr.RESERVATION_TOKEN, bytes(8))),
    },
    "TURN-TCP-05": {
        **{f"takes-{each}": _taking(each) for each in (132, 1, 255, 0)},
        "bad-request": says(Method.ALLOCATE, 400, 442),
        "udp-unsupported": _for_udp(442),
    },
}

OPEN: dict[str, str] = {}

SETUPS = {row_id: Setup(options={"tcp_relay": True}) for row_id in MUTANTS}
