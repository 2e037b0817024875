"""Who nominates what, and when (RFC 8445 section 8.1)."""

import pytest

from ice import CandidateType, IceState, PairSelected, PairState, RoleChanged
from stun import IceControlling

from .script import (
    ELSEWHERE,
    HERE,
    HERE_TOO,
    THERE,
    THERE_TOO,
    Script,
    Sent,
    between,
    host,
)

PATH = between(HERE, THERE)
LOW, HIGH = 1000, 2130706431


def nominations(script: Script) -> list[Sent]:
    return [sent for sent in script.requests() if sent.nominates]


def two_pairs(*, controlling: bool = True) -> tuple[Script, Sent, Sent]:
    """Checks of a better and a worse pair are under way."""
    script = Script(controlling=controlling)
    script.describe(host(THERE, priority=HIGH), host(THERE_TOO, priority=LOW))
    script.advance(0.05)
    better, worse = script.take_requests()
    assert (better.path.remote, worse.path.remote) == (THERE, THERE_TOO)
    return script, better, worse


@pytest.mark.requirement("ice:N02")
@pytest.mark.requirement("ice:N04")
@pytest.mark.requirement("ice:N05")
def test_the_best_pair_is_nominated_at_once_by_repeating_its_check() -> None:
    script, better, _ = two_pairs()
    script.advance(0.07)

    script.answer(better)
    nomination = script.next_request()

    assert nomination.at == pytest.approx(0.1)  # the next Ta
    assert nomination.path == PATH
    assert nomination.nominates
    assert nomination.message.has(IceControlling)
    assert script.agent.selected_pair is None
    script.answer(nomination)
    assert script.agent.selected_pair is not None
    assert script.agent.state is IceState.COMPLETED


@pytest.mark.requirement("ice:N14")
@pytest.mark.parametrize(
    ("rtt", "wait"),
    [pytest.param(0.1, 0.2, id="two-rtts"), pytest.param(0.4, 0.5, id="at-most-half-a-second")],
)
def test_a_better_pair_is_awaited_for_a_while(rtt: float, wait: float) -> None:
    script, _, worse = two_pairs()
    script.advance(0.05 + rtt)

    script.answer(worse)
    script.advance(script.now + wait - 0.001)
    assert nominations(script) == []
    script.advance(script.now + 0.06)

    assert [sent.path for sent in nominations(script)] == [worse.path]


@pytest.mark.requirement("ice:N14")
def test_a_better_pair_that_succeeds_in_that_time_is_nominated() -> None:
    script, better, worse = two_pairs()
    script.advance(0.15)
    script.answer(worse)

    script.advance(0.25)
    script.answer(better)

    assert script.next_request().path == PATH
    assert [sent.path for sent in nominations(script)] == [PATH]


def test_when_better_pairs_fail_the_next_is_nominated_without_waiting() -> None:
    script, better, worse = two_pairs()
    script.advance(0.15)
    script.answer(worse)

    script.answer(better, error=400)

    nomination = script.next_request()
    assert (nomination.at, nomination.path) == (0.15, worse.path)
    assert nomination.nominates


@pytest.mark.requirement("ice:W13")
@pytest.mark.parametrize("ended", [False, True])
def test_a_relayed_pair_waits_for_candidates_unless_none_come(ended: bool) -> None:
    script = Script()
    relayed = host(THERE)
    script.describe(type(relayed)("7", 1, "udp", 16777215, THERE, CandidateType.RELAYED, ELSEWHERE))
    if ended:
        script.agent.remote_end_of_candidates(script.now)
    check = script.next_request()
    script.advance(0.1)
    script.answer(check)

    nomination = script.next_request()

    assert nomination.nominates
    assert nomination.at == pytest.approx(0.1 if ended else 1.1)


@pytest.mark.requirement("ice:N03")
@pytest.mark.requirement("ice:N10")
@pytest.mark.requirement("ice:D02")
def test_nothing_else_is_nominated_and_other_pairs_go() -> None:
    script, better, worse = two_pairs()
    script.answer(better)
    script.answer(script.next_request())
    script.sent.clear()

    script.answer(worse)
    script.advance(3.0)

    assert script.requests() == []
    assert [pair.path for pair in script.agent.stats().pairs] == [PATH]
    assert len(script.events_of(PairSelected)) == 1
    script.agent.send([b"\x80data"], script.now)
    script.drain()
    assert [path for _, path, _ in script.data] == [PATH]


@pytest.mark.requirement("ice:N11")
@pytest.mark.requirement("ice:V01")
def test_checks_are_answered_on_every_path_after_completion() -> None:
    script, better, worse = two_pairs()
    script.answer(better)
    script.answer(script.next_request())
    script.sent.clear()

    response = script.request(worse.path)

    assert response.error is None
    script.advance(3.0)
    assert script.requests() == []


@pytest.mark.requirement("ice:N05")
@pytest.mark.requirement("ice:A02")
def test_a_refused_nomination_removes_the_pair_and_another_is_tried() -> None:
    script, better, worse = two_pairs()
    script.advance(0.08)
    script.answer(better)
    script.answer(worse)
    nomination = script.next_request()

    script.answer(nomination, error=400)

    states = {pair.path: pair.state for pair in script.agent.stats().pairs}
    assert states == {PATH: PairState.FAILED, worse.path: PairState.SUCCEEDED}
    second = script.next_request()
    assert (second.path, second.nominates) == (worse.path, True)


@pytest.mark.requirement("ice:N05")
def test_a_nomination_that_nobody_answers_ends_in_failure() -> None:
    script = Script()
    script.describe(host(THERE))
    script.succeed()

    script.advance(60.0)

    assert script.agent.state is IceState.FAILED
    assert not script.agent.send([b"\x80data"], script.now)


@pytest.mark.requirement("ice:V10")
def test_a_check_of_the_peer_repeats_a_nomination_that_is_unanswered() -> None:
    script = Script()
    script.describe(host(THERE))
    script.succeed()
    lost = script.next_request()
    script.advance(script.now + 0.1)

    script.request(PATH)
    again = script.next_request()

    assert again.nominates
    assert again.at < lost.at + 0.5
    script.answer(again)
    assert script.agent.state is IceState.COMPLETED


@pytest.mark.requirement("ice:N06")
def test_a_nominated_pair_that_succeeded_before_is_selected_at_once() -> None:
    script = Script(controlling=False)
    script.describe(host(THERE))
    script.succeed()

    script.request(PATH, use_candidate=True)

    assert script.agent.state is IceState.COMPLETED


@pytest.mark.requirement("ice:N06")
def test_a_pair_nominated_before_is_selected_when_its_check_succeeds() -> None:
    script = Script(controlling=False)
    script.describe(host(THERE))
    script.request(PATH, use_candidate=True)
    assert script.agent.selected_pair is None

    script.succeed()

    assert script.agent.state is IceState.COMPLETED
    assert nominations(script) == []


@pytest.mark.requirement("ice:N07")
def test_a_nominated_pair_whose_check_fails_is_not_selected() -> None:
    script = Script(controlling=False)
    script.describe(host(THERE))
    script.request(PATH, use_candidate=True)

    script.advance(60.0)

    assert script.agent.state is IceState.FAILED
    assert [pair.state for pair in script.agent.stats().pairs] == [PairState.FAILED]


@pytest.mark.requirement("ice:N09")
def test_of_several_nominations_the_highest_priority_wins() -> None:
    script, better, worse = two_pairs(controlling=False)
    script.answer(worse)
    script.request(worse.path, use_candidate=True)
    assert script.agent.selected_pair is not None
    assert script.agent.selected_pair.path == worse.path

    script.request(better.path, use_candidate=True)
    script.succeed()
    script.request(worse.path, use_candidate=True)
    script.advance(3.0)

    assert script.agent.selected_pair.path == better.path
    assert [e.path for e in script.events_of(PairSelected) if isinstance(e, PairSelected)] == [
        worse.path,
        better.path,
    ]


@pytest.mark.requirement("ice:N09")
def test_a_nominated_pair_counts_with_the_priority_of_what_was_proven() -> None:
    """The pair looks better, but behind a NAT the valid pair is worse than the selected."""
    script = Script(controlling=False)
    script.describe(host(THERE, priority=HIGH), host(THERE_TOO, priority=HIGH - 256))
    script.advance(0.05)
    better, worse = script.take_requests()
    script.answer(worse)
    script.request(worse.path, use_candidate=True)

    script.request(better.path, use_candidate=True)
    script.answer(script.next_request(), mapped=ELSEWHERE)

    assert script.agent.selected_pair is not None
    assert script.agent.selected_pair.path == worse.path


@pytest.mark.requirement("ice:D01")
@pytest.mark.requirement("ice:D03")
def test_data_takes_the_best_valid_pair_before_there_is_a_selected_one() -> None:
    script, better, worse = two_pairs(controlling=False)
    assert not script.agent.send([b"\x80zero"], script.now)

    script.answer(worse)
    assert script.agent.send([b"\x80one", b"\x80two"], script.now, dscp=46)
    script.answer(better)
    assert script.agent.send([b"\x80three"], script.now)
    script.drain()

    assert [(path, data) for _, path, data in script.data] == [
        (worse.path, b"\x80one"),
        (worse.path, b"\x80two"),
        (better.path, b"\x80three"),
    ]


@pytest.mark.requirement("ice:N04")
def test_who_becomes_controlling_nominates() -> None:
    script = Script(controlling=False, addresses=[HERE, HERE_TOO])
    script.describe(host(THERE))
    first = script.succeed()
    second = script.next_request()

    script.answer(second, error=487)
    assert script.events_of(RoleChanged) == [RoleChanged(True)]
    again = script.next_request()
    assert again.path == second.path
    script.answer(again)

    nomination = script.next_request()
    assert nomination.nominates
    assert nomination.path == first.path


def test_who_becomes_controlled_nominates_no_more() -> None:
    script, better, worse = two_pairs()
    script.advance(0.1)
    script.answer(worse)  # a timer for its nomination runs now

    script.answer(better, error=487)
    script.advance(3.0)

    assert nominations(script) == []
    assert not script.agent.controlling


def test_a_nomination_cut_short_by_a_role_conflict_is_made_again_in_the_old_role() -> None:
    script = Script()
    script.describe(host(THERE))
    script.succeed()
    nomination = script.next_request()
    assert nomination.nominates
    script.answer(nomination, error=487)
    assert not script.agent.controlling

    script.request(PATH, claims_control=False, tiebreaker=0)

    assert [e.controlling for _, e in script.events if isinstance(e, RoleChanged)] == [False, True]
    again = script.next_request()
    assert again.nominates
    assert again.path == PATH


@pytest.mark.requirement("ice:R02")
def test_a_lite_peer_makes_us_controlling() -> None:
    script = Script(controlling=False)

    script.describe(host(THERE), lite=True)
    script.complete()

    assert script.agent.controlling
    assert script.events_of(RoleChanged) == [RoleChanged(True)]
