"""What the end of a check, or an accepted request, means for pairs and checklists.

RFC 8445 sections 7.2.5 (responses), 7.3.1 (requests), 8.1.2 (conclusion).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from .checklist import Checklist, ChecklistState, ValidPair
from .checklist_set import ChecklistSet
from .checks_client import CheckFailed, CheckOutcome, CheckSucceeded, ClientChecks, RoleRefused
from .checks_server import AcceptedRequest
from .conclusion import Conclusion
from .consent import Consent
from .context import AgentContext, ComponentKey
from .events import RoleChanged
from .nomination import Nomination
from .pair import CandidatePair, PairState
from .remote_candidates import RemoteCandidates
from .triggered import TriggeredChecks, Unpaired
from .validation import Validation


@dataclasses.dataclass(frozen=True, slots=True)
class Procedures:
    """The procedures that an outcome may call for."""

    client: ClientChecks
    triggered: TriggeredChecks
    validation: Validation
    nomination: Nomination
    conclusion: Conclusion


class Outcomes:
    """Joins the procedures in the order in which the RFC lets one follow from another."""

    def __init__(
        self,
        context: AgentContext,
        checklists: ChecklistSet,
        remotes: Sequence[RemoteCandidates],
        *,
        procedures: Procedures,
        consents: Mapping[ComponentKey, Consent],
    ) -> None:
        self._context = context
        self._checklists = checklists
        self._remotes = remotes
        self._client = procedures.client
        self._triggered = procedures.triggered
        self._validation = procedures.validation
        self._nomination = procedures.nomination
        self._conclusion = procedures.conclusion
        self._consents = consents
        self.patience_over = False
        """The PAC timer has fired: checklists may fail (RFC 8863)."""

    def process(self, request: AcceptedRequest) -> bool:
        """Sections 7.3.1.3 to 7.3.1.5: an accepted check of the peer; False if the pair
        cannot be used, so that a nomination is to be refused."""
        pair = self._triggered.handle(request, is_silent=self._is_silent)
        if isinstance(pair, Unpaired):
            return pair is not Unpaired.REFUSED
        if request.use_candidate and not self._context.role.controlling:
            self._nominated(pair)
        return True

    def _nominated(self, pair: CandidatePair) -> None:
        """Section 7.3.1.5: at once if the pair is proven, or else when it will be."""
        if pair.state is not PairState.SUCCEEDED:
            pair.nominate_on_success = True
            return
        valid = self._checklists.of(pair).valid_of(pair)
        if valid is not None:
            self._select(valid)

    def settle(self, outcome: CheckOutcome, now: float) -> None:
        """Section 7.2.5: a check of ours is over."""
        match outcome:
            case CheckSucceeded():
                self._succeed(outcome, now)
            case CheckFailed():
                self._fail(outcome)
            case RoleRefused():
                self._refused(outcome)

    def _succeed(self, outcome: CheckSucceeded, now: float) -> None:
        check, pair = outcome.check, outcome.check.pair
        valid = self._validation.succeed(outcome, now)
        if valid is None:
            return
        checklist = self._checklists.of(pair)
        if check.nominating:
            self._nomination.finished(pair)
        if not self._nomination.is_pending(pair):
            # Proven: neither the queued check nor one that replaced this one is needed.
            checklist.forget_trigger(pair)
            self._client.cancel(pair)
        nominated = check.nominating or pair.nominate_on_success
        pair.nominate_on_success = False
        # A rebound NAT: nobody nominates anew, and the old address is dead.
        takes_over = pair.component in checklist.selected and self._is_silent(_key(pair))
        if nominated or takes_over:
            self._select(valid)

    def _fail(self, outcome: CheckFailed) -> None:
        check, pair = outcome.check, outcome.check.pair
        checklist = self._checklists.of(pair)
        # The end of a cancelled check is no failure, whatever it is (section 7.3.1.4).
        if check.cancelled or not checklist.holds(pair):
            return
        nominated = check.nominating or pair.nominate_on_success
        if pair.state is PairState.SUCCEEDED and not nominated:
            return
        pair.nominate_on_success = False
        pair.move_to(PairState.FAILED)
        if nominated:  # section 7.2.5.3.4
            self._nomination.finished(pair)
            checklist.valid = [valid for valid in checklist.valid if valid.generator is not pair]
            if self.patience_over:
                checklist.state = ChecklistState.FAILED

    def _refused(self, outcome: RoleRefused) -> None:
        """Section 7.2.5.1: take the other role, and check the pair again in it."""
        pair = outcome.check.pair
        if self._context.role.refused(as_controlling=outcome.check.controlling):
            self._role_changed()
        checklist = self._checklists.of(pair)
        if checklist.holds(pair) and pair.state is not PairState.SUCCEEDED:
            pair.move_to(PairState.WAITING)
            checklist.trigger(pair)

    def switch_role(self) -> None:
        """A request with the larger tiebreaker says that ours is not the right one."""
        self._context.role.switch()
        self._role_changed()

    def _role_changed(self) -> None:
        controlling = self._context.role.controlling
        self._checklists.set_role(controlling=controlling)
        self._validation.set_role()
        self._nomination.abandon()
        if controlling:
            for pair in self._checklists.pairs():
                pair.nominate_on_success = False
        self._context.report(RoleChanged(controlling))

    def _select(self, valid: ValidPair) -> None:
        required = self.required(self._checklists.of(valid.generator))
        silent = self._is_silent(_key(valid.generator))
        self._conclusion.select_higher(valid, required=required, current_is_silent=silent)

    def _is_silent(self, key: ComponentKey) -> bool:
        return self._consents[key].is_silent

    def required(self, checklist: Checklist) -> range:
        """Both sides use as many components as the one with fewer has (section 6.1.2.2)."""
        remotes = self._remotes[checklist.stream]
        count = checklist.components
        if remotes.has_ended:
            count = max(1, min(count, remotes.highest_component()))
        return range(1, count + 1)

    def lose(self, checklist: Checklist, valid: ValidPair) -> None:
        """A valid pair is valid no more; without its selected pair only a restart helps."""
        self._nomination.finished(valid.generator)
        if valid in checklist.valid:
            checklist.valid.remove(valid)
        pair = valid.generator
        if checklist.holds(pair) and pair.state is PairState.SUCCEEDED:
            pair.move_to(PairState.FAILED)
        if checklist.selected.get(valid.component) is valid:
            del checklist.selected[valid.component]
            checklist.state = ChecklistState.FAILED


def _key(pair: CandidatePair) -> ComponentKey:
    return pair.stream, pair.component
