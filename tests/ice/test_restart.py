"""Restarting ICE (RFC 8445 section 9)."""

import pytest

from ice import (
    DatagramReceived,
    DropReason,
    GatheringCompleted,
    IceCredentials,
    IceState,
    LocalCandidateGathered,
    PairSelected,
    RestartRequired,
)
from ice.limits import MAX_PAST_UFRAGS
from netsim import LinkProfile, Network
from stun import Username, short_term_key

from .peers import Peer, connect, introduce, is_mirrored
from .script import ELSEWHERE, HERE, REMOTE, THERE, Script, between, host

PATH = between(HERE, THERE)
NEXT = IceCredentials("nextufrag", REMOTE.password)


def completed(*, controlling: bool = True) -> Script:
    script = Script(controlling=controlling)
    script.describe(host(THERE))
    script.complete()
    return script


@pytest.mark.requirement("ice:I01")
@pytest.mark.requirement("ice:R04")
def test_a_restart_draws_both_credentials_and_keeps_role_and_candidates() -> None:
    script = completed(controlling=False)
    before = script.agent.local_credentials
    script.events.clear()

    script.agent.restart(script.now)
    script.drain()

    after = script.agent.local_credentials
    assert after.ufrag != before.ufrag
    assert after.password != before.password
    assert not script.agent.controlling
    events = [event for _, event in script.events]
    assert [type(event) for event in events] == [LocalCandidateGathered, GatheringCompleted]
    assert all(getattr(event, "ufrag", None) == after.ufrag for event in events)


@pytest.mark.requirement("ice:I01")
def test_new_remote_credentials_need_a_restart() -> None:
    script = completed()

    script.agent.set_remote_credentials(REMOTE, now=script.now)  # the same: nothing
    with pytest.raises(RestartRequired):
        script.agent.set_remote_credentials(NEXT, now=script.now)


@pytest.mark.requirement("ice:I02")
@pytest.mark.requirement("ice:I03")
@pytest.mark.requirement("ice:D02")
def test_data_stays_on_the_old_pair_until_the_new_one_is_selected() -> None:
    script = completed()
    script.agent.restart(script.now)
    assert script.agent.state is IceState.COMPLETED
    assert script.agent.stats().pairs == ()
    script.describe(host(ELSEWHERE), credentials=NEXT)
    check = script.next_request()
    script.answer(check)
    assert script.agent.send([b"\x80old"], script.now)

    nomination = script.next_request()
    script.answer(nomination)
    assert script.agent.send([b"\x80new"], script.now)
    script.drain()

    assert check.path == between(HERE, ELSEWHERE)
    assert [(data, path) for _, path, data in script.data] == [
        (b"\x80old", PATH),
        (b"\x80new", between(HERE, ELSEWHERE)),
    ]


@pytest.mark.requirement("ice:I07")
@pytest.mark.requirement("ice:V17")
def test_old_credentials_serve_until_the_new_pair_is_selected() -> None:
    script = completed()
    old = script.agent.local_credentials
    script.agent.restart(script.now)
    script.drain()

    check = script.next_request()  # consent on the old pair
    username = check.message.get(Username)
    assert username is not None
    assert username.username == f"{REMOTE.ufrag}:{old.ufrag}"
    script.answer(check)

    def ask() -> int | None:
        return script.request(
            PATH, username=f"{old.ufrag}:x", key=short_term_key(old.password)
        ).error

    assert ask() is None
    script.describe(host(THERE), credentials=NEXT)
    script.complete()
    assert ask() == 401


@pytest.mark.requirement("ice:I07")
def test_the_old_pair_ends_with_its_consent() -> None:
    script = completed()
    script.agent.restart(script.now)

    script.advance(script.now + 31.0)

    assert not script.agent.send([b"\x80data"], script.now)


@pytest.mark.requirement("ice:I05")
def test_candidates_of_the_old_generation_are_stale() -> None:
    script = completed()
    script.agent.restart(script.now)

    script.agent.add_remote_candidate(host(ELSEWHERE), script.now, ufrag=REMOTE.ufrag)
    script.agent.add_remote_candidate(host(THERE), script.now, ufrag=NEXT.ufrag)
    script.describe(credentials=NEXT)

    assert script.drops(DropReason.STALE_GENERATION) == 1
    assert [c.address for c in script.agent.stats().remote_candidates] == [THERE]


@pytest.mark.requirement("ice:W04")
def test_the_fragments_of_former_generations_are_kept_up_to_a_bound() -> None:
    script = Script()
    for number in range(MAX_PAST_UFRAGS + 1):
        script.describe(credentials=IceCredentials(f"old{number}", REMOTE.password))
        script.agent.restart(script.now)

    script.agent.add_remote_candidate(host(THERE), script.now, ufrag="old0")
    script.agent.add_remote_candidate(host(THERE), script.now, ufrag="old1")

    assert script.drops(DropReason.STALE_GENERATION) == 1


def test_several_restarts_in_a_row_keep_the_pair_that_carries_data() -> None:
    script = completed()
    for number in range(3):
        script.agent.restart(script.now)
        script.describe(credentials=IceCredentials(f"next{number}", REMOTE.password))

    assert script.agent.send([b"\x80data"], script.now)
    assert script.agent.selected_pair is not None
    assert script.agent.selected_pair.path == PATH


@pytest.mark.requirement("ice:I04")
def test_a_failed_agent_starts_afresh() -> None:
    script = Script()
    script.describe()
    script.advance(40.0)
    assert script.agent.stats().state is IceState.FAILED

    script.agent.restart(script.now)
    script.describe(host(THERE), credentials=NEXT)
    script.complete()

    assert script.agent.state is IceState.COMPLETED


def test_a_restart_before_anything_was_exchanged_only_changes_the_credentials() -> None:
    script = Script()
    before = script.agent.local_credentials

    script.agent.restart(script.now)

    assert script.agent.local_credentials != before
    assert script.agent.state is IceState.NEW


def restarted(left: Peer, right: Peer) -> bool:
    return all(len(peer.process.events_of(PairSelected)) == 2 for peer in (left, right))


@pytest.mark.requirement("ice:I02")
@pytest.mark.requirement("ice:I06")
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("glare", [False, True], ids=["one-side", "both-at-once"])
def test_no_datagram_is_lost_over_a_restart(seed: int, glare: bool) -> None:
    network = Network(seed=seed, link=LinkProfile(delay=0.02, jitter=0.005))
    peers = introduce(
        network, network.host("left", "192.0.2.1"), network.host("right", "192.0.2.2")
    )
    left, right = peers
    connect(network, peers)
    network.run(until=network.now + 1.0)
    count = [0]

    def send() -> None:
        assert left.send(b"\x80left")
        assert right.send(b"\x80right")
        count[0] += 1
        network.call_later(0.01, send)

    send()
    left.restart()
    if glare:
        right.restart()
    network.run_until(lambda: restarted(left, right), timeout=5.0)
    sent = count[0]
    network.run(until=network.now + 0.1)

    assert is_mirrored(left, right)
    for peer in peers:
        assert len(peer.process.events_of(DatagramReceived)) >= sent
        assert peer.agent.state is IceState.COMPLETED
