"""Checks as a peer sees them (RFC 8445 section 7.2)."""

import pytest

from ice import (
    DropReason,
    IceState,
    PairState,
    PairValidated,
    RoleChanged,
)
from ice.limits import MAX_LOCAL_PEER_REFLEXIVE
from stun import (
    IceControlled,
    IceControlling,
    MessageClass,
    Method,
    Priority,
    UnknownAttribute,
    UseCandidate,
    Username,
    XorMappedAddress,
    encode_message,
    short_term_key,
)
from transport import TransportAddress

from .script import (
    ELSEWHERE,
    HERE,
    HERE_TOO,
    REMOTE,
    STRANGER,
    THERE,
    THERE_TOO,
    Script,
    between,
    host,
)


def states(script: Script) -> list[PairState]:
    return [pair.state for pair in script.agent.stats().pairs]


@pytest.mark.requirement("ice:C01")
@pytest.mark.requirement("ice:C02")
@pytest.mark.requirement("ice:C03")
@pytest.mark.requirement("ice:R06")
@pytest.mark.requirement("ice:P07")
@pytest.mark.parametrize("controlling", [True, False], ids=["controlling", "controlled"])
def test_a_check_carries_what_the_rfc_wants(controlling: bool) -> None:
    script = Script(controlling=controlling)
    script.describe(host(THERE))

    check = script.next_request()

    message = check.message
    assert check.path == between(HERE, THERE)
    assert message.get(Username) == Username(
        f"{REMOTE.ufrag}:{script.agent.local_credentials.ufrag}"
    )
    assert message.verify_integrity(short_term_key(REMOTE.password))
    assert message.fingerprint_ok
    assert message.data[-8:-4].hex() == "80280004"
    assert message.get(Priority) == Priority(110 << 24 | 65535 << 8 | 255)
    assert message.has(IceControlling) is controlling
    assert message.has(IceControlled) is not controlling
    assert not message.has(UseCandidate)


@pytest.mark.requirement("ice:R11")
def test_the_tiebreaker_is_the_same_in_all_requests() -> None:
    script = Script(addresses=[HERE, HERE_TOO])
    script.describe(host(THERE), host(THERE_TOO))
    script.advance(0.3)

    tiebreakers = {sent.message.get(IceControlling) for sent in script.requests()}

    assert len(script.requests()) >= 4
    assert len(tiebreakers) == 1


@pytest.mark.requirement("ice:T10")
@pytest.mark.requirement("ice:T07")
@pytest.mark.requirement("ice:C10")
@pytest.mark.requirement("ice:A03")
def test_an_unanswered_check_is_repeated_on_schedule_and_fails() -> None:
    script = Script()
    script.describe(host(THERE))

    script.advance(60.0)

    assert [sent.at for sent in script.requests()] == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert states(script) == [PairState.FAILED]
    assert (39.5, IceState.FAILED) in [
        (at, getattr(event, "state", None)) for at, event in script.events
    ]


@pytest.mark.requirement("ice:C06")
@pytest.mark.requirement("ice:Z02")
def test_a_response_that_the_password_does_not_prove_changes_nothing() -> None:
    script = Script()
    script.describe(host(THERE))
    check = script.next_request()

    script.answer(check, key=STRANGER)
    script.answer(check, key=STRANGER, error=487)
    script.answer(check, key=STRANGER, error=400)

    assert script.drops(DropReason.BAD_RESPONSE_INTEGRITY) == 3
    assert states(script) == [PairState.IN_PROGRESS]
    assert script.agent.controlling
    script.answer(check)
    assert states(script) == [PairState.SUCCEEDED]


def test_a_response_without_a_fingerprint_is_discarded() -> None:
    script = Script()
    script.describe(host(THERE))
    check = script.next_request()

    script.answer(check, fingerprint=False)

    assert script.drops(DropReason.NO_FINGERPRINT) == 1
    assert states(script) == [PairState.IN_PROGRESS]


@pytest.mark.requirement("ice:C07")
@pytest.mark.requirement("ice:C08")
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(between(HERE, ELSEWHERE), id="another-source"),
        pytest.param(between(HERE_TOO, THERE), id="another-socket"),
    ],
)
def test_a_response_on_another_path_fails_the_pair(path: object) -> None:
    script = Script(addresses=[HERE, HERE_TOO])
    script.describe(host(THERE))
    check = script.next_request()

    script.answer(check, path=path)  # type: ignore[arg-type]  # a Path, of a parametrized test

    failed = [pair for pair in script.agent.stats().pairs if pair.state is PairState.FAILED]
    assert [pair.path for pair in failed] == [between(HERE, THERE)]


@pytest.mark.requirement("ice:C11")
@pytest.mark.parametrize("code", [400, 401, 403, 420, 500])
def test_an_error_that_cannot_be_recovered_from_fails_the_pair_alone(code: int) -> None:
    script = Script()
    script.describe(host(THERE), host(THERE_TOO, priority=2130706175))
    check = script.next_request()

    script.answer(check, error=code)

    assert states(script) == [PairState.FAILED, PairState.WAITING]


@pytest.mark.requirement("ice:C12")
@pytest.mark.requirement("ice:C13")
@pytest.mark.requirement("ice:C14")
@pytest.mark.requirement("ice:D01")
def test_an_unknown_mapped_address_is_a_local_peer_reflexive_candidate() -> None:
    script = Script()
    script.describe(host(THERE))
    check = script.next_request()

    script.answer(check, mapped=ELSEWHERE)

    (valid,) = script.agent.stats().valid_pairs
    priority = check.message.get(Priority)
    assert priority is not None
    assert (valid.local.address, valid.local.type.value) == (ELSEWHERE, "prflx")  # type: ignore[union-attr]
    assert valid.local.related == HERE
    assert valid.local.priority == priority.priority
    assert valid.path == between(HERE, THERE)
    assert len(script.agent.stats().pairs) == 1
    assert script.agent.send([b"\x80data"], script.now)


@pytest.mark.requirement("ice:C12")
def test_local_peer_reflexive_candidates_are_bounded() -> None:
    script = Script(controlling=False)
    count = MAX_LOCAL_PEER_REFLEXIVE + 2
    remotes = [host(TransportAddress(THERE.ip, 1000 + n), foundation=f"f{n}") for n in range(count)]
    script.describe(*remotes, pacing_ms=5)
    script.advance(0.4)

    for number, check in enumerate(script.take_requests()):
        script.answer(check, mapped=TransportAddress(ELSEWHERE.ip, 1000 + number))

    kinds = [valid.local.type.value for valid in script.agent.stats().valid_pairs]  # type: ignore[union-attr]
    assert len(kinds) == count
    assert kinds.count("prflx") == MAX_LOCAL_PEER_REFLEXIVE
    assert script.drops(DropReason.PEER_REFLEXIVE_FULL) == 2


@pytest.mark.requirement("ice:C12")
def test_two_checks_that_show_one_mapped_address_find_one_candidate() -> None:
    script = Script(controlling=False)
    script.describe(host(THERE), host(THERE_TOO))
    script.advance(0.05)

    for check in script.take_requests():
        script.answer(check, mapped=ELSEWHERE)

    one, two = script.agent.stats().valid_pairs
    assert one.local is two.local


@pytest.mark.requirement("ice:C13")
def test_a_mapped_address_that_is_another_base_validates_that_pair() -> None:
    script = Script(addresses=[HERE, HERE_TOO], controlling=False)
    script.describe(host(THERE))
    check = script.next_request()
    assert check.path.local == HERE

    script.answer(check, mapped=HERE_TOO)

    assert [valid.path for valid in script.agent.stats().valid_pairs] == [between(HERE_TOO, THERE)]
    assert states(script) == [PairState.SUCCEEDED, PairState.SUCCEEDED]


@pytest.mark.requirement("ice:C15")
def test_a_success_unfreezes_its_foundation() -> None:
    script = Script(controlling=False)
    same = [host(THERE, foundation="s"), host(THERE_TOO, priority=1, foundation="s")]
    script.describe(*same)
    check = script.next_request()
    assert states(script) == [PairState.IN_PROGRESS, PairState.FROZEN]

    script.answer(check)

    assert states(script) == [PairState.SUCCEEDED, PairState.WAITING]


@pytest.mark.requirement("ice:C17")
def test_an_unknown_comprehension_required_attribute_fails_the_check() -> None:
    script = Script()
    script.describe(host(THERE))
    check = script.next_request()

    script.answer(check, UnknownAttribute(0x7F01, b"what"))

    assert states(script) == [PairState.FAILED]


@pytest.mark.requirement("ice:C20")
def test_duplicate_and_late_responses_are_harmless() -> None:
    script = Script(controlling=False)
    script.describe(host(THERE))
    check = script.next_request()
    script.answer(check)

    script.answer(check)
    script.answer(check, error=400)

    assert states(script) == [PairState.SUCCEEDED]
    assert script.drops(DropReason.UNKNOWN_TRANSACTION) == 2
    assert len(script.events_of(PairValidated)) == 1


@pytest.mark.requirement("ice:R09")
@pytest.mark.requirement("ice:R10")
@pytest.mark.requirement("ice:T02")
def test_487_switches_the_role_draws_a_tiebreaker_and_repeats_the_check_first() -> None:
    script = Script(addresses=[HERE, HERE_TOO])
    script.describe(host(THERE), host(THERE_TOO, priority=1))
    check = script.next_request()
    before = script.agent.stats().pairs[0].priority

    script.answer(check, error=487)

    again = script.next_request()
    first, second = check.message.get(IceControlling), again.message.get(IceControlled)
    assert not script.agent.controlling
    assert script.events_of(RoleChanged) == [RoleChanged(False)]
    assert again.path == check.path
    assert first is not None
    assert second is not None
    assert first.tiebreaker != second.tiebreaker
    assert script.agent.stats().pairs[0].priority == before  # equal host priorities on both sides
    priorities = [pair.priority for pair in script.agent.stats().pairs]
    assert priorities == sorted(priorities, reverse=True)


@pytest.mark.requirement("ice:R09")
def test_a_stale_487_does_not_switch_the_role_back() -> None:
    script = Script(addresses=[HERE, HERE_TOO])
    script.describe(host(THERE))
    script.advance(0.06)
    one, two = script.take_requests()[:2]
    script.answer(one, error=487)

    script.answer(two, error=487)

    assert not script.agent.controlling
    assert len(script.events_of(RoleChanged)) == 1


def test_a_success_without_a_mapped_address_fails_the_check() -> None:
    script = Script()
    script.describe(host(THERE))
    check = script.next_request()

    script.receive(
        encode_message(
            Method.BINDING,
            MessageClass.SUCCESS,
            check.message.transaction_id,
            [],
            key=short_term_key(REMOTE.password),
            fingerprint=True,
        ),
        check.path,
    )

    assert states(script) == [PairState.FAILED]


def test_a_mapped_address_of_another_family_is_kept_as_it_was_reported() -> None:
    script = Script(controlling=False)
    script.describe(host(THERE))
    check = script.next_request()

    script.answer(check, mapped=ELSEWHERE)

    assert check.message.get(XorMappedAddress) is None
    assert script.agent.state is IceState.CONNECTED
