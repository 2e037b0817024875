"""Sending from a relayed transport address (RFC 8445 sections 7.2.1 and 12.1)."""

from __future__ import annotations

import collections
import logging
from collections.abc import Callable, Sequence

from transport import IPAddress, Path, Transmit, TransportAddress
from turn.client import ClientState, TurnClient

from .candidate import Candidate
from .context import AgentContext
from .drops import DropReason
from .limits import MAX_HELD_CHECKS, MAX_RELAY_PEERS

logger = logging.getLogger(__name__)


class RelayedBase:
    """Wraps what leaves from a relayed transport address for its TURN server.

    The server drops what goes to an IP address without a permission, and what comes
    from there. So a permission is asked for as soon as a pair is formed, and a check
    that is due before the server has confirmed it leaves right after.
    """

    def __init__(
        self,
        client: TurnClient,
        candidate: Candidate,
        stream: int,
        context: AgentContext,
        *,
        address: TransportAddress,
        touch: Callable[[], None],
    ) -> None:
        self.address = address
        self.candidate = candidate
        self.stream = stream
        self._client = client
        self._context = context
        self._touch = touch
        # Ordered by age: a peer brings new addresses with each ICE restart.
        self._asked: dict[IPAddress, None] = {}
        self._refused: dict[IPAddress, None] = {}
        self._used: IPAddress | None = None
        self._held: list[tuple[Path, bytes, int | None]] = []

    def prepare(self, remote: IPAddress) -> bool:
        """Have the server let this IP address in; False if it has refused to."""
        if remote in self._refused or self._client.state is not ClientState.ALLOCATED:
            return False
        if remote not in self._asked:
            self._make_room()
            self._asked[remote] = None
            self._client.create_permission(remote, self._context.now)
            # At once, with no other in the request: one forbidden address would cost
            # the others a second one.
            self._flush(self._context.transmits)
            self._touch()
        return True

    def use(self, remote: TransportAddress) -> None:
        """The pair with this remote address was selected: bind a channel (section 12.1)."""
        self._used = remote.ip
        self._client.bind_channel(remote, self._context.now)
        self._touch()

    def send(
        self,
        path: Path,
        segments: Sequence[bytes],
        *,
        dscp: int | None,
        transmits: collections.deque[Transmit],
    ) -> None:
        """A run goes out as one run, on a channel or in Send indications."""
        if self._client.send(path.remote, segments, self._context.now, dscp=dscp):
            self._flush(transmits)
        elif self.prepare(path.remote.ip):
            self._hold(path, segments[0], dscp)
        else:
            self._context.drop(DropReason.PEER_REFUSED)

    def permitted(self, ip: IPAddress) -> None:
        """The server lets this IP address in: send what had to wait for it."""
        held, self._held = self._held, []
        for path, data, dscp in held:
            if path.remote.ip == ip:
                self.send(path, (data,), dscp=dscp, transmits=self._context.transmits)
            else:
                self._held.append((path, data, dscp))

    def refused(self, ip: IPAddress) -> None:
        """The server relays nothing to this IP address, or no more."""
        self._asked.pop(ip, None)
        if len(self._refused) >= MAX_RELAY_PEERS:
            del self._refused[next(iter(self._refused))]
        self._refused[ip] = None
        self._forget_held(ip)

    def _make_room(self) -> None:
        """Let go of the address that was asked for first, if there are too many.

        Its permission lapses; should data or a check go there again, it is asked for anew.
        """
        if len(self._asked) < MAX_RELAY_PEERS:
            return
        oldest = next(ip for ip in self._asked if ip != self._used)
        del self._asked[oldest]
        self._client.release_permission(oldest, self._context.now)
        self._forget_held(oldest)

    def _forget_held(self, ip: IPAddress) -> None:
        self._held = [item for item in self._held if item[0].remote.ip != ip]

    def _hold(self, path: Path, data: bytes, dscp: int | None) -> None:
        item = (path, data, dscp)
        if item in self._held:  # a retransmission
            return
        if len(self._held) >= MAX_HELD_CHECKS:
            self._context.drop(DropReason.HELD_CHECKS_FULL)
            return
        self._held.append(item)

    def _flush(self, transmits: collections.deque[Transmit]) -> None:
        while (transmit := self._client.poll_transmit()) is not None:
            transmits.append(transmit)
