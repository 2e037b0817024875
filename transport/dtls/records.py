"""DTLS records and the datagrams that carry them (RFC 6347 sections 4.1 and 4.1.1)."""

from __future__ import annotations

from collections.abc import Iterator

RECORD_HEADER_BYTES = 13
CHANGE_CIPHER_SPEC = 20
HANDSHAKE = 22
_LENGTH_AT = 11
_FIRST_TYPE, _LAST_TYPE = 20, 63
"""What RFC 7983 section 7 sets aside for DTLS."""


def may_be_dtls(datagram: bytes) -> bool:
    """Whether it starts like a record; the rest is for DTLS to find out."""
    return len(datagram) > RECORD_HEADER_BYTES and _FIRST_TYPE <= datagram[0] <= _LAST_TYPE


def split_records(output: bytes) -> Iterator[bytes]:
    """Cut what a DTLS implementation wrote into its records."""
    start = 0
    while start < len(output):
        length = int.from_bytes(output[start + _LENGTH_AT : start + RECORD_HEADER_BYTES], "big")
        end = start + RECORD_HEADER_BYTES + length
        yield output[start:end]
        start = end


def pack_records(output: bytes, mtu: int) -> list[bytes]:
    """Put records into as few datagrams of at most ``mtu`` bytes as their order allows.

    RFC 6347 section 4.1.1 lets a datagram carry several records and forbids a record
    to span two, so that a record longer than ``mtu`` goes alone.
    """
    datagrams: list[bytes] = []
    for record in split_records(output):
        if datagrams and len(datagrams[-1]) + len(record) <= mtu:
            datagrams[-1] += record
        else:
            datagrams.append(record)
    return datagrams
