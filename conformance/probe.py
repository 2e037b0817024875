"""What a row works with: clients, allocations and peers of its own."""

from __future__ import annotations

from collections.abc import Sequence

from transport import IPAddress, TransportAddress, TransportProtocol

from .allocation import UDP, Allocation
from .building import one_byte, u32
from .client import Attribute, Client, describe
from .codes import Attr, Class, Method
from .link import DatagramPort, ListeningPort, Record, StreamPort
from .opening import Opening, connect_peer
from .outcome import Direction, NotOffered, OutOfReach, Unanswered, Violated, Violation
from .reading import ReceivedMessage
from .row import Feature
from .server_link import ServerLink
from .survey import Survey
from .target import Credential, Target
from .wire import MarkedLink, Wire

IPV6 = 2
"""As REQUESTED-ADDRESS-FAMILY has it."""


class Probe:
    """The hands of one row. What it opens is closed, and what it allocates deleted, for it."""

    def __init__(self, target: Target, wire: Wire, survey: Survey) -> None:
        self.target = target
        self.wire = wire
        self.survey = survey
        self.record = Record(wire)
        self.violations: list[Violation] = []
        self._clients: list[Client] = []
        self._peers: list[DatagramPort | ListeningPort | StreamPort] = []
        self._allocations: list[Allocation] = []

    # Clients

    async def client(
        self,
        *,
        user: int = 0,
        transport: TransportProtocol | None = None,
        local: TransportAddress | None = None,
        protocols: Sequence[str] = (),
    ) -> Client:
        """A fresh 5-tuple to the server (from ``local``), for the credential of that number.

        Over TLS and DTLS, ``protocols`` are offered by ALPN.

        Raises:
            NotOffered: no connection can be made.
        """
        credentials = self.target.credentials
        credential = credentials[user] if user < len(credentials) else None
        kind = transport or self.target.transport
        opening = Opening(self.target, self.wire, self.record, local, tuple(protocols))
        return self._adopt(await opening.open(kind), credential)

    async def plain_client(self) -> Client:
        """One whose datagrams are not secured: beside DTLS, where the target is reached by that.

        Raises:
            NotOffered: the target is reached over a stream.
        """
        self.needs_datagrams()
        return await self.client(transport=TransportProtocol.UDP)

    def needs_datagrams(self) -> None:
        """Go on only where messages are datagrams, over UDP or DTLS.

        Raises:
            NotOffered: the target is reached over a stream.
        """
        if self.target.transport.is_reliable:
            scheme = "turn" if self.target.is_turn else "stun"
            is_tls = self.target.transport is TransportProtocol.TLS
            how = f"as {scheme}:HOST" if is_tls else "without transport=tcp"
            raise NotOffered(f"the target is reached over a stream: name it {how}")

    def needs_udp(self) -> None:
        """Go on only where messages are datagrams that are not secured.

        Raises:
            NotOffered: the target is reached over a stream, or over DTLS.
        """
        self.needs_datagrams()
        if self.target.transport is TransportProtocol.DTLS:
            raise NotOffered("it is about plain UDP: name the target as turn:HOST or stun:HOST")

    async def is_alive(self) -> None:
        """Make sure of the server: silence is worth nothing from a dead one.

        Raises:
            Violated: it answers no Binding request any more.
        """
        client = await self.client()
        if await client.ask(client.message(Method.BINDING).build()) is None:
            raise Violated("afterwards the server does not answer a Binding request")

    def _adopt(self, link: ServerLink, credential: Credential | None) -> Client:
        report = self.violations.append
        client = Client(link, self.target, self.wire, credential=credential, report=report)
        client.family = one_byte(IPV6) if self.peer_ip.version == 6 else None
        self._clients.append(client)
        return client

    async def marked_client(self) -> tuple[Client, MarkedLink]:
        """A fresh 5-tuple over UDP, and its socket, which chooses TOS bytes.

        Raises:
            NotOffered: the target is reached over a stream, or over DTLS.
            OSError: this host has no such thing.
        """
        self.needs_udp()
        link, marked = await Opening(self.target, self.wire, self.record).open_marked()
        return self._adopt(link, next(iter(self.target.credentials), None)), marked

    # Allocations

    async def allocate(self, *attributes: Attribute, client: Client | None = None) -> Allocation:
        """An allocation that a row needs to get to its point.

        Raises:
            NotOffered: there is none to be had; that is the business of other rows.
        """
        try:
            response, allocation = await self.try_to_allocate(UDP, *attributes, client=client)
        except Unanswered as error:
            raise OutOfReach(error.detail) from error
        if allocation is None:
            raise NotOffered(f"Allocate is met with {describe(response)}")
        return allocation

    async def try_to_allocate(
        self, *attributes: Attribute, client: Client | None = None
    ) -> tuple[ReceivedMessage, Allocation | None]:
        """The answer to an Allocate with these attributes alone, and what it grants.

        Raises:
            Unanswered: there is no answer.
            NotOffered: the server asks for no credentials, or there are none.
        """
        mine = client or await self.client()
        response = await mine.authenticated(Method.ALLOCATE, *attributes)
        relayed = response.xor_address(Attr.XOR_RELAYED_ADDRESS)
        if response.message_class is not Class.SUCCESS or relayed is None:
            return response, None
        return response, self.keep(Allocation(mine, response, relayed))

    async def give_back(self, allocation: Allocation) -> None:
        """Delete an allocation now, and give up its 5-tuple.

        Raises:
            NotOffered: it is not deleted.
        """
        self._allocations.remove(allocation)
        try:
            response = await allocation.delete()
        except Unanswered as error:
            raise OutOfReach(error.detail) from error
        allocation.client.link.close()
        # A client takes that for success (RFC 8656 section 8.2): the first answer was lost.
        is_gone = response.error_code == 437 and self.was_repeated(response)
        if response.message_class is not Class.SUCCESS and not is_gone:
            raise NotOffered(f"a deletion is met with {describe(response)}")

    def was_repeated(self, response: ReceivedMessage) -> bool:
        """Whether the request was sent more than once: a server may have answered before."""
        sent = (each for each in self.record.frames if each.direction is Direction.SENT)
        return sum(each.data[8:20] == response.transaction_id for each in sent) > 1

    def keep(self, allocation: Allocation) -> Allocation:
        """Delete this one too, when the row is over."""
        self._allocations.append(allocation)
        return allocation

    # Peers

    @property
    def peer_ip(self) -> IPAddress:
        """An address of this host that the server may relay to."""
        return self.target.peer_ip or self.wire.local_ip(self.target.address)

    async def peer(self) -> DatagramPort:
        """A peer: a socket at an address that may be relayed to."""
        port = DatagramPort(await self.wire.open_datagrams(self.peer_ip), self.record)
        self._peers.append(port)
        return port

    async def marked_peer(self) -> tuple[DatagramPort, MarkedLink]:
        """A peer, and its socket, which chooses and sees TOS bytes.

        Raises:
            OSError: this host has no such thing.
        """
        marked = await self.wire.open_marked(self.peer_ip)
        port = DatagramPort(marked, self.record)
        self._peers.append(port)
        return port, marked

    async def socket(self, ip: IPAddress | None = None) -> DatagramPort:
        """A socket that any address of the server can be asked from; or at an IP address.

        Raises:
            OSError: this host has no such address.
        """
        at = ip or self.wire.local_ip(self.target.address)
        port = DatagramPort(await self.wire.open_datagrams(at), self.record)
        self._peers.append(port)
        return port

    async def listening_peer(self, *, is_deaf: bool = False) -> ListeningPort:
        """A peer that is connected to over TCP; a deaf one cannot be reached, nor refuses."""
        listener = await self.wire.open_listener(self.peer_ip, is_deaf=is_deaf)
        port = ListeningPort(listener, self.record)
        self._peers.append(port)
        return port

    async def connecting_peer(self, remote: TransportAddress) -> StreamPort:
        """A peer that connects over TCP; it may be closed at once.

        Raises:
            Violated: nothing listens there.
        """
        port = StreamPort(await connect_peer(self.wire, self.peer_ip, remote), self.record)
        self._peers.append(port)
        return port

    async def heard(self, peer: DatagramPort) -> tuple[bytes, TransportAddress]:
        """The next datagram at a peer.

        Raises:
            Violated: nothing comes.
        """
        received = await peer.receive(self.target.patience)
        if received is None:
            raise Violated("nothing comes out at the peer")
        return received

    async def hears_nothing(self, peer: DatagramPort, *, why: str) -> None:
        """Raises:
        Violated: a datagram comes to the peer.
        """
        received = await peer.receive(self.target.silence)
        if received is not None:
            raise Violated(f"{why}: the peer receives {len(received[0])} bytes")

    async def close(self) -> None:
        """Delete what was allocated, and close all sockets."""
        for allocation in self._allocations:
            await self._clear_up(allocation.client)
        for each in self._clients:
            each.link.close()
        for peer in self._peers:
            peer.close()

    async def _clear_up(self, client: Client) -> None:
        """Delete its allocation; what is left stands in the way of other rows for minutes."""
        if client.challenge is None or client.link.has_ended:
            return
        is_offered = Feature.REFRESH not in self.survey.missing
        deletion = client.sign(client.message(Method.REFRESH, (Attr.LIFETIME, u32(0)))).build()
        patience = self.target.patience if is_offered else self.target.silence
        await client.ask(deletion, seconds=patience)
