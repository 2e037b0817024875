"""How a client is broken: by what of it arrives, and by what it hears."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping

from conformance.building import MessageBuilder, md5_key, sha256_key
from conformance.clients import Settings
from conformance.codes import Attr, Class
from conformance.reading import ReceivedMessage
from transport import DecodeError

from .actors import Manners

SETTINGS = Settings()
SHA256 = bytes.fromhex("00020000")
SIGNED = {Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256, Attr.FINGERPRINT}

Sent = Iterable[tuple[float, bytes]]
"""What is sent, and how many seconds later."""


@dataclasses.dataclass
class Mutant:
    """What goes between a right client and the script; the rest is what its driver does wrong.

    Something of what ``hears`` has seen may be answered at once: ``replies``. ``ends`` is for
    those that are gone early; it says whether they succeeded, if they tell.
    """

    sends: Callable[[bytes, float], Sent] = lambda data, now: [(0.0, data)]
    hears: Callable[[bytes], Iterable[bytes]] = lambda data: [data]
    replies: list[tuple[float, bytes]] = dataclasses.field(default_factory=list)
    ends: list[bool | None] = dataclasses.field(default_factory=list)
    manners: Manners = dataclasses.field(default_factory=Manners)
    ignores_icmp: bool = False
    ignores_resets: bool = False
    takes_any_source: Callable[[bytes], bool] = lambda data: False
    takes_segments_whole: bool = False
    takes_one_message_a_segment: bool = False
    never_reconnects: bool = False
    closes_after: float | None = None


def read(data: bytes) -> ReceivedMessage | None:
    """The message, if it is STUN."""
    try:
        return ReceivedMessage.parse(data) if data and data[0] < 4 else None
    except DecodeError:
        return None


def key_of(message: ReceivedMessage) -> bytes:
    """With which the user signs such a message."""
    user, realm = SETTINGS.user, message.text(Attr.REALM)
    if realm is None:
        return user.password.encode()
    make = sha256_key if message.get(Attr.PASSWORD_ALGORITHM) == SHA256 else md5_key
    return make(user.username, realm, user.password)


def edited(
    message: ReceivedMessage,
    *,
    drop: Iterable[int] = (),
    change: Mapping[int, bytes] | None = None,
    add: Iterable[tuple[int, bytes]] = (),
    transaction_id: bytes | None = None,
    sign: Iterable[int] | None = None,
    key: bytes | None = None,
) -> bytes:
    """A message with some things changed, signed anew as before, or with ``sign``."""
    dropped, changed = set(drop), dict(change or {})
    builder = MessageBuilder(
        message.method,
        message.message_class,
        message.transaction_id if transaction_id is None else transaction_id,
    )
    for each in message.attributes:
        if each.type not in dropped | SIGNED:
            builder.add(each.type, changed.get(each.type, each.value))
    for kind, value in add:
        builder.add(kind, value)
    signed = set(message.types) & SIGNED - dropped if sign is None else set(sign)
    with_key = key_of(message) if key is None else key
    if Attr.MESSAGE_INTEGRITY in signed:
        builder.add_integrity(with_key)
    if Attr.MESSAGE_INTEGRITY_SHA256 in signed:
        builder.add_integrity_sha256(with_key)
    if Attr.FINGERPRINT in signed:
        builder.add_fingerprint()
    return builder.build()


SHA256_KEY = sha256_key(SETTINGS.user.username, SETTINGS.realm, SETTINGS.user.password)
LONG_TERM_KEY = md5_key(SETTINGS.user.username, SETTINGS.realm, SETTINGS.user.password)


def as_method(
    message: ReceivedMessage,
    method: int,
    *,
    transaction_id: bytes | None = None,
    add: Iterable[tuple[int, bytes]] = (),
    drop: Iterable[int] = (),
) -> bytes:
    """A request of another method, signed as this one."""
    other = dataclasses.replace(message, method=method)
    return edited(other, transaction_id=transaction_id, add=add, drop=drop, key=LONG_TERM_KEY)


def is_signed(message: ReceivedMessage) -> bool:
    return bool(set(message.types) & {Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256})


def request_of(data: bytes, *methods: int) -> ReceivedMessage | None:
    """The request, if it is one of these methods (or any)."""
    message = read(data)
    if message is None or message.message_class is not Class.REQUEST:
        return None
    return message if not methods or message.method in methods else None


def response_of(data: bytes, *methods: int, error: int | None = None) -> ReceivedMessage | None:
    """The response, if it is one of these methods (or any), and an error with that code."""
    message = read(data)
    if message is None or message.message_class not in (Class.SUCCESS, Class.ERROR):
        return None
    if (methods and message.method not in methods) or message.error_code != error:
        return None
    return message
