"""A client that shows nothing passes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.clients import scripts
from conformance.outcome import Verdict

from .lazy import LAZY, MORE, Lazy
from .mutant import Mutant
from .test_scripts import OPEN
from .world import play


def verdicts(make: Callable[[], Mutant]) -> dict[str, Verdict]:
    return {each.id: play(each, make()).outcome.verdict for each in scripts()}


def those(verdict: Verdict, found: dict[str, Verdict]) -> set[str]:
    return {row_id for row_id, each in found.items() if each is verdict}


@pytest.mark.long
@pytest.mark.parametrize("lazy", LAZY.values(), ids=LAZY)
def test_a_lazy_client_passes_what_it_shows_and_no_more(lazy: Lazy) -> None:
    found = verdicts(lazy.make)

    assert those(Verdict.PASS, found) == lazy.shows
    assert those(Verdict.FAIL, found) == lazy.breaks


@pytest.mark.long
@pytest.mark.parametrize(("make", "hides", "breaks"), MORE.values(), ids=MORE)
def test_a_client_that_stops_half_way_does_not_pass_what_comes_later(
    make: Callable[[], Mutant], hides: frozenset[str], breaks: frozenset[str]
) -> None:
    found = verdicts(make)

    assert those(Verdict.PASS, found) == set(found) - hides - breaks - set(OPEN)
    assert those(Verdict.FAIL, found) == breaks
