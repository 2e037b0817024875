"""Malformed and hostile input by classes, each with what a server makes of it.

The bytes are put together here, by hand: the codec under test could not write most of them.
Outcomes are ``D`` (dropped in silence), an error code, ``I`` (the odd detail is ignored and
the message does what it should) and, on a stream, ``X`` (closed) and ``?`` (unfinished: the
rest is waited for, until the stream has lived its time). ``+`` stands between the outcomes
of what one segment holds, ``|`` between those that are all right.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final

COOKIE: Final = b"\x21\x12\xa4\x42"
ID: Final = b"malformed id"
REALM: Final = b"relay.example"
USER: Final = b"alice"
KEY: Final = hashlib.md5(b"alice:relay.example:alice's password").digest()
SHA256_KEY: Final = hashlib.sha256(b"alice:relay.example:alice's password").digest()

BINDING, ALLOCATE, REFRESH, PERMIT, BIND = 0x0001, 0x0003, 0x0004, 0x0008, 0x0009
SEND: Final = 0x0016
USERNAME, INTEGRITY, NUMBER, LIFETIME, PEER, DATA = 0x06, 0x08, 0x0C, 0x0D, 0x12, 0x13
REALM_, NONCE, EVEN_PORT, TRANSPORT, TOKEN = 0x14, 0x15, 0x18, 0x19, 0x22
SHA256, ALGORITHM, ALGORITHMS, FINGERPRINT = 0x1C, 0x1D, 0x8002, 0x8028
SOFTWARE: Final = 0x8022
OPTIONAL: Final = 0xC001
TICKET, ACCESS_TOKEN = 0x8030, 0x1B
TOKEN_SIZES: Final = (0, 1, 2, 3, 12, 60, 735, 1000)


def tlv(kind: int, value: bytes = b"", *, length: int | None = None, padding: int = 0) -> bytes:
    """An attribute; its length may be a lie."""
    claimed = len(value) if length is None else length
    return struct.pack("!HH", kind, claimed) + value + bytes([padding]) * (-len(value) % 4)


def message(kind: int, body: bytes = b"", *, length: int | None = None, id: bytes = ID) -> bytes:
    """A message; its length may be a lie."""
    return struct.pack("!HH", kind, len(body) if length is None else length) + COOKIE + id + body


def integrity(kind: int, body: bytes, *, key: bytes = KEY, id: bytes = ID) -> bytes:
    """MESSAGE-INTEGRITY over a message with this body."""
    text = message(kind, body, length=len(body) + 24, id=id)
    return tlv(INTEGRITY, hmac.digest(key, text, "sha1"))


def integrity_sha256(kind: int, body: bytes, size: int = 32, *, key: bytes = KEY) -> bytes:
    """MESSAGE-INTEGRITY-SHA256, cut off or filled up to ``size`` bytes."""
    text = message(kind, body, length=len(body) + 4 + size)
    return tlv(SHA256, (hmac.digest(key, text, "sha256") + bytes(size))[:size])


def fingerprint(kind: int, body: bytes) -> bytes:
    text = message(kind, body, length=len(body) + 8)
    return tlv(FINGERPRINT, (zlib.crc32(text) ^ 0x5354554E).to_bytes(4, "big"))


def xored(host: str, port: int = 7000, *, first: int = 0) -> bytes:
    """The value of an XOR-PEER-ADDRESS for IPv4."""
    ip = bytes(byte ^ mask for byte, mask in zip(map(int, host.split(".")), COOKIE, strict=True))
    return struct.pack("!BBH", first, 1, port ^ 0x2112) + ip


def xored_6(ip: bytes, port: int = 7000) -> bytes:
    mask = COOKIE + ID
    return struct.pack("!BBH", 0, 2, port ^ 0x2112) + bytes(
        a ^ b for a, b in zip(ip, mask, strict=True)
    )


@dataclasses.dataclass(frozen=True)
class Session:
    """A client that has a nonce, and wants to send something that is odd.

    ``others_nonce`` was given to another address.
    """

    nonce: bytes
    others_nonce: bytes

    def credentials(
        self, *, user: bytes = USER, realm: bytes = REALM, nonce: bytes | None = None
    ) -> bytes:
        value = self.nonce if nonce is None else nonce
        return tlv(USERNAME, user) + tlv(REALM_, realm) + tlv(NONCE, value)

    def signed(self, kind: int, body: bytes = b"", *, tail: bytes = b"", **changed: bytes) -> bytes:
        """A request with credentials and MESSAGE-INTEGRITY; ``tail`` comes behind them."""
        whole = body + self.credentials(**changed)
        return message(kind, whole + integrity(kind, whole) + tail)


UDP: Final = tlv(TRANSPORT, b"\x11\0\0\0")
GOOD_PEER: Final = tlv(PEER, xored("8.8.8.8"))
FIRST_CHANNEL: Final = tlv(NUMBER, b"\x40\0\0\0")
HELLO: Final = bytes.fromhex("1603010200010001fc0303") + bytes(505)
DTLS_HELLO: Final = bytes.fromhex("16fefd0000000000000000003001000024") + bytes(44)
HTTP: Final = b"GET / HTTP/1.1\r\nHost: relay.example\r\n\r\n"
PROXY_2: Final = b"\r\n\r\n\0\r\nQUIT\n"


@dataclasses.dataclass(frozen=True)
class Malformed:
    """Inputs of one class, each of which is sent on its own.

    ``number`` is that of the class in the catalogue (part C3). With ``allocates`` the
    client has an allocation, a permission for 8.8.8.8 and the channel 0x4000 to its port
    7000. Without ``tcp`` a stream is as a datagram. ``enabled`` is the outcome where every
    extension of the relay is enabled, if that makes a difference.
    """

    number: int
    name: str
    make: Callable[[Session], Iterable[bytes]]
    udp: str
    tcp: str = ""
    allocates: bool = False
    enabled: str = ""

    def __str__(self) -> str:
        return f"{self.number}-{self.name.replace(' ', '-')}"

    def expected(self, *, is_stream: bool, is_enabled: bool = False) -> frozenset[str]:
        told = self.tcp if is_stream and self.tcp else self.udp
        return frozenset((self.enabled if is_enabled and self.enabled else told).split("|"))


def each(*inputs: bytes) -> Callable[[Session], Iterable[bytes]]:
    """Inputs that need no nonce."""
    return lambda _: inputs


def signed_each(kind: int, *bodies: bytes) -> Callable[[Session], Iterable[bytes]]:
    """Requests that are well signed whatever their bodies."""
    return lambda session: (session.signed(kind, body) for body in bodies)


def allocates_each(*bodies: bytes) -> Callable[[Session], Iterable[bytes]]:
    return signed_each(ALLOCATE, *(UDP + body for body in bodies))


def binds_each(*peers: bytes) -> Callable[[Session], Iterable[bytes]]:
    number = tlv(NUMBER, b"\x40\x01\0\0")
    return signed_each(BIND, *(number + tlv(PEER, peer) for peer in peers))


def permits_each(*peers: bytes) -> Callable[[Session], Iterable[bytes]]:
    return signed_each(PERMIT, *(tlv(PEER, peer) for peer in peers))


def _cut(session: Session) -> Iterator[bytes]:
    """An Allocate that ends within an attribute, its length told right."""
    whole = session.signed(ALLOCATE, UDP)
    for size in range(24, len(whole), 4):
        yield whole[:2] + (size - 20).to_bytes(2, "big") + whole[4:size]


def _cut_anywhere(session: Session) -> Iterator[bytes]:
    whole = session.signed(ALLOCATE, UDP)
    return (whole[:size] for size in range(1, len(whole)))


def _resized(number: int, size: int) -> Callable[[Session], Iterable[bytes]]:
    """The last attribute with another length, in a message of unchanged size."""

    def make(session: Session) -> Iterator[bytes]:
        body = UDP + session.credentials()
        yield message(
            ALLOCATE, body + integrity(ALLOCATE, body) + tlv(OPTIONAL, b"abcd", length=size)
        )
        yield message(BINDING, tlv(number, b"abcd", length=size))

    return make


def _integrity_of(*sizes: int) -> Callable[[Session], Iterable[bytes]]:
    def make(session: Session) -> Iterator[bytes]:
        body = UDP + session.credentials()
        for size in sizes:
            text = message(ALLOCATE, body, length=len(body) + 4 + size)
            yield message(
                ALLOCATE, body + tlv(INTEGRITY, (hmac.digest(KEY, text, "sha1") * 2)[:size])
            )

    return make


def _sha256_of(*sizes: int) -> Callable[[Session], Iterable[bytes]]:
    def make(session: Session) -> Iterator[bytes]:
        body = UDP + session.credentials()
        for size in sizes:
            yield message(ALLOCATE, body + integrity_sha256(ALLOCATE, body, size))

    return make


def _sha256_first(session: Session) -> Iterator[bytes]:
    body = UDP + session.credentials()
    body += integrity_sha256(ALLOCATE, body)
    yield message(ALLOCATE, body + integrity(ALLOCATE, body))


def _integrity_first(session: Session) -> Iterator[bytes]:
    yield message(ALLOCATE, integrity(ALLOCATE, b"") + UDP + session.credentials())


def _integrity_twice(*, good_first: bool) -> Callable[[Session], Iterable[bytes]]:
    def make(session: Session) -> Iterator[bytes]:
        body = UDP + session.credentials()
        good, bad = integrity(ALLOCATE, body), tlv(INTEGRITY, bytes(20))
        yield message(ALLOCATE, body + (good + bad if good_first else bad + good))

    return make


def _fingerprint_before_integrity(session: Session) -> Iterator[bytes]:
    body = UDP + session.credentials()
    body += fingerprint(ALLOCATE, body)
    yield message(ALLOCATE, body + integrity(ALLOCATE, body))


def _with_fingerprint(*values: bytes) -> Callable[[Session], Iterable[bytes]]:
    return lambda _: (message(BINDING, tlv(FINGERPRINT, value)) for value in values)


def _twice(kind: int, *values: bytes) -> Callable[[Session], Iterable[bytes]]:
    """An attribute more than once in an Allocate, beside what else it needs."""

    def make(session: Session) -> Iterator[bytes]:
        usual = {USERNAME: USER, REALM_: REALM, NONCE: session.nonce, TRANSPORT: b"\x11\0\0\0"}
        usual.pop(kind, None)
        body = b"".join(tlv(kind, value or session.nonce) for value in values)
        body += b"".join(tlv(other, value) for other, value in usual.items())
        yield message(ALLOCATE, body + integrity(ALLOCATE, body))

    return make


def _named(*names: bytes) -> Callable[[Session], Iterable[bytes]]:
    return lambda session: (session.signed(ALLOCATE, UDP, user=name) for name in names)


def _with_nonces(*nonces: bytes) -> Callable[[Session], Iterable[bytes]]:
    return lambda session: (session.signed(ALLOCATE, UDP, nonce=nonce) for nonce in nonces)


def _nonce_with_other_features(session: Session) -> Iterator[bytes]:
    for bits in (b"AAAA", b"gAAB", b"wAAA", b"////"):
        yield session.signed(ALLOCATE, UDP, nonce=session.nonce[:9] + bits + session.nonce[13:])


def _algorithms(*lists: bytes, chosen: bytes = b"\0\2\0\0") -> Callable[[Session], Iterable[bytes]]:
    """With SHA-256 chosen out of a list that is not the server's, or chosen in an odd way."""

    def make(session: Session) -> Iterator[bytes]:
        for listed in lists:
            body = UDP + session.credentials() + tlv(ALGORITHMS, listed) + tlv(ALGORITHM, chosen)
            yield message(ALLOCATE, body + integrity_sha256(ALLOCATE, body, key=SHA256_KEY))

    return make


OUR_ALGORITHMS: Final = b"\0\2\0\0\0\1\0\0"
MIB: Final = 1 << 20

UNKNOWN_REQUIRED: Final = (0x0000, 0x0002, 0x0004, 0x0010, 0x0021, 0x0FFF, 0x5000, 0x7FFF)
UNKNOWN_OPTIONAL: Final = (0x8005, 0x80FF, 0xBFFF, 0xC001, 0xFFFF)

CASES: Final = (
    Malformed(
        1, "cut header", each(*(message(BINDING)[:size] for size in (1, 3, 4, 19))), "D", "?"
    ),
    Malformed(1, "nothing", each(b""), "D"),
    Malformed(1, "header alone", each(message(BINDING)), "I"),
    Malformed(1, "no body", each(message(BINDING, length=4)), "D", "?"),
    Malformed(1, "zeros", each(bytes(65_507)), "D", "X"),
    Malformed(1, "longest", each(message(BINDING, tlv(OPTIONAL, bytes(65_480)))), "I"),
    Malformed(
        2, "length too small", each(message(BINDING, tlv(SOFTWARE, b"abcd"), length=4)), "D", "D+X"
    ),
    Malformed(
        2,
        "length too large",
        each(*(message(BINDING, tlv(SOFTWARE, b"abcd"), length=size) for size in (12, 0xFFFC))),
        "D",
        "?",
    ),
    Malformed(
        2,
        "length no multiple of 4",
        each(
            *(message(BINDING, tlv(SOFTWARE, b"abcd"), length=size) for size in (3, 7, 9, 0xFFFF))
        ),
        "D",
        "X",
    ),
    Malformed(
        3, "a tail", each(*(message(BINDING) + bytes(size) for size in (1, 2, 3, 4))), "D", "I+?"
    ),
    Malformed(
        3, "a long tail", each(*(message(BINDING) + bytes(size) for size in (5, 8))), "D", "I+X"
    ),
    Malformed(3, "two messages", each(message(BINDING) * 2), "D", "I+I"),
    Malformed(
        3, "an Allocate behind", lambda s: [message(BINDING) + s.signed(ALLOCATE, UDP)], "D", "I+I"
    ),
    Malformed(4, "cut at an attribute", _cut, "D|400|401"),
    Malformed(4, "cut anywhere", _cut_anywhere, "D", "?"),
    Malformed(5, "attribute past the end", _resized(SOFTWARE, 8), "D"),
    Malformed(5, "attribute far past the end", _resized(SOFTWARE, 0xFFFF), "D"),
    Malformed(5, "padding past the end", each(message(BINDING, b"\x80\x22\0\5abcde")), "D", "X"),
    Malformed(5, "padding of the last attribute", _resized(SOFTWARE, 5), "D"),
    Malformed(
        6,
        "padding",
        lambda s: [
            message(ALLOCATE, body + integrity(ALLOCATE, body))
            for filler in (0x20, 0xFF)
            for body in [UDP + tlv(USERNAME, USER, padding=filler) + s.credentials()[12:]]
        ],
        "I",
    ),
    Malformed(
        6,
        "padding counted",
        allocates_each(tlv(LIFETIME, bytes(5)), tlv(EVEN_PORT, bytes(4))),
        "400",
    ),
    Malformed(
        7,
        "behind the integrity",
        lambda s: [
            s.signed(ALLOCATE, UDP, tail=tail)
            for tail in (tlv(0x7FFF), tlv(LIFETIME, b"\0"), tlv(TRANSPORT, b"\6\0\0\0"))
        ],
        "I",
    ),
    Malformed(7, "integrity twice", _integrity_twice(good_first=True), "I"),
    Malformed(7, "integrity twice, the first wrong", _integrity_twice(good_first=False), "401"),
    Malformed(7, "integrity of another size", _integrity_of(0, 19, 21, 24, 32), "401"),
    Malformed(7, "integrity first", _integrity_first, "400"),
    Malformed(7, "fingerprint before integrity", _fingerprint_before_integrity, "D"),
    Malformed(
        7,
        "fingerprint twice",
        each(message(BINDING, fingerprint(BINDING, b"") * 2)),
        "D",
    ),
    Malformed(7, "fingerprint wrong", _with_fingerprint(bytes(4)), "D"),
    Malformed(7, "fingerprint of another size", _with_fingerprint(b"", bytes(3), bytes(5)), "D"),
    Malformed(8, "SHA-256 cut off", _sha256_of(12, 14, 16, 20, 28, 36), "401"),
    Malformed(8, "SHA-256 whole", _sha256_of(32), "I"),
    Malformed(8, "SHA-256 before SHA-1", _sha256_first, "I"),
    Malformed(9, "a duplicate, the first good", _twice(USERNAME, USER, b"bob"), "I"),
    Malformed(9, "a duplicate, the first bad", _twice(USERNAME, b"bob", USER), "401"),
    Malformed(9, "nonce, the first good", _twice(NONCE, b"", b"stale"), "I"),
    Malformed(9, "nonce, the first bad", _twice(NONCE, b"stale", b""), "438"),
    Malformed(9, "transport, the first good", _twice(TRANSPORT, b"\x11\0\0\0", b"\6\0\0\0"), "I"),
    Malformed(
        9, "transport, the first bad", _twice(TRANSPORT, b"\x84\0\0\0", b"\x11\0\0\0"), "442"
    ),
    Malformed(9, "equal ones", _twice(REALM_, REALM, REALM), "I"),
    Malformed(9, "a thousand", each(message(BINDING, tlv(OPTIONAL, b"abcd") * 1000)), "I"),
    Malformed(
        10, "unknown required", each(*(message(BINDING, tlv(n)) for n in UNKNOWN_REQUIRED)), "420"
    ),
    Malformed(10, "unknown required, signed", allocates_each(*map(tlv, UNKNOWN_REQUIRED)), "420"),
    Malformed(
        10, "unknown optional", each(*(message(BINDING, tlv(n)) for n in UNKNOWN_OPTIONAL)), "I"
    ),
    Malformed(
        10, "200 unknown", each(message(BINDING, b"".join(map(tlv, range(0x5000, 0x50C8))))), "420"
    ),
    Malformed(
        11,
        "addresses of no family",
        binds_each(*(b"\0" + bytes([family]) + xored("8.8.8.8")[2:] for family in (0, 3, 0xFF))),
        "400",
        allocates=True,
    ),
    Malformed(
        11,
        "addresses of the wrong size",
        binds_each(
            b"",
            *(xored("8.8.8.8").ljust(size, b"\0")[:size] for size in (4, 7, 9, 20)),
            *(xored_6(bytes(16)).ljust(size, b"\0")[:size] for size in (8, 19, 21)),
        ),
        "400",
        allocates=True,
    ),
    Malformed(11, "port 0 of a channel", binds_each(xored("8.8.8.8", 0)), "400", allocates=True),
    Malformed(11, "port 0 of a permission", permits_each(xored("8.8.8.8", 0)), "I", allocates=True),
    Malformed(11, "first byte", permits_each(xored("8.8.8.8", first=0xFF)), "I", allocates=True),
    Malformed(
        11,
        "addresses nobody has",
        permits_each(*map(xored, ("0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"))),
        "403",
        allocates=True,
    ),
    Malformed(11, "our own address", permits_each(xored("5.5.5.5", 3478)), "403", allocates=True),
    Malformed(
        11,
        "IPv6 on an IPv4 allocation",
        permits_each(xored_6(bytes(16)), xored_6(bytes(10) + b"\xff\xff\x08\x08\x08\x08")),
        "443",
        allocates=True,
    ),
    Malformed(
        12,
        "lifetimes",
        allocates_each(
            *(
                tlv(LIFETIME, seconds.to_bytes(4, "big"))
                for seconds in (0, 1, 1 << 31, (1 << 32) - 1)
            )
        ),
        "I|437",
    ),
    Malformed(
        12,
        "lifetimes of the wrong size",
        allocates_each(*(tlv(LIFETIME, bytes(n)) for n in (0, 2, 3, 5, 8))),
        "400",
    ),
    Malformed(
        12,
        "transports",
        signed_each(
            ALLOCATE, *(tlv(TRANSPORT, bytes([n, 0, 0, 0])) for n in range(256) if n != 17)
        ),
        "442",
        enabled="442|400|I",
    ),
    Malformed(
        12,
        "transport's reserved bytes",
        signed_each(ALLOCATE, tlv(TRANSPORT, b"\x11\xff\xff\xff")),
        "I",
    ),
    Malformed(
        12,
        "transports of the wrong size",
        signed_each(ALLOCATE, *(tlv(TRANSPORT, b"\x11" * n) for n in (0, 1, 3, 8))),
        "400",
    ),
    Malformed(12, "no transport", signed_each(ALLOCATE, b""), "400"),
    Malformed(12, "even port's reserved bits", allocates_each(tlv(EVEN_PORT, b"\x7f")), "I"),
    Malformed(
        12,
        "tokens of the wrong size",
        allocates_each(*(tlv(TOKEN, bytes(n)) for n in (0, 7, 9))),
        "400",
    ),
    Malformed(12, "a token nobody gave", allocates_each(tlv(TOKEN, bytes(8))), "508"),
    Malformed(13, "no name", _named(b""), "400|401"),
    Malformed(13, "long names", _named(*(b"x" * size for size in (508, 513, 763))), "401"),
    Malformed(13, "names too long", _named(*(b"x" * size for size in (764, 65_000))), "400"),
    Malformed(
        13,
        "names that are no UTF-8",
        _named(b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xff"),
        "400",
    ),
    Malformed(
        13,
        "hostile names",
        _named(
            *(
                b"al\0ice",
                b"%n%s%n",
                b"' OR 1=1 --",
                b'"quoted"',
                b"new\nline",
                b"\x1b[2J",
                b"\x7f",
            ),
            *("\u202ealice".encode(), "e\u0301".encode(), "alice\u00a0".encode()),
        ),
        "400|401",
    ),
    Malformed(
        13, "another realm", lambda s: [s.signed(ALLOCATE, UDP, realm=b"elsewhere")], "I|401"
    ),
    Malformed(
        13,
        "realms too long",
        lambda s: [s.signed(ALLOCATE, UDP, realm=b"x" * n) for n in (128, 764)],
        "400",
    ),
    Malformed(13, "nonces of any size", _with_nonces(b"", b"x", b"x" * 127, "é".encode()), "438"),
    Malformed(13, "nonces too long", _with_nonces(b"x" * 128, b"x" * 763), "400"),
    Malformed(13, "nonces with another cookie", _nonce_with_other_features, "438|400"),
    Malformed(
        13, "nonces that are no base64", _with_nonces(b"obMatJos2gAAA!!!!", b"obMatJos2gAAA"), "438"
    ),
    Malformed(
        14,
        "lists of algorithms",
        _algorithms(
            *(
                b"",
                b"\0\2\0",
                OUR_ALGORITHMS[:4],
                OUR_ALGORITHMS * 2,
                OUR_ALGORITHMS[4:] + OUR_ALGORITHMS[:4],
            ),
            *(b"\0\2\xff\xff", b"\0\2\0\5abcde", OUR_ALGORITHMS * 250),
        ),
        "400",
    ),
    Malformed(
        14, "two algorithms chosen", _algorithms(OUR_ALGORITHMS, chosen=OUR_ALGORITHMS), "400"
    ),
    Malformed(
        14,
        "an algorithm with parameters",
        _algorithms(OUR_ALGORITHMS, chosen=b"\0\2\0\4abcd"),
        "400",
    ),
    Malformed(14, "an algorithm cut off", _algorithms(OUR_ALGORITHMS, chosen=b"\0\2"), "400"),
    Malformed(14, "an unknown algorithm", _algorithms(OUR_ALGORITHMS, chosen=b"\0\x77\0\0"), "400"),
    Malformed(
        16,
        "responses",
        each(*(message(m | c, UDP) for m in (1, 3, 4, 8, 9) for c in (0x100, 0x110))),
        "D",
    ),
    Malformed(
        16,
        "indications that are not understood",
        each(*(message(kind, GOOD_PEER + tlv(DATA, b"x") + tlv(0x7FFF)) for kind in (0x11, SEND))),
        "D",
        allocates=True,
    ),
    Malformed(
        16, "indications", each(*(message(m | 0x10, UDP) for m in (1, 3, 4, 6, 7, 8, 9))), "D"
    ),
    Malformed(
        16,
        "methods that are none",
        each(*(message(kind, UDP) for kind in (0, 2, 6, 7, 0xFF, 0x3EEF, 0x3FFF))),
        "D",
    ),
    Malformed(
        17,
        "ChannelData cut off",
        each(b"\x40", b"\x40\0", b"\x40\0\0", b"\x40\0\0\4abc"),
        "D",
        "?",
        allocates=True,
    ),
    Malformed(
        17,
        "ChannelData padded",
        each(b"\x40\0\0\5abcde\0\0\0", b"\x40\0\0\5abcde\xff\xff\xff"),
        "I",
        allocates=True,
    ),
    Malformed(
        17, "ChannelData with a tail", each(b"\x40\0\0\4abcd\0\0\0\0"), "I", "I+?", allocates=True
    ),
    Malformed(17, "ChannelData of nothing", each(b"\x40\0\0\0"), "I", allocates=True),
    Malformed(
        17,
        "unpadded on a stream",
        each(b"\x40\0\0\5abcde" + message(BINDING)),
        "I",
        "I+X",
        allocates=True,
    ),
    Malformed(
        17,
        "many frames in one segment",
        each(b"\x40\0\0\4abcd" * 100),
        "I",
        "+".join("I" * 100),
        allocates=True,
    ),
    Malformed(
        17,
        "channels that are not bound",
        each(b"\x40\1\0\4abcd", b"\x4f\xff\0\4abcd"),
        "D",
        allocates=True,
    ),
    Malformed(
        17,
        "reserved channels",
        each(b"\x50\0\0\4abcd", b"\x7f\xff\0\4abcd", b"\x3f\xff\0\4abcd"),
        "D",
        "X",
        allocates=True,
    ),
    Malformed(17, "a length that never comes", each(b"\x40\0\xff\xff"), "D", "?", allocates=True),
    Malformed(
        18,
        "other protocols",
        each(HTTP, HELLO, b"PROXY TCP4 9.9.9.9 5.5.5.5 1 2\r\n", b"SSH-2.0-x\r\n"),
        "D",
        "X",
    ),
    Malformed(
        18,
        "a PROXY header of version 2",
        each(PROXY_2 + b"\x21\x11\0\x0c" + bytes(12), PROXY_2 + b"\x20\0\0\0"),
        "D",
        "X",
    ),
    Malformed(18, "RFC 4571 framing", each(b"\0\x14" + message(BINDING)), "D", "X"),
    Malformed(
        19,
        "DTLS where there is none",
        each(DTLS_HELLO, b"\x17\xfe\xfd" + bytes(40), b"\x14\xfe\xfd" + bytes(11)),
        "D",
        "X",
    ),
    Malformed(
        20,
        "requests before an allocation",
        lambda s: [
            s.signed(REFRESH),
            s.signed(PERMIT, GOOD_PEER),
            s.signed(BIND, FIRST_CHANNEL + GOOD_PEER),
        ],
        "437",
    ),
    Malformed(
        20,
        "data before an allocation",
        each(message(SEND, GOOD_PEER + tlv(DATA, b"x")), b"\x40\0\0\1x\0\0\0"),
        "D",
        "D|X",
    ),
    Malformed(20, "a second Allocate", lambda s: [s.signed(ALLOCATE, UDP)], "437", allocates=True),
    Malformed(
        20,
        "deleted twice",
        lambda s: [s.signed(REFRESH, tlv(LIFETIME, bytes(4)))] * 2,
        "I|437",
        allocates=True,
    ),
    Malformed(
        20,
        "the nonce of another",
        lambda s: [s.signed(REFRESH, nonce=s.others_nonce)],
        "438",
        allocates=True,
    ),
    Malformed(
        20,
        "a channel that is taken",
        lambda s: [s.signed(BIND, FIRST_CHANNEL + tlv(PEER, xored("8.8.4.4")))],
        "400",
        allocates=True,
    ),
    Malformed(
        20,
        "permissions by the thousand",
        lambda s: [
            s.signed(
                PERMIT, b"".join(tlv(PEER, xored(f"8.9.{block}.{host}")) for host in range(100))
            )
            for block in range(100)
        ],
        "I|508",
        allocates=True,
    ),
    Malformed(
        20,
        "channels by the hundred",
        lambda s: [
            s.signed(
                BIND,
                tlv(NUMBER, struct.pack("!HH", 0x4100 + number, 0))
                + tlv(PEER, xored("8.8.8.8", 9000 + number)),
            )
            for number in range(300)
        ],
        "I|508",
        allocates=True,
    ),
    Malformed(
        21,
        "TCP relays",
        each(*(message(kind, GOOD_PEER) for kind in (0x0A, 0x0B, 0x1C))),
        "D",
        enabled="D|401",
    ),
    Malformed(
        21,
        "a connection that there is not",
        signed_each(0x0B, b"", *(tlv(0x2A, bytes(size)) for size in (0, 3, 4, 5))),
        "D",
        enabled="400",
    ),
    Malformed(
        21,
        "a connection without an allocation",
        signed_each(0x0A, b"", GOOD_PEER),
        "D",
        enabled="437",
    ),
    Malformed(
        21,
        "a TCP allocation",
        signed_each(ALLOCATE, tlv(TRANSPORT, b"\6\0\0\0")),
        "442",
        enabled="400|I",
    ),
    Malformed(
        22,
        "tickets that nobody gave",
        signed_each(REFRESH, *(tlv(TICKET, bytes(size)) for size in (0, 1, 35, 36, 37, 64, 1000))),
        "437",
        enabled="400",
    ),
    Malformed(
        22,
        "an Allocate with a ticket",
        allocates_each(tlv(TICKET, bytes(36)), tlv(TICKET, b"x")),
        "I",
        enabled="400",
    ),
    Malformed(
        23,
        "tokens whose lengths lie",
        allocates_each(
            *(
                tlv(ACCESS_TOKEN, filler * size)
                for filler in (b"\xff", b"\0")
                for size in TOKEN_SIZES
            ),
            *(
                tlv(ACCESS_TOKEN, bytes([0, size]) + bytes(40))
                for size in (11, 12, 13, 39, 41, 255)
            ),
        ),
        "420",
        enabled="401",
    ),
    Malformed(
        24,
        "attributes at odd offsets",
        each(
            *(
                message(
                    BINDING, b"\x80\x22" + struct.pack("!H", lie) + bytes(8) + tlv(USERNAME, USER)
                )
                for lie in (1, 2, 3, 5, 6, 7, 9, 11)
            )
        ),
        "D|I|420",
    ),
)
"""Of the catalogue's 25 classes, 15 is for clients, and 25 is a way to make more of these."""
