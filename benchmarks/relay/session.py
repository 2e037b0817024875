"""A blocking TURN client: enough to set up what is measured."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Self

from stun import (
    AddressFamily,
    ErrorCode,
    ErrorNumber,
    IpProtocol,
    Lifetime,
    LongTermClient,
    Message,
    MessageClass,
    Method,
    RequestedAddressFamily,
    RequestedTransport,
    XorRelayedAddress,
)
from stun.attributes import AnyAttribute
from transport import TransportAddress
from turn.framing import TurnFramer

USERNAME = "bench"
PASSWORD = "secret"
MAX_LOCAL_PORTS = 5

_READ_BYTES = 64 * 1024


class Refused(Exception):
    """The server answers a request with this error."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the server answers with error {code}")
        self.code = code


class Session:
    """An allocation on a connected socket; it is freed at the end."""

    def __init__(self, sock: socket.socket) -> None:
        """
        Raises:
            Refused: the server allocates nothing.
        """
        self.sock = sock
        self._framer = TurnFramer() if sock.type == socket.SOCK_STREAM else None
        self._messages: list[bytes] = []
        self._credentials = LongTermClient(USERNAME, PASSWORD)
        attributes: list[AnyAttribute] = [RequestedTransport(IpProtocol.UDP)]
        if sock.family == socket.AF_INET6:
            attributes.append(RequestedAddressFamily(AddressFamily.IPV6))
        relayed = self.request(Method.ALLOCATE, attributes).get(XorRelayedAddress)
        assert relayed is not None
        self.relayed: TransportAddress = relayed.address

    @classmethod
    def open(cls, connect: Callable[[], socket.socket]) -> Self:
        """From another port when the server remembers a former client on this one (437).

        Raises:
            Refused: as the constructor.
        """
        for _ in range(MAX_LOCAL_PORTS):
            sock = connect()
            try:
                return cls(sock)
            except Refused as refused:
                sock.close()
                if refused.code != ErrorNumber.ALLOCATION_MISMATCH:
                    raise
        raise Refused(ErrorNumber.ALLOCATION_MISMATCH)

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
        self.sock.settimeout(1)
        self.request(Method.REFRESH, [Lifetime(0)])
        self.sock.close()

    def request(self, method: Method, attributes: list[AnyAttribute]) -> Message:
        """Ask, and ask again with the nonce that the server wants; the success.

        Raises:
            Refused: it is an error.
        """
        request = self._credentials.request(method, attributes)
        while True:
            self.sock.sendall(request.encode(os.urandom(12)))
            response = self._response()
            request.verify(response)
            if not request.retry(response):
                if response.message_class is not MessageClass.SUCCESS:
                    error = response.get(ErrorCode)
                    raise Refused(0 if error is None else error.code)
                return response

    def receive(self) -> bytes:
        """The next message: STUN, or ChannelData with its padding."""
        if self._framer is None:
            return self.sock.recv(_READ_BYTES)
        while not self._messages:
            data = self.sock.recv(_READ_BYTES)
            if not data:
                raise ConnectionError("the server has closed the stream")
            self._messages += self._framer.push(data)
        return self._messages.pop(0)

    def _response(self) -> Message:
        """The next one; what is left of a run before it is passed over."""
        while True:
            data = self.receive()
            if data[0] < 0x40:
                message = Message.decode(data)
                if message.message_class is not MessageClass.INDICATION:
                    return message
