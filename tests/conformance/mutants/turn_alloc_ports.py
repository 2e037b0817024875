"""What breaks the rows of TURN-ALLOC about ports, reservations and quotas."""

from __future__ import annotations

from collections.abc import Callable

from conformance.building import xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import TransportAddress

from .mutant import Mutant, Setup, edited, only
from .turn_gen import ELSEWHERE, error, instead, on_success, refused, succeeding, unfit

FEW_ALLOCATIONS = {"quota_per_id": 4}
FEW_PORTS = {"min_port": 50_000, "max_port": 50_007}


def _port(number: Callable[[ReceivedMessage, int], int]) -> Mutant:
    """Another port in each answer, of the request and the right one."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        right = response.xor_address(Attr.XOR_RELAYED_ADDRESS)
        assert right is not None
        relayed = TransportAddress(right.ip, number(request, right.port))
        value = xor_address(relayed, response.transaction_id)
        return edited(response, request, change={Attr.XOR_RELAYED_ADDRESS: value})

    return on_success(change)


class _Counting:
    """One port after the other; now and then one is in use."""

    def __init__(self, step: int) -> None:
        self._step = step
        self._port = 50_000

    def __call__(self, _request: ReceivedMessage, right: int) -> int:
        self._port += self._step if right % 8 else 2 * self._step
        return self._port


def _odd(request: ReceivedMessage, right: int) -> int:
    return right + 1 if request.get(Attr.EVEN_PORT) == b"\0" else right


def _another(request: ReceivedMessage, right: int) -> int:
    return right + 2 if Attr.RESERVATION_TOKEN in request.types else right


def _elsewhere(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    right = response.xor_address(Attr.XOR_RELAYED_ADDRESS)
    assert right is not None
    if Attr.RESERVATION_TOKEN not in request.types:
        return response.data
    relayed = TransportAddress(ELSEWHERE.ip, right.port)
    value = xor_address(relayed, response.transaction_id)
    return edited(response, request, change={Attr.XOR_RELAYED_ADDRESS: value})


class _UsedTokens:
    """Tokens are good for ever."""

    def __init__(self) -> None:
        self._given: set[bytes] = set()

    def __call__(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        token = request.get(Attr.RESERVATION_TOKEN)
        if token is None:
            return response.data
        if response.message_class is Class.SUCCESS:
            self._given.add(token)
            return response.data
        return succeeding(508)(request, response) or b"" if token in self._given else response.data


class Full:
    """Once something is refused, these methods fail for ever (Binding in silence)."""

    def __init__(self, *methods: int) -> None:
        self._methods = methods
        self._is_full = False

    def __call__(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        if response.error_code in (486, 508):
            self._is_full = True
            return response.data
        if not self._is_full or request.method not in self._methods:
            return response.data
        if request.method == Method.BINDING:
            return None
        if response.message_class is not Class.SUCCESS:
            return response.data
        return unfit(request, response, (Attr.ERROR_CODE, error(486)))


MUTANTS = {
    "TURN-ALLOC-06": {
        "says-508": Mutant(instead(508, 400)),
        "ignores-the-family": Mutant(
            only(
                Method.ALLOCATE,
                lambda q, a: (
                    succeeding(400)(q, a) if Attr.REQUESTED_ADDRESS_FAMILY in q.types else a.data
                ),
            )
        ),
        "ignores-even-port": Mutant(
            only(
                Method.ALLOCATE,
                lambda q, a: instead(508, 400)(q, a) if Attr.EVEN_PORT in q.types else a.data,
            )
        ),
    },
    "TURN-ALLOC-07": {
        "takes-any": Mutant(succeeding(508)),
        "takes-it-twice": Mutant(only(Method.ALLOCATE, _UsedTokens())),
        "says-400": Mutant(instead(400, 508)),
    },
    "TURN-ALLOC-13": {
        "says-500": Mutant(instead(500, 508)),
        "says-400": Mutant(instead(400, 508)),
    },
    "TURN-ALLOC-17": {
        "says-403": Mutant(instead(403, 486)),
        "loses-what-it-has": Mutant(Full(Method.REFRESH)),
    },
    "TURN-ALLOC-18": {"odd": _port(_odd)},
    "TURN-ALLOC-19": {
        "another-port": _port(_another),
        "another-address": on_success(_elsewhere),
        "no-token": on_success(lambda q, a: edited(a, q, drop=[Attr.RESERVATION_TOKEN])),
        "not-held": refused(508, lambda q: Attr.RESERVATION_TOKEN in q.types),
        "odd": _port(lambda q, right: right + 1 if Attr.EVEN_PORT in q.types else right),
    },
    "TURN-ALLOC-20": {
        "not-over-tcp": refused(508, lambda q: Attr.RESERVATION_TOKEN in q.types),
        "another-port": _port(_another),
    },
    "TURN-ALLOC-21": {"well-known": _port(lambda _, right: right % 1024)},
    "TURN-ALLOC-22": {
        "one-by-one": _port(_Counting(1)),
        "two-by-two": _port(_Counting(2)),
        "downwards": _port(_Counting(-1)),
        "always-the-same": _port(lambda _, __: 50_000),
    },
    "TURN-ALLOC-25": {"few": _port(lambda _, right: 50_000 + right % 1000)},
    "TURN-ALLOC-28": {
        "says-500": Mutant(instead(500, 508)),
        "dies": Mutant(Full(Method.BINDING)),
        "loses-what-it-has": Mutant(Full(Method.REFRESH)),
    },
}

OPEN: dict[str, str] = {}

SETUPS = {
    "TURN-ALLOC-13": Setup(options=FEW_PORTS),
    "TURN-ALLOC-17": Setup(options=FEW_ALLOCATIONS),
    "TURN-ALLOC-28": Setup(options=FEW_PORTS),
}
