"""Candidates that come one by one, early, late and twice (RFC 8838)."""

import ipaddress

import pytest

from ice import (
    Candidate,
    CandidateType,
    DropReason,
    GatheringCompleted,
    HostAddressesRequested,
    HostName,
    IceAgent,
    IceConfig,
    IcePolicy,
    IceState,
    IceStateError,
    LocalCandidateGathered,
    PairState,
)
from ice.limits import MAX_HELD_CANDIDATES, MAX_REMOTE_CANDIDATES
from transport import TransportAddress

from .script import (
    ELSEWHERE,
    HERE,
    HERE_TOO,
    REMOTE,
    THERE,
    THERE_TOO,
    Script,
    between,
    host,
    seeded,
)


def numbered(number: int) -> TransportAddress:
    return TransportAddress(ipaddress.ip_address(f"203.0.113.{number % 250 + 1}"), 1000 + number)


@pytest.mark.requirement("ice:G01")
@pytest.mark.requirement("ice:P05")
@pytest.mark.requirement("ice:F02")
def test_each_address_is_a_host_candidate_of_its_own() -> None:
    six = TransportAddress.parse("2001:db8::1", 4000)
    script = Script(addresses=[HERE, HERE_TOO, six])

    gathered = [
        event.candidate
        for event in script.events_of(LocalCandidateGathered)
        if isinstance(event, LocalCandidateGathered)
    ]

    assert [c.address for c in gathered] == [six, HERE, HERE_TOO]
    assert [c.priority for c in gathered] == [2130706431, 2130706175, 2130705919]
    assert len({c.foundation for c in gathered}) == 3
    assert all((c.type, c.related) == (CandidateType.HOST, None) for c in gathered)
    assert script.events[-1][1] == GatheringCompleted(script.agent.local_credentials.ufrag)
    assert script.agent.gathering_completed


def test_a_link_local_candidate_is_written_without_its_zone_and_paired_within_it() -> None:
    base = TransportAddress.parse("fe80::1%eth0", 4000)
    script = Script(addresses=[base])
    script.describe(host(TransportAddress.parse("fe80::2", 5000)))

    check = script.next_request()
    script.answer(check, mapped=TransportAddress.parse("fe80::1", 4000))

    assert check.path == between(base, TransportAddress.parse("fe80::2%eth0", 5000))
    assert script.agent.local_candidates[0].to_text().split()[4] == "fe80::1"
    assert script.agent.stats().valid_pairs[0].local.type is CandidateType.HOST


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_an_unspecified_address_is_no_candidate(address: str) -> None:
    agent = IceAgent(controlling=True, random_bytes=seeded())

    with pytest.raises(ValueError, match="specific"):
        agent.hosts_opened([TransportAddress.parse(address, 1)], 0.0)


def test_an_unknown_component_or_stream_is_a_mistake() -> None:
    script = Script()

    with pytest.raises(ValueError, match="component"):
        script.agent.hosts_opened([HERE], 0.0, component=2)
    with pytest.raises(ValueError, match="stream"):
        script.agent.add_remote_candidate(host(THERE), 0.0, stream=1)


def test_under_a_relay_policy_no_host_candidate_is_shown() -> None:
    script = Script(config=IceConfig(policy=IcePolicy.RELAY))

    assert script.events_of(LocalCandidateGathered) == []
    assert script.agent.gathering_completed


@pytest.mark.requirement("ice:W16")
@pytest.mark.requirement("ice:W17")
def test_remote_candidates_before_anything_else_are_paired_later() -> None:
    agent = IceAgent(controlling=True, random_bytes=seeded())
    agent.add_remote_candidate(host(THERE), 0.0)
    agent.set_remote_credentials(REMOTE, now=0.0)
    assert agent.stats().pairs == ()

    agent.hosts_opened([HERE], 0.0)

    assert [pair.path for pair in agent.stats().pairs] == [between(HERE, THERE)]


@pytest.mark.requirement("ice:W17")
def test_candidates_held_for_the_credentials_are_bounded() -> None:
    script = Script()

    for number in range(MAX_HELD_CANDIDATES + 3):
        script.signal(host(numbered(number)))

    assert script.drops(DropReason.CANDIDATES_FULL) == 3


@pytest.mark.requirement("ice:L07")
@pytest.mark.requirement("ice:Z01")
def test_a_flood_of_candidates_makes_at_most_100_pairs() -> None:
    script = Script(addresses=[HERE, HERE_TOO])
    script.describe()

    for number in range(MAX_REMOTE_CANDIDATES + 20):
        script.signal(host(numbered(number), priority=5000 - number))

    assert len(script.agent.stats().pairs) == 100
    assert script.drops(DropReason.CANDIDATES_FULL) == 20
    assert script.drops(DropReason.CHECKLIST_FULL) == 100


@pytest.mark.requirement("ice:W11")
def test_candidates_after_the_end_are_ignored() -> None:
    script = Script()
    script.describe(host(THERE))
    script.agent.remote_end_of_candidates(script.now)

    script.signal(host(THERE_TOO))

    assert script.drops(DropReason.AFTER_END_OF_CANDIDATES) == 1
    assert len(script.agent.stats().pairs) == 1


@pytest.mark.requirement("ice:W02")
def test_candidates_after_the_pac_timer_still_count_when_no_end_was_signalled() -> None:
    script = Script()
    script.describe()
    script.advance(100.0)
    assert script.agent.stats().state is IceState.FAILED

    script.signal(host(THERE))
    script.complete()

    assert script.agent.state is IceState.COMPLETED


@pytest.mark.requirement("ice:W03")
@pytest.mark.requirement("ice:W04")
def test_a_candidate_that_is_known_is_ignored() -> None:
    script = Script()
    script.describe(host(THERE))

    script.signal(host(THERE, priority=1))
    script.agent.hosts_opened([HERE], script.now)

    assert script.drops(DropReason.DUPLICATE_CANDIDATE) == 1
    assert len(script.agent.stats().pairs) == 1
    assert len(script.agent.local_candidates) == 1


@pytest.mark.requirement("ice:X04")
def test_a_host_name_is_ignored_and_its_owner_learned_from_its_check() -> None:
    script = Script()
    script.describe(Candidate("1", 1, "udp", 1, HostName("x.local", 1), CandidateType.HOST))

    script.request(between(HERE, THERE))
    script.complete()

    assert script.drops(DropReason.HOST_NAME) == 1
    assert script.agent.state is IceState.COMPLETED


@pytest.mark.requirement("ice:X04")
@pytest.mark.parametrize(
    "candidate",
    [
        pytest.param(Candidate("1", 1, "tcp", 1, THERE, CandidateType.HOST), id="transport"),
        pytest.param(Candidate("1", 1, "udp", 1, THERE, "novel"), id="type"),
        pytest.param(Candidate("1", 2, "udp", 1, THERE, CandidateType.HOST), id="component"),
        pytest.param(host(TransportAddress.parse("203.0.113.1", 0)), id="port-0"),
        pytest.param(host(TransportAddress.parse("224.0.0.1", 9)), id="multicast"),
    ],
)
def test_what_cannot_be_used_is_ignored_without_error(candidate: Candidate) -> None:
    script = Script()
    script.describe()

    script.signal(candidate)

    assert script.drops(DropReason.UNUSABLE_CANDIDATE) == 1
    assert script.agent.stats().remote_candidates == ()


@pytest.mark.requirement("ice:Z04")
def test_the_address_policy_keeps_the_agent_from_talking_to_an_address() -> None:
    metadata = TransportAddress.parse("169.254.169.254", 80)
    script = Script(config=IceConfig(address_policy=lambda ip: ip != metadata.ip))
    script.describe()

    script.signal(host(metadata))
    script.agent.receive(bytes.fromhex("000100002112a442") + bytes(12), between(HERE, metadata), 0)

    assert script.drops(DropReason.REFUSED_ADDRESS) == 1
    script.advance(5.0)
    assert script.sent == []


@pytest.mark.requirement("ice:Z04")
def test_the_address_policy_holds_for_requests_too() -> None:
    script = Script(config=IceConfig(address_policy=lambda ip: False))
    script.describe()

    with pytest.raises(IndexError):  # no response
        script.request(between(HERE, THERE))

    assert script.drops(DropReason.REFUSED_ADDRESS) == 1


@pytest.mark.requirement("ice:W04")
@pytest.mark.requirement("ice:I05")
def test_candidates_belong_to_the_generation_that_they_name() -> None:
    script = Script()
    script.agent.add_remote_candidate(host(THERE), 0.0, ufrag=REMOTE.ufrag)
    script.agent.add_remote_candidate(host(THERE_TOO), 0.0, ufrag="comes")
    extended = Candidate(
        "1", 1, "udp", 5, ELSEWHERE, CandidateType.HOST, None, (("ufrag", REMOTE.ufrag),)
    )
    script.agent.add_remote_candidate(extended, 0.0)

    script.describe()

    assert {c.address for c in script.agent.stats().remote_candidates} == {THERE, ELSEWHERE}
    assert script.drops(DropReason.STALE_GENERATION) == 0


@pytest.mark.requirement("ice:W10")
def test_the_end_of_another_generation_ends_nothing() -> None:
    script = Script()
    script.describe()

    script.agent.remote_end_of_candidates(script.now, ufrag="other")
    script.signal(host(THERE))

    assert len(script.agent.stats().pairs) == 1


@pytest.mark.requirement("ice:L03")
@pytest.mark.requirement("ice:G05")
@pytest.mark.requirement("ice:N12")
def test_a_peer_with_fewer_components_needs_only_those() -> None:
    script = Script(config=IceConfig(components=(2,)))
    requested = [event for _, event in script.events if isinstance(event, HostAddressesRequested)]
    assert [event.component for event in requested] == [1, 2]
    script.agent.hosts_opened([HERE_TOO], 0.0, component=2)
    script.describe(host(THERE))
    script.complete()
    assert script.agent.stats().state is IceState.CHECKING

    script.agent.remote_end_of_candidates(script.now)

    assert script.agent.state is IceState.COMPLETED


@pytest.mark.requirement("ice:G14")
def test_an_address_that_is_gone_takes_its_pairs_with_it() -> None:
    script = Script(addresses=[HERE, HERE_TOO], controlling=False)
    script.describe(host(THERE))
    script.advance(0.1)
    check = script.take_requests()[0]
    script.answer(check)
    assert script.agent.state is IceState.CONNECTED

    script.agent.host_closed(check.path.local, script.now)
    script.agent.host_closed(check.path.local, script.now)

    assert [pair.path.local for pair in script.agent.stats().pairs] == [HERE_TOO]
    assert not script.agent.send([b"\x80data"], script.now)
    assert len(script.agent.local_candidates) == 1
    assert all(pair.state is not PairState.SUCCEEDED for pair in script.agent.stats().pairs)


@pytest.mark.requirement("ice:G14")
def test_a_new_address_is_a_new_candidate_with_checks_of_its_own() -> None:
    script = Script()
    script.describe(host(THERE))
    script.next_request()
    script.advance(1.0)
    script.sent.clear()

    script.agent.hosts_opened([HERE_TOO], script.now)

    assert script.next_request().path == between(HERE_TOO, THERE)


def test_a_closed_agent_refuses_to_gather_and_ignores_late_signalling() -> None:
    script = Script()
    script.agent.close(script.now)

    script.agent.add_remote_candidate(host(THERE), script.now)
    script.agent.remote_end_of_candidates(script.now)
    script.agent.set_remote_credentials(REMOTE, now=script.now)
    script.agent.hosts_opened([HERE], script.now)
    script.agent.close(script.now)

    assert script.agent.stats().pairs == ()
    assert script.drops(DropReason.CLOSED) == 2
    with pytest.raises(IceStateError):
        script.agent.gather(script.now)
    with pytest.raises(IceStateError):
        script.agent.restart(script.now)
