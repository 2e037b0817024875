"""A DTLS server for any number of clients on datagram sockets (RFC 6347, RFC 7350)."""

from __future__ import annotations

import collections
import enum
from collections.abc import Mapping, Sequence

from transport.errors import DecodeError
from transport.machine import Event, Path, RandomBytes, Transmit, TransportProtocol
from transport.places import Places
from transport.timers import Timers

from .accepted import AcceptedClient
from .association import AssociationState
from .cookies import Cookies
from .events import (
    ClientConnected,
    ClientDataReceived,
    ClientDisconnected,
    DtlsClosed,
    DtlsDataReceived,
    DtlsEstablished,
    DtlsFailed,
)
from .hello import (
    HelloFragment,
    begins_handshake,
    hello_fragments,
    hello_verify_request,
    read_start,
)
from .openssl import DtlsEngine, server_context
from .profile import DtlsRole
from .trust import DtlsIdentity

MTU = 1200
"""Bytes of a datagram of the handshake; the path's is not known."""

SERVER_HANDSHAKE_TIMEOUT = 10.0
"""Seconds from the cookie on: who says nothing more holds a place for no longer."""

MAX_HALF_OPEN = 128
"""Handshakes under way: each costs a signature, and lasts a few round trips."""

MAX_HALF_OPEN_PER_NETWORK = 16
"""Of one IPv4 address or IPv6 /64, which the cookie has proven."""

MAX_ASSOCIATIONS = 1024
"""Each has the state of a TLS connection: some 50 kB."""

MAX_ASSOCIATIONS_PER_NETWORK = 128
"""Of one IPv4 address or IPv6 /64: an office behind a NAT has fewer."""


class DropReason(enum.Enum):
    """Why a datagram, or data for a client, led to nothing."""

    NOT_DTLS = "neither DTLS of a client that is known, nor a ClientHello"
    NO_PLACE = "too many clients, or too many of one network"
    NO_CLIENT = "data for a client that is not, or no longer, connected"
    TOO_MUCH = "data that no record holds, or that nobody fetches"


class DtlsServer:
    """All associations of a server; a machine of its own kind of paths.

    ``receive`` takes datagrams with the path that the socket gives them (UDP). Data and
    events are on paths with the same ends and the transport DTLS, ``send`` and
    ``disconnect`` take those. Nothing is kept of a client before it has returned a
    cookie, and it is never answered with more bytes than it has sent until then.
    """

    def __init__(
        self,
        identity: DtlsIdentity,
        *,
        random_bytes: RandomBytes,
        protocols: Sequence[str] = (),
    ) -> None:
        """``protocols`` are those of ALPN (RFC 7301) that it speaks."""
        self._context = server_context(identity, protocols)
        self._cookies = Cookies(random_bytes)
        self._clients: dict[Path, AcceptedClient] = {}
        self._places = Places(MAX_ASSOCIATIONS, per_network=MAX_ASSOCIATIONS_PER_NETWORK)
        self._half_open = Places(MAX_HALF_OPEN, per_network=MAX_HALF_OPEN_PER_NETWORK)
        self._timers: Timers[Path] = Timers()
        self._transmits: collections.deque[Transmit] = collections.deque()
        self._events: collections.deque[Event] = collections.deque()
        self._drops: collections.Counter[DropReason] = collections.Counter()

    def __len__(self) -> int:
        """How many associations there are, those under way among them."""
        return len(self._clients)

    @property
    def half_open(self) -> int:
        """How many of them are under way."""
        return len(self._half_open)

    def drops(self) -> Mapping[DropReason, int]:
        """What led to nothing, since the server was made."""
        return dict(self._drops)

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """Take one datagram of a client, whose ``path`` is that of the socket."""
        secured = Path(TransportProtocol.DTLS, path.local, path.remote)
        client = self._clients.get(secured)
        if begins_handshake(data):
            client = self._hello(data, path, secured, now)
        elif client is None:
            self._drops[DropReason.NOT_DTLS] += 1
        if client is not None:
            client.receive(data, path, now)
            self._drain(secured, client)

    def send(self, path: Path, segments: Sequence[bytes]) -> None:
        """Send application data, a record each, to a client that is connected."""
        client = self._clients.get(path)
        for segment in segments:
            if client is None or client.state is not AssociationState.CONNECTED:
                self._drops[DropReason.NO_CLIENT] += 1
            elif not 0 < len(segment) <= client.max_data_bytes or not client.send(segment):
                self._drops[DropReason.TOO_MUCH] += 1
        if client is not None:
            self._drain(path, client)

    def disconnect(self, path: Path, now: float) -> None:
        """End an association, with close_notify; it need not be there."""
        client = self._clients.get(path)
        if client is not None:
            client.close(now)
            self._drain(path, client)

    def close(self, now: float) -> None:
        """End all associations."""
        for path in tuple(self._clients):
            self.disconnect(path, now)

    def handle_timeout(self, now: float) -> None:
        for path in self._timers.expired(now):
            client = self._clients[path]
            client.handle_timeout(now)
            self._drain(path, client)

    def next_timeout(self) -> float | None:
        return self._timers.next_timeout()

    def poll_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def poll_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def _hello(self, data: bytes, path: Path, secured: Path, now: float) -> AcceptedClient | None:
        """Whom a ClientHello is for; without a good cookie, only the answer that gives one.

        A client that begins anew on the port of its former association has to bring a
        cookie, too, before that is given up (section 4.2.8).
        """
        client = self._clients.get(secured)
        try:
            first = next(hello_fragments(data))
            start = read_start(first)
        except DecodeError:
            return client  # a later fragment, or nonsense
        if client is not None and client.parameters == start.parameters:
            return client
        if not self._cookies.is_good(start.cookie, path, start.parameters, now):
            cookie = self._cookies.make(path, start.parameters, now)
            answer = hello_verify_request(first.record_sequence, cookie)
            if len(answer) <= len(data):
                self._transmits.append(Transmit(path, (answer,)))
            return None
        if client is not None:
            self._forget(secured, client, "the client has begun anew")
        return self._accept(path, secured, first, start.parameters, now)

    def _accept(
        self, path: Path, secured: Path, first: HelloFragment, parameters: bytes, now: float
    ) -> AcceptedClient | None:
        ip = path.remote.ip
        if not self._places.take(ip):
            self._drops[DropReason.NO_PLACE] += 1
            return None
        if not self._half_open.take(ip):
            self._places.give_back(ip)
            self._drops[DropReason.NO_PLACE] += 1
            return None
        client = AcceptedClient(
            DtlsEngine(self._context, DtlsRole.SERVER, mtu=MTU),
            path,
            first,
            parameters=parameters,
            mtu=MTU,
            handshake_timeout=SERVER_HANDSHAKE_TIMEOUT,
        )
        self._clients[secured] = client
        client.start(now)
        return client

    def _drain(self, path: Path, client: AcceptedClient) -> None:
        """Do what has come of a change to an association."""
        while (transmit := client.poll_transmit()) is not None:
            self._transmits.append(transmit)
        while (event := client.poll_event()) is not None:
            match event:
                case DtlsEstablished(protocol):
                    self._half_open.give_back(path.remote.ip)
                    self._events.append(ClientConnected(path, protocol))
                case DtlsDataReceived(data):
                    self._events.append(ClientDataReceived(path, data))
                case DtlsClosed():
                    self._forget(path, client, "closed")
                case DtlsFailed(reason):
                    self._forget(path, client, reason)
        deadline = client.next_timeout()
        if deadline is not None:
            self._timers.set(path, deadline)
        else:
            self._timers.cancel(path)

    def _forget(self, path: Path, client: AcceptedClient, reason: str) -> None:
        del self._clients[path]
        self._timers.cancel(path)
        self._places.give_back(path.remote.ip)
        if client.is_established:
            self._events.append(ClientDisconnected(path, reason))
        else:
            self._half_open.give_back(path.remote.ip)
