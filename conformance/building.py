"""Messages written byte by byte, wrong ones too (RFC 8489 sections 5 and 14)."""

from __future__ import annotations

import hashlib
import hmac
import struct
import zlib
from typing import Final, Self

from transport import IPAddress, TransportAddress

from .codes import FINGERPRINT_XOR, MAGIC_COOKIE, Attr

_HEADER: Final = struct.Struct("!HHI")
_TLV: Final = struct.Struct("!HH")


def message_type(method: int, message_class: int) -> int:
    """The type field: class bits between those of the method (RFC 8489 figure 3)."""
    return (
        (method & 0xF80) << 2
        | (method & 0x070) << 1
        | method & 0x00F
        | (message_class & 2) << 7
        | (message_class & 1) << 4
    )


class MessageBuilder:
    """A message in the making; every method returns the builder.

    Nothing is checked. ``length`` and ``padding`` are what they should be unless they
    are given.
    """

    def __init__(
        self, method: int, message_class: int, transaction_id: bytes, *, cookie: int = MAGIC_COOKIE
    ) -> None:
        self._type = message_type(method, message_class)
        self._cookie = cookie
        self.transaction_id = transaction_id
        self._body = bytearray()

    def add(
        self,
        attribute: int,
        value: bytes = b"",
        *,
        length: int | None = None,
        padding: bytes | None = None,
    ) -> Self:
        """Append an attribute."""
        self._body += _TLV.pack(attribute, len(value) if length is None else length)
        self._body += value
        self._body += bytes(-len(value) % 4) if padding is None else padding
        return self

    def add_raw(self, data: bytes) -> Self:
        """Append bytes as they are."""
        self._body += data
        return self

    def add_integrity(self, key: bytes) -> Self:
        """MESSAGE-INTEGRITY over what is there (section 14.5)."""
        digest = hmac.digest(key, self._head(len(self._body) + 24), "sha1")
        return self.add(Attr.MESSAGE_INTEGRITY, digest)

    def add_integrity_sha256(self, key: bytes, *, size: int = 32) -> Self:
        """MESSAGE-INTEGRITY-SHA256, cut to ``size`` bytes (section 14.6)."""
        covered = self._head(len(self._body) + 4 + size + -size % 4)
        return self.add(Attr.MESSAGE_INTEGRITY_SHA256, hmac.digest(key, covered, "sha256")[:size])

    def add_fingerprint(self) -> Self:
        """FINGERPRINT over what is there (section 14.7)."""
        check = zlib.crc32(self._head(len(self._body) + 8)) ^ FINGERPRINT_XOR
        return self.add(Attr.FINGERPRINT, check.to_bytes(4, "big"))

    def build(self, *, length: int | None = None) -> bytes:
        """The message."""
        return self._head(len(self._body) if length is None else length)

    def _head(self, length: int) -> bytes:
        head = _HEADER.pack(self._type, length & 0xFFFF, self._cookie)
        return head + self.transaction_id + bytes(self._body)


def address(of: TransportAddress, *, first_byte: int = 0, family: int | None = None) -> bytes:
    """The value of MAPPED-ADDRESS and its kind (section 14.1)."""
    default = 2 if of.is_ipv6 else 1
    return struct.pack("!BBH", first_byte, default if family is None else family, of.port) + (
        of.ip.packed
    )


def xor_address(
    of: TransportAddress,
    transaction_id: bytes,
    *,
    first_byte: int = 0,
    family: int | None = None,
) -> bytes:
    """The value of XOR-PEER-ADDRESS and its kind (section 14.2)."""
    plain = address(of, first_byte=first_byte, family=family)
    mask = MAGIC_COOKIE.to_bytes(4, "big") + transaction_id
    port = int.from_bytes(plain[2:4], "big") ^ MAGIC_COOKIE >> 16
    host = bytes(a ^ b for a, b in zip(plain[4:], mask, strict=False))
    return plain[:2] + port.to_bytes(2, "big") + host


def any_port(ip: IPAddress) -> TransportAddress:
    """An address of a permission, whose port does not count (RFC 8656 section 10.2)."""
    return TransportAddress(ip, 0)


def u32(number: int) -> bytes:
    """LIFETIME and others of that size."""
    return number.to_bytes(4, "big")


def one_byte(number: int) -> bytes:
    """REQUESTED-TRANSPORT and the address families: a byte and three reserved ones."""
    return bytes([number, 0, 0, 0])


def channel_number(number: int) -> bytes:
    """CHANNEL-NUMBER: two bytes and two reserved ones (RFC 8656 section 18.1)."""
    return number.to_bytes(2, "big") + bytes(2)


def channel_data(number: int, data: bytes, *, length: int | None = None) -> bytes:
    """A ChannelData message, without padding (RFC 8656 section 12.4)."""
    return _TLV.pack(number, len(data) if length is None else length) + data


def md5_key(username: str, realm: str, password: str) -> bytes:
    """The long-term key of the algorithm MD5 (RFC 8489 section 9.2.2)."""
    joined = f"{username}:{realm}:{password}".encode()
    return hashlib.md5(joined, usedforsecurity=False).digest()


def sha256_key(username: str, realm: str, password: str) -> bytes:
    """The long-term key of the algorithm SHA-256 (section 18.5.1)."""
    return hashlib.sha256(f"{username}:{realm}:{password}".encode()).digest()


def userhash(username: str, realm: str) -> bytes:
    """The value of USERHASH (section 14.4)."""
    return hashlib.sha256(f"{username}:{realm}".encode()).digest()


def dtls_client_hello(random: bytes) -> bytes:
    """A ClientHello of DTLS 1.2 without a cookie (RFC 6347 section 4.2.1, RFC 5246 7.4.1.2).

    ``random`` has 32 bytes.
    """
    suites = bytes.fromhex("c02bc02fc02cc030")  # ECDHE with AES-GCM
    groups = bytes.fromhex("000a00060004001d0017")  # x25519, secp256r1
    formats = bytes.fromhex("000b00020100")
    signatures = bytes.fromhex("000d000c000a04030804040105030503")
    extensions = groups + formats + signatures
    body = b"\xfe\xfd" + random + b"\0" + b"\0"
    body += len(suites).to_bytes(2, "big") + suites + b"\x01\0"
    body += len(extensions).to_bytes(2, "big") + extensions
    size = len(body).to_bytes(3, "big")
    handshake = b"\x01" + size + bytes(2) + bytes(3) + size + body
    return b"\x16\xfe\xff" + bytes(8) + len(handshake).to_bytes(2, "big") + handshake
