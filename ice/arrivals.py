"""What comes from the peer: STUN for the sessions, data for the application (RFC 7983).

Data is taken from a path that the peer has proven itself on, and from no other (RFC 8445
section 12.2).
"""

from __future__ import annotations

from stun import MessageClass, is_stun
from transport import Path

from .context import AgentContext
from .drops import DropReason
from .events import DatagramReceived
from .incoming import read_binding
from .restart import Generations

LAST_STUN_FIRST_BYTE = 3
"""RFC 7983 section 7: above it a datagram is not STUN."""


class Arrivals:
    """Sorts the datagrams of an agent; ``last_path`` is that of the data before."""

    def __init__(self, context: AgentContext, generations: Generations) -> None:
        self._context = context
        self._generations = generations
        self.last_path: Path | None = None

    def receive_data(self, data: bytes, path: Path) -> None:
        if path in self._context.validated:
            self.last_path = path
            self._context.report(DatagramReceived(data, path))
        elif path.local in self._context.bases:
            self._context.drop(DropReason.UNVALIDATED_SOURCE)
        else:
            self._context.drop(DropReason.UNKNOWN_BASE)

    def receive_relayed(self, data: bytes, path: Path, now: float) -> bool:
        """What a TURN server hands on, as if it had come to a socket of ours.

        True for STUN, which may lead to more.
        """
        if data and data[0] <= LAST_STUN_FIRST_BYTE and is_stun(data):
            self.receive_stun(data, path, now)
            return True
        if path is self.last_path:
            self._context.report(DatagramReceived(data, path))
        else:
            self.receive_data(data, path)
        return False

    def receive_stun(self, data: bytes, path: Path, now: float) -> None:
        if path.local not in self._context.bases:
            self._context.drop(DropReason.UNKNOWN_BASE)
            return
        message = read_binding(data)
        if isinstance(message, DropReason):
            self._context.drop(message)
        elif message.message_class is not MessageClass.REQUEST:
            self._generations.receive_response(message, path, now)
        elif self._context.config.address_policy(path.remote.ip):
            self._generations.receive_request(message, path, now)
        else:
            self._context.drop(DropReason.REFUSED_ADDRESS)

    def forget(self) -> None:
        """The path of the data before may be gone."""
        self.last_path = None
