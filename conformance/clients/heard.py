"""What the client under test has sent."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Final

from conformance.codes import HEADER_BYTES, MAGIC_COOKIE, Attr, Class, Method
from conformance.outcome import ConformanceError, Mark
from conformance.reading import ReceivedChannelData, ReceivedMessage, read_xor_address
from transport import DecodeError, Path, TransportAddress

MAX_UNFRAMED_BYTES: Final = 1 << 17
"""Of a stream, that wait for the rest of their message: more than the longest one has."""


@dataclasses.dataclass(frozen=True, slots=True)
class Heard:
    """A datagram, or a message of a stream. ``at`` is in the machine's time.

    Of ``message`` and ``channel`` one is there, or none where it is neither STUN nor
    ChannelData.
    """

    at: float
    path: Path
    data: bytes
    message: ReceivedMessage | None = None
    channel: ReceivedChannelData | None = None

    @classmethod
    def of(cls, at: float, path: Path, data: bytes) -> Heard:
        try:
            if data and data[0] < 4:
                return cls(at, path, data, message=ReceivedMessage.parse(data))
            return cls(at, path, data, channel=_channel_data(data))
        except DecodeError:
            return cls(at, path, data)

    @property
    def is_request(self) -> bool:
        return self.message is not None and self.message.message_class is Class.REQUEST

    @property
    def method(self) -> int | None:
        return None if self.message is None else self.message.method

    @property
    def transaction_id(self) -> bytes | None:
        return None if self.message is None else self.message.transaction_id

    @property
    def is_signed(self) -> bool:
        """Whether it carries an integrity attribute, right or wrong."""
        types = () if self.message is None else self.message.types
        return Attr.MESSAGE_INTEGRITY in types or Attr.MESSAGE_INTEGRITY_SHA256 in types

    @property
    def lifetime(self) -> int | None:
        return None if self.message is None else self.message.number(Attr.LIFETIME)

    @property
    def is_deletion(self) -> bool:
        """Whether it asks for the end of an allocation (RFC 8656 section 8)."""
        return self.is_request and self.method == Method.REFRESH and self.lifetime == 0

    @property
    def peers(self) -> list[TransportAddress]:
        """Those of XOR-PEER-ADDRESS, without what cannot be read."""
        found = []
        if self.message is not None:
            for attribute in self.message.attributes:
                if attribute.type == Attr.XOR_PEER_ADDRESS:
                    found.append(self._peer(attribute.value))
        return [each for each in found if each is not None]

    def _peer(self, value: bytes) -> TransportAddress | None:
        assert self.message is not None
        try:
            return read_xor_address(value, self.message.transaction_id)
        except DecodeError:
            return None

    def opens_a_path(self) -> bool:
        """Whether a client may begin with it; other messages are those of an earlier script's."""
        if self.message is None:
            return False
        first = {Method.BINDING, Method.ALLOCATE, Method.CONNECTION_BIND}
        return self.message.method in first or Attr.MOBILITY_TICKET in self.message.types


def _channel_data(data: bytes) -> ReceivedChannelData:
    """Also with the numbers that RFC 5766 had beyond those of RFC 8656: TURNC-CHAN-01 is
    about these alone.

    Raises:
        DecodeError: it is no ChannelData.
    """
    if not data or not 0x50 <= data[0] <= 0x7F:
        return ReceivedChannelData.parse(data)
    found = ReceivedChannelData.parse(b"\x40" + data[1:])
    return dataclasses.replace(found, number=int.from_bytes(data[:2], "big"))


class Unframed(ConformanceError):
    """A stream has something that is no message."""


class StreamReader:
    """Finds messages in a stream (RFC 8489 section 6.2.2, RFC 8656 section 12.5)."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def push(self, data: bytes) -> list[bytes]:
        """The messages that are whole now.

        Raises:
            Unframed: what comes is none.
        """
        self._buffer += data
        found = []
        while (size := self._size()) is not None and len(self._buffer) >= size:
            found.append(bytes(self._buffer[:size]))
            del self._buffer[:size]
        if len(self._buffer) > MAX_UNFRAMED_BYTES:
            raise Unframed("a message without an end")
        return found

    def _size(self) -> int | None:
        if len(self._buffer) < 4:
            return None
        length = int.from_bytes(self._buffer[2:4], "big")
        if self._buffer[0] < 4:
            if len(self._buffer) >= 8 and self._buffer[4:8] != MAGIC_COOKIE.to_bytes(4, "big"):
                raise Unframed("a message without the magic cookie")
            return HEADER_BYTES + length
        if 0x40 <= self._buffer[0] <= 0x7F:
            return 4 + length + -length % 4
        raise Unframed(f"a message that begins with {self._buffer[0]}")


def message_of(heard: Heard) -> ReceivedMessage:
    """Its STUN message, where it is known to be one."""
    assert heard.message is not None
    return heard.message


def channel_of(heard: Heard) -> int | None:
    """The number that a ChannelBind request has."""
    value = message_of(heard).get(Attr.CHANNEL_NUMBER)
    return None if value is None or len(value) < 2 else int.from_bytes(value[:2], "big")


def is_request(method: int, *, signed: bool = True) -> Callable[[Heard], bool]:
    """For ``Stage.seek``."""

    def wanted(heard: Heard) -> bool:
        return heard.is_request and heard.method == method and (heard.is_signed or not signed)

    return wanted


def whole(heard: Heard) -> Mark:
    """All of a message."""
    return Mark(heard.data, 0, len(heard.data))
