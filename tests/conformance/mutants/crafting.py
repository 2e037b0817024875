"""Answers made from nothing, and a server that odd messages end."""

from __future__ import annotations

from conformance.building import MessageBuilder, xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import TransportAddress

from .changing import parsed

SOMEWHERE = TransportAddress.parse("192.0.2.2", 9)
ERROR_400 = bytes([0, 0, 4, 0])


def success(transaction_id: bytes, method: int = Method.BINDING) -> bytes:
    """An answer as to Binding."""
    builder = MessageBuilder(method, Class.SUCCESS, transaction_id)
    return builder.add(Attr.XOR_MAPPED_ADDRESS, xor_address(SOMEWHERE, transaction_id)).build()


def is_binding(data: bytes) -> bool:
    """Whether it begins as a Binding request does."""
    return len(data) >= 20 and data[:2] == b"\x00\x01"


def refusal(request: ReceivedMessage, value: bytes) -> bytes:
    """An error without integrity; ``value`` is that of ERROR-CODE."""
    builder = MessageBuilder(request.method, Class.ERROR, request.transaction_id)
    return builder.add(Attr.ERROR_CODE, value).build()


class Crashing:
    """Says nothing more after a message with something behind its end, or its FINGERPRINT."""

    def __init__(self) -> None:
        self._is_dead = False

    def __call__(self, data: bytes) -> bytes | None:
        self._is_dead = self._is_dead or self._is_fatal(data)
        return None if self._is_dead else data

    def _is_fatal(self, data: bytes) -> bool:
        message = parsed(data)
        if message is None:
            return is_binding(data)
        return Attr.FINGERPRINT in message.types and message.types[-1] != Attr.FINGERPRINT
