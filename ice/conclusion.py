"""Selecting pairs and concluding ICE (RFC 8445 section 8.1.2)."""

from __future__ import annotations

from collections.abc import Iterable

from .checklist import Checklist, ChecklistState, ValidPair
from .checklist_set import ChecklistSet
from .checks_client import ClientChecks
from .context import AgentContext
from .events import PairSelected


class Conclusion:
    """Turns nominated pairs into selected ones."""

    def __init__(
        self, context: AgentContext, checklists: ChecklistSet, client: ClientChecks
    ) -> None:
        self._context = context
        self._checklists = checklists
        self._client = client

    def select(self, valid: ValidPair, *, required: Iterable[int]) -> None:
        """Use a nominated pair from now on; ``required`` are the components in use."""
        valid.nominated = True
        checklist = self._checklists.of(valid.generator)
        if checklist.selected.get(valid.component) is valid:
            return
        checklist.selected[valid.component] = valid
        self._remove_others(checklist, valid)
        self._context.bases[valid.path.local].use(valid.path.remote)
        if checklist.selected.keys() >= set(required):
            checklist.state = ChecklistState.COMPLETED
        self._context.report(
            PairSelected(valid.local, valid.remote, valid.path, checklist.stream, valid.component)
        )

    def select_higher(
        self, valid: ValidPair, *, required: Iterable[int], current_is_silent: bool
    ) -> None:
        """Several pairs may be nominated by a peer of RFC 5245: the highest is used (8.1.1).

        A pair on which the peer does not answer any more gives way to any other.
        """
        checklist = self._checklists.of(valid.generator)
        current = checklist.selected.get(valid.component)
        if current is None or current_is_silent or valid.priority > current.priority:
            self.select(valid, required=required)

    def _remove_others(self, checklist: Checklist, chosen: ValidPair) -> None:
        for pair in list(checklist.of_component(chosen.component)):
            if pair is not chosen.generator:
                self._client.cancel(pair)
                checklist.remove(pair)
        checklist.valid = [
            valid
            for valid in checklist.valid
            if valid is chosen or valid.component != chosen.component
        ]
