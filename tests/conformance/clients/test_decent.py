"""No script fails a client for being another one than hairpin's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.clients import scripts
from conformance.outcome import Verdict

from .decent import DECENT, HASTY, has_logged_in_before
from .mutant import Mutant
from .test_scripts import SCRIPTS
from .world import play


@pytest.mark.long
@pytest.mark.parametrize(("name", "make"), DECENT.items(), ids=DECENT)
def test_a_right_client_fails_nothing(name: str, make: Callable[[], Mutant]) -> None:
    results = [play(each, make()) for each in scripts()]

    failed = {each.row_id for each in results if each.outcome.verdict is Verdict.FAIL}
    assert failed == HASTY.get(name, frozenset())
    assert sum(each.outcome.verdict is Verdict.PASS for each in results) > len(results) / 2


def test_a_client_that_knows_the_server_begins_with_credentials() -> None:
    result = play(SCRIPTS["STUNC-LTC-01"], has_logged_in_before())

    assert result.outcome.verdict is Verdict.SKIP
