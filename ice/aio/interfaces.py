"""The addresses of this host, from the Linux kernel (rtnetlink(7))."""

from __future__ import annotations

import ipaddress
import logging
import socket
import struct
from collections.abc import Iterator

from ice.interfaces import InterfaceAddress
from transport import IPAddress

logger = logging.getLogger(__name__)

_RTM_NEWLINK, _RTM_GETLINK, _RTM_NEWADDR, _RTM_GETADDR = 16, 18, 20, 22
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NLM_F_REQUEST, _NLM_F_DUMP = 0x001, 0x300
_IFLA_IFNAME = 3
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
_IFF_UP = 0x1
_IFA_F_TEMPORARY = 0x01
_IFA_F_UNUSABLE = 0x08 | 0x20 | 0x40
"""Duplicate found, deprecated, or still being checked for duplicates."""

_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBi")
_ATTRIBUTE = struct.Struct("=HH")
_BUFFER_BYTES = 1 << 16
_TIMEOUT = 1.0
"""Seconds; the kernel answers at once or never."""


def local_addresses() -> list[InterfaceAddress]:
    """Every address of every interface that is up, loopback included.

    Raises:
        OSError: the kernel does not tell.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(_TIMEOUT)
        links = dict(_links(sock))
        return list(_addresses(sock, links))


def _links(sock: socket.socket) -> Iterator[tuple[int, str]]:
    """Number and name of each interface that is up."""
    for body in _dump(sock, _RTM_GETLINK, _RTM_NEWLINK):
        _, _, index, flags, _ = _LINK.unpack_from(body)
        name = _attributes(body, _LINK.size).get(_IFLA_IFNAME, b"").rstrip(b"\0").decode()
        if flags & _IFF_UP:
            yield index, name


def _addresses(sock: socket.socket, links: dict[int, str]) -> Iterator[InterfaceAddress]:
    for body in _dump(sock, _RTM_GETADDR, _RTM_NEWADDR):
        family, prefix_length, flags, _, index = _ADDRESS.unpack_from(body)
        attributes = _attributes(body, _ADDRESS.size)
        # On a point-to-point interface IFA_ADDRESS is the other end.
        packed = attributes.get(_IFA_LOCAL, attributes.get(_IFA_ADDRESS))
        if index not in links or packed is None or family not in (socket.AF_INET, socket.AF_INET6):
            continue
        if _IFA_FLAGS in attributes:
            flags = int.from_bytes(attributes[_IFA_FLAGS], "little" if _IS_LITTLE else "big")
        is_v6 = family == socket.AF_INET6
        yield InterfaceAddress(
            _with_zone(ipaddress.ip_address(packed), links[index]),
            prefix_length,
            links[index],
            temporary=is_v6 and bool(flags & _IFA_F_TEMPORARY),
            usable=not (is_v6 and flags & _IFA_F_UNUSABLE),
        )


_IS_LITTLE = struct.pack("=H", 1) == b"\x01\x00"


def _with_zone(ip: IPAddress, interface: str) -> IPAddress:
    if ip.version == 6 and ip.is_link_local:
        return ipaddress.ip_address(f"{ip}%{interface}")
    return ip


def _dump(sock: socket.socket, request: int, answer: int) -> Iterator[bytes]:
    """The bodies of the kernel's answer to a dump request."""
    sock.send(_HEADER.pack(_HEADER.size + 1, request, _NLM_F_REQUEST | _NLM_F_DUMP, 1, 0) + b"\0")
    while True:
        data = sock.recv(_BUFFER_BYTES)
        offset = 0
        while offset + _HEADER.size <= len(data):
            length, kind, _, _, _ = _HEADER.unpack_from(data, offset)
            if kind == _NLMSG_DONE:
                return
            if kind == _NLMSG_ERROR or length < _HEADER.size:
                raise OSError("the kernel refused to list its interfaces")
            if kind == answer:
                yield data[offset + _HEADER.size : offset + length]
            offset += length + 3 & ~3


def _attributes(body: bytes, offset: int) -> dict[int, bytes]:
    attributes: dict[int, bytes] = {}
    while offset + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, offset)
        if length < _ATTRIBUTE.size:
            break
        attributes[kind] = body[offset + _ATTRIBUTE.size : offset + length]
        offset += length + 3 & ~3
    return attributes
