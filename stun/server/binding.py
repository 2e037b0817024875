"""Answering Binding requests (RFC 8489 sections 6.3.1 and 12)."""

from __future__ import annotations

import collections
from ipaddress import IPv6Address
from typing import Final

from stun.attributes import (
    KNOWN_TYPES,
    AnyAttribute,
    ChangeRequest,
    ErrorCode,
    ErrorNumber,
    Padding,
    ResponsePort,
    UnknownAttributes,
    XorMappedAddress,
)
from stun.encoding import encode_message
from stun.message import Message
from stun.types import MessageClass, Method
from transport import DecodeError, Event, Path, Transmit, TransportAddress

UNDERSTOOD: Final = KNOWN_TYPES - {ChangeRequest.TYPE, Padding.TYPE, ResponsePort.TYPE}
"""RFC 5780's attributes would have to be obeyed; one that asks for more than a basic
server does gets 420 for them (its section 6)."""

MAX_UNKNOWN_TYPES: Final = 200
"""How many types an UNKNOWN-ATTRIBUTES lists: with these, a signed response stays below
the 548 bytes that RFC 8489 section 6.1 allows where the path's MTU is unknown."""


def mapped_address(path: Path) -> TransportAddress:
    """What a client behind ``path`` is told its address is.

    A socket for both families shows IPv4 clients in IPv4-mapped form, which would mean
    nothing to them.
    """
    remote = path.remote
    if isinstance(remote.ip, IPv6Address) and remote.ip.ipv4_mapped is not None:
        return TransportAddress(remote.ip.ipv4_mapped, remote.port)
    return remote


def binding_response(request: Message, path: Path) -> bytes:
    """The answer to a Binding request: nobody is authenticated (section 12).

    There is no SOFTWARE, which would only make the answer longer, and FINGERPRINT only
    if the request has it.
    """
    unknown = request.unknown_comprehension_required(UNDERSTOOD)
    attributes: list[AnyAttribute]
    if unknown:
        message_class = MessageClass.ERROR
        attributes = [
            ErrorCode(ErrorNumber.UNKNOWN_ATTRIBUTE),
            UnknownAttributes(unknown[:MAX_UNKNOWN_TYPES]),
        ]
    else:
        message_class = MessageClass.SUCCESS
        attributes = [XorMappedAddress(mapped_address(path))]
    return encode_message(
        Method.BINDING,
        message_class,
        request.transaction_id,
        attributes,
        fingerprint=request.fingerprint_ok is not None,
    )


class BindingServer:
    """A machine that answers Binding requests on any path, and nothing else."""

    __slots__ = ("_transmits", "dropped")

    def __init__(self) -> None:
        self._transmits: collections.deque[Transmit] = collections.deque()
        self.dropped = 0
        """Messages that were no Binding request, or malformed."""

    def receive(self, data: bytes, path: Path, now: float) -> None:
        try:
            message = Message.decode(data)
        except DecodeError:
            self.dropped += 1
            return
        is_request = message.message_class is MessageClass.REQUEST
        if not is_request or message.method != Method.BINDING or message.fingerprint_ok is False:
            self.dropped += 1
            return
        self._transmits.append(Transmit(path, (binding_response(message, path),)))

    def connected(self, path: Path, now: float) -> None:
        """A client opened a stream: nothing is kept of it."""

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        """A stream is gone: nothing was kept of it."""

    def handle_timeout(self, now: float) -> None:
        """Nothing is ever due."""

    def next_timeout(self) -> float | None:
        return None

    def poll_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def poll_event(self) -> Event | None:
        return None
