"""A blocking TURN client: enough to set up the flows that are measured."""

from __future__ import annotations

import os
import socket
import struct
from types import TracebackType
from typing import Self

from stun import (
    ChannelNumber,
    ErrorCode,
    ErrorNumber,
    IpProtocol,
    Lifetime,
    LongTermClient,
    Message,
    MessageClass,
    Method,
    RequestedTransport,
    XorPeerAddress,
    XorRelayedAddress,
)
from stun.attributes import AnyAttribute
from transport import TransportAddress
from transport.aio import from_sockaddr, to_sockaddr

USERNAME = "bench"
PASSWORD = "secret"
CHANNEL = 0x4001
MAX_LOCAL_PORTS = 5

_RECEIVE_BUFFER_BYTES = 4 << 20
_HEADER = struct.Struct("!HH")


class Refused(Exception):
    """The server answers a request with this error."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the server answers with error {code}")
        self.code = code


class Flow:
    """A client with a channel to a peer of its own, both on loopback."""

    def __init__(self, server: TransportAddress) -> None:
        self.peer = _socket()
        self._credentials = LongTermClient(USERNAME, PASSWORD)
        self.client, self.relayed = self._allocate(server)
        peer = XorPeerAddress(from_sockaddr(self.peer.getsockname()))
        self._request(self.client, Method.CHANNEL_BIND, [ChannelNumber(CHANNEL), peer])
        self.peer.connect(to_sockaddr(self.relayed))
        self._prove()

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
        self.client.settimeout(1)
        self._request(self.client, Method.REFRESH, [Lifetime(0)])
        self.client.close()
        self.peer.close()

    def _prove(self) -> None:
        """What comes out is what went in, both ways."""
        data = os.urandom(101)
        self.client.send(frame(data))
        assert self.peer.recv(2048) == data
        self.peer.send(data)
        assert self.client.recv(2048)[:105] == frame(data)
        self.client.setblocking(False)
        self.peer.setblocking(False)

    def _allocate(self, server: TransportAddress) -> tuple[socket.socket, TransportAddress]:
        """From another port when the server remembers a former flow on this one (437)."""
        for _ in range(MAX_LOCAL_PORTS):
            client = _connected(server)
            try:
                transport = RequestedTransport(IpProtocol.UDP)
                response = self._request(client, Method.ALLOCATE, [transport])
            except Refused as refused:
                client.close()
                if refused.code != ErrorNumber.ALLOCATION_MISMATCH:
                    raise
                continue
            relayed = response.get(XorRelayedAddress)
            assert relayed is not None
            return client, relayed.address
        raise Refused(ErrorNumber.ALLOCATION_MISMATCH)

    def _request(
        self, sock: socket.socket, method: Method, attributes: list[AnyAttribute]
    ) -> Message:
        request = self._credentials.request(method, attributes)
        while True:
            sock.send(request.encode(os.urandom(12)))
            response = _response(sock)
            request.verify(response)
            if not request.retry(response):
                if response.message_class is not MessageClass.SUCCESS:
                    error = response.get(ErrorCode)
                    raise Refused(0 if error is None else error.code)
                return response


def _response(sock: socket.socket) -> Message:
    """The next STUN message; what is left of a run before it is passed over."""
    while True:
        data = sock.recv(2048)
        if data[0] < 0x40:
            return Message.decode(data)


def frame(data: bytes) -> bytes:
    """ChannelData as it goes to the relay over UDP."""
    return _HEADER.pack(CHANNEL, len(data)) + data


def _socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(2)
    return sock


def _connected(server: TransportAddress) -> socket.socket:
    sock = _socket()
    sock.connect(to_sockaddr(server))
    return sock
