"""Keeping consent (RFC 7675)."""

import itertools

import pytest

from ice import (
    ConsentExpired,
    DropReason,
    IceConfig,
    IceState,
    IceStateChanged,
    PairSelected,
    PairState,
)
from ice.limits import MAX_PEER_REFLEXIVE_PORTS
from transport import TransportAddress

from .script import (
    ELSEWHERE,
    HERE,
    STRANGER,
    THERE,
    Script,
    Sent,
    between,
    host,
)

PATH = between(HERE, THERE)


def completed(*, controlling: bool = True, seed: int = 1) -> Script:
    script = Script(controlling=controlling, seed=seed)
    script.describe(host(THERE))
    script.complete()
    return script


def answered_until(script: Script, end: float) -> list[Sent]:
    """Answer each consent check at once; returns them all."""
    checks: list[Sent] = []
    while True:
        deadline = script.agent.next_timeout()
        assert deadline is not None
        if deadline > end:
            script.advance(end)
            return checks
        script.sent.clear()
        script.advance(deadline)
        for request in script.requests():
            checks.append(request)
            script.answer(request)


@pytest.mark.requirement("ice:K05")
@pytest.mark.requirement("ice:K06")
@pytest.mark.requirement("ice:K12")
def test_checks_leave_every_4_to_6_seconds_each_once_and_with_an_id_of_its_own() -> None:
    script = completed()

    checks = answered_until(script, 3600.0)

    gaps = [b.at - a.at for a, b in itertools.pairwise(checks)]
    assert 4.0 <= min(gaps) < 4.1
    assert 5.9 < max(gaps) <= 6.0
    assert sum(gaps) / len(gaps) == pytest.approx(5.0, abs=0.1)
    assert len({check.message.transaction_id for check in checks}) == len(checks)
    assert not any(check.nominates for check in checks)
    assert script.agent.state is IceState.COMPLETED


@pytest.mark.requirement("ice:C19")
def test_checks_carry_the_code_point_of_the_data() -> None:
    script = completed()
    assert script.next_request().dscp is None

    script.agent.send([b"\x80data"], script.now, dscp=46)
    script.agent.send([b"\x80data"], script.now)

    assert script.next_request().dscp == 46
    assert script.request(PATH).dscp == 46


@pytest.mark.requirement("ice:K04")
def test_without_answers_data_stops_after_30_seconds() -> None:
    script = completed()
    proven = script.now

    script.advance(proven + 29.99)
    assert script.agent.send([b"\x80data"], script.now)
    assert not script.agent.send([b"\x80data"], proven + 30.0)  # before any timer fired
    script.advance(proven + 30.0)

    assert not script.agent.send([b"\x80data"], script.now)
    assert script.events_of(ConsentExpired) == [ConsentExpired(PATH, revoked=False)]
    assert script.agent.state is IceState.FAILED
    assert script.agent.selected_pair is None
    assert script.drops(DropReason.SEND_WITHOUT_PAIR) == 2


def test_an_agent_that_hears_nothing_is_disconnected_and_recovers() -> None:
    script = completed()
    first = script.next_request()
    script.next_request()
    assert script.agent.state is IceState.COMPLETED

    third = script.next_request()
    assert script.events[-1][1] == IceStateChanged(IceState.DISCONNECTED)
    script.answer(third)

    assert script.events[-1][1] == IceStateChanged(IceState.COMPLETED)
    script.answer(first)
    assert script.drops(DropReason.UNKNOWN_TRANSACTION) == 1


@pytest.mark.requirement("ice:K06")
def test_a_late_answer_to_an_earlier_check_renews_consent() -> None:
    script = completed()
    first = script.next_request()
    script.next_request()

    script.answer(first)
    renewed = script.now
    script.advance(renewed + 29.9)

    assert script.agent.send([b"\x80data"], script.now)
    script.advance(renewed + 30.0)
    assert not script.agent.send([b"\x80data"], script.now)


@pytest.mark.requirement("ice:K07")
@pytest.mark.requirement("ice:K08")
@pytest.mark.requirement("ice:N08")
def test_what_comes_after_expiry_does_not_restore_consent() -> None:
    script = completed(controlling=False)
    proven = script.now
    check = script.next_request()
    script.advance(proven + 30.0)
    script.sent.clear()

    script.answer(check)
    assert script.request(PATH).error is None
    assert script.request(PATH, use_candidate=True).error == 400
    script.advance(proven + 60.0)

    assert script.requests() == []
    assert not script.agent.send([b"\x80data"], script.now)
    assert script.agent.state is IceState.FAILED


@pytest.mark.requirement("ice:K09")
def test_an_authenticated_403_revokes_at_once() -> None:
    script = completed()
    check = script.next_request()

    script.answer(check, error=403, key=STRANGER)
    assert script.agent.send([b"\x80data"], script.now)
    script.answer(check, error=403)

    assert not script.agent.send([b"\x80data"], script.now)
    assert script.events_of(ConsentExpired) == [ConsentExpired(PATH, revoked=True)]


def test_other_errors_and_other_paths_do_not_count_as_answers() -> None:
    script = completed()
    proven = script.now
    check = script.next_request()

    script.answer(check, error=500)
    script.answer(check, path=between(HERE, ELSEWHERE))
    script.advance(proven + 30.0)

    assert script.agent.state is IceState.FAILED


@pytest.mark.requirement("ice:K11")
def test_transaction_ids_come_from_the_random_source() -> None:
    drawn: list[bytes] = []
    script = completed()
    same = completed()
    other = completed(seed=2)

    drawn = [s.next_request().message.transaction_id for s in (script, same, other)]

    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.requirement("ice:Z06")
def test_a_clock_that_jumps_an_hour_ends_consent_without_a_burst() -> None:
    script = completed()

    script.now += 3600.0
    script.agent.handle_timeout(script.now)
    script.drain()

    assert len(script.requests()) <= 1
    assert script.agent.state is IceState.FAILED
    assert not script.agent.send([b"\x80data"], script.now)


@pytest.mark.requirement("ice:K03")
def test_nothing_is_sent_after_closing() -> None:
    script = completed()

    script.agent.send([b"\x80data"], script.now)
    script.agent.close(script.now)
    script.drain()

    assert script.agent.next_timeout() is None
    assert script.data == []
    assert script.sent == []


def test_consent_is_kept_on_a_valid_pair_that_was_not_nominated() -> None:
    script = Script(controlling=False)
    script.describe(host(THERE))
    script.succeed()

    checks = answered_until(script, 100.0)

    assert len(checks) > 15
    assert script.agent.state is IceState.CONNECTED


def test_a_valid_pair_that_was_not_nominated_fails_with_its_consent() -> None:
    script = Script(controlling=False, config=IceConfig(pac_timeout=10.0))
    script.describe(host(THERE))
    script.succeed()

    script.advance(31.0)

    assert script.agent.state is IceState.FAILED
    assert [pair.state for pair in script.agent.stats().pairs] == [PairState.FAILED]


def test_a_peer_whose_nat_was_rebound_is_followed_when_the_old_address_is_silent() -> None:
    script = completed()
    rebound = between(HERE, ELSEWHERE)
    script.request(rebound)
    assert script.agent.selected_pair is not None
    assert script.agent.selected_pair.path == PATH
    script.next_request()
    script.next_request()

    script.request(rebound)
    script.succeed()

    assert script.agent.selected_pair.path == rebound
    assert len(script.events_of(PairSelected)) == 2
    assert script.agent.send([b"\x80data"], script.now)
    script.drain()
    assert script.data[-1][1] == rebound
    script.next_request()  # consent has a fresh start on the new pair
    assert script.agent.state is IceState.COMPLETED


@pytest.mark.requirement("ice:V14")
def test_a_nat_may_be_rebound_as_often_as_it_likes() -> None:
    script = completed()

    for port in range(7000, 7000 + 3 * MAX_PEER_REFLEXIVE_PORTS):
        script.next_request()
        script.next_request()
        rebound = between(HERE, TransportAddress(ELSEWHERE.ip, port))
        script.request(rebound)
        script.succeed()

    assert script.agent.selected_pair is not None
    assert script.agent.selected_pair.path == rebound
    assert len(script.agent.stats().remote_candidates) == 3  # signalled, last and present
