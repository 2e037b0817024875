"""A scripted TURN server: it answers what the test tells it to, when it tells it to."""

from __future__ import annotations

import dataclasses
import ipaddress
import random
from collections.abc import Sequence
from typing import TypeVar

from stun import (
    AnyAttribute,
    Data,
    ErrorCode,
    IntegrityAlgorithm,
    IntegrityKey,
    KeyAlgorithm,
    Lifetime,
    Message,
    MessageClass,
    Method,
    Nonce,
    Realm,
    XorMappedAddress,
    XorPeerAddress,
    XorRelayedAddress,
    encode_message,
    long_term_key,
)
from transport import Event, IPAddress, Path, TransportAddress, TransportProtocol
from turn.client import Allocated, ClientConfig, ServerMemory, ServerReached, TurnClient

USER, PASSWORD, REALM = "ann", "open sesame", "relay.example"
KEY = long_term_key(USER, REALM, password=PASSWORD, algorithm=KeyAlgorithm.MD5)

HERE = TransportAddress.parse("192.0.2.1", 4000)
SERVER = TransportAddress.parse("203.0.113.1", 3478)
MAPPED = TransportAddress.parse("198.51.100.1", 40000)
RELAYED = TransportAddress.parse("203.0.113.1", 50000)
PEER = TransportAddress.parse("198.51.100.7", 7000)
PATH = Path(TransportProtocol.UDP, HERE, SERVER)

E = TypeVar("E", bound=Event)


def peer(number: int, *, port: int = 7000) -> TransportAddress:
    return TransportAddress(ip(number), port)


def ip(number: int) -> IPAddress:
    return ipaddress.ip_address("198.51.100.0") + number


@dataclasses.dataclass(frozen=True)
class Sent:
    """One STUN message of the client."""

    at: float
    path: Path
    message: Message

    @property
    def method(self) -> int:
        return self.message.method

    @property
    def peers(self) -> list[TransportAddress]:
        return [attribute.address for attribute in self.message.get_all(XorPeerAddress)]

    @property
    def lifetime(self) -> int | None:
        lifetime = self.message.get(Lifetime)
        return None if lifetime is None else lifetime.lifetime

    @property
    def nonce(self) -> str | None:
        nonce = self.message.get(Nonce)
        return None if nonce is None else nonce.nonce


class Script:
    """Plays the driver and the server of ``client``, on virtual time."""

    def __init__(
        self,
        path: Path = PATH,
        *,
        config: ClientConfig | None = None,
        memory: ServerMemory | None = None,
        seed: int = 1,
        password: str | None = PASSWORD,
    ) -> None:
        self.client = TurnClient(
            path,
            username=None if password is None else USER,
            password=password,
            random_bytes=random.Random(seed).randbytes,
            config=config,
            memory=memory,
        )
        self.now = 0.0
        self.sent: list[Sent] = []
        self.channel_data: list[tuple[float, Sequence[bytes]]] = []
        self.runs: list[Sequence[bytes]] = []
        self.events: list[tuple[float, Event]] = []
        self.reached: list[float] = []
        """When ServerReached has told that the server is there."""
        self.nonce = "nonce-0"
        self.key: IntegrityKey = KEY
        self.algorithm = IntegrityAlgorithm.SHA1

    # The driver's part

    def drain(self) -> None:
        while (transmit := self.client.poll_transmit()) is not None:
            self.runs.append(transmit.segments)
            if transmit.segments[0][0] >= 0x40:
                self.channel_data.append((self.now, transmit.segments))
                continue
            for segment in transmit.segments:
                self.sent.append(Sent(self.now, transmit.path, Message.decode(segment)))
        while (event := self.client.poll_event()) is not None:
            if isinstance(event, ServerReached):
                self.reached.append(self.now)
            else:
                self.events.append((self.now, event))

    def advance(self, until: float) -> None:
        """Let time pass, meeting every deadline exactly."""
        while (deadline := self.client.next_timeout()) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self.client.handle_timeout(self.now)
            after = self.client.next_timeout()
            assert after is None or after > self.now
            self.drain()
        self.now = until

    def take(self) -> list[Sent]:
        """What was sent since the last call."""
        taken, self.sent = self.sent, []
        return taken

    def take_one(self) -> Sent:
        (sent,) = self.take()
        return sent

    def events_of(self, kind: type[E]) -> list[E]:
        return [event for _, event in self.events if isinstance(event, kind)]

    def receive(self, data: bytes, path: Path | None = None) -> None:
        self.client.receive(data, self.client.path if path is None else path, self.now)
        self.drain()

    # Verbs

    def allocate(self) -> None:
        self.client.allocate(self.now)
        self.drain()

    def permit(self, *ips: IPAddress) -> None:
        self.client.create_permissions(ips, self.now)
        self.drain()

    def bind(self, peer: TransportAddress = PEER) -> None:
        self.client.bind_channel(peer, self.now)
        self.drain()

    def send(self, peer: TransportAddress, *segments: bytes) -> bool:
        sent = self.client.send(peer, segments, self.now)
        self.drain()
        return sent

    def release(self) -> None:
        self.client.release(self.now)
        self.drain()

    # The server's part

    def succeed(self, request: Sent, *attributes: AnyAttribute) -> None:
        self._respond(request, MessageClass.SUCCESS, attributes, key=self.key)

    def fail(self, request: Sent, code: int, *attributes: AnyAttribute) -> None:
        """A signed error response."""
        body = (ErrorCode(code, "Because"), *attributes)
        self._respond(request, MessageClass.ERROR, body, key=self.key)

    def fail_unsigned(self, request: Sent, code: int, *attributes: AnyAttribute) -> None:
        body = (ErrorCode(code, "Because"), *attributes)
        self._respond(request, MessageClass.ERROR, body, key=None)

    def challenge(self, request: Sent, *, code: int = 401, nonce: str | None = None) -> None:
        """Answer 401 or 438, with a nonce that is new if one is given."""
        self.nonce = self.nonce if nonce is None else nonce
        self.fail_unsigned(request, code, Realm(REALM), Nonce(self.nonce))

    def grant(self, request: Sent, *, lifetime: int = 600) -> None:
        """Success to an Allocate request."""
        granted = (XorRelayedAddress(RELAYED), XorMappedAddress(MAPPED), Lifetime(lifetime))
        self.succeed(request, *granted)

    def indicate(self, peer: TransportAddress, data: bytes) -> None:
        self.indicate_raw(XorPeerAddress(peer), Data(data))

    def indicate_raw(self, *attributes: AnyAttribute) -> None:
        """A Data indication of these attributes."""
        message = encode_message(Method.DATA, MessageClass.INDICATION, bytes(12), attributes)
        self.receive(message)

    def _respond(
        self,
        request: Sent,
        message_class: MessageClass,
        attributes: Sequence[AnyAttribute],
        *,
        key: IntegrityKey | None,
    ) -> None:
        message = encode_message(
            request.method,
            message_class,
            request.message.transaction_id,
            attributes,
            key=key,
            algorithm=self.algorithm,
        )
        self.receive(message, request.path)

    # Whole procedures

    def get_allocation(self, *, lifetime: int = 600) -> None:
        """Allocate with the 401 round; nothing of it stays in ``sent``."""
        self.allocate()
        self.challenge(self.take_one())
        self.grant(self.take_one(), lifetime=lifetime)
        assert self.events_of(Allocated)

    def get_permission(self, *ips: IPAddress) -> None:
        self.permit(*ips)
        self.succeed(self.take_one())

    def get_channel(self, peer: TransportAddress = PEER) -> int:
        """The number that the client has chosen."""
        self.bind(peer)
        request = self.take_one()
        self.succeed(request)
        value = request.message.raw_value(0x000C)
        assert value is not None
        return int.from_bytes(value[:2], "big")


def allocated(*, lifetime: int = 600, config: ClientConfig | None = None) -> Script:
    """A script whose client has its allocation."""
    script = Script(config=config)
    script.get_allocation(lifetime=lifetime)
    return script


def silence(script: Script, until: float) -> list[Sent]:
    """Let time pass without an answer; what the client sent, retransmissions included."""
    script.advance(until)
    return script.take()
