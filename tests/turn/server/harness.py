"""A TURN server with a driver that opens every port, and a client that speaks to it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from ipaddress import ip_address

from stun import (
    AnyAttribute,
    ChannelNumber,
    Data,
    ErrorCode,
    IntegrityAlgorithm,
    IpProtocol,
    Lifetime,
    Message,
    MessageClass,
    Method,
    Nonce,
    Realm,
    RequestedTransport,
    Username,
    XorPeerAddress,
    XorRelayedAddress,
    encode_message,
    long_term_key,
)
from transport import Event, Path, Transmit, TransportAddress, TransportProtocol
from turn import CredentialVerifier, RelaySecret
from turn.server import (
    ForwardingEntry,
    RelayReleased,
    RelayRequested,
    ServerConfig,
    TcpRelayRequested,
    TurnServer,
)

REALM = "relay.example"
UDP_REQUEST = RequestedTransport(IpProtocol.UDP)
LISTENING = TransportAddress.parse("5.5.5.5", 3478)
LISTENING_6 = TransportAddress.parse("2a00::5", 3478)
RELAY_IP = ip_address("5.5.5.6")
RELAY_IP_6 = ip_address("2a00::6")
CLIENT = TransportAddress.parse("9.9.9.9", 40000)
PEER = TransportAddress.parse("8.8.8.8", 7000)
PEER_6 = TransportAddress.parse("2a01::8", 7000)
SECRET = RelaySecret(b"secret")
WALL_CLOCK = 1_700_000_000.0
"""Unix time where a test's clock is 0."""


def counted_random() -> Callable[[int], bytes]:
    """Bytes that look random and are the same in every run."""
    count = 0

    def random_bytes(size: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_128(count.to_bytes(4, "big")).digest(size)

    return random_bytes


class RecordingTable:
    """A forwarding table that remembers what holds now."""

    def __init__(self) -> None:
        self.entries: dict[tuple[Path, int], ForwardingEntry] = {}
        self.calls: list[str] = []

    def upsert(self, entry: ForwardingEntry) -> None:
        self.calls.append("upsert")
        self.entries[entry.client, entry.channel] = entry

    def remove(self, client: Path, channel: int) -> None:
        self.calls.append("remove")
        del self.entries[client, channel]


def config(
    *,
    users: dict[str, str] | None = None,
    secrets: Sequence[RelaySecret] = (SECRET,),
) -> ServerConfig:
    """What most tests need; ``dataclasses.replace`` changes it."""
    if users is None:
        users = {"alice": "alice's password", "bob": "bob's password"}
    return ServerConfig(
        realm=REALM,
        credentials=CredentialVerifier(users, secrets),
        listening=(LISTENING, LISTENING_6),
        relay_addresses=(RELAY_IP, RELAY_IP_6),
    )


class Relay:
    """The server, and a driver that binds what it is asked for unless told otherwise."""

    def __init__(self, settings: ServerConfig | None = None) -> None:
        self.table = RecordingTable()
        self.server = TurnServer(
            settings or config(),
            random_bytes=counted_random(),
            table=self.table,
            wall_clock_offset=WALL_CLOCK,
        )
        self.now = 0.0
        self.opens = True
        self.requested: list[RelayRequested | TcpRelayRequested] = []
        self.released: list[TransportAddress] = []
        self.events: list[Event] = []
        self.sent: list[Transmit] = []

    def drain(self) -> None:
        """Do what the server asks for, and keep the rest."""
        while (event := self.server.poll_event()) is not None:
            self.events.append(event)
            if isinstance(event, RelayReleased):
                self.released.append(event.relayed)
            elif isinstance(event, RelayRequested | TcpRelayRequested):
                self.requested.append(event)
                if self.opens:
                    self.server.relay_opened(event.token, event.address, self.now)
        while (transmit := self.server.poll_transmit()) is not None:
            self.sent.append(transmit)

    def receive(self, data: bytes, path: Path) -> list[Transmit]:
        """Everything the server sends because of a message."""
        before = len(self.sent)
        self.server.receive(data, path, self.now)
        self.drain()
        return self.sent[before:]

    def receive_relayed(
        self, data: bytes, peer: TransportAddress, relayed: TransportAddress
    ) -> list[Transmit]:
        """Everything the server sends because of a peer's datagram."""
        before = len(self.sent)
        self.server.receive_relayed(data, peer, relayed, self.now)
        self.drain()
        return self.sent[before:]

    def run_until(self, now: float) -> None:
        """Let time pass, with every timeout at its time."""
        while (deadline := self.server.next_timeout()) is not None and deadline <= now:
            assert deadline >= self.now
            self.now = deadline
            self.server.handle_timeout(deadline)
            self.drain()
        self.now = now


@dataclasses.dataclass
class Client:
    """A client on one path that knows the realm, and takes the nonces it is given."""

    relay: Relay
    path: Path = dataclasses.field(
        default_factory=lambda: Path(TransportProtocol.UDP, LISTENING, CLIENT)
    )
    username: str = "alice"
    password: str = "alice's password"
    nonce: str = ""
    extra: tuple[AnyAttribute, ...] = ()
    """Attributes of authentication beside the usual ones."""
    count: int = 0

    def transaction_id(self) -> bytes:
        self.count += 1
        return self.count.to_bytes(4, "big") + self.path.remote.port.to_bytes(8, "big")

    def send(self, data: bytes) -> list[Transmit]:
        return self.relay.receive(data, self.path)

    def answer(self, data: bytes) -> Message:
        """The one response to a request, on the path it came on."""
        (transmit,) = self.send(data)
        assert transmit.path == self.path
        assert len(transmit.segments) == 1
        return Message.decode(transmit.segments[0])

    def bare(self, method: int, *attributes: AnyAttribute) -> Message:
        """The answer to a request without credentials."""
        return self.answer(
            encode_message(method, MessageClass.REQUEST, self.transaction_id(), attributes)
        )

    def fetch_nonce(self) -> None:
        challenge = self.bare(Method.ALLOCATE, UDP_REQUEST)
        nonce = challenge.get(Nonce)
        assert nonce is not None
        self.nonce = nonce.nonce

    def request(
        self,
        method: int,
        *attributes: AnyAttribute,
        transaction_id: bytes | None = None,
        realm: str = REALM,
        fingerprint: bool = False,
    ) -> bytes:
        """A request signed with MESSAGE-INTEGRITY, as an RFC 5389 client makes it."""
        if not self.nonce:
            self.fetch_nonce()
        return encode_message(
            method,
            MessageClass.REQUEST,
            transaction_id or self.transaction_id(),
            (*attributes, Username(self.username), Realm(realm), Nonce(self.nonce), *self.extra),
            key=long_term_key(self.username, REALM, password=self.password),
            fingerprint=fingerprint,
        )

    def ask(self, method: int, *attributes: AnyAttribute) -> Message:
        """The answer to a signed request; it is signed too if it came that far."""
        response = self.answer(self.request(method, *attributes))
        if response.has_integrity:
            key = long_term_key(self.username, REALM, password=self.password)
            assert response.integrity is IntegrityAlgorithm.SHA1
            assert response.verify_integrity(key)
        return response

    def allocate(
        self, *attributes: AnyAttribute, request: RequestedTransport = UDP_REQUEST
    ) -> TransportAddress:
        response = self.ask(Method.ALLOCATE, request, *attributes)
        relayed = response.get(XorRelayedAddress)
        assert relayed is not None, code(response)
        return relayed.address

    def refresh(self, lifetime: int | None = None, *attributes: AnyAttribute) -> Message:
        wanted = () if lifetime is None else (Lifetime(lifetime),)
        return self.ask(Method.REFRESH, *wanted, *attributes)

    def permit(self, *peers: TransportAddress) -> Message:
        return self.ask(Method.CREATE_PERMISSION, *(XorPeerAddress(peer) for peer in peers))

    def bind(self, number: int, peer: TransportAddress) -> Message:
        return self.ask(Method.CHANNEL_BIND, ChannelNumber(number), XorPeerAddress(peer))

    def indicate(self, *attributes: AnyAttribute, method: int = Method.SEND) -> list[Transmit]:
        return self.send(
            encode_message(method, MessageClass.INDICATION, self.transaction_id(), attributes)
        )

    def send_to(self, peer: TransportAddress, data: bytes) -> list[Transmit]:
        return self.indicate(XorPeerAddress(peer), Data(data))


def client_on(
    relay: Relay,
    port: int,
    *,
    transport: TransportProtocol = TransportProtocol.UDP,
    username: str = "alice",
    password: str | None = None,
) -> Client:
    """A client at another port."""
    path = Path(transport, LISTENING, TransportAddress(CLIENT.ip, port))
    return Client(relay, path, username, f"{username}'s password" if password is None else password)


def code(response: Message) -> int:
    """The error code, or 0 for a success."""
    if response.message_class is MessageClass.SUCCESS:
        return 0
    error = response.get(ErrorCode)
    assert error is not None
    return error.code
