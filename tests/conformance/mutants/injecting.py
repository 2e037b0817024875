"""Servers that do on their own what a client has not asked for: requests put in before data."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from conformance.building import MessageBuilder, u32, xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import DecodeError, Path, TransportAddress

from .mutant import Inject, key_of

_IDENTITY = (
    Attr.USERNAME,
    Attr.REALM,
    Attr.NONCE,
    Attr.PASSWORD_ALGORITHMS,
    Attr.PASSWORD_ALGORITHM,
)
_PEER = TransportAddress.parse("192.0.2.2", 0)
_IDS = itertools.count(1)


class Injector:
    """Knows who has signed what, and which answers nobody waits for."""

    def __init__(self) -> None:
        self._signed: dict[Path, ReceivedMessage] = {}
        self._injected: set[bytes] = set()

    @property
    def clients(self) -> Sequence[Path]:
        """Who has signed something."""
        return tuple(self._signed)

    def remember(self, data: bytes, path: Path) -> None:
        try:
            message = ReceivedMessage.parse(data)
        except DecodeError:
            return
        if message.message_class is Class.REQUEST and Attr.NONCE in message.types:
            self._signed[path] = message

    def request(self, inject: Inject, data: bytes, path: Path) -> bytes | None:
        signed = self._signed.get(path)
        request = None if signed is None else inject(data, signed)
        if request is not None:
            self._injected.add(request[8:20])
        return request

    def is_answer(self, data: bytes) -> bool:
        return data[8:20] in self._injected


def request_like(
    signed: ReceivedMessage, method: Method, *attributes: tuple[int, bytes], peer: bool = False
) -> bytes:
    """A request of whoever has signed that one; about the harness's host, with ``peer``."""
    builder = MessageBuilder(method, Class.REQUEST, b"injected" + next(_IDS).to_bytes(4, "big"))
    for kind, value in attributes:
        builder.add(kind, value)
    if peer:
        builder.add(Attr.XOR_PEER_ADDRESS, xor_address(_PEER, builder.transaction_id))
    for kind in _IDENTITY:
        value_of = signed.get(kind)
        if value_of is not None:
            builder.add(kind, value_of)
    if Attr.MESSAGE_INTEGRITY_SHA256 in signed.types:
        return builder.add_integrity_sha256(key_of(signed, sha256=True)).build()
    return builder.add_integrity(key_of(signed, sha256=False)).build()


def is_data(data: bytes) -> bool:
    """Whether a client's message is a Send indication or ChannelData."""
    return data[0] >= 0x40 or data[:2] == b"\x00\x16"


def permission(_: bytes, signed: ReceivedMessage) -> bytes:
    """A permission for the harness's host."""
    return request_like(signed, Method.CREATE_PERMISSION, peer=True)


def permission_at_data(data: bytes, signed: ReceivedMessage) -> bytes | None:
    """The same where a client sends data."""
    return permission(data, signed) if is_data(data) else None


def refresh_at_data(data: bytes, signed: ReceivedMessage) -> bytes | None:
    """A Refresh where a client sends data."""
    if not is_data(data):
        return None
    return request_like(signed, Method.REFRESH, (Attr.LIFETIME, u32(600)))
