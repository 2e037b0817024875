"""An allocation on a TURN server, as a source of candidates (RFC 8445 section 5.1.1.2)."""

from __future__ import annotations

import collections
import logging
from collections.abc import Callable, Container

from stun import AddressFamily, MessageClass, Method, encode_message
from transport import (
    CloseRequested,
    ConnectRequested,
    Event,
    Path,
    Transmit,
    TransportAddress,
)
from turn.client import (
    Allocated,
    AllocationFailed,
    AllocationLost,
    AllocationReleased,
    ChannelRefused,
    ClientConfig,
    DataReceived,
    PermissionInstalled,
    PermissionRefused,
    ServerMemory,
    TurnClient,
)

from .candidate import Candidate
from .check_message import TRANSACTION_ID_BYTES
from .context import AgentContext
from .findings import (
    BaseLost,
    PeerRefused,
    RelayedDatagram,
    RelayFound,
    SourceFailed,
    SourceFinding,
)
from .origin import Origin
from .pair import udp_path
from .reflexive import KEEPALIVE_INTERVAL
from .relayed_base import RelayedBase

logger = logging.getLogger(__name__)


class RelaySource:
    """Gets an allocation and keeps it; the base is made when it is known what candidate
    it stands for.

    Raises:
        OpaqueStringError: username or credential cannot be used.
    """

    def __init__(
        self,
        number: int,
        origin: Origin,
        context: AgentContext,
        findings: collections.deque[SourceFinding],
        *,
        family: AddressFamily | None,
        memory: ServerMemory,
        touch: Callable[[RelaySource], None],
    ) -> None:
        self.number = number
        self.origin = origin
        self.family = family
        self.is_settled = False
        self.is_over = False
        self.is_released = False
        self.base: RelayedBase | None = None
        self._context = context
        self._findings = findings
        self._touch = touch
        self._keepalive_at: float | None = None
        self._peer_path: Path | None = None
        server = origin.server
        self._client = TurnClient(
            origin.path,
            username=server.username,
            password=server.credential,
            random_bytes=context.random_bytes,
            config=ClientConfig(family=family, server_name=server.uri.host),
            memory=memory,
        )

    @property
    def path(self) -> Path:
        """To the server; over a stream it changes when that is connected."""
        return self._client.path

    def is_at(self, addresses: Container[TransportAddress]) -> bool:
        """Whether its relayed transport address is one of these."""
        return self.base is not None and self.base.address in addresses

    def open_base(self, candidate: Candidate, address: TransportAddress) -> RelayedBase:
        """The base from which the relayed candidate sends."""
        self.base = RelayedBase(
            self._client,
            candidate,
            self.origin.key[0],
            self._context,
            address=address,
            touch=lambda: self._touch(self),
        )
        return self.base

    def start(self, now: float) -> None:
        """Send an Allocate request, or open a stream for it."""
        self._client.allocate(now)
        if not self.origin.path.transport.is_reliable:
            self._keepalive_at = now + KEEPALIVE_INTERVAL
        self.pump(now)

    def receive(self, data: bytes, now: float) -> None:
        """Anything that came from the server."""
        self._client.receive(data, self._client.path, now)
        self.pump(now)

    def connected(self, path: Path, now: float) -> None:
        self._client.connected(path, now)
        self.pump(now)

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        self._client.disconnected(path, reason, now)
        self.pump(now)

    def handle_timeout(self, now: float) -> None:
        self._client.handle_timeout(now)
        if self._keepalive_at is not None and self._keepalive_at <= now:
            self._keep_alive(now)
        self.pump(now)

    def next_timeout(self) -> float | None:
        deadline = self._client.next_timeout()
        if deadline is None or self._keepalive_at is None:
            return self._keepalive_at if deadline is None else deadline
        return min(deadline, self._keepalive_at)

    def conclude(self) -> None:
        """ICE is over: the consent checks keep the way to the server open from now on."""
        self._keepalive_at = None

    def release(self, now: float) -> None:
        """Have the server delete the allocation; ``is_over`` once that is done."""
        self.is_settled = self.is_released = True
        self._keepalive_at = None
        self._client.release(now)
        self.pump(now)

    def pump(self, now: float) -> None:
        """Pass on what the client has put out."""
        transmits, client = self._context.transmits, self._client
        while True:
            while (transmit := client.poll_transmit()) is not None:
                transmits.append(transmit)
            event = client.poll_event()
            if event is None:
                return
            self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case DataReceived(peer=peer, data=data):
                self._receive(peer, data)
            case Allocated(relayed=relayed, mapped=mapped):
                self.is_settled = True
                self._findings.append(RelayFound(self.number, relayed, mapped))
            case AllocationFailed():
                self._end()
                self._findings.append(SourceFailed(self.origin, event, self.family))
            case AllocationLost(reason=reason):
                logger.warning(
                    "the allocation on %s is lost: %s", self.origin.server.uri, reason.value
                )
                self._lose_base()
                self._end()
            case AllocationReleased():
                self._end()
            case PermissionInstalled(ip=ip) if self.base is not None:
                self.base.permitted(ip)
            case PermissionRefused(ip=ip) if self.base is not None:
                logger.info("%s relays nothing to %s", self.origin.server.uri, ip)
                self.base.refused(ip)
                self._findings.append(PeerRefused(self.base.address, ip))
            case ChannelRefused(peer=peer):
                logger.info("%s binds no channel to %s", self.origin.server.uri, peer)
            case ConnectRequested() | CloseRequested():
                self._context.report(event)

    def _receive(self, peer: TransportAddress, data: bytes) -> None:
        if self.base is None:
            return
        path = self._peer_path
        if path is None or path.remote is not peer:
            path = self._peer_path = udp_path(self.base.address, peer)
        self._findings.append(RelayedDatagram(data, path))

    def _lose_base(self) -> None:
        if self.base is not None:
            self._findings.append(BaseLost(self.base.address))
            self.base = None

    def _end(self) -> None:
        self.is_settled = self.is_over = True
        self._keepalive_at = None

    def _keep_alive(self, now: float) -> None:
        """A NAT on the way forgets us within 30 s, but a Refresh comes after minutes."""
        indication = encode_message(
            Method.BINDING,
            MessageClass.INDICATION,
            self._context.random_bytes(TRANSACTION_ID_BYTES),
            (),
        )
        self._context.transmits.append(Transmit(self.path, (indication,)))
        self._keepalive_at = now + KEEPALIVE_INTERVAL
