"""What breaks the rows of TURN-REFR."""

from __future__ import annotations

import dataclasses

from conformance.building import one_byte, u32, xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import DecodeError, TransportAddress

from .changing import failing, is_error, is_success, once, with_error, with_success, without
from .injecting import refresh_at_data, request_like
from .mutant import Answer, Mutant, Setup, edited, only

HARNESS = TransportAddress.parse("192.0.2.2", 9)
ERROR_400, ERROR_401, ERROR_437, ERROR_441 = (bytes([0, 0, 4, each]) for each in (0, 1, 37, 41))


def _refresh(data: bytes) -> ReceivedMessage | None:
    """The Refresh that it is, or None."""
    try:
        message = ReceivedMessage.parse(data)
    except DecodeError:
        return None
    return message if message.method == Method.REFRESH else None


def _is_deletion(message: ReceivedMessage) -> bool:
    return message.number(Attr.LIFETIME) == 0


def _keep(data: bytes) -> bytes:
    """Deletes nothing."""
    message = _refresh(data)
    if message is None or not _is_deletion(message):
        return data
    return edited(message, message, change={Attr.LIFETIME: u32(600)})


def _ignore_family(data: bytes) -> bytes:
    message = _refresh(data)
    if message is None:
        return data
    return edited(message, message, drop=[Attr.REQUESTED_ADDRESS_FAMILY])


def _delete_ipv4_alone(data: bytes) -> bytes:
    message = _refresh(data)
    if message is None or not _is_deletion(message) or len(message.types) < 2:
        return data
    if Attr.REQUESTED_ADDRESS_FAMILY in message.types:
        return data
    return edited(message, message, add=[(Attr.REQUESTED_ADDRESS_FAMILY, one_byte(1))])


def _lifetime(seconds: int, *, asked: int | None) -> Mutant:
    """Says another lifetime than the right one, where the client has asked for that."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if response.message_class is Class.ERROR or request.number(Attr.LIFETIME) != asked:
            return response.data
        return edited(response, request, change={Attr.LIFETIME: u32(seconds)})

    return Mutant(only(Method.REFRESH, change))


def _instead_of(code: int, value: bytes) -> Answer:
    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if response.error_code != code:
            return response.data
        return edited(response, request, change={Attr.ERROR_CODE: value})

    return only(Method.REFRESH, change)


def _granted_instead(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if response.message_class is not Class.ERROR or Attr.NONCE in response.types:
        return response.data
    return edited(
        response,
        request,
        message_class=Class.SUCCESS,
        drop=[Attr.ERROR_CODE],
        add=[(Attr.LIFETIME, request.get(Attr.LIFETIME) or u32(600))],
    )


def _deleted_by_another(data: bytes, signed: ReceivedMessage) -> bytes | None:
    message = _refresh(data)
    if message is None or message.text(Attr.USERNAME) != "bob":
        return None
    return request_like(signed, Method.REFRESH, (Attr.LIFETIME, u32(0)))


def _mismatch_for_another(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if request.text(Attr.USERNAME) != "bob" or response.error_code != 437:
        return response.data
    return edited(response, request, change={Attr.ERROR_CODE: ERROR_441})


_UNSIGNED = (Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256)


def _deletes(request: ReceivedMessage, response: ReceivedMessage) -> bool:
    """Whether it is the success of a deletion."""
    return is_success(Method.REFRESH)(request, response) and _is_deletion(request)


def _denying() -> Mutant:
    """Says that what was to be deleted is gone."""
    is_gone = False

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        nonlocal is_gone
        if not is_success(Method.REFRESH)(request, response):
            return response.data
        if _is_deletion(request) and not is_gone:
            is_gone = True
            return edited(response, request, change={Attr.LIFETIME: u32(0)})
        return failing(437)(request, response) if is_gone else response.data

    return Mutant(answer)


def _forgetting_peers() -> Mutant:
    """Once one family is deleted, peers of the other are not heard."""
    is_deaf = False

    def take(data: bytes) -> bytes:
        nonlocal is_deaf
        message = _refresh(data)
        is_deaf = is_deaf or (message is not None and _is_deletion(message))
        return data

    return Mutant(take=take, hear=lambda data: None if is_deaf else data)


def _stale_then_400() -> Mutant:
    """A deletion that comes again is met with 438, and 400 behind that."""
    count = 0

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        nonlocal count
        if response.error_code != 437:
            return response.data
        count += 1
        code = bytes([0, 0, 4, 38]) if count == 1 else ERROR_400
        return edited(response, request, change={Attr.ERROR_CODE: code})

    return Mutant(answer)


def _refreshing_nothing() -> Mutant:
    """Says that an allocation lasts longer, and lets it end as it would have ended."""

    def take(data: bytes) -> bytes:
        message = _refresh(data)
        if message is None or _is_deletion(message) or Attr.NONCE not in message.types:
            return data
        peer = xor_address(HARNESS, message.transaction_id)
        drop, add = [Attr.LIFETIME], [(Attr.XOR_PEER_ADDRESS, peer)]
        return edited(message, message, method=Method.CREATE_PERMISSION, drop=drop, add=add)

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        is_granted = response.message_class is Class.SUCCESS
        add = [(Attr.LIFETIME, request.get(Attr.LIFETIME) or u32(600))] if is_granted else []
        return edited(response, request, method=Method.REFRESH, add=add)

    return Mutant(only(Method.REFRESH, answer), take=take)


MUTANTS = {
    "TURN-REFR-01": {
        "refuses": with_error(_deletes, 400),
        "no-lifetime": without(_deletes, Attr.LIFETIME),
        "keeps-relaying": dataclasses.replace(_denying(), take=_keep),
        "keeps-the-5-tuple": once(_deletes, is_success(Method.ALLOCATE), failing(437)),
        "keeps-it": Mutant(take=_keep),
        "keeps-it-and-says-0": Mutant(
            take=_keep,
            answer=lambda q, a: (
                edited(a, q, change={Attr.LIFETIME: u32(0)}) if _is_deletion(q) else a.data
            ),
        ),
        "says-600": _lifetime(600, asked=0),
        "says-400-afterwards": Mutant(_instead_of(437, ERROR_400)),
    },
    "TURN-REFR-02": {
        "refuses": with_error(is_success(Method.REFRESH), 400),
        "no-lifetime": without(is_success(Method.REFRESH), Attr.LIFETIME),
        "refuses-wishes": with_error(lambda q, _: q.number(Attr.LIFETIME) == 60, 400),
        "no-lifetime-for-wishes": without(
            lambda q, _: q.number(Attr.LIFETIME) == 60, Attr.LIFETIME
        ),
        "takes-60": _lifetime(60, asked=60),
        "takes-less-than-the-default": _lifetime(300, asked=3600),
        "gives-more-than-asked": _lifetime(7200, asked=3600),
    },
    "TURN-REFR-03": {
        "refuses": with_error(is_success(Method.REFRESH), 400),
        "no-lifetime": Mutant(
            only(Method.REFRESH, lambda q, a: edited(a, q, drop=[Attr.LIFETIME]))
        ),
        "not-signed": Mutant(
            only(
                Method.REFRESH,
                lambda q, a: (
                    a.data if a.message_class is Class.ERROR else edited(a, q, drop=_UNSIGNED)
                ),
            )
        ),
    },
    "TURN-REFR-04": {
        "refuses-every-family": with_error(
            lambda q, _: Attr.REQUESTED_ADDRESS_FAMILY in q.types, 443
        ),
        "ignores-the-family": Mutant(take=_ignore_family),
        "says-400": Mutant(_instead_of(443, ERROR_400)),
        "says-437": Mutant(_instead_of(443, ERROR_437)),
        "takes-the-third": with_success(
            lambda q, a: (
                is_error(443)(q, a) and q.get(Attr.REQUESTED_ADDRESS_FAMILY) == one_byte(3)
            ),
            (Attr.LIFETIME, u32(600)),
        ),
    },
    "TURN-REFR-05": {
        "refuses": with_error(_deletes, 443),
        "forgets-peers": _forgetting_peers(),
        "deletes-both": Mutant(take=_ignore_family),
        "deletes-none": Mutant(take=_keep),
    },
    "TURN-REFR-06": {
        "refuses": with_error(_deletes, 400),
        "deletes-ipv4-alone": Mutant(take=_delete_ipv4_alone),
    },
    "TURN-REFR-07": {
        "data-refreshes": Mutant(before_take=refresh_at_data),
        "what-peers-send-refreshes": Mutant(
            before_hear=lambda _, signed: request_like(signed, Method.REFRESH)
        ),
    },
    "TURN-REFR-08": {
        "says-400-afterwards": Mutant(_instead_of(437, ERROR_400)),
        "outlives": Mutant(clock=0.5),
        "ends-a-little-early": Mutant(clock=1.03),
        "ends-early": Mutant(clock=2.0),
        "refreshes-nothing": _refreshing_nothing(),
    },
    "TURN-REFR-09": {
        "refuses": with_error(is_success(Method.REFRESH), 400),
        "refuses-to-delete": with_error(_deletes, 400),
        "stale-and-400-then": _stale_then_400(),
        "says-400": Mutant(_instead_of(437, ERROR_400)),
        "says-500": Mutant(_instead_of(437, bytes([0, 0, 5, 0]))),
    },
    "TURN-REFR-10": {
        "lets-anybody": Mutant(only(Method.REFRESH, _granted_instead)),
        "says-401": Mutant(_instead_of(441, ERROR_401)),
        "says-441-and-deletes": Mutant(
            before_take=_deleted_by_another, answer=_mismatch_for_another
        ),
    },
}

OPEN: dict[str, str] = {}

SETUPS: dict[str, Setup] = {}
