"""One ICE session: everything between two restarts (RFC 8445 section 4, "ICE session").

The procedures live in files of their own; here they are joined, in the order in which
the RFC lets one follow from another.
"""

from __future__ import annotations

from stun import Message
from transport import IPAddress, Path

from .bases import Base
from .candidate import Candidate
from .check_message import RemoteParameters, RequestFactory
from .checklist import Checklist, ChecklistState, ValidPair
from .checklist_set import ChecklistSet
from .checks_client import ClientChecks
from .checks_server import AcceptedRequest, ServerChecks
from .conclusion import Conclusion
from .consent import Consent, ConsentAnswer
from .context import AgentContext, ComponentKey, SessionTimers, TimerKey, TimerKind
from .credentials import IceCredentials
from .drops import DropReason
from .early import EarlyRequests
from .events import ConsentExpired
from .gathering import Gathering
from .local_candidates import LocalCandidates
from .nomination import Nomination
from .outcomes import Outcomes, Procedures
from .pacing import Pacer, SharedPacer
from .pair import PairState
from .remote_candidates import RemoteCandidates
from .scheduler import Scheduler
from .state import IceState
from .trickle import Trickle
from .triggered import TriggeredChecks
from .validation import Validation


class IceSession:
    """One generation of credentials, its checklists, and the procedures upon them."""

    def __init__(
        self,
        context: AgentContext,
        local: LocalCandidates,
        gathering: Gathering,
        *,
        credentials: IceCredentials,
        pacer: SharedPacer | None,
    ) -> None:
        self.credentials = credentials
        self.remote: RemoteParameters | None = None
        self._context = context
        self._gathering = gathering
        self._requests: RequestFactory | None = None
        self.timers: SessionTimers = SessionTimers()
        components = context.config.components
        self.checklists = ChecklistSet(components, max_pairs=context.config.max_pairs)
        self.remotes = [RemoteCandidates(context, count) for count in components]
        self._trickle = Trickle(context, self.checklists, local, self.remotes)
        self._pacer = Pacer(context.config.pacing_ms, self.timers, pacer)
        self._scheduler = Scheduler(self.checklists)
        self._client = ClientChecks(context, self.timers)
        self._server = ServerChecks(context, credentials)
        self._triggered = TriggeredChecks(context, self.checklists, self.remotes, self._client)
        self._nomination = Nomination(self.checklists, self.timers)
        self._consents = {
            key: Consent(context, self.timers, key) for key in context.component_keys()
        }
        self._outcomes = Outcomes(
            context,
            self.checklists,
            self.remotes,
            procedures=Procedures(
                self._client,
                self._triggered,
                Validation(context, self.checklists, local),
                self._nomination,
                Conclusion(context, self.checklists, self._client),
            ),
            consents=self._consents,
        )
        self._early = EarlyRequests()
        self._is_retired = False

    # Verbs

    def begin(self, remote: RemoteParameters, *, pacing_ms: int | None, now: float) -> None:
        """The peer's credentials are there: form the checklists and start checking."""
        self.remote = remote
        self._requests = RequestFactory(self.credentials, remote, self._context.random_bytes)
        self._pacer.agree(pacing_ms)
        self.timers.set((TimerKind.PATIENCE, None), now + self._context.config.pac_timeout)
        self._trickle.start()
        for request in self._early.take():
            self._outcomes.process(request)
        self._progress(now)

    def add_base(self, base: Base, now: float) -> None:
        """A local candidate was gathered and conveyed."""
        self._trickle.add_local(base)
        self._progress(now)

    def remove_base(self, base: Base, now: float) -> None:
        """A local candidate is gone, with every pair that stands on it."""
        checklist = self.checklists[base.stream]
        for pair in [pair for pair in checklist.pairs if pair.base == base.address]:
            self._client.cancel(pair)
            checklist.remove(pair)
        for valid in [valid for valid in checklist.valid if valid.path.local == base.address]:
            self._outcomes.lose(checklist, valid)
        self._progress(now)

    def refuse_pairs(self, base: Base, ip: IPAddress, now: float) -> None:
        """A TURN server relays nothing from this base to this address: none of the pairs
        can succeed, and they shall not take the places of others."""
        checklist = self.checklists[base.stream]
        for valid in list(checklist.valid):
            if valid.path.local == base.address and valid.path.remote.ip == ip:
                self._outcomes.lose(checklist, valid)
        for pair in list(checklist.pairs):
            if pair.base == base.address and pair.path.remote.ip == ip:
                self._client.cancel(pair)
                checklist.remove(pair)
        self._progress(now)

    def add_remote_candidate(self, stream: int, candidate: Candidate, now: float) -> None:
        self._trickle.add_remote(stream, candidate)
        self._progress(now)

    def end_of_candidates(self, now: float) -> None:
        for remotes in self.remotes:
            remotes.ended = True
        self._progress(now)

    def gathering_completed(self, now: float) -> None:
        """No local candidates come any more: what waited for them may go on."""
        self._progress(now)

    def retire(self) -> None:
        """A restart has begun: only keep what data still flows on (section 9)."""
        self._is_retired = True
        self._client.abandon()
        self._early.take()
        self._nomination.abandon()
        self.timers.cancel((TimerKind.PACING, None))
        self.timers.cancel((TimerKind.PATIENCE, None))

    def close(self) -> None:
        """Nothing is due any more."""
        self.retire()
        for consent in self._consents.values():
            consent.stop()

    # Messages

    def is_addressed(self, request: Message) -> bool:
        return self._server.is_addressed(request)

    def receive_request(self, request: Message, path: Path, now: float) -> None:
        accepted = self._server.read(request, path)
        if accepted is None:
            return
        if self._is_retired or self._process(accepted) or not accepted.use_candidate:
            self._server.accept(request, path)
        else:
            self._server.refuse_nomination(request, path)
        self._progress(now)

    def _process(self, accepted: AcceptedRequest) -> bool:
        """Whether the pair of a request that is authentic can be used."""
        self._context.prove(accepted.path)
        if accepted.we_switch_role:
            self._outcomes.switch_role()
        if self.remote is not None:
            return self._outcomes.process(accepted)
        if self._early.remember(accepted):
            return True
        self._context.drop(DropReason.EARLY_REQUESTS_FULL)
        return False

    def receive_response(self, message: Message, path: Path, now: float) -> bool:
        """Take a response; False if this session has not sent the request."""
        if self._requests is None:
            return False
        if self._client.knows(message.transaction_id):
            outcome = self._client.receive(message, self._requests, path, now)
            if outcome is not None:
                self._outcomes.settle(outcome, now)
                self._progress(now)
            return True
        for key, consent in self._consents.items():
            if consent.knows(message.transaction_id):
                answer = consent.receive(message, self._requests, path, now)
                if answer is ConsentAnswer.REVOKED:
                    self._consent_ended(key, revoked=True)
                    self._progress(now)
                return True
        return False

    def handle_timeout(self, now: float) -> None:
        # What follows from a deadline may be due at once, as the check that nominates.
        while (deadline := self.timers.next_timeout()) is not None and deadline <= now:
            for key in self.timers.expired(now):
                self._on_timer(key, now)
            self._progress(now)

    def _on_timer(self, timer: TimerKey, now: float) -> None:
        match timer:
            case (TimerKind.PACING, _):
                self._start_next_check(now)
            case (TimerKind.CHECK, bytes(transaction_id)):
                outcome = self._client.handle_timeout(transaction_id, now)
                if outcome is not None:
                    self._outcomes.settle(outcome, now)
            case (TimerKind.CONSENT_CHECK, tuple(key)) if self._requests is not None:
                self._consents[key].check(self._requests, now)
            case (TimerKind.CONSENT_EXPIRY, tuple(key)):
                self._consent_ended(key, revoked=False)
            case (TimerKind.PATIENCE, _):
                self._outcomes.patience_over = True
                for remotes in self.remotes:
                    remotes.timed_out = True

    # Progress

    def _progress(self, now: float) -> None:
        """Bring everything that follows from pair states up to date."""
        if self.remote is None or self._is_retired:
            return
        if self._context.role.controlling:
            ended = self._gathering.is_complete and all(r.has_ended for r in self.remotes)
            self._nomination.consider(now, candidates_ended=ended)
        for key, consent in self._consents.items():
            consent.follow(self.outlet(key), now)
        for checklist in self.checklists:
            if checklist.state is ChecklistState.RUNNING:
                self._update_state(checklist)
        if self._scheduler.has_work():
            self._pacer.wake(now)

    def _update_state(self, checklist: Checklist) -> None:
        """Sections 7.2.5.4 and 8.1.2, not before the PAC timer is over (RFC 8863)."""
        required = self._outcomes.required(checklist)
        if checklist.selected.keys() >= set(required):
            checklist.state = ChecklistState.COMPLETED
        elif (
            self._outcomes.patience_over
            and not any(pair.is_unfinished for pair in checklist.pairs)
            and not checklist.has_valid_pairs(required)
        ):
            checklist.state = ChecklistState.FAILED

    def _start_next_check(self, now: float) -> None:
        requests = self._requests
        if requests is None or not self._scheduler.has_work() or not self._pacer.take(now):
            return
        while (pair := self._scheduler.next_pair()) is not None:
            nominating = self._context.role.controlling and self._nomination.is_pending(pair)
            if pair.state is PairState.SUCCEEDED and not nominating:
                continue
            if not self._client.start(pair, requests, now, nominating=nominating):
                return
            if pair.state is not PairState.SUCCEEDED:
                pair.move_to(PairState.IN_PROGRESS)
            return

    # Data

    def outlet(self, key: ComponentKey) -> ValidPair | None:
        """The pair that data of a component is sent on (section 12.1)."""
        stream, component = key
        checklist = self.checklists[stream]
        if checklist.state is ChecklistState.FAILED:
            return None
        return checklist.best_valid(component)

    def has_selected_all(self) -> bool:
        return all(checklist.state is ChecklistState.COMPLETED for checklist in self.checklists)

    def _consent_ended(self, key: ComponentKey, *, revoked: bool) -> None:
        consent = self._consents[key]
        valid = consent.pair
        if valid is None:
            return
        consent.stop()
        self._triggered.revoke(valid.path)
        self._outcomes.lose(self.checklists[key[0]], valid)
        self._context.report(ConsentExpired(valid.path, revoked))

    def state(self) -> IceState:
        if self.remote is None:
            return IceState.NEW
        states = {checklist.state for checklist in self.checklists}
        if ChecklistState.FAILED in states:
            return IceState.FAILED
        if any(consent.is_disconnected for consent in self._consents.values()):
            return IceState.DISCONNECTED
        if states == {ChecklistState.COMPLETED}:
            return IceState.COMPLETED
        if all(
            checklist.has_valid_pairs(self._outcomes.required(checklist))
            for checklist in self.checklists
        ):
            return IceState.CONNECTED
        return IceState.CHECKING
