"""A scripted STUN server, with the driver of the client, on virtual time."""

from __future__ import annotations

import random
from typing import TypeVar

from stun import (
    AnyAttribute,
    ErrorCode,
    IntegrityAlgorithm,
    IntegrityKey,
    Message,
    MessageClass,
    XorMappedAddress,
    encode_message,
)
from stun.client import ClientConfig, Credentials, RequestFailed, RequestSucceeded, StunClient
from transport import (
    ConnectRequested,
    Event,
    Path,
    TransportAddress,
    TransportProtocol,
)

HERE = TransportAddress.parse("192.0.2.1", 4000)
SERVER = TransportAddress.parse("203.0.113.1", 3478)
MAPPED = TransportAddress.parse("198.51.100.1", 40000)

E = TypeVar("E", bound=Event)


class Script:
    """Plays the driver and the server."""

    def __init__(
        self,
        transport: TransportProtocol = TransportProtocol.UDP,
        *,
        credentials: Credentials | None = None,
        config: ClientConfig | None = None,
    ) -> None:
        self.client = StunClient(
            Path(transport, HERE, SERVER),
            random_bytes=random.Random(1).randbytes,
            credentials=credentials,
            config=config,
        )
        self.now = 0.0
        self.sent: list[tuple[float, Path, Message]] = []
        self.events: list[tuple[float, Event]] = []
        self.connections = 0

    def drain(self) -> None:
        while (transmit := self.client.poll_transmit()) is not None:
            for segment in transmit.segments:
                self.sent.append((self.now, transmit.path, Message.decode(segment)))
        while (event := self.client.poll_event()) is not None:
            self.events.append((self.now, event))

    def advance(self, until: float) -> None:
        while (deadline := self.client.next_timeout()) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self.client.handle_timeout(self.now)
            after = self.client.next_timeout()
            assert after is None or after > self.now
            self.drain()
        self.now = until

    def ask(self, *attributes: AnyAttribute) -> int:
        token = self.client.request(self.now, attributes=attributes)
        self.drain()
        return token

    def take(self) -> list[Message]:
        """What was sent since the last call."""
        taken, self.sent = [message for *_, message in self.sent], []
        return taken

    def take_one(self) -> Message:
        (sent,) = self.take()
        return sent

    def connect(self) -> Path:
        """Answer the ConnectRequested that must be there."""
        _, event = self.events.pop()
        assert isinstance(event, ConnectRequested)
        self.connections += 1
        local = TransportAddress(HERE.ip, 5000 + self.connections)
        path = Path(event.transport, local, event.remote)
        self.client.connected(path, self.now)
        self.drain()
        return path

    def disconnect(self, path: Path) -> None:
        self.client.disconnected(path, "gone", self.now)
        self.drain()

    def succeed(
        self,
        request: Message,
        *attributes: AnyAttribute,
        key: IntegrityKey | None = None,
        algorithm: IntegrityAlgorithm = IntegrityAlgorithm.SHA1,
    ) -> None:
        body = attributes or (XorMappedAddress(MAPPED),)
        self.receive(
            encode_message(
                request.method,
                MessageClass.SUCCESS,
                request.transaction_id,
                body,
                key=key,
                algorithm=algorithm,
            )
        )

    def fail(
        self,
        request: Message,
        code: int,
        *attributes: AnyAttribute,
        key: IntegrityKey | None = None,
    ) -> None:
        body = (ErrorCode(code, "Because"), *attributes)
        self.receive(
            encode_message(
                request.method, MessageClass.ERROR, request.transaction_id, body, key=key
            )
        )

    def receive(self, data: bytes, path: Path | None = None) -> None:
        self.client.receive(data, path or self.client.path, self.now)
        self.drain()

    def events_of(self, kind: type[E]) -> list[E]:
        return [event for _, event in self.events if isinstance(event, kind)]

    @property
    def success(self) -> RequestSucceeded:
        (event,) = self.events_of(RequestSucceeded)
        return event

    @property
    def failure(self) -> RequestFailed:
        (event,) = self.events_of(RequestFailed)
        return event
