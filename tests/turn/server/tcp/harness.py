"""A server with TCP allocations, a driver that connects when it is told to, and clients."""

from __future__ import annotations

import dataclasses

from stun import (
    ConnectionId,
    IpProtocol,
    Message,
    MessageClass,
    Method,
    RequestedTransport,
    XorPeerAddress,
)
from tests.turn.server.harness import CLIENT, PEER, Client, Relay, client_on, config
from transport import Transmit, TransportAddress, TransportProtocol
from turn.server import (
    ConnectionsJoined,
    PeerCloseRequested,
    PeerConnectRequested,
    ServerConfig,
)

TCP_REQUEST = RequestedTransport(IpProtocol.TCP)
ENABLED = dataclasses.replace(config(), tcp_relay=True)


class TcpWorld:
    """A relay, and alice with a TCP allocation on a control connection."""

    def __init__(
        self,
        settings: ServerConfig = ENABLED,
        *,
        username: str = "alice",
        password: str | None = None,
    ) -> None:
        self.relay = Relay(settings)
        self.alice = control(self.relay, CLIENT.port, username=username, password=password)
        self.relayed = allocate(self.alice)

    def connects(self) -> list[PeerConnectRequested]:
        return [each for each in self.relay.events if isinstance(each, PeerConnectRequested)]

    def closed(self) -> list[int]:
        events = self.relay.events
        return [each.connection_id for each in events if isinstance(each, PeerCloseRequested)]

    def joined(self) -> list[ConnectionsJoined]:
        return [each for each in self.relay.events if isinstance(each, ConnectionsJoined)]

    def request_connect(self, peer: TransportAddress = PEER) -> int:
        """Send a Connect that the driver is asked for; its CONNECTION-ID."""
        before = len(self.connects())
        assert self.alice.send(self.alice.request(Method.CONNECT, XorPeerAddress(peer))) == []
        (asked,) = self.connects()[before:]
        return asked.connection_id

    def reach(self, connection_id: int) -> Message:
        """The driver has connected; the answer."""
        before = len(self.relay.sent)
        self.relay.server.peer_connected(connection_id, self.relay.now)
        return self._answer_since(before)

    def miss(self, connection_id: int) -> Message:
        """The driver could not connect; the answer."""
        before = len(self.relay.sent)
        self.relay.server.peer_failed(connection_id, self.relay.now)
        return self._answer_since(before)

    def connect(self, peer: TransportAddress = PEER) -> int:
        """A connection that waits to be bound."""
        connection_id = self.request_connect(peer)
        named = self.reach(connection_id).get(ConnectionId)
        assert named is not None
        assert named.connection_id == connection_id
        return connection_id

    def accept(self, peer: TransportAddress = PEER) -> tuple[int | None, list[Transmit]]:
        """A peer connects: what the driver is told, and what is sent."""
        before = len(self.relay.sent)
        connection_id = self.relay.server.peer_accepted(self.relayed, peer, self.relay.now)
        self.relay.drain()
        return connection_id, self.relay.sent[before:]

    def data_client(self, port: int = 41000, *, username: str | None = None) -> Client:
        """A client on a further stream, by default alice again."""
        if username is not None:
            return control(self.relay, port, username=username)
        alice = self.alice
        return control(self.relay, port, username=alice.username, password=alice.password)

    def _answer_since(self, before: int) -> Message:
        self.relay.drain()
        (transmit,) = self.relay.sent[before:]
        assert transmit.path == self.alice.path
        return Message.decode(transmit.segments[0])


def control(
    relay: Relay,
    port: int,
    *,
    transport: TransportProtocol = TransportProtocol.TCP,
    username: str = "alice",
    password: str | None = None,
) -> Client:
    """A client on a stream of its own."""
    client = client_on(relay, port, transport=transport, username=username, password=password)
    if transport.is_reliable:
        relay.server.connected(client.path, relay.now)
    return client


def allocate(client: Client) -> TransportAddress:
    """A relayed transport address of TCP."""
    return client.allocate(request=TCP_REQUEST)


def bind(client: Client, connection_id: int) -> Message:
    return client.ask(Method.CONNECTION_BIND, ConnectionId(connection_id))


def attempts(sent: list[Transmit]) -> list[tuple[TransportAddress, int]]:
    """The ConnectionAttempt indications among what was sent."""
    found = []
    for transmit in sent:
        message = Message.decode(transmit.segments[0])
        if message.method == Method.CONNECTION_ATTEMPT:
            assert message.message_class is MessageClass.INDICATION
            peer, named = message.get(XorPeerAddress), message.get(ConnectionId)
            assert peer is not None
            assert named is not None
            found.append((peer.address, named.connection_id))
    return found
