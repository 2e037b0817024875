"""Every script passes the client that is right, and fails each that breaks just its row."""

from __future__ import annotations

import pytest

from conformance.clients import Script, scripts
from conformance.outcome import Verdict

from .mutant import Mutant, read
from .mutants_options import OPTIONS
from .mutants_stun import STUN
from .mutants_turn import TURN
from .turn_actor import TurnActor
from .world import play
from .wrongs import Make
from .wrongs_responses import leaves_at
from .wrongs_turn import with_channel

MUTANTS = {**STUN, **TURN, **OPTIONS}
OPEN: dict[str, str] = {
    "STUNC-TCP-09": "ALPN may be offered",
    "TURNC-MOB-01": "mobility is an option",
    "TURNC-ALLOC-09": "a client may do without DONT-FRAGMENT, or give up",
}
SCRIPTS = {each.id: each for each in scripts()}
BROKEN = [
    pytest.param(SCRIPTS[row_id], make, id=f"{row_id}-{name}")
    for row_id, mutants in MUTANTS.items()
    for name, make in mutants.items()
]


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_lets_the_right_client_pass(script: Script) -> None:
    result = play(script)

    expected = Verdict.INFO if script.id in OPEN else Verdict.PASS
    assert result.outcome.verdict is expected, result.outcome.detail


@pytest.mark.parametrize(("script", "make"), BROKEN)
def test_a_script_fails_the_client_that_breaks_it(script: Script, make: Make) -> None:
    result = play(script, make())

    assert result.outcome.verdict is Verdict.FAIL, result.outcome.detail
    assert result.outcome.detail


def test_a_turn_client_that_junk_makes_deaf_is_told_from_one_that_hears_nothing() -> None:
    heard: list[bytes] = []

    def hears(data: bytes) -> list[bytes]:
        heard.append(data)
        return [] if any(read(each) is None for each in heard) else [data]

    result = play(SCRIPTS["STUNC-RX-08"], Mutant(hears=hears), actor=TurnActor)

    assert result.outcome.verdict is Verdict.FAIL
    assert "after junk" in result.outcome.detail


def test_channel_numbers_of_rfc_5766_are_told_and_not_blamed() -> None:
    result = play(SCRIPTS["TURNC-CHAN-01"], with_channel(0x5000))

    assert result.outcome.verdict is Verdict.INFO
    assert "0x5000" in result.outcome.detail


def test_a_client_that_leaves_when_one_peer_is_forbidden_is_not_blamed() -> None:
    result = play(SCRIPTS["TURNC-PERM-07"], leaves_at(403))

    assert result.outcome.verdict is Verdict.SKIP


def test_every_script_has_a_client_that_breaks_it() -> None:
    assert set(SCRIPTS) - set(MUTANTS) - set(OPEN) == set()
