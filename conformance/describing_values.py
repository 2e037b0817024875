"""What the values of attributes say, in plain words (RFC 8489 section 14, RFC 8656 section 18)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from transport import DecodeError

from .codes import ERRORS, PLAIN_ADDRESSES, TEXTS, XOR_ADDRESSES, Attr, attribute_name
from .reading import read_address, read_xor_address

MAX_SHOWN: Final = 48
"""Bytes of a value that are shown; the rest is counted."""

_FAMILIES: Final = MappingProxyType({1: "IPv4", 2: "IPv6"})
_PROTOCOLS: Final = MappingProxyType({6: "TCP", 17: "UDP"})
_ALGORITHMS: Final = MappingProxyType({1: "MD5", 2: "SHA-256"})


def describe_value(kind: int, value: bytes, transaction_id: bytes) -> str:
    """The value of an attribute; what it cannot be is said, too."""
    try:
        if kind in XOR_ADDRESSES:
            return str(read_xor_address(value, transaction_id))
        if kind in PLAIN_ADDRESSES:
            return str(read_address(value))
    except DecodeError as error:
        return f"no address: {error}"
    if kind in TEXTS:
        return f'"{printable(value)}"'
    if kind not in _KNOWN:
        rank = "optional" if kind & 0x8000 else "required"
        return f"a type not known here, comprehension-{rank}; {_unknown(value)}"
    return _WORDS.get(kind, _unknown)(value)


def printable(value: bytes) -> str:
    """Bytes as text, with escapes for what no terminal should get; cut where it is long."""
    text = value[:MAX_SHOWN].decode(errors="backslashreplace")
    shown = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
    return shown + _rest(value)


def counted(count: int, what: str = "byte") -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _hex(value: bytes) -> str:
    return (value[:MAX_SHOWN].hex() + _rest(value)) or "empty"


def _rest(value: bytes) -> str:
    left = len(value) - MAX_SHOWN
    return f" ... and {counted(left)}" if left > 0 else ""


def _unknown(value: bytes) -> str:
    return f"{counted(len(value))}" + (f": {_hex(value)}" if value else "")


def _sized(*sizes: int) -> Callable[[Callable[[bytes], str]], Callable[[bytes], str]]:
    """Words for values of these sizes; any other is said to be wrong."""

    def decorate(words: Callable[[bytes], str]) -> Callable[[bytes], str]:
        def check(value: bytes) -> str:
            if len(value) in sizes:
                return words(value)
            wanted = " or ".join(map(str, sizes))
            return f"{counted(len(value))}, not {wanted}" + (f": {_hex(value)}" if value else "")

        return check

    return decorate


@_sized(4)
def _lifetime(value: bytes) -> str:
    seconds = int.from_bytes(value, "big")
    minutes = f" ({seconds / 60:g} minutes)" if seconds >= 60 and not seconds % 30 else ""
    return f"{seconds} s{minutes}"


@_sized(4)
def _protocol(value: bytes) -> str:
    return f"{value[0]} ({_PROTOCOLS.get(value[0], 'neither UDP nor TCP')})" + _reserved(value[1:])


@_sized(4)
def _family(value: bytes) -> str:
    return f"{value[0]} ({_FAMILIES.get(value[0], 'no family')})" + _reserved(value[1:])


@_sized(4)
def _channel(value: bytes) -> str:
    return f"0x{value[:2].hex().upper()}" + _reserved(value[2:])


@_sized(1)
def _even_port(value: bytes) -> str:
    asks = "reserve the next port, too" if value[0] & 0x80 else "reserve no other port"
    return asks + (f" (reserved bits {value[0] & 0x7F:#04x})" if value[0] & 0x7F else "")


@_sized(4)
def _number(value: bytes) -> str:
    return str(int.from_bytes(value, "big"))


@_sized(8)
def _tiebreaker(value: bytes) -> str:
    return f"tiebreaker 0x{value.hex()}"


@_sized(4)
def _change(value: bytes) -> str:
    flags = value[3]
    asked = [name for bit, name in ((4, "IP address"), (2, "port")) if flags & bit]
    return "answer from another " + " and ".join(asked) if asked else "change nothing"


@_sized(4)
def _port(value: bytes) -> str:
    return str(int.from_bytes(value[:2], "big")) + _reserved(value[2:])


@_sized(8)
def _icmp(value: bytes) -> str:
    return f"ICMP type {value[2]}, code {value[3]}, data {value[4:].hex()}"


def _error_code(value: bytes) -> str:
    if len(value) < 4:
        return f"{counted(len(value))}, not 4 or more: {_hex(value)}"
    code = (value[2] & 7) * 100 + value[3]
    phrase = f' "{printable(value[4:])}"' if value[4:] else ", without a reason phrase"
    usual = ERRORS.get(code)
    known = f" ({usual})" if usual is not None and usual not in phrase else ""
    reserved = _reserved(value[:2] + bytes([value[2] & 0xF8]))
    return f"{code}{known}{phrase}{reserved}"


def _address_error_code(value: bytes) -> str:
    if len(value) < 4:
        return f"{counted(len(value))}, not 4 or more: {_hex(value)}"
    return f"{_FAMILIES.get(value[0], value[0])}: {_error_code(bytes(2) + value[2:])}"


def _unknown_attributes(value: bytes) -> str:
    numbers = [int.from_bytes(value[at : at + 2], "big") for at in range(0, len(value) - 1, 2)]
    return ", ".join(map(attribute_name, numbers)) or "none"


def _algorithms(value: bytes) -> str:
    found, offset = [], 0
    while offset + 4 <= len(value):
        number = int.from_bytes(value[offset : offset + 2], "big")
        size = int.from_bytes(value[offset + 2 : offset + 4], "big")
        found.append(_ALGORITHMS.get(number, f"0x{number:04X}"))
        offset += 4 + size + -size % 4
    return ", ".join(found) or f"no algorithm: {_hex(value)}"


@_sized(20)
def _hmac_sha1(value: bytes) -> str:
    return f"HMAC-SHA1, {counted(len(value))}"


@_sized(16, 20, 24, 28, 32)
def _hmac_sha256(value: bytes) -> str:
    return f"HMAC-SHA256, {counted(len(value))}"


@_sized(4)
def _crc(value: bytes) -> str:
    return f"0x{value.hex()}"


@_sized(0)
def _flag(_: bytes) -> str:
    return "set"


def _data(value: bytes) -> str:
    return f'{counted(len(value))}: "{printable(value)}"' if value else "empty"


def _ticket(value: bytes) -> str:
    return _unknown(value) if value else "empty: asks for a ticket"


def _reserved(value: bytes) -> str:
    return f" (reserved bits {value.hex()} are not zero)" if any(value) else ""


_KNOWN: Final = frozenset(Attr)
_WORDS: Final[Mapping[int, Callable[[bytes], str]]] = MappingProxyType(
    {
        Attr.CHANGE_REQUEST: _change,
        Attr.MESSAGE_INTEGRITY: _hmac_sha1,
        Attr.ERROR_CODE: _error_code,
        Attr.UNKNOWN_ATTRIBUTES: _unknown_attributes,
        Attr.CHANNEL_NUMBER: _channel,
        Attr.LIFETIME: _lifetime,
        Attr.DATA: _data,
        Attr.REQUESTED_ADDRESS_FAMILY: _family,
        Attr.EVEN_PORT: _even_port,
        Attr.REQUESTED_TRANSPORT: _protocol,
        Attr.DONT_FRAGMENT: _flag,
        Attr.MESSAGE_INTEGRITY_SHA256: _hmac_sha256,
        Attr.PASSWORD_ALGORITHM: _algorithms,
        Attr.PASSWORD_ALGORITHMS: _algorithms,
        Attr.RESERVATION_TOKEN: _sized(8)(_hex),
        Attr.PRIORITY: _number,
        Attr.USE_CANDIDATE: _flag,
        Attr.RESPONSE_PORT: _port,
        Attr.CONNECTION_ID: _crc,
        Attr.ADDITIONAL_ADDRESS_FAMILY: _family,
        Attr.ADDRESS_ERROR_CODE: _address_error_code,
        Attr.ICMP: _icmp,
        Attr.CACHE_TIMEOUT: _number,
        Attr.FINGERPRINT: _crc,
        Attr.ICE_CONTROLLED: _tiebreaker,
        Attr.ICE_CONTROLLING: _tiebreaker,
        Attr.MOBILITY_TICKET: _ticket,
    }
)
