"""What comes out of a relay, at a peer or at a client, and what is put in."""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
from typing import Final, Self

from transport import DecodeError, TransportAddress

from .building import any_port
from .checks import mark_attribute
from .codes import Attr, Class, Method
from .outcome import Mark, Violated
from .reading import ReceivedChannelData, ReceivedMessage

SHORT: Final = (*range(1, 10), 1200)
"""Bytes of data: around the padding, and near the most that fits everywhere."""

LONG: Final = (1472, 8000, 65_000)
"""Bytes that fit nowhere without fragments, or not at all: they may be lost."""

SINK: Final = any_port(ipaddress.ip_address("192.31.196.1"))
SINK6: Final = any_port(ipaddress.ip_address("2620:4f:8000::1"))
"""Public addresses of the AS112 project, which is there to swallow what nobody wants (RFC 7534
and 7535): peers for permissions. Rows send nothing to them."""

FORBIDDEN: Final = tuple(
    any_port(ipaddress.ip_address(text))
    for text in ("127.0.0.1", "169.254.169.254", "10.255.255.1", "224.0.0.1", "240.0.0.1")
)
"""Valid addresses that a careful relay does not reach."""

FORBIDDEN6: Final = tuple(
    any_port(ipaddress.ip_address(text)) for text in ("::1", "fe80::1", "fd00:ec2::254", "ff02::1")
)
"""The same of IPv6."""


def at_port(of: TransportAddress, port: int = 9) -> TransportAddress:
    """The same IP address, at a port: that of the service that discards."""
    return TransportAddress(of.ip, port)


def pattern(size: int, seed: int = 0) -> bytes:
    """Data that is not like its neighbors, and is not zero at its end."""
    return bytes(1 + (each * 7 + size + seed) % 251 for each in range(size))


@dataclasses.dataclass(frozen=True, slots=True)
class Relayed:
    """What the server relays to a client: from ``peer`` (a Data indication), or on ``channel``.

    Neither is there for what cannot be read.
    """

    message: bytes
    data: bytes
    peer: TransportAddress | None = None
    channel: int | None = None

    @classmethod
    def read(cls, message: bytes) -> Self | None:
        """None for what carries no data: responses, and Data indications about ICMP."""
        if message and message[0] >= 0x40:
            with contextlib.suppress(DecodeError):
                channel_data = ReceivedChannelData.parse(message)
                return cls(message, channel_data.data, channel=channel_data.number)
            return cls(message, message)
        try:
            stun = ReceivedMessage.parse(message)
        except DecodeError:
            return cls(message, message)
        if stun.message_class is not Class.INDICATION or Attr.ICMP in stun.types:
            return None
        return cls._of_indication(stun)

    @classmethod
    def _of_indication(cls, stun: ReceivedMessage) -> Self:
        peer, data = None, stun.get(Attr.DATA)
        if stun.method == Method.DATA and data is not None:
            with contextlib.suppress(DecodeError):
                peer = stun.xor_address(Attr.XOR_PEER_ADDRESS)
        return cls(stun.data, stun.data if data is None else data, peer=peer)

    @property
    def mark(self) -> Mark:
        return Mark(self.message, 0, len(self.message))

    def __str__(self) -> str:
        size = f"{len(self.data)} bytes"
        if self.channel is not None:
            return f"{size} on channel {self.channel:#06x}"
        return size if self.peer is None else f"{size} from {self.peer} in a Data indication"


def expect_arrival(found: tuple[bytes, TransportAddress] | None, data: bytes, *, of: str) -> None:
    """That the peer has received just these bytes.

    Raises:
        Violated: it has not.
    """
    if found is None:
        raise Violated(f"nothing comes out at the peer of {of} with {len(data)} bytes")
    if found[0] != data:
        received = found[0]
        detail = f"of {of} with {len(data)} bytes, {len(received)} {_other(received, data)}"
        raise Violated(f"{detail} come out at the peer", _first_difference(received, data))


def expect_relayed(
    found: Relayed | None,
    data: bytes,
    *,
    peer: TransportAddress | None = None,
    channel: int | None = None,
) -> None:
    """That the client was told of these bytes in the way it must be.

    Raises:
        Violated: it was not.
    """
    way = "a Data indication" if channel is None else f"ChannelData on {channel:#06x}"
    if found is None:
        raise Violated(f"a peer's {len(data)} bytes do not come to the client, in {way}")
    if (found.peer is None, found.channel) != (peer is None, channel):
        raise Violated(f"the client receives {found}, not {way}", found.mark)
    if found.peer != peer:
        message = ReceivedMessage.parse(found.message)
        mark = mark_attribute(message, Attr.XOR_PEER_ADDRESS) or found.mark
        raise Violated(f"XOR-PEER-ADDRESS says {found.peer}, not {peer}", mark)
    if found.data != data:
        other = _other(found.data, data)
        detail = f"of {len(data)} bytes, {len(found.data)} {other} come to the client"
        raise Violated(detail, found.mark)


def _other(found: bytes, data: bytes) -> str:
    return "other bytes" if len(found) == len(data) else "bytes"


def _first_difference(found: bytes, data: bytes) -> Mark:
    both = zip(found, data, strict=False)
    begin = next((at for at, (a, b) in enumerate(both) if a != b), min(len(found), len(data)))
    return Mark(found, begin, max(len(found), begin + 1))
