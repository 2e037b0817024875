"""The present generation and the one that a restart replaces (RFC 8445 section 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from stun import Message
from transport import IPAddress, Path, TransportAddress

from .bases import Base
from .checklist import ValidPair
from .context import AgentContext, ComponentKey
from .drops import DropReason
from .session import IceSession
from .state import IceState


class Generations:
    """The current ICE session, and the previous one while data still flows on its pairs.

    During a restart the peer's checks for the old credentials are answered, and
    consent on the old pairs is kept (RFC 7675 section 5.1), until the new session has
    selected its own. From then on the old credentials are refused.
    """

    def __init__(self, context: AgentContext, new_session: Callable[[], IceSession]) -> None:
        self._context = context
        self._new_session = new_session
        self.current = new_session()
        self.previous: IceSession | None = None

    def __iter__(self) -> Iterator[IceSession]:
        yield self.current
        if self.previous is not None:
            yield self.previous

    def restart(self) -> None:
        """Begin a new session; the role stays, everything else is flushed."""
        if self.current.remote is not None:
            # Of several restarts in a row, the one that last carried data is worth keeping.
            if self.previous is None or self.current.has_selected_all():
                self.previous = self.current
            self.current.retire()
        self.current = self._new_session()

    def settle(self) -> None:
        """Let go of the previous session when the current one needs it no more."""
        if self.previous is not None and self.current.has_selected_all():
            self.previous.close()
            self.previous = None

    def close(self) -> None:
        for session in self:
            session.close()
        self.previous = None

    def remove_base(self, base: Base, now: float) -> None:
        for session in self:
            session.remove_base(base, now)

    def refuse_pairs(self, base: Base, ip: IPAddress, now: float) -> None:
        for session in self:
            session.refuse_pairs(base, ip, now)

    def in_use(self) -> set[TransportAddress] | None:
        """The bases of the selected pairs; None while not all are selected."""
        if self.previous is not None or not self.current.has_selected_all():
            return None
        return {
            valid.path.local
            for checklist in self.current.checklists
            for valid in checklist.selected.values()
        }

    def receive_request(self, request: Message, path: Path, now: float) -> None:
        """Answer with the generation that the request is addressed to."""
        previous = self.previous
        if previous is not None and previous.is_addressed(request):
            previous.receive_request(request, path, now)
        else:
            self.current.receive_request(request, path, now)

    def receive_response(self, message: Message, path: Path, now: float) -> None:
        if not any(session.receive_response(message, path, now) for session in self):
            self._context.drop(DropReason.UNKNOWN_TRANSACTION)

    def handle_timeout(self, now: float) -> None:
        for session in self:
            session.handle_timeout(now)

    def next_timeout(self) -> float | None:
        deadline = self.current.timers.next_timeout()
        if self.previous is None:
            return deadline
        other = self.previous.timers.next_timeout()
        if deadline is None or other is None:
            return deadline if other is None else other
        return min(deadline, other)

    def outlet(self, key: ComponentKey) -> ValidPair | None:
        """The pair to send on: data stays where it was, as long as that lasts."""
        old = None if self.previous is None else self.previous.outlet(key)
        return self.current.outlet(key) if old is None else old

    def selected(self, stream: int, component: int) -> ValidPair | None:
        for session in self:
            selected = session.checklists[stream].selected
            if component in selected:
                return selected[component]
        return None

    def state(self) -> IceState:
        state = self.current.state()
        if state is IceState.NEW and self.previous is not None:
            return self.previous.state()
        return state
