"""Requests for channels, and servers that bind them or grant permissions, and carry no data
for them."""

from __future__ import annotations

from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage

from .mutant import Mutant
from .relaying import is_signed, parsed

BIND = Method.CHANNEL_BIND


def bind_of(data: bytes) -> ReceivedMessage | None:
    """The ChannelBind that it is, or None."""
    message = parsed(data)
    if message is None or message.method != BIND or message.message_class is not Class.REQUEST:
        return None
    return message


def number_of(message: ReceivedMessage) -> int:
    value = message.get(Attr.CHANNEL_NUMBER)
    return 0 if value is None else int.from_bytes(value[:2], "big")


def forgetting_channels() -> Mutant:
    """A number that is bound for a second time, to whomever, leads nowhere."""
    bound: dict[tuple[bytes, bytes], int] = {}  # by the nonce, which each 5-tuple has of its own
    lost: set[bytes] = set()

    def take(data: bytes) -> bytes | None:
        message = parsed(data)
        if message is None:
            return None if data[:2] in lost else data
        number, nonce = message.get(Attr.CHANNEL_NUMBER), message.get(Attr.NONCE)
        if message.method == Method.CHANNEL_BIND and number is not None and is_signed(message):
            known = (nonce or b"", number[:2])
            bound[known] = bound.get(known, 0) + 1
            if bound[known] > 1:
                lost.add(number[:2])
        return data

    return Mutant(take=take)


def permitting_to_hear() -> Mutant:
    """What a channel permits is not permitted to Send indications."""
    is_permitted = False

    def take(data: bytes) -> bytes | None:
        nonlocal is_permitted
        message = parsed(data)
        if message is None:
            return data
        is_permitted = is_permitted or message.method == Method.CREATE_PERMISSION
        return None if message.method == Method.SEND and not is_permitted else data

    return Mutant(take=take)


def sending_to_ports() -> Mutant:
    """Send indications go to the port alone that a permission names."""
    named = 0

    def take(data: bytes) -> bytes | None:
        nonlocal named
        message = parsed(data)
        if message is None:
            return data
        peer = message.xor_address(Attr.XOR_PEER_ADDRESS)
        if peer is None:
            return data
        if message.method == Method.CREATE_PERMISSION:
            named = peer.port
        return None if message.method == Method.SEND and peer.port != named else data

    return Mutant(take=take)
