"""What follows from a change to an agent: candidates to convey, paths to send on, its state."""

from __future__ import annotations

import logging

from transport import TransportAddress

from .arrivals import Arrivals
from .candidate import Candidate
from .context import AgentContext
from .events import GatheringCompleted, IceStateChanged, LocalCandidateGathered
from .findings import BaseLost, CandidateFound, PeerRefused, RelayedDatagram
from .gathering import Gathering
from .local_candidates import LocalCandidates
from .outlets import Outlets
from .restart import Generations
from .state import IceState

logger = logging.getLogger(__name__)


class Progress:
    """Brings an agent up to date; ``refresh`` after whatever may have changed it."""

    def __init__(
        self,
        context: AgentContext,
        local: LocalCandidates,
        gathering: Gathering,
        generations: Generations,
        arrivals: Arrivals,
    ) -> None:
        self.state = IceState.NEW
        self.outlets = Outlets(context)
        self._context = context
        self._local = local
        self._gathering = gathering
        self._generations = generations
        self._arrivals = arrivals
        self._has_announced_end = False

    def refresh(self, now: float) -> None:
        """Follow what servers, and the sessions, have come to."""
        if self.state is IceState.CLOSED:
            return
        self._gathering.follow(self._generations.in_use(), now)
        self.follow_gathering(now)
        self._announce_end(now)
        self._generations.settle()
        self.outlets.refresh(self._generations)
        self._set_state(self._generations.state())

    def close(self) -> None:
        """The last change of all."""
        self.outlets.clear()
        self._set_state(IceState.CLOSED)

    def begin_gathering(self) -> None:
        """There will be another end of candidates."""
        self._has_announced_end = False

    def announce(self, stream: int, candidate: Candidate) -> None:
        """Have a candidate conveyed in the present generation."""
        ufrag = self._generations.current.credentials.ufrag
        self._context.report(LocalCandidateGathered(candidate, ufrag, stream))

    def _announce_end(self, now: float) -> None:
        if self._gathering.is_complete and not self._has_announced_end:
            self._has_announced_end = True
            self._context.report(GatheringCompleted(self._generations.current.credentials.ufrag))
            self._generations.current.gathering_completed(now)

    def follow_gathering(self, now: float) -> None:
        """Act on what servers have told, and on what they relay."""
        while (finding := self._gathering.poll(now)) is not None:
            match finding:
                case RelayedDatagram(data=data, path=path):
                    if self._arrivals.receive_relayed(data, path, now):
                        self.refresh(now)
                case CandidateFound(stream=stream, candidate=candidate, base=address):
                    self._take_candidate(stream, candidate, address, now)
                case BaseLost(address=address):
                    self.lose_base(address, now)
                case PeerRefused(address=address, ip=ip) if address in self._context.bases:
                    self._generations.refuse_pairs(self._context.bases[address], ip, now)

    def _take_candidate(
        self, stream: int, candidate: Candidate, address: TransportAddress | None, now: float
    ) -> None:
        if self._generations.current.has_selected_all():
            return  # RFC 8838 section 13: nothing is conveyed any more
        self.announce(stream, candidate)
        if address is not None:
            self._generations.current.add_base(self._context.bases[address], now)

    def lose_base(self, address: TransportAddress, now: float) -> None:
        """A local address is ours no more."""
        base = self._local.remove(address)
        if base is None:
            return
        self._context.validated.forget_base(address)
        self._arrivals.forget()
        self._generations.remove_base(base, now)

    def _set_state(self, state: IceState) -> None:
        if state is self.state:
            return
        logger.info("ICE state: %s, was %s", state.value, self.state.value)
        self.state = state
        self._context.report(IceStateChanged(state))
