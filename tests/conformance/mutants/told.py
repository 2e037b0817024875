"""Rows that nothing breaks: servers that each says another thing of."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Final

from conformance.building import MessageBuilder, xor_address
from conformance.codes import MAGIC_COOKIE, Attr, Class, Method
from conformance.reading import ReceivedMessage

from .changing import (
    is_error,
    is_success,
    parsed,
    where,
    with_error,
    with_more,
    with_success,
    with_value,
    without,
)
from .mutant import USERS, Mutant, edited, key_of
from .natb import ALTERNATE
from .stuns_ltc import NONCE, grant_instead
from .stuns_tcp import SERVER_HELLO
from .turn_ip import Unreachable


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """A server, and part of what a row says of it."""

    server: Mutant
    detail: str


RIGHT: Final = Mutant()
_SOFTWARE = (Attr.SOFTWARE, b"server 1.0")
_EXPEDITED: Final = 46 << 2


def _taking(when: Callable[[ReceivedMessage], bool], change: Callable[[bytes], bytes]) -> Mutant:
    def take(data: bytes) -> bytes:
        message = parsed(data)
        return change(data) if message is not None and when(message) else data

    return Mutant(take=take)


def _without_what_is_behind(data: bytes) -> bytes:
    """A message without what is behind its end."""
    is_binding = data[:2] == b"\x00\x01"
    return data[: 20 + int.from_bytes(data[2:4], "big")] if is_binding else data


def _with_the_last_lifetime(data: bytes) -> bytes:
    message = ReceivedMessage.parse(data)
    last = message.get_all(Attr.LIFETIME)[-1]
    return edited(message, message, drop=[Attr.LIFETIME], add=[(Attr.LIFETIME, last)])


def _without_fingerprint(data: bytes) -> bytes:
    """A Binding request without FINGERPRINT, and what is behind it."""
    message = ReceivedMessage.parse(data)
    return MessageBuilder(Method.BINDING, Class.REQUEST, message.transaction_id).build()


def _refuses_classic(data: bytes) -> bytes | None:
    if data[4:8] == MAGIC_COOKIE.to_bytes(4, "big"):
        return None
    cookie = int.from_bytes(data[4:8], "big")
    builder = MessageBuilder(Method.BINDING, Class.ERROR, data[8:20], cookie=cookie)
    return builder.add(Attr.ERROR_CODE, bytes([0, 0, 4, 0])).build()


def _signed(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    builder = MessageBuilder(response.method, response.message_class, response.transaction_id)
    for each in response.attributes:
        builder.add(each.type, each.value)
    return builder.add_integrity_sha256(key_of(request, sha256=True)).build()


def _is_signed_binding(request: ReceivedMessage, _: ReceivedMessage) -> bool:
    return request.method == Method.BINDING and Attr.NONCE in request.types


def _is_change(request: ReceivedMessage, _: ReceivedMessage) -> bool:
    return Attr.CHANGE_REQUEST in request.types


def _of_nobody(request: ReceivedMessage, response: ReceivedMessage) -> bool:
    return response.error_code == 401 and request.text(Attr.USERNAME) not in (None, *USERS)


def _is_stale(request: ReceivedMessage, response: ReceivedMessage) -> bool:
    return request.get(Attr.NONCE) == b"stale" and response.error_code == 401


def _is_dual(request: ReceivedMessage, response: ReceivedMessage) -> bool:
    is_meant = Attr.ADDITIONAL_ADDRESS_FAMILY in request.types
    return is_meant and is_success(Method.ALLOCATE)(request, response)


def _moving(times: int) -> Mutant:
    """Knows no ticket after so many moves."""
    used: set[bytes | None] = set()

    def take(data: bytes) -> bytes:
        message = parsed(data)
        ticket = None if message is None else message.get(Attr.MOBILITY_TICKET)
        if message is None or message.method != Method.REFRESH or not ticket:
            return data
        used.add(ticket)
        if len(used) <= times:
            return data
        return edited(message, message, change={Attr.MOBILITY_TICKET: b"unknown"})

    return Mutant(take=take)


def _icmp(value: bytes, *more: tuple[int, bytes]) -> Mutant:
    return Mutant(reply=Unreachable(value, *more))


_NO_ICMP = Mutant(reply=lambda _: None)

_ZEROS_AT_THE_END: Final = bytes([0, 0, 4, 20]) + b"Unknown Attribute\0\0\0"

TOLD: Mapping[str, Mapping[str, Told]] = {
    "COD-HDR-06": {
        "drops": Told(RIGHT, "is dropped"),
        "passes-over": Told(Mutant(take=_without_what_is_behind), "all of [1, 3, 4, 8] bytes"),
    },
    "COD-TXT-07": {
        "zeros-at-the-end": Told(
            with_value(is_error(420), Attr.ERROR_CODE, _ZEROS_AT_THE_END), "3 zero bytes"
        ),
    },
    "COD-ATTR-04": {
        "the-first": Told(RIGHT, "the first counts"),
        "the-last": Told(
            _taking(lambda each: len(each.get_all(Attr.LIFETIME)) > 1, _with_the_last_lifetime),
            "the last counts",
        ),
        "neither": Told(Mutant(options={"max_lifetime": 600}), "the server makes 600"),
    },
    "COD-ATTR-11": {
        "drops": Told(RIGHT, "is met with silence"),
        "passes-over": Told(
            _taking(
                lambda each: Attr.FINGERPRINT in each.types[:-1],
                _without_fingerprint,
            ),
            "is met with success",
        ),
    },
    "COD-FP-02": {
        "drops": Told(RIGHT, "is met with silence"),
        "passes-over": Told(
            _taking(lambda each: each.fingerprint_is_right is False, _without_fingerprint),
            "is met with success",
        ),
    },
    "STUNS-BASE-06": {
        "none": Told(RIGHT, "SOFTWARE is not sent"),
        "one": Told(with_more(is_success(Method.BINDING), _SOFTWARE), "SOFTWARE is 'server 1.0'"),
    },
    "STUNS-BASE-13": {
        "silent": Told(RIGHT, "is not answered"),
        "refuses": Told(Mutant(reply=_refuses_classic), "is met with error 400"),
    },
    "STUNS-BASE-15": {
        "not-signed": Told(RIGHT, "success, not signed"),
        "signed": Told(where(_is_signed_binding, _signed), "success, signed"),
        "refuses": Told(with_error(_is_signed_binding, 400), "error 400, not signed"),
    },
    "STUNS-TCP-05": {
        "closes": Told(RIGHT, "closed after 60 s"),
        "closes-sooner": Told(Mutant(clock=2.0), "closed after 30 s"),
        "waits": Told(Mutant(clock=0.2), "still open"),
    },
    "STUNS-TCP-10": {
        "asks-for-a-cookie": Told(RIGHT, "handshake messages [3]"),
        "does-not": Told(
            Mutant(reply=lambda data: SERVER_HELLO if data[:1] == b"\x16" else None),
            "handshake messages [2]",
        ),
    },
    "STUNS-LTC-12": {"the-nonce-first": Told(with_error(_is_stale, 438), "error 438")},
    "STUNS-LTC-18": {
        "one-for-all": Told(with_value(is_error(401), Attr.NONCE, NONCE), "the same NONCE")
    },
    "NATB-10": {
        "unknown": Told(RIGHT, "error 420"),
        "passes-over": Told(
            with_success(
                _is_change,
                (Attr.XOR_MAPPED_ADDRESS, xor_address(ALTERNATE, bytes(12))),
            ),
            "success",
        ),
    },
    "NATB-11": {
        "reflects": Told(Mutant(options={"nat_discovery": True}), "RESPONSE-PORT"),
        "has-two-addresses": Told(
            Mutant(options={"nat_discovery": True, "alternate_address": ALTERNATE}),
            "OTHER-ADDRESS in responses",
        ),
    },
    "TURN-GEN-07": {
        "none": Told(RIGHT, "SOFTWARE is not sent"),
        "in-one": Told(
            with_more(is_success(Method.REFRESH), _SOFTWARE),
            "SOFTWARE of Refresh: 'server 1.0'",
        ),
        "in-both": Told(
            with_more(lambda _, a: a.message_class is Class.SUCCESS, _SOFTWARE),
            "SOFTWARE of Allocate: 'server 1.0', Refresh: 'server 1.0'",
        ),
    },
    "TURN-GEN-09": {
        "50": Told(RIGHT, "error 486 after 50 allocations"),
        "4": Told(Mutant(options={"quota_per_id": 4}), "error 486 after 4 allocations"),
        "none": Told(Mutant(options={"quota_per_id": 100}), "no limit within 64 allocations"),
    },
    "TURN-ALLOC-16": {
        "in-part": Told(RIGHT, "IPv4 and ADDRESS-ERROR-CODE 440"),
        "in-part-and-silent": Told(
            without(_is_dual, Attr.ADDRESS_ERROR_CODE), "IPv4 and no ADDRESS-ERROR-CODE"
        ),
        "not-at-all": Told(with_error(_is_dual, 440), "is met with error 440"),
    },
    "TURN-SEND-06": {
        "sends": Told(RIGHT, "it is relayed; the DF bit cannot be seen"),
    },
    "TURN-IP-01": {
        "best-effort": Told(RIGHT, "0 as 0, 46 as 0 to the peer"),
        "expedited": Told(Mutant(tos=_EXPEDITED), "0 as 46, 46 as 46 to the peer"),
    },
    "TURN-ICMP-01": {
        "in-7-and-9-bits": Told(RIGHT, "ICMP type 3 code 3 (in 7 and 9 bits)"),
        "in-8-and-8-bits": Told(
            _icmp(b"\0\0\x03\x03\0\0\0\0"), "ICMP type 3 code 3 (in 8 and 8 bits)"
        ),
        "beside-data": Told(_icmp(bytes(8), (Attr.DATA, b"lost")), " and DATA"),
        "not-at-all": Told(_NO_ICMP, "brings no Data indication"),
    },
    "TURN-ICMP-04": {
        "zeros": Told(RIGHT, "8 bytes: Reserved 0000, Error Data 00000000"),
        "others": Told(_icmp(b"\0\1\6\3\0\0\0\5"), "8 bytes: Reserved 0001, Error Data 00000005"),
        "short": Told(_icmp(b"\0\0\6\3"), "4 bytes: "),
        "not-at-all": Told(_NO_ICMP, "brings no Data indication"),
    },
    "TURN-ICMP-05": {
        "tells": Told(RIGHT, "a Data indication with ICMP type 3 code 3"),
        "does-not": Told(_NO_ICMP, "brings no Data indication"),
    },
    "TURN-MOB-09": {
        "10-moves": Told(RIGHT, "10 moves at once, then error 508"),
        "3-moves": Told(_moving(3), "3 moves at once, then error 400"),
    },
    "STUNS-TCP-11": {
        "agrees": Told(RIGHT, "stun.turn is agreed on, stun.nat-discovery is agreed on"),
        "knows-one": Told(Mutant(protocols=("stun.turn",)), "stun.nat-discovery is not agreed on"),
    },
    "SEC-08": {
        "none": Told(RIGHT, "no port is refused"),
        "one": Told(
            Mutant(options={"deny_peer_ports": (range(25, 26),)}), "refused ports: 25 (SMTP)"
        ),
    },
    "SEC-12": {"takes-it": Told(grant_instead(438), "is met with success")},
    "SEC-20": {
        "the-same": Told(RIGHT, "the same answers"),
        "others": Told(with_error(_of_nobody, 404), "404 in "),
        "longer-ones": Told(with_more(_of_nobody, _SOFTWARE), "other answers"),
    },
    "SEC-24": {
        "lives-on": Told(RIGHT, "success"),
        "ends": Told(Mutant(options={"strict_expiry": True}), "error 401"),
    },
}
"""Id of a row -> how a server is -> that server, and what is told of it."""
