"""Servers that do not do what RFC 5780 says."""

from __future__ import annotations

import collections
from collections.abc import Sequence

from stun import (
    AnyAttribute,
    ChangeRequest,
    ErrorCode,
    MappedAddress,
    Message,
    MessageClass,
    Method,
    OtherAddress,
    Padding,
    ResponsePort,
    UnknownAttribute,
    UnknownAttributes,
    XorMappedAddress,
    encode_message,
)
from stun.server import BehaviorServer
from transport import Event, Path, Transmit, TransportAddress

from .world import PAIR


class ScriptedServer:
    """Answers each Binding request with what ``attributes`` says, or not at all."""

    def __init__(self) -> None:
        self._transmits: collections.deque[Transmit] = collections.deque()

    def attributes(self, request: Message, path: Path) -> Sequence[AnyAttribute] | None:
        return (XorMappedAddress(path.remote), OtherAddress(PAIR.other(path.local)))

    def receive(self, data: bytes, path: Path, now: float) -> None:
        request = Message.decode(data)
        attributes = self.attributes(request, path)
        if attributes is None:
            return
        is_error = any(isinstance(each, ErrorCode) for each in attributes)
        message_class = MessageClass.ERROR if is_error else MessageClass.SUCCESS
        answer = encode_message(Method.BINDING, message_class, request.transaction_id, attributes)
        self._transmits.append(Transmit(path, (answer,)))

    def handle_timeout(self, now: float) -> None:
        """Nothing is ever due."""

    def next_timeout(self) -> float | None:
        return None

    def poll_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def poll_event(self) -> Event | None:
        return None


class Rewriting(ScriptedServer):
    """As if something on the way replaced addresses that it finds in datagrams."""

    def attributes(self, request: Message, path: Path) -> Sequence[AnyAttribute]:
        other = TransportAddress.parse("203.0.113.5", 5)
        return (MappedAddress(other), XorMappedAddress(path.remote))


class Refusing(ScriptedServer):
    """Names another address, but knows none of the tests' attributes."""

    def attributes(self, request: Message, path: Path) -> Sequence[AnyAttribute]:
        for known in (ChangeRequest, ResponsePort, Padding):
            if request.has(known):
                return (ErrorCode(420), UnknownAttributes((known.TYPE,)))
        return (XorMappedAddress(path.remote), OtherAddress(PAIR.other(path.local)))


class Careless(ScriptedServer):
    """Takes no notice of what is asked for."""


class WithoutOther(ScriptedServer):
    """A STUN server of RFC 8489."""

    def attributes(self, request: Message, path: Path) -> Sequence[AnyAttribute]:
        for known in (ChangeRequest, ResponsePort, Padding):
            if request.has(known):
                return (ErrorCode(420), UnknownAttributes((known.TYPE,)))
        return (XorMappedAddress(path.remote),)


class Misled(ScriptedServer):
    """Names an address that shares its IP address."""

    def attributes(self, request: Message, path: Path) -> Sequence[AnyAttribute]:
        other = TransportAddress(path.local.ip, 9)
        return (XorMappedAddress(path.remote), OtherAddress(other))


class HalfDead(ScriptedServer):
    """Answers at its first address alone."""

    def attributes(self, request: Message, path: Path) -> Sequence[AnyAttribute] | None:
        if path.local != PAIR.primary or request.has(ChangeRequest):
            return None
        return (XorMappedAddress(path.remote), OtherAddress(PAIR.alternate))


class Demanding(ScriptedServer):
    """Wants credentials."""

    def attributes(self, request: Message, path: Path) -> Sequence[AnyAttribute]:
        return (ErrorCode(401),)


class Mute(ScriptedServer):
    """Answers without an address."""

    def attributes(self, request: Message, path: Path) -> Sequence[AnyAttribute]:
        return ()


class Deaf(ScriptedServer):
    """Gives no answer that is to go to another port."""

    def attributes(self, request: Message, path: Path) -> Sequence[AnyAttribute] | None:
        return None if request.has(ResponsePort) else super().attributes(request, path)


class Tiring(ScriptedServer):
    """Answers so many requests, and no more."""

    def __init__(self, answers: int) -> None:
        super().__init__()
        self._left = answers

    def attributes(self, request: Message, path: Path) -> Sequence[AnyAttribute] | None:
        self._left -= 1
        return None if self._left < 0 else super().attributes(request, path)


class Forgetful(BehaviorServer):
    """Obeys RESPONSE-PORT once."""

    def __init__(self) -> None:
        super().__init__(PAIR)
        self._has_obeyed = False

    def respond(self, request: Message, path: Path, now: float) -> Transmit | None:
        if not request.has(ResponsePort):
            return super().respond(request, path, now)
        if not self._has_obeyed:
            self._has_obeyed = True
            return super().respond(request, path, now)
        attributes = (ErrorCode(420), UnknownAttributes((ResponsePort.TYPE,)))
        answer = encode_message(
            Method.BINDING, MessageClass.ERROR, request.transaction_id, attributes
        )
        return Transmit(path, (answer,))


class ShortPadding(ScriptedServer):
    """Silent when the padding is long, and knows none when it is short."""

    def attributes(self, request: Message, path: Path) -> Sequence[AnyAttribute] | None:
        padding = request.get(Padding)
        if padding is None:
            return super().attributes(request, path)
        if len(padding.padding) > 100:
            return None
        return (ErrorCode(420), UnknownAttributes((Padding.TYPE,)))


class Mysterious(ScriptedServer):
    """Adds what a client has to understand, and does not."""

    def attributes(self, request: Message, path: Path) -> Sequence[AnyAttribute]:
        return (XorMappedAddress(path.remote), UnknownAttribute(0x7F01, b""))


class Garbled(ScriptedServer):
    """Its plain addresses cannot be read."""

    def attributes(self, request: Message, path: Path) -> Sequence[AnyAttribute]:
        garbage = UnknownAttribute(MappedAddress.TYPE, b"x")
        return (XorMappedAddress(path.remote), garbage, OtherAddress(PAIR.other(path.local)))
