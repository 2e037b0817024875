"""What breaks the rows of TURN-ALLOC, but for those about ports and quotas."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from conformance.building import MessageBuilder, u32, xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import TransportAddress

from .changing import When, is_success, losing, silent_where, with_error, with_value, without
from .injecting import permission
from .mutant import Mutant, Setup, edited, only
from .relaying import own, rewritten
from .turn_gen import ELSEWHERE, error, granted, instead, on_success, refused, succeeding, unfit

V4_ALONE = {"relay_addresses": (ipaddress.ip_address("192.0.2.1"),)}
V6_ALONE = {"relay_addresses": (ipaddress.ip_address("2001:db8::1"),)}
ELSEWHERE6 = TransportAddress.parse("2001:db8::99", 50_000)


def _grants(of: int, when: Callable[[ReceivedMessage], bool]) -> Mutant:
    """Success for some of those that are to be refused with an error."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        is_meant = response.error_code == of and when(request)
        return granted(request, response) if is_meant else response.data

    return Mutant(only(Method.ALLOCATE, change))


def _lifetime(grant: Callable[[int | None, int], int]) -> Mutant:
    """Another LIFETIME, of what was asked for and what is right."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        right = response.number(Attr.LIFETIME) or 0
        seconds = u32(grant(request.number(Attr.LIFETIME), right))
        return edited(response, request, change={Attr.LIFETIME: seconds})

    return on_success(change)


def _another_mapped(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    value = xor_address(ELSEWHERE, response.transaction_id)
    return edited(response, request, change={Attr.XOR_MAPPED_ADDRESS: value})


def _ipv6(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    value = xor_address(ELSEWHERE6, response.transaction_id)
    return edited(response, request, change={Attr.XOR_RELAYED_ADDRESS: value})


def _ipv6_without_a_wish(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if Attr.REQUESTED_ADDRESS_FAMILY in request.types:
        return response.data
    return _ipv6(request, response)


def _one_of_two(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if len(response.get_all(Attr.XOR_RELAYED_ADDRESS)) < 2:
        return response.data
    value = xor_address(ELSEWHERE, response.transaction_id)
    add = [(Attr.XOR_RELAYED_ADDRESS, value)]
    return edited(response, request, drop=[Attr.XOR_RELAYED_ADDRESS], add=add)


def _two_of_one_family(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    value = xor_address(ELSEWHERE, response.transaction_id)
    return edited(response, request, change={Attr.XOR_RELAYED_ADDRESS: value})


def _without_df(data: bytes) -> bytes | None:
    """Send indications with DONT-FRAGMENT are dropped, as by a server that knows none."""
    is_send = data[:2] == b"\x00\x16"
    return None if is_send and Attr.DONT_FRAGMENT in ReceivedMessage.parse(data).types else data


def unsupported_dont_fragment(listed: bytes) -> Mutant:
    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if Attr.DONT_FRAGMENT not in request.types:
            return response.data
        add = [(Attr.ERROR_CODE, error(420)), (Attr.UNKNOWN_ATTRIBUTES, listed)]
        return unfit(request, response, *add)

    return on_success(change)


def _is_family_3(request: ReceivedMessage) -> bool:
    return request.get(Attr.REQUESTED_ADDRESS_FAMILY) == bytes([3, 0, 0, 0])


def _is_long(request: ReceivedMessage) -> bool:
    return len(request.get(Attr.REQUESTED_TRANSPORT) or b"") == 8


def _protocol(request: ReceivedMessage) -> int:
    return (request.get(Attr.REQUESTED_TRANSPORT) or b"\0")[0]


class _AnyChannel:
    """Relays ChannelData that is bound to nothing to whoever was permitted last."""

    def __init__(self) -> None:
        self._peer: TransportAddress | None = None

    def __call__(self, data: bytes) -> bytes:
        if 0x40 <= data[0] < 0x50 and self._peer is not None:
            transaction_id = bytes(12)
            builder = MessageBuilder(Method.SEND, Class.INDICATION, transaction_id)
            builder.add(Attr.XOR_PEER_ADDRESS, xor_address(self._peer, transaction_id))
            return builder.add(Attr.DATA, data[4:]).build()
        if data[:2] == b"\x00\x08":
            self._peer = ReceivedMessage.parse(data).xor_address(Attr.XOR_PEER_ADDRESS)
        return data


def _asked(seconds: int) -> When:
    return lambda q, a: is_success(Method.ALLOCATE)(q, a) and q.number(Attr.LIFETIME) == seconds


def _no_port(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    value = xor_address(TransportAddress(ELSEWHERE.ip, 0), response.transaction_id)
    return edited(response, request, change={Attr.XOR_RELAYED_ADDRESS: value})


def _refuses_dont_fragment() -> Mutant:
    """With 420, and without saying what it does not know."""
    return refused(420, lambda q: Attr.DONT_FRAGMENT in q.types)


class _OfTheFirstUser:
    """A 5-tuple is whose name came first there, whether or not anybody has that."""

    def __init__(self) -> None:
        self._names: dict[bytes | None, bytes] = {}

    def __call__(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        name, owner = request.get(Attr.USERNAME), request.get(Attr.NONCE)
        if name is None or request.method != Method.ALLOCATE:
            return response.data
        if self._names.setdefault(owner, name) == name:
            kept = response.get(Attr.NONCE) or owner
            self._names[kept] = name
            return response.data
        return unfit(request, response, (Attr.ERROR_CODE, error(437)))


def _without_lifetime(data: bytes) -> bytes:
    """An Allocate that asks for no lifetime."""
    return rewritten(Method.ALLOCATE, _all_but_lifetime)(data) or data


def _all_but_lifetime(message: ReceivedMessage) -> list[tuple[int, bytes]]:
    return [each for each in own(message) if each[0] != Attr.LIFETIME]


def _less_for_all(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    """Half of the default to who asks for as long as can be; of Refresh, too."""
    seconds = {0xFFFFFFFF: 300, 1800: 600}.get(request.number(Attr.LIFETIME) or 0)
    if seconds is None or response.message_class is Class.ERROR:
        return response.data
    return edited(response, request, change={Attr.LIFETIME: u32(seconds)})


MUTANTS = {
    "TURN-ALLOC-16": {
        "another-code": with_value(
            is_success(Method.ALLOCATE), Attr.ADDRESS_ERROR_CODE, b"\x02\0\4\0"
        ),
        "no-address": without(
            lambda _, a: Attr.ADDRESS_ERROR_CODE in a.types, Attr.XOR_RELAYED_ADDRESS
        ),
    },
    "TURN-ALLOC-01": {
        "says-403": Mutant(instead(403, 401)),
        "silent": Mutant(lambda q, a: None if a.error_code == 401 else a.data),
    },
    "TURN-ALLOC-02": {
        "loses-the-first": losing(437),
        "grants": Mutant(succeeding(437)),
        "says-400": Mutant(instead(400, 437, method=Method.ALLOCATE)),
        "is-the-first-user's": Mutant(_OfTheFirstUser()),
    },
    "TURN-ALLOC-03": {
        "says-442": Mutant(instead(442, 400)),
        "takes-a-long-one": _grants(400, _is_long),
    },
    "TURN-ALLOC-04": {
        "says-400": Mutant(instead(400, 442)),
        "takes-sctp": _grants(442, lambda q: _protocol(q) == 132),
        "takes-tcp": _grants(442, lambda q: _protocol(q) == 6),
    },
    "TURN-ALLOC-05": {
        "lists-nothing": _refuses_dont_fragment(),
        "lists-another": unsupported_dont_fragment(b"\x00\x18"),
        "says-400": refused(400, lambda q: Attr.DONT_FRAGMENT in q.types),
        "drops-what-it-took": Mutant(take=_without_df),
    },
    "TURN-ALLOC-08": {
        "grants": Mutant(succeeding(400)),
        "says-440": Mutant(instead(440, 400)),
    },
    "TURN-ALLOC-09": {
        "gives-ipv6": on_success(_ipv6),
        "takes-the-third": _grants(440, _is_family_3),
        "says-508": Mutant(instead(508, 440), options=V4_ALONE),
    },
    "TURN-ALLOC-10": {
        "wants-a-family": refused(403, lambda q: Attr.REQUESTED_ADDRESS_FAMILY not in q.types),
        "takes-the-clients": on_success(_ipv6_without_a_wish),
    },
    "TURN-ALLOC-11": {
        "gives-ipv6": _grants(440, lambda q: Attr.REQUESTED_ADDRESS_FAMILY not in q.types),
        "says-508": Mutant(
            lambda q, a: (
                a.data if Attr.REQUESTED_ADDRESS_FAMILY in q.types else instead(508, 440)(q, a)
            )
        ),
    },
    "TURN-ALLOC-12": {
        "grants": Mutant(succeeding(400)),
        "says-508": Mutant(instead(508, 400)),
    },
    "TURN-ALLOC-14": {
        "grants": Mutant(succeeding(400)),
        "says-440": Mutant(instead(440, 400)),
    },
    "TURN-ALLOC-15": {
        "both-and-an-error": on_success(
            lambda q, a: edited(a, q, add=[(Attr.ADDRESS_ERROR_CODE, error(440))])
        ),
        "one-address": on_success(_one_of_two),
        "two-of-one-family": on_success(_two_of_one_family),
        "says-440": refused(440, lambda q: Attr.ADDITIONAL_ADDRESS_FAMILY in q.types),
    },
    "TURN-ALLOC-23": {
        "no-lifetime": without(is_success(Method.ALLOCATE), Attr.LIFETIME),
        "no-lifetime-where-asked": without(_asked(10), Attr.LIFETIME),
        "no-lifetime-where-asked-for-all": without(_asked(0xFFFFFFFF), Attr.LIFETIME),
        "no-lifetime-where-asked-for-more": without(_asked(1800), Attr.LIFETIME),
        "refuses-to-choose": refused(400, lambda q: Attr.LIFETIME not in q.types),
        "refuses-short-ones": with_error(_asked(10), 400),
        "refuses-all": with_error(_asked(0xFFFFFFFF), 400),
        "refuses-long-ones": with_error(_asked(1800), 400),
        "zero-by-default": _lifetime(lambda asked, right: 0 if asked is None else right),
        "less-for-all": Mutant(_less_for_all),
        "keeps-short-ones": _lifetime(lambda asked, right: asked if asked == 10 else right),
        "takes-none-as-zero": _lifetime(lambda asked, right: 0 if asked == 0 else right),
        "zero-to-who-asks-for-all": _lifetime(
            lambda asked, right: 0 if asked == 0xFFFFFFFF else right
        ),
        "600-for-all": _lifetime(lambda asked, right: 600 if asked == 1800 else right),
        "600-above-the-greatest": _lifetime(
            lambda asked, right: 600 if asked == 0xFFFFFFFF else right
        ),
        "none-asked": Mutant(take=_without_lifetime),
        "another-default": _lifetime(lambda asked, right: 300 if asked is None else right),
    },
    "TURN-ALLOC-24": {
        "no-port": on_success(_no_port),
        "no-lifetime": on_success(lambda q, a: edited(a, q, drop=[Attr.LIFETIME])),
        "no-mapped-address": on_success(lambda q, a: edited(a, q, drop=[Attr.XOR_MAPPED_ADDRESS])),
        "another-mapped-address": on_success(_another_mapped),
        "no-relayed-address": on_success(
            lambda q, a: edited(a, q, drop=[Attr.XOR_RELAYED_ADDRESS])
        ),
        "not-signed": on_success(
            lambda q, a: edited(a, q, drop=[Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256])
        ),
    },
    "TURN-ALLOC-26": {
        "silent": silent_where(lambda q, _: q.method == Method.ALLOCATE),
        "from-another-port": Mutant(answers_from_elsewhere=True),
    },
    "TURN-ALLOC-27": {
        "echoes": Mutant(reply=lambda data: data if 0x40 <= data[0] < 0x50 else None),
        "permits-all": Mutant(before_hear=permission),
        "binds-all": Mutant(take=_AnyChannel()),
    },
    "TURN-ALLOC-29": {
        "takes-them": Mutant(succeeding(403, method=Method.CHANNEL_BIND)),
    },
}

OPEN = {"TURN-ALLOC-16": "sections 7.2 (7) and (9) say different things"}

SETUPS = {
    "TURN-ALLOC-10": Setup(ipv6=True),
    "TURN-ALLOC-11": Setup(options=V6_ALONE),
    "TURN-ALLOC-16": Setup(options=V4_ALONE),
}
