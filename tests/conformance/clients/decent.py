"""Clients that are right, but not as hairpin's own are: no script may fail them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from conformance.building import MessageBuilder
from conformance.codes import COOKIE_PREFIX, Attr, Class, Method
from conformance.reading import ReceivedMessage

from .actors import Manners
from .mutant import LONG_TERM_KEY, SETTINGS, Mutant, Sent, edited, is_signed, read, request_of

COOKIE = COOKIE_PREFIX.encode()
PLAIN = b"_" + COOKIE[1:]
"""What a client sees that knows no nonce cookie."""


def with_fingerprints() -> Mutant:
    """All its messages have FINGERPRINT."""

    def sends(data: bytes, now: float) -> Sent:
        message = read(data)
        if message is None:
            return [(0.0, data)]
        return [(0.0, _signed(message, with_fingerprint=[Attr.FINGERPRINT]))]

    return Mutant(sends)


def _signed(message: ReceivedMessage, *, with_fingerprint: Iterable[int]) -> bytes:
    signed = {Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256} & set(message.types)
    grant = SETTINGS.grant
    key = grant.mac_key if message.text(Attr.USERNAME) == grant.kid else None
    return edited(message, sign=[*signed, *with_fingerprint], key=key)


def without_fingerprints() -> Mutant:
    def sends(data: bytes, now: float) -> Sent:
        message = read(data)
        if message is None or Attr.FINGERPRINT not in message.types:
            return [(0.0, data)]
        return [(0.0, _signed(message, with_fingerprint=[]))]

    return Mutant(sends)


def of_rfc_5389() -> Mutant:
    """It knows neither password algorithms nor nonce cookies, nor a second integrity."""

    def hears(data: bytes) -> list[bytes]:
        message = read(data)
        if message is None:
            return [data]
        if is_signed(message):  # one that has SHA-256 alone has nothing that it knows
            return [data] if Attr.MESSAGE_INTEGRITY in message.types else []
        nonce = message.get(Attr.NONCE) or b""
        changed: dict[int, bytes] = {}
        if nonce.startswith(COOKIE):
            changed[Attr.NONCE] = PLAIN + nonce[len(COOKIE) :]
        return [edited(message, drop=[Attr.PASSWORD_ALGORITHMS], change=changed)]

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data)
        if message is None or not is_signed(message):
            return [(0.0, data)]
        nonce = message.get(Attr.NONCE) or b""
        if nonce.startswith(PLAIN):
            copy: dict[int, bytes] = {Attr.NONCE: COOKIE + nonce[len(COOKIE) :]}
            return [(0.0, edited(message, change=copy, key=LONG_TERM_KEY))]
        sha1 = [Attr.MESSAGE_INTEGRITY]
        return [(0.0, edited(message, sign=sha1) if Attr.REALM not in message.types else data)]

    return Mutant(sends, hears)


def asks_for_its_address_first() -> Mutant:
    """A Binding request goes before the first request, from the same port."""
    begun: list[bool] = []

    def sends(data: bytes, now: float) -> Sent:
        if begun or request_of(data, Method.ALLOCATE) is None:
            return [(0.0, data)]
        begun.append(True)
        binding = MessageBuilder(Method.BINDING, Class.REQUEST, b"what am I to").build()
        return [(0.0, binding), (0.2, data)]

    return Mutant(sends)


def has_logged_in_before() -> Mutant:
    """Its first request has what an earlier script has told it."""
    begun: list[bytes] = []

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data, Method.ALLOCATE)
        if message is None or (begun and begun[0] != message.transaction_id):
            return [(0.0, data)]
        begun.append(message.transaction_id)
        known = [
            (Attr.USERNAME, b"ann"),
            (Attr.REALM, b"hairpin.test"),
            (Attr.NONCE, b"hairpin-0123456789abcdef"),
        ]
        signed = edited(message, add=known, sign=[Attr.MESSAGE_INTEGRITY], key=LONG_TERM_KEY)
        return [(0.0, signed)]

    return Mutant(sends)


DECENT: Mapping[str, Callable[[], Mutant]] = {
    "rto-1.2-s": lambda: Mutant(manners=Manners(rto=1.2)),
    "rto-3-s": lambda: Mutant(manners=Manners(rto=3.0)),
    "mute": lambda: Mutant(manners=Manners(is_mute=True)),
    "with-fingerprints": with_fingerprints,
    "without-fingerprints": without_fingerprints,
    "of-rfc-5389": of_rfc_5389,
    "begins-again": lambda: Mutant(manners=Manners(begins_again=2.0)),
    "both-families": lambda: Mutant(manners=Manners(both_families=True)),
    "both-families-begin-again": lambda: Mutant(
        manners=Manners(both_families=True, begins_again=2.0)
    ),
    "twins": lambda: Mutant(manners=Manners(twins=True)),
    "asks-for-its-address-first": asks_for_its_address_first,
    "leaves": lambda: Mutant(manners=Manners(leaves=True)),
}

_AT_ONCE = frozenset({"TURNC-ALLOC-04", "TURNC-ALLOC-07", "TURNC-ALLOC-08"})
HASTY: Mapping[str, frozenset[str]] = {
    "begins-again": _AT_ONCE,
    "both-families-begin-again": _AT_ONCE,
}
"""Rows that forbid to begin again after two seconds, by client."""
