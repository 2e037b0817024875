"""The ClientHello, as far as a server reads it before it keeps anything (RFC 6347 section
4.2.1), and its fragments (section 4.2.3)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from transport.errors import DecodeError
from transport.reader import ByteReader

from .records import HANDSHAKE, RECORD_HEADER_BYTES, split_records

MAX_HELLO_BYTES = 8192
"""Of a ClientHello that is put together: with a key share of ML-KEM-1024 it has some 2 kB."""

MAX_FRAGMENTS = 64
"""Of one ClientHello: each but the last fills most of a datagram."""

MESSAGE_HEADER_BYTES = 12

_CLIENT_HELLO = 1
_HELLO_VERIFY_REQUEST = 3
_DTLS_1_0 = b"\xfe\xff"
_RANDOM_BYTES = 32
_MAX_SESSION_ID_BYTES = 32


@dataclasses.dataclass(frozen=True, slots=True)
class HelloFragment:
    """A piece of a ClientHello, or all of it, from an unencrypted record."""

    record_sequence: bytes
    message_sequence: bytes
    length: int
    """Of the whole message."""
    offset: int
    data: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class HelloStart:
    """What the first fragment says. ``parameters`` are what the client has to repeat with
    the cookie; of those that follow the cookie, a fragment may lack some."""

    parameters: bytes
    cookie: bytes


def begins_handshake(datagram: bytes) -> bool:
    """Whether it looks like the first of a handshake: a ClientHello in epoch 0."""
    return (
        len(datagram) > RECORD_HEADER_BYTES + MESSAGE_HEADER_BYTES
        and datagram[0] == HANDSHAKE
        and datagram[3:5] == b"\0\0"
        and datagram[RECORD_HEADER_BYTES] == _CLIENT_HELLO
    )


def hello_fragments(datagram: bytes) -> Iterator[HelloFragment]:
    """Those of a datagram; a record may hold several.

    Raises:
        DecodeError: something else is in it, or a length is wrong.
    """
    for record in split_records(datagram):
        if not begins_handshake(record):
            raise DecodeError("ClientHello", "another record")
        reader = ByteReader(record, "ClientHello")
        reader.skip(5)
        sequence = reader.take(6)
        if reader.uint16() != reader.remaining:
            raise DecodeError("ClientHello", "length of the record")
        while reader.remaining:
            yield _fragment(reader, sequence)


def _fragment(reader: ByteReader, record_sequence: bytes) -> HelloFragment:
    if reader.uint8() != _CLIENT_HELLO:
        raise DecodeError("ClientHello", "another message")
    length = reader.uint24()
    message_sequence = reader.take(2)
    offset, size = reader.uint24(), reader.uint24()
    if offset + size > length:
        raise DecodeError("ClientHello", f"{size} bytes at {offset} of {length}")
    return HelloFragment(record_sequence, message_sequence, length, offset, reader.take(size))


def read_start(fragment: HelloFragment) -> HelloStart:
    """What the first fragment of a ClientHello says.

    Raises:
        DecodeError: it is not the first, or ends before the cookie does.
    """
    if fragment.offset:
        raise DecodeError("ClientHello", "not its first fragment")
    reader = ByteReader(fragment.data, "ClientHello")
    parameters = reader.take(2 + _RANDOM_BYTES)
    session_id = reader.take(reader.uint8())
    if len(session_id) > _MAX_SESSION_ID_BYTES:
        raise DecodeError("ClientHello", "session id")
    return HelloStart(parameters + session_id, reader.take(reader.uint8()))


def hello_verify_request(record_sequence: bytes, cookie: bytes) -> bytes:
    """The answer that asks for the cookie.

    It is numbered as the ClientHello is, which may have been sent several times. The
    version is 1.0, whatever is negotiated later.
    """
    body = _DTLS_1_0 + len(cookie).to_bytes(1) + cookie
    size = len(body).to_bytes(3)
    message = _HELLO_VERIFY_REQUEST.to_bytes(1) + size + bytes(2) + bytes(3) + size + body
    return _record(_DTLS_1_0, record_sequence, message)


class HelloAssembler:
    """Puts a ClientHello together from fragments in any order."""

    def __init__(self, first: HelloFragment) -> None:
        self._first = first
        self._pieces: dict[int, bytes] = {}

    def push(self, fragment: HelloFragment) -> bytes | None:
        """The whole, as one record, once it is there.

        Raises:
            DecodeError: the fragment is of another message, or there are too many.
        """
        first = self._first
        if (fragment.length, fragment.message_sequence) != (first.length, first.message_sequence):
            raise DecodeError("ClientHello", "fragments of two messages")
        if first.length > MAX_HELLO_BYTES or len(self._pieces) >= MAX_FRAGMENTS:
            raise DecodeError("ClientHello", f"{first.length} bytes in many fragments")
        if len(fragment.data) > len(self._pieces.get(fragment.offset, b"")):
            self._pieces[fragment.offset] = fragment.data
        body = self._joined()
        if len(body) < first.length:
            return None
        size = first.length.to_bytes(3)
        header = _CLIENT_HELLO.to_bytes(1) + size + first.message_sequence + bytes(3) + size
        return _record(b"\xfe\xfd", first.record_sequence, header + body)

    def _joined(self) -> bytes:
        """From the beginning up to the first gap."""
        body = b""
        for offset, piece in sorted(self._pieces.items()):
            if offset > len(body):
                break
            body = body[:offset] + piece + body[offset + len(piece) :]
        return body


def _record(version: bytes, sequence: bytes, message: bytes) -> bytes:
    head = HANDSHAKE.to_bytes(1) + version + bytes(2) + sequence
    return head + len(message).to_bytes(2) + message
