"""What is relayed in the benchmarks: a client and its peer, on one of several ways."""

from __future__ import annotations

import enum
import functools
import os
import socket
import struct
from types import TracebackType
from typing import TYPE_CHECKING, Self

from stun import (
    ChannelNumber,
    Data,
    Message,
    MessageClass,
    Method,
    XorPeerAddress,
    encode_message,
)
from transport import TransportAddress
from transport.aio import from_sockaddr, to_sockaddr

from .session import Session

if TYPE_CHECKING:
    from .servers import Server

CHANNEL = 0x4001

_RECEIVE_BUFFER_BYTES = 4 << 20
_HEADER = struct.Struct("!HH")
_PROOF_BYTES = 101


class Way(enum.Enum):
    """How a client reaches the relay, and packs its data."""

    CHANNEL = "UDP"
    IPV6 = "IPv6"
    INDICATIONS = "Send/Data"
    TCP = "TCP"
    TLS = "TLS"

    @property
    def is_stream(self) -> bool:
        return self in (Way.TCP, Way.TLS)


class Flow:
    """A client with a channel, or a permission, for a peer of its own, both on loopback."""

    def __init__(self, server: Server, way: Way = Way.CHANNEL) -> None:
        self.way = way
        self.peer = datagram_socket(server.addresses[way])
        self._peer_address = from_sockaddr(self.peer.getsockname())
        self.session = Session.open(functools.partial(client_socket, server, way))
        self.client = self.session.sock
        peer = XorPeerAddress(self._peer_address)
        if way is Way.INDICATIONS:
            self.session.request(Method.CREATE_PERMISSION, [peer])
        else:
            self.session.request(Method.CHANNEL_BIND, [ChannelNumber(CHANNEL), peer])
        self.peer.connect(to_sockaddr(self.session.relayed))
        self._overhead = self._prove()
        self.client.setblocking(False)
        self.peer.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the allocation."""
        self.session.close()
        self.peer.close()

    def frame(self, data: bytes) -> bytes:
        """How data goes to the relay."""
        if self.way is Way.INDICATIONS:
            attributes = (XorPeerAddress(self._peer_address), Data(data))
            tag = os.urandom(12)
            return encode_message(Method.SEND, MessageClass.INDICATION, tag, attributes)
        padding = -len(data) % 4 if self.way.is_stream else 0
        return _HEADER.pack(CHANNEL, len(data)) + data + bytes(padding)

    def size_at_client(self, data: bytes) -> int:
        """How long the message is that the client gets of it."""
        if self.way is Way.INDICATIONS:
            return self._overhead + len(data) + -len(data) % 4
        return self._overhead + len(data) + (-len(data) % 4 if self.way.is_stream else 0)

    def _prove(self) -> int:
        """What comes out is what went in, both ways; what a Data indication adds to it."""
        data = os.urandom(_PROOF_BYTES)
        self.client.sendall(self.frame(data))
        assert self.peer.recv(2048) == data
        self.peer.send(data)
        received = self.session.receive()
        if self.way is not Way.INDICATIONS:
            framed = _HEADER.pack(CHANNEL, len(data)) + data  # padding may be anything
            assert received[: len(framed)] == framed
            return _HEADER.size
        message = Message.decode(received)
        assert message.get(Data) == Data(data)
        assert message.get(XorPeerAddress) == XorPeerAddress(self._peer_address)
        return len(received) - len(data) - -len(data) % 4


def datagram_socket(like: TransportAddress) -> socket.socket:
    """A socket on the loopback address of the same family."""
    sock = socket.socket(_family(like), socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
    sock.bind((like.host, 0))
    sock.settimeout(2)
    return sock


def client_socket(server: Server, way: Way) -> socket.socket:
    """One that is connected with the server."""
    address = server.addresses[way]
    if not way.is_stream:
        sock = datagram_socket(address)
        sock.connect(to_sockaddr(address))
        return sock
    sock = socket.create_connection((address.host, address.port), timeout=2)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if way is Way.TCP:
        return sock
    assert server.tls is not None
    return server.tls.wrap_socket(sock, server_hostname=address.host)


def _family(address: TransportAddress) -> socket.AddressFamily:
    return socket.AF_INET6 if address.is_ipv6 else socket.AF_INET
