"""When an agent gives up (RFC 8863), and how fast it goes (RFC 8445 section 14)."""

import itertools

import pytest

from ice import IceAgent, IceConfig, IceServer, IceState, IceStateChanged, SharedPacer
from ice.pacing import agreed_ta

from .script import HERE, HERE_TOO, THERE, THERE_TOO, Script, host, seeded


def changes(script: Script) -> list[tuple[float, IceState]]:
    return [(at, event.state) for at, event in script.events if isinstance(event, IceStateChanged)]


@pytest.mark.requirement("ice:A01")
@pytest.mark.requirement("ice:A02")
@pytest.mark.requirement("ice:A04")
@pytest.mark.requirement("ice:L10")
@pytest.mark.parametrize("ended", [False, True], ids=["no-end-of-candidates", "ended"])
def test_without_any_pair_failure_is_at_39_5_seconds(ended: bool) -> None:
    script = Script()
    script.advance(1.0)
    script.describe()
    if ended:
        script.agent.remote_end_of_candidates(script.now)

    script.advance(100.0)

    assert changes(script) == [(1.0, IceState.CHECKING), (40.5, IceState.FAILED)]


@pytest.mark.requirement("ice:A02")
@pytest.mark.requirement("ice:L11")
def test_failed_pairs_do_not_end_it_before_that() -> None:
    script = Script(config=IceConfig(pac_timeout=5.0))
    script.describe(host(THERE))
    script.agent.remote_end_of_candidates(script.now)

    script.answer(script.next_request(), error=400)
    script.advance(10.0)

    assert changes(script) == [(0.0, IceState.CHECKING), (5.0, IceState.FAILED)]


@pytest.mark.requirement("ice:A03")
def test_after_that_pairs_under_way_may_still_succeed() -> None:
    script = Script(controlling=False, config=IceConfig(pac_timeout=5.0))
    script.describe(host(THERE))
    check = script.next_request()
    script.advance(20.0)

    script.answer(check)

    assert changes(script) == [(0.0, IceState.CHECKING), (20.0, IceState.CONNECTED)]


@pytest.mark.requirement("ice:A01")
def test_without_the_peers_credentials_nothing_is_due() -> None:
    script = Script()
    script.signal(host(THERE))

    assert script.agent.next_timeout() is None
    assert script.agent.state is IceState.NEW


@pytest.mark.requirement("ice:X07")
@pytest.mark.requirement("ice:T08")
@pytest.mark.parametrize(
    ("ours", "theirs", "ta"),
    [(5, None, 0.05), (10, 20, 0.02), (20, 10, 0.02), (5, 5, 0.005)],
)
def test_ta_is_the_higher_proposal_or_50_ms(ours: int, theirs: int | None, ta: float) -> None:
    assert agreed_ta(ours, theirs) == ta


@pytest.mark.requirement("ice:T01")
@pytest.mark.requirement("ice:T08")
@pytest.mark.requirement("ice:Z01")
@pytest.mark.parametrize(("pacing_ms", "ta"), [(None, 0.05), (5, 0.005)])
def test_the_first_check_leaves_at_once_and_then_one_per_ta(
    pacing_ms: int | None, ta: float
) -> None:
    script = Script(addresses=[HERE, HERE_TOO])
    script.describe(host(THERE), host(THERE_TOO), pacing_ms=pacing_ms)

    script.advance(0.3)

    assert [sent.at for sent in script.requests()] == pytest.approx([0, ta, 2 * ta, 3 * ta])


@pytest.mark.requirement("ice:T06")
def test_the_agents_of_a_process_together_start_one_check_per_5_ms() -> None:
    pacer = SharedPacer()
    agents = [IceAgent(controlling=True, random_bytes=seeded(n), pacer=pacer) for n in range(1, 21)]
    for agent in agents:
        agent.hosts_opened([HERE], 0.0)
        agent.add_remote_candidate(host(THERE), 0.0)
        agent.add_remote_candidate(host(THERE_TOO), 0.0)
        agent.set_remote_credentials(agent.local_credentials, now=0.0)

    sent: list[float] = []
    while (now := min(a.next_timeout() or 0.0 for a in agents)) < 0.3:
        for agent in agents:
            agent.handle_timeout(now)
            while agent.poll_transmit() is not None:
                sent.append(now)

    gaps = [b - a for a, b in itertools.pairwise(sent)]
    assert len(sent) == 40
    assert min(gaps) >= 0.005 - 1e-9


def test_agents_without_a_shared_pacer_do_not_wait_for_each_other() -> None:
    """A departure from RFC 8445 section 14.2: who runs several agents has to share a pacer."""
    scripts = [Script(seed=seed) for seed in range(1, 11)]
    for script in scripts:
        script.describe(host(THERE))

        script.advance(0.001)

    assert [[sent.at for sent in script.requests()] for script in scripts] == [[0.0]] * 10


def test_gathering_and_checks_have_a_ta_each() -> None:
    """A departure from RFC 8445 section 14.2: the two do not wait for each other."""
    server = IceServer(("stun:198.51.100.3",))
    script = Script(config=IceConfig(servers=(server,)))
    script.describe(host(THERE))

    script.advance(0.001)

    assert {(sent.at, sent.path.remote.port) for sent in script.requests()} == {
        (0.0, 3478),
        (0.0, THERE.port),
    }


@pytest.mark.requirement("ice:T09")
def test_early_timeouts_do_nothing() -> None:
    script = Script()
    script.describe(host(THERE))
    script.advance(0.0)
    script.sent.clear()

    for step in range(1, 50):
        script.agent.handle_timeout(step / 100)
    script.drain()

    assert script.sent == []
    assert script.agent.next_timeout() == 0.5


@pytest.mark.requirement("ice:T09")
def test_a_late_timeout_makes_no_burst() -> None:
    script = Script(addresses=[HERE, HERE_TOO])
    script.describe(host(THERE), host(THERE_TOO))

    script.now = 30.0
    script.agent.handle_timeout(30.0)
    script.drain()

    assert len(script.requests()) == 1
