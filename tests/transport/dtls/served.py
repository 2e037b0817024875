"""A DTLS server with clients of ours on a network that a test may change."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Sequence

from transport import Event, Path, TransportAddress, TransportProtocol
from transport.dtls import DtlsClient, DtlsClients, DtlsServer, DtlsTrust

from .issued import ANCHORS, IDENTITY, NAME

SERVER = TransportAddress.parse("192.0.2.2", 5349)
CLIENT = TransportAddress.parse("192.0.2.1", 1000)

UDP, DTLS = TransportProtocol.UDP, TransportProtocol.DTLS

Change = Callable[[list[bytes]], Sequence[bytes]]


def unchanged(datagrams: list[bytes]) -> Sequence[bytes]:
    return datagrams


def there(client: TransportAddress = CLIENT) -> Path:
    """The path of a client's association, as the server sees it."""
    return Path(DTLS, SERVER, client)


@dataclasses.dataclass
class Client:
    """One client; ``sent`` and ``received`` are datagrams."""

    machine: DtlsClient
    address: TransportAddress
    sent: list[bytes] = dataclasses.field(default_factory=list)
    received: list[bytes] = dataclasses.field(default_factory=list)
    events: list[Event] = dataclasses.field(default_factory=list)


class World:
    """A server, and what it reported."""

    def __init__(self, *, protocols: Sequence[str] = ()) -> None:
        self.server = DtlsServer(
            IDENTITY, random_bytes=random.Random(1).randbytes, protocols=protocols
        )
        self.events: list[Event] = []
        self.now = 0.0

    def client(
        self,
        address: TransportAddress = CLIENT,
        *,
        name: str = NAME,
        trust: DtlsTrust | None = None,
        protocols: Sequence[str] = (),
    ) -> Client:
        """One whose handshake has been started."""
        clients = DtlsClients(trust or DtlsTrust(ANCHORS), protocols=protocols)
        machine = clients.associate(Path(UDP, address, SERVER), name)
        machine.start(self.now)
        return Client(machine, address)

    def deliver(self, client: Client, *, change: Change = unchanged) -> None:
        """Pass datagrams to and fro until nobody has anything to say."""
        while outgoing := self.sent_by(client):
            for datagram in change(outgoing):
                self.send(datagram, client.address)
            for datagram in self.answers():
                client.received.append(datagram)
                client.machine.receive(datagram, Path(UDP, client.address, SERVER), self.now)
        while (event := client.machine.poll_event()) is not None:
            client.events.append(event)

    def sent_by(self, client: Client) -> list[bytes]:
        """What a client has to send now."""
        datagrams: list[bytes] = []
        while (transmit := client.machine.poll_transmit()) is not None:
            datagrams += transmit.segments
        client.sent += datagrams
        return datagrams

    def send(self, datagram: bytes, source: TransportAddress = CLIENT) -> None:
        """Give the server a datagram."""
        self.server.receive(datagram, Path(UDP, SERVER, source), self.now)
        while (event := self.server.poll_event()) is not None:
            self.events.append(event)

    def answers(self) -> list[bytes]:
        """What the server has to send now."""
        datagrams: list[bytes] = []
        while (transmit := self.server.poll_transmit()) is not None:
            assert transmit.path.transport is UDP
            datagrams += transmit.segments
        return datagrams

    def connected(self, address: TransportAddress = CLIENT) -> Client:
        """A client after its handshake."""
        client = self.client(address)
        self.deliver(client)
        return client


def fragments(datagram: bytes, size: int, *, first_sequence: int = 0) -> list[bytes]:
    """The records of a handshake message, each with a piece of it (RFC 6347 section 4.2.3)."""
    header, message = datagram[:13], datagram[13:]
    kind, body = message[:6], message[12:]
    records = []
    for number, start in enumerate(range(0, len(body), size)):
        piece = body[start : start + size]
        sequence = (first_sequence + number).to_bytes(6)
        content = kind + start.to_bytes(3) + len(piece).to_bytes(3) + piece
        records.append(header[:5] + sequence + len(content).to_bytes(2) + content)
    return records
