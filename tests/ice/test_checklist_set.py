"""Forming, limiting, thawing and extending checklists (RFC 8445 section 6.1.2, RFC 8838)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ice import Candidate, CandidatePair, CandidateType, PairState
from ice.checklist_set import ChecklistSet
from ice.pair import udp_path
from ice.scheduler import Scheduler
from transport import TransportAddress

F, W, P, S, X = (
    PairState.FROZEN,
    PairState.WAITING,
    PairState.IN_PROGRESS,
    PairState.SUCCEEDED,
    PairState.FAILED,
)
_WAY = {F: (), W: (W,), P: (W, P), S: (W, P, S), X: (W, P, X)}


def pair(
    foundation: str,
    *,
    stream: int = 0,
    component: int = 1,
    priority: int = 1000,
    port: int = 0,
    state: PairState = F,
) -> CandidatePair:
    """A pair of the given foundation, unlike any other in its path."""
    base = TransportAddress.parse("192.0.2.1", 1000 + stream * 10 + component)
    remote = TransportAddress.parse("203.0.113.1", port or 2000 + int(foundation[1:]))
    ours = Candidate("1", component, "udp", priority, base, CandidateType.HOST)
    theirs = Candidate(foundation, component, "udp", priority, remote, CandidateType.HOST)
    made = CandidatePair(ours, theirs, udp_path(base, remote), stream=stream, controlling=True)
    for step in _WAY[state]:
        made.move_to(step)
    return made


def table(checklists: ChecklistSet) -> dict[tuple[str, int, int], PairState]:
    return {(p.foundation[1], p.stream, p.component): p.state for p in checklists.pairs()}


RFC8445_TABLE_1 = {0: ["f1", "f2", "f3"], 1: ["f1", "f2", "f3", "f4"], 2: ["f1", "f5"]}


@pytest.mark.requirement("ice:L08")
def test_one_pair_per_foundation_starts_as_in_table_1_of_the_rfc() -> None:
    checklists = ChecklistSet([1, 1, 1], max_pairs=100)

    checklists.form([pair(f, stream=m) for m, row in RFC8445_TABLE_1.items() for f in row])

    waiting = {(f, m) for (f, m, _), state in table(checklists).items() if state is W}
    assert waiting == {("f1", 0), ("f2", 0), ("f3", 0), ("f4", 1), ("f5", 2)}


@pytest.mark.requirement("ice:L08")
def test_the_lowest_component_starts_then_the_highest_priority() -> None:
    checklists = ChecklistSet([2], max_pairs=100)
    second = pair("f1", component=2, priority=9000)
    low, high = pair("f1", priority=10, port=1), pair("f1", priority=20, port=2)

    checklists.form([second, low, high])

    assert (second.state, low.state, high.state) == (F, F, W)


def rfc8838_set() -> ChecklistSet:
    """Table 3 of RFC 8838: rows are audio RTP and RTCP, video RTP and RTCP."""
    checklists = ChecklistSet([2, 2], max_pairs=100)
    rows = {
        (0, 1): {"f1": S, "f2": W, "f3": W},
        (0, 2): {"f1": W, "f2": F, "f3": F, "f4": W},
        (1, 1): {"f1": W},
        (1, 2): {"f1": W},
    }
    for (stream, component), row in rows.items():
        for foundation, state in row.items():
            made = pair(foundation, stream=stream, component=component, state=state)
            checklists[stream].add(made)
    return checklists


@pytest.mark.requirement("ice:W09")
@pytest.mark.requirement("ice:F04")
def test_trickled_pairs_get_the_states_of_rfc_8838_section_12() -> None:
    checklists = rfc8838_set()

    topmost = pair("f5")
    assert checklists.insert(topmost)
    assert topmost.state is W  # rule 1
    topmost.move_to(P)
    topmost.move_to(S)

    after_success = pair("f5", component=2)
    assert checklists.insert(after_success)
    assert after_success.state is W  # rule 2

    other = pair("f3", stream=1)
    assert checklists.insert(other)
    assert other.state is F  # rule 3


@pytest.mark.requirement("ice:C15")
def test_a_success_thaws_its_foundation_in_every_list() -> None:
    checklists = ChecklistSet([1, 1, 1], max_pairs=100)
    checklists.form([pair(f, stream=m) for m, row in RFC8445_TABLE_1.items() for f in row])

    checklists.unfreeze(("1", "f1"))

    states = table(checklists)
    assert states["f1", 1, 1] is states["f1", 2, 1] is W
    assert states["f2", 1, 1] is F


@pytest.mark.requirement("ice:L06")
def test_of_pairs_with_one_path_the_highest_priority_stays() -> None:
    checklists = ChecklistSet([1], max_pairs=100)
    low, high = pair("f1", priority=10, port=7), pair("f2", priority=20, port=7)

    checklists.form([low, high])

    assert list(checklists.pairs()) == [high]


@pytest.mark.requirement("ice:W06")
@pytest.mark.parametrize(
    ("state", "priority", "replaced"),
    [(F, 20, True), (W, 20, True), (W, 5, False), (P, 20, False), (S, 20, False), (X, 20, False)],
)
def test_a_trickled_pair_replaces_only_one_that_was_not_checked(
    state: PairState, priority: int, replaced: bool
) -> None:
    checklists = ChecklistSet([1], max_pairs=100)
    old = pair("f1", priority=10, port=7, state=state)
    checklists[0].add(old)

    inserted = checklists.insert(pair("f2", priority=priority, port=7))

    assert inserted is replaced
    assert (old in checklists.pairs()) is not replaced


@pytest.mark.requirement("ice:L07")
@pytest.mark.parametrize("long", [0, 1])
def test_the_limit_holds_over_all_lists_and_the_lowest_go_first(long: int) -> None:
    checklists = ChecklistSet([1, 1], max_pairs=10)
    many = [pair("f1", stream=long, port=100 + n, priority=100 + n) for n in range(20)]
    few = [pair("f1", stream=1 - long, port=100 + n, priority=100 + n) for n in range(4)]

    checklists.form(many + few)

    assert [p.local_priority for p in checklists[long].pairs] == [119, 118, 117, 116, 115, 114]
    assert len(checklists[1 - long].pairs) == 4


def test_a_pair_that_is_redundant_is_never_added() -> None:
    checklists = ChecklistSet([1], max_pairs=10)
    checklists[0].add(pair("f1"))

    with pytest.raises(AssertionError, match="redundant"):
        checklists[0].add(pair("f1"))


@pytest.mark.requirement("ice:W08")
def test_a_full_list_gives_up_failed_pairs_first_then_a_lower_one() -> None:
    checklists = ChecklistSet([1], max_pairs=3)
    for number, state in enumerate([X, W, W], start=1):
        checklists[0].add(pair(f"f{number}", priority=number, state=state))

    assert checklists.insert(pair("f8", priority=8))
    assert checklists.insert(pair("f9", priority=9))
    assert not checklists.insert(pair("f7", priority=1))

    assert [p.foundation[1] for p in checklists.pairs()] == ["f9", "f8", "f3"]


@pytest.mark.requirement("ice:W08")
def test_pairs_under_way_are_never_given_up() -> None:
    checklists = ChecklistSet([1], max_pairs=2)
    checklists[0].add(pair("f1", priority=1, state=P))
    checklists[0].add(pair("f2", priority=2, state=S))

    assert not checklists.insert(pair("f9", priority=9))
    assert not checklists.insert_triggered(pair("f9", priority=9))


@pytest.mark.requirement("ice:T02")
@pytest.mark.requirement("ice:T04")
def test_triggered_pairs_go_first_in_their_order_then_the_highest_priority() -> None:
    checklists = ChecklistSet([2], max_pairs=100)
    pairs = [pair(f"f{n}", priority=n) for n in range(1, 5)]
    checklists.form([*pairs, pair("f4", component=2, priority=4)])
    scheduler = Scheduler(checklists)
    checklists[0].trigger(pairs[0])
    checklists[0].trigger(pairs[1])
    checklists[0].trigger(pairs[0])

    order = []
    while (chosen := scheduler.next_pair()) is not None:
        order.append((chosen.foundation[1], chosen.component))
        chosen.move_to(W)
        chosen.move_to(P)
        if len(order) == 4:
            break

    assert order == [("f1", 1), ("f2", 1), ("f4", 1), ("f3", 1)]


@pytest.mark.requirement("ice:T03")
def test_a_frozen_pair_waits_while_its_foundation_is_being_checked() -> None:
    checklists = ChecklistSet([1], max_pairs=100)
    first, second = pair("f1", priority=20, port=1), pair("f1", priority=10, port=2)
    checklists.form([first, second])
    scheduler = Scheduler(checklists)
    first.move_to(P)

    assert scheduler.next_pair() is None
    first.move_to(X)
    assert scheduler.next_pair() is second


@pytest.mark.requirement("ice:T01")
@pytest.mark.requirement("ice:T05")
def test_lists_take_turns_and_an_empty_one_is_passed_over() -> None:
    checklists = ChecklistSet([1, 1, 1], max_pairs=100)
    checklists.form([pair(f"f{n}", stream=m) for m in (0, 2) for n in (m + 1, m + 4)])
    scheduler = Scheduler(checklists)

    streams = []
    while (chosen := scheduler.next_pair()) is not None:
        streams.append(chosen.stream)
        chosen.move_to(P)

    assert streams == [0, 2, 0, 2]
    assert not scheduler.has_work()


ALLOWED = {
    (F, W),
    (F, S),
    (W, P),
    (W, S),
    (W, X),
    (P, W),
    (P, S),
    (P, X),
    (S, X),
    (X, W),
    (X, S),
}


@pytest.mark.requirement("ice:L09")
@pytest.mark.parametrize("before", PairState)
@pytest.mark.parametrize("after", PairState)
def test_a_pair_changes_state_along_the_arcs_only(before: PairState, after: PairState) -> None:
    changing = pair("f1", state=before)

    if before is after or (before, after) in ALLOWED:
        changing.move_to(after)
        assert changing.state is after
    else:
        with pytest.raises(AssertionError):
            changing.move_to(after)


@pytest.mark.requirement("ice:R10")
@given(st.lists(st.tuples(st.integers(1, 2**31), st.integers(1, 2**31)), min_size=1, max_size=8))
def test_a_role_switch_sorts_anew(priorities: list[tuple[int, int]]) -> None:
    checklists = ChecklistSet([1], max_pairs=100)
    for number, (ours, theirs) in enumerate(priorities, start=1):
        made = pair(f"f{number}")
        made.local_priority, made.remote_priority = ours, theirs
        made.set_role(controlling=True)
        checklists[0].add(made)

    checklists.set_role(controlling=False)

    ranks = [p.priority for p in checklists[0].pairs]
    assert ranks == sorted(ranks, reverse=True)
