"""How checks of a peer are answered, and what they trigger (RFC 8445 section 7.3)."""

import pytest

from ice import (
    Candidate,
    CandidateType,
    DatagramReceived,
    DropReason,
    IceConfig,
    IceState,
    IceStateChanged,
    PairState,
    RoleChanged,
)
from ice.limits import (
    MAX_EARLY_REQUESTS,
    MAX_PEER_REFLEXIVE,
    MAX_PEER_REFLEXIVE_PORTS,
    MAX_TRANSACTIONS,
    MAX_VALIDATED_PATHS,
)
from stun import (
    IntegrityAlgorithm,
    MessageClass,
    Method,
    UnknownAttribute,
    UnknownAttributes,
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
    STRANGER,
    THERE,
    THERE_TOO,
    Script,
    between,
    host,
)

PATH = between(HERE, THERE)


def states(script: Script) -> list[PairState]:
    return [pair.state for pair in script.agent.stats().pairs]


@pytest.mark.requirement("ice:V05")
def test_a_correct_request_is_answered_with_its_source_and_our_proof() -> None:
    script = Script()

    response = script.request(PATH)

    message = response.message
    assert response.path == PATH
    assert message.message_class is MessageClass.SUCCESS
    assert message.get(XorMappedAddress) == XorMappedAddress(THERE)
    assert message.verify_integrity(short_term_key(script.agent.local_credentials.password))
    assert message.fingerprint_ok
    assert not message.has(Username)


@pytest.mark.requirement("ice:V02")
def test_a_request_with_sha256_is_answered_in_kind() -> None:
    script = Script()

    response = script.request(PATH, algorithm=IntegrityAlgorithm.SHA256)

    assert response.message.integrity is IntegrityAlgorithm.SHA256
    assert response.message.message_class is MessageClass.SUCCESS


@pytest.mark.requirement("ice:V02")
@pytest.mark.requirement("ice:Z02")
@pytest.mark.parametrize(
    ("attributes", "key", "error"),
    [
        pytest.param([Username("x:y")], None, 400, id="no-integrity"),
        pytest.param([], STRANGER, 400, id="no-username"),
        pytest.param([Username("x:y")], STRANGER, 401, id="unknown-username"),
        pytest.param([Username("{ufrag}:y")], STRANGER, 401, id="wrong-password"),
        pytest.param([Username("{ufrag}")], STRANGER, 401, id="no-colon"),
    ],
)
def test_an_unauthenticated_request_is_refused_without_proof_or_effect(
    attributes: list[Username], key: object, error: int
) -> None:
    script = Script()
    script.describe()
    ufrag = script.agent.local_credentials.ufrag
    body = [Username(a.username.replace("{ufrag}", ufrag)) for a in attributes]

    script.receive(
        encode_message(
            Method.BINDING,
            MessageClass.REQUEST,
            bytes(12),
            body,
            key=key,  # type: ignore[arg-type]  # an IntegrityKey, of a parametrized test
            fingerprint=True,
        ),
        PATH,
    )

    (response,) = script.sent
    assert response.error == error
    assert not response.message.has_integrity
    assert not response.message.has(Username)
    assert script.agent.stats().pairs == ()
    script.receive(b"\x80data", PATH)
    assert script.drops(DropReason.UNVALIDATED_SOURCE) == 1


@pytest.mark.requirement("ice:V02")
def test_an_unknown_comprehension_required_attribute_is_refused_by_number() -> None:
    script = Script()
    script.describe()

    response = script.request(PATH, UnknownAttribute(0x7F01, b""))

    assert response.error == 420
    assert response.message.get(UnknownAttributes) == UnknownAttributes((0x7F01,))
    assert script.agent.stats().pairs == ()


@pytest.mark.requirement("ice:V18")
@pytest.mark.requirement("ice:P08")
@pytest.mark.parametrize("priority", [None, 0])
def test_a_request_without_a_usable_priority_is_refused(priority: int | None) -> None:
    script = Script()
    script.describe()

    response = script.request(PATH, priority=priority)

    assert response.error == 400
    assert script.agent.stats().pairs == ()


@pytest.mark.requirement("ice:P08")
def test_the_largest_priority_is_fine() -> None:
    script = Script()
    script.describe()

    script.request(PATH, priority=0xFFFFFFFF)

    assert [c.priority for c in script.agent.stats().remote_candidates] == [0xFFFFFFFF]


def test_a_malformed_attribute_is_refused() -> None:
    script = Script()
    script.describe()

    response = script.request(PATH, UnknownAttribute(0x0024, b"\1"), priority=None)

    assert response.error == 400


@pytest.mark.requirement("ice:V03")
def test_only_our_half_of_the_username_counts() -> None:
    script = Script()

    response = script.request(PATH, username=f"{script.agent.local_credentials.ufrag}:anything")

    assert response.message.message_class is MessageClass.SUCCESS


@pytest.mark.requirement("ice:V15")
@pytest.mark.requirement("ice:V16")
def test_what_is_no_check_is_dropped_in_silence() -> None:
    script = Script()
    script.describe()
    indication = encode_message(
        Method.BINDING, MessageClass.INDICATION, bytes(12), [], fingerprint=True
    )
    allocate = encode_message(Method.ALLOCATE, MessageClass.REQUEST, bytes(12), [])
    rfc3489 = bytes.fromhex("00010000") + bytes(16)
    bare = encode_message(Method.BINDING, MessageClass.REQUEST, bytes(12), [])

    for data in (indication, allocate, rfc3489, bare, bytes([*indication[:-1], 0]), b""):
        script.receive(data, PATH)

    assert script.sent == []
    assert script.agent.stats().drops == {
        DropReason.INDICATION: 1,
        DropReason.UNEXPECTED_METHOD: 1,
        DropReason.UNVALIDATED_SOURCE: 2,
        DropReason.NO_FINGERPRINT: 1,
        DropReason.BAD_FINGERPRINT: 1,
    }


def test_a_stun_message_whose_attributes_do_not_fit_is_dropped() -> None:
    script = Script()
    body = bytes.fromhex("0006ffff")

    script.receive(bytes.fromhex("00010004 2112a442".replace(" ", "")) + bytes(12) + body, PATH)

    assert script.drops(DropReason.MALFORMED) == 1


@pytest.mark.requirement("ice:X11")
def test_a_request_to_an_address_that_is_not_ours_is_dropped() -> None:
    script = Script()
    data = encode_message(Method.BINDING, MessageClass.REQUEST, bytes(12), [], fingerprint=True)

    script.receive(data, between(HERE_TOO, THERE))
    script.receive(b"\x80data", between(HERE_TOO, THERE))

    assert script.sent == []
    assert script.drops(DropReason.UNKNOWN_BASE) == 2


@pytest.mark.requirement("ice:V07")
@pytest.mark.requirement("ice:V08")
@pytest.mark.requirement("ice:F05")
def test_an_unknown_source_is_a_peer_reflexive_candidate_with_one_triggered_check() -> None:
    script = Script(addresses=[HERE, HERE_TOO], controlling=False)
    script.describe(host(THERE, foundation="prflx1"))
    script.advance(0.2)
    script.take_requests()

    script.request(between(HERE, ELSEWHERE), priority=1234567)

    learned = script.agent.stats().remote_candidates[-1]
    assert (learned.address, learned.type) == (ELSEWHERE, CandidateType.PEER_REFLEXIVE)
    assert (learned.priority, learned.foundation) == (1234567, "prflx2")
    assert [p.path for p in script.agent.stats().pairs if p.remote is learned] == [
        between(HERE, ELSEWHERE)
    ]
    assert script.next_request().path == between(HERE, ELSEWHERE)


@pytest.mark.requirement("ice:V09")
@pytest.mark.requirement("ice:T02")
def test_a_request_queues_its_pair_once_and_ahead_of_the_others() -> None:
    script = Script(controlling=False)
    script.describe(
        *(
            host(a, priority=p, foundation="s")
            for a, p in [(THERE, 3), (THERE_TOO, 2), (ELSEWHERE, 1)]
        )
    )
    path = between(HERE, ELSEWHERE)
    assert states(script)[2] is PairState.FROZEN

    script.request(path)
    script.request(path)

    script.advance(0.0)
    assert [sent.path for sent in script.take_requests()] == [path]
    script.advance(0.05)
    assert [sent.path.remote for sent in script.requests()] == [THERE]


@pytest.mark.requirement("ice:V09")
@pytest.mark.requirement("ice:V12")
def test_a_request_on_a_failed_pair_checks_it_again_and_revives_the_list() -> None:
    script = Script(controlling=False)
    script.describe(host(THERE))
    script.advance(40.0)
    script.take_requests()

    script.request(PATH)
    script.succeed()

    changes = [e.state for e in script.events_of(IceStateChanged) if isinstance(e, IceStateChanged)]
    assert changes == [
        IceState.CHECKING,
        IceState.FAILED,
        IceState.CHECKING,
        IceState.CONNECTED,
    ]


@pytest.mark.requirement("ice:V10")
def test_a_request_on_a_pair_in_progress_starts_a_fresh_check_at_once() -> None:
    script = Script(controlling=False)
    script.describe(host(THERE))
    lost = script.next_request()
    script.advance(0.06)

    script.request(PATH)
    fresh = script.next_request()

    assert fresh.at == pytest.approx(0.06)
    assert fresh.message.transaction_id != lost.message.transaction_id
    script.sent.clear()
    script.advance(0.55)
    assert script.requests() == []  # the first is not repeated, the second not yet due
    script.answer(lost)
    assert states(script) == [PairState.SUCCEEDED]
    script.sent.clear()
    script.advance(4.0)
    assert script.requests() == []


@pytest.mark.requirement("ice:V10")
def test_the_end_of_a_cancelled_check_is_no_failure() -> None:
    script = Script(controlling=False, config=IceConfig(pac_timeout=1.0))
    script.describe(host(THERE))
    first = script.next_request()
    script.advance(0.06)
    script.request(PATH)
    second = script.next_request()
    script.advance(0.2)
    script.request(PATH)
    script.next_request()

    script.answer(second, error=400)
    script.advance(39.55)
    assert states(script) == [PairState.IN_PROGRESS]
    script.advance(39.7)

    assert first.at == 0.0
    assert states(script) == [PairState.FAILED]


@pytest.mark.requirement("ice:C20")
def test_checks_that_are_waited_for_are_bounded_and_the_oldest_cancelled_one_goes() -> None:
    script = Script(controlling=False)
    script.describe(host(THERE), pacing_ms=5)
    first = script.next_request()
    checks = [first]
    for _ in range(MAX_TRANSACTIONS):
        script.request(PATH)
        checks.append(script.next_request())

    script.answer(first)
    assert script.drops(DropReason.UNKNOWN_TRANSACTION) == 1
    script.answer(checks[1])

    assert states(script) == [PairState.SUCCEEDED]


def test_no_more_checks_are_started_than_answers_can_be_waited_for() -> None:
    config = IceConfig(components=(1,) * 4, max_pairs=400)
    script = Script(config=config)
    script.describe(pacing_ms=5)
    for stream in range(4):
        if stream:
            base = TransportAddress(HERE.ip, 4000 + stream)
            script.agent.hosts_opened([base], 0.0, stream=stream)
        for number in range(80):
            address = TransportAddress(THERE.ip, 1000 + number)
            candidate = host(address, foundation=f"{stream}f{number}")
            script.agent.add_remote_candidate(candidate, 0.0, stream=stream)

    script.advance(3.0)

    assert script.agent.stats().checks_sent == MAX_TRANSACTIONS
    assert script.drops(DropReason.TRANSACTIONS_FULL) > 0


@pytest.mark.requirement("ice:D04")
def test_proven_paths_are_bounded_and_the_oldest_proof_goes() -> None:
    script = Script()
    paths = [
        between(HERE, TransportAddress(THERE.ip, 1000 + n)) for n in range(MAX_VALIDATED_PATHS)
    ]
    for path in [*paths, paths[0], PATH]:
        script.request(path)

    for path in (paths[0], paths[1], PATH):
        script.receive(b"\x80data", path)

    received = [e.path for _, e in script.events if isinstance(e, DatagramReceived)]
    assert received == [paths[0], PATH]
    assert script.drops(DropReason.VALIDATED_PATHS_FULL) == 1


def test_a_request_that_finds_no_room_on_the_checklist_is_only_answered() -> None:
    script = Script(controlling=False, config=IceConfig(max_pairs=1))
    script.describe(host(THERE))
    script.next_request()

    response = script.request(between(HERE, ELSEWHERE))

    assert response.error is None
    assert script.drops(DropReason.CHECKLIST_FULL) == 1


@pytest.mark.requirement("ice:N08")
def test_a_nomination_that_finds_no_room_on_the_checklist_is_refused() -> None:
    script = Script(controlling=False, config=IceConfig(max_pairs=1))
    script.describe(host(THERE))
    script.next_request()

    response = script.request(between(HERE, ELSEWHERE), use_candidate=True)

    assert response.error == 400
    assert response.message.has_integrity


@pytest.mark.requirement("ice:N08")
def test_a_nomination_of_one_learned_candidate_too_many_is_refused() -> None:
    script = Script(controlling=False)
    script.describe()
    for number in range(MAX_PEER_REFLEXIVE_PORTS):
        script.request(between(HERE, TransportAddress(THERE.ip, 1000 + number)))

    response = script.request(between(HERE, TransportAddress(THERE.ip, 999)), use_candidate=True)

    assert response.error == 400


@pytest.mark.requirement("ice:N08")
def test_an_early_nomination_that_cannot_be_remembered_is_refused() -> None:
    script = Script(controlling=False)
    for number in range(MAX_EARLY_REQUESTS):
        script.request(between(HERE, TransportAddress(THERE.ip + number, 1000)))

    response = script.request(between(HERE, ELSEWHERE), use_candidate=True)

    assert response.error == 400


def test_a_username_that_is_no_text_is_unknown() -> None:
    script = Script()

    response = script.request(PATH, UnknownAttribute(0x0006, b"\xff"), username=None)
    # the first of duplicates counts, so it has to come alone
    script.sent.clear()
    script.receive(
        encode_message(
            Method.BINDING,
            MessageClass.REQUEST,
            bytes(12),
            [UnknownAttribute(0x0006, b"\xff")],
            key=STRANGER,
            fingerprint=True,
        ),
        PATH,
    )

    assert response.error is None
    assert [sent.error for sent in script.sent] == [401]


@pytest.mark.requirement("ice:V11")
def test_a_request_on_a_succeeded_pair_triggers_nothing() -> None:
    script = Script(controlling=False)
    script.describe(host(THERE))
    script.succeed()
    script.sent.clear()

    script.request(PATH)
    script.advance(3.9)

    assert script.requests() == []


@pytest.mark.requirement("ice:V13")
@pytest.mark.requirement("ice:W07")
def test_a_learned_candidate_that_is_signalled_keeps_its_pair_and_state() -> None:
    script = Script(controlling=False)
    script.describe()
    script.request(PATH, priority=111)
    check = script.next_request()
    before = script.agent.stats().pairs[0].priority

    script.signal(host(THERE, priority=2130706431, foundation="signalled"))

    (pair,) = script.agent.stats().pairs
    assert pair.state is PairState.IN_PROGRESS
    assert (pair.remote.type, pair.remote.foundation) == (CandidateType.HOST, "signalled")
    assert pair.priority == before
    assert len(script.agent.stats().remote_candidates) == 1
    script.answer(check)
    assert script.agent.stats().valid_pairs[0].remote.foundation == "signalled"


@pytest.mark.requirement("ice:V13")
def test_a_valid_pair_takes_the_signalled_candidate_too() -> None:
    script = Script(controlling=False)
    script.describe()
    script.request(PATH, priority=111)
    script.succeed()

    script.signal(host(THERE, foundation="signalled"))

    assert script.agent.stats().valid_pairs[0].remote.foundation == "signalled"
    assert script.agent.state is IceState.CONNECTED


@pytest.mark.requirement("ice:V04")
@pytest.mark.requirement("ice:X11")
@pytest.mark.requirement("ice:A05")
def test_a_request_before_the_answer_is_answered_and_remembered() -> None:
    script = Script()

    response = script.request(PATH)
    script.advance(1.0)
    assert response.message.message_class is MessageClass.SUCCESS
    assert script.requests() == []
    script.describe()

    assert script.next_request().path == PATH


@pytest.mark.requirement("ice:V04")
def test_an_early_nomination_counts_once_the_answer_is_there() -> None:
    script = Script(controlling=False)
    script.request(PATH, use_candidate=True)
    script.request(PATH)
    script.describe()

    script.succeed()

    assert script.agent.state is IceState.COMPLETED


@pytest.mark.requirement("ice:V04")
def test_early_requests_are_bounded() -> None:
    script = Script()
    for number in range(MAX_EARLY_REQUESTS + 5):
        script.request(between(HERE, TransportAddress(THERE.ip + number, 1000)))

    script.describe()

    assert script.drops(DropReason.EARLY_REQUESTS_FULL) == 5
    assert len(script.agent.stats().pairs) == MAX_EARLY_REQUESTS


@pytest.mark.requirement("ice:V14")
def test_peer_reflexive_candidates_are_bounded() -> None:
    script = Script(controlling=False)
    script.describe()

    for number in range(MAX_PEER_REFLEXIVE + 5):
        script.request(between(HERE, TransportAddress(THERE.ip + number, 1000)))

    assert script.drops(DropReason.PEER_REFLEXIVE_FULL) == 5
    assert len(script.agent.stats().remote_candidates) == MAX_PEER_REFLEXIVE


@pytest.mark.requirement("ice:V14")
def test_few_ports_of_one_address_are_learned_so_that_other_pairs_have_their_turn() -> None:
    script = Script(controlling=False)
    script.describe()

    for number in range(MAX_PEER_REFLEXIVE_PORTS + 5):
        script.request(between(HERE, TransportAddress(THERE.ip, 1000 + number)))

    assert script.drops(DropReason.PEER_REFLEXIVE_FULL) == 5
    assert len(script.agent.stats().remote_candidates) == MAX_PEER_REFLEXIVE_PORTS


@pytest.mark.requirement("ice:R07")
@pytest.mark.requirement("ice:R08")
@pytest.mark.parametrize(
    ("controlling", "tiebreaker", "refused"),
    [
        pytest.param(True, 0, True, id="both-controlling-ours-larger"),
        pytest.param(True, 2**64 - 1, False, id="both-controlling-theirs-larger"),
        pytest.param(False, 0, False, id="both-controlled-ours-larger"),
        pytest.param(False, 2**64 - 1, True, id="both-controlled-theirs-larger"),
    ],
)
def test_a_role_conflict_is_settled_by_the_tiebreaker(
    controlling: bool, tiebreaker: int, refused: bool
) -> None:
    script = Script(controlling=controlling)
    script.describe()

    response = script.request(PATH, tiebreaker=tiebreaker, claims_control=controlling)

    assert response.error == (487 if refused else None)
    assert response.message.has_integrity
    assert script.agent.controlling is (controlling if refused else not controlling)
    assert script.events_of(RoleChanged) == ([] if refused else [RoleChanged(not controlling)])


@pytest.mark.requirement("ice:N01")
def test_use_candidate_of_a_controlled_peer_is_void() -> None:
    script = Script(controlling=True)
    script.describe(host(THERE))
    script.request(PATH, use_candidate=True)
    script.advance(0.0)
    check = script.take_requests()[0]

    script.answer(check)

    assert script.agent.state is IceState.CONNECTED


@pytest.mark.requirement("ice:D04")
def test_data_is_taken_from_proven_sources_alone() -> None:
    script = Script(controlling=False)
    script.describe(host(THERE))
    script.receive(b"\x80early", PATH)
    script.request(PATH)

    script.receive(b"\x80data", PATH)
    script.receive(b"\x80more", between(HERE, ELSEWHERE))

    assert script.events_of(DatagramReceived) == [DatagramReceived(b"\x80data", PATH)]
    assert script.drops(DropReason.UNVALIDATED_SOURCE) == 2


@pytest.mark.requirement("ice:D06")
@pytest.mark.parametrize("first", [0, 3, 4, 20, 63, 64, 128, 191, 255])
def test_what_is_not_stun_is_data_whatever_its_first_byte(first: int) -> None:
    script = Script(controlling=False)
    script.describe(host(THERE))
    script.request(PATH)

    script.receive(bytes([first]) + b"data", PATH)

    assert len(script.events_of(DatagramReceived)) == 1


def test_a_tcp_candidate_and_one_of_an_unknown_type_are_counted_and_ignored() -> None:
    script = Script()
    script.describe()

    script.signal(Candidate("1", 1, "tcp", 1, THERE, CandidateType.HOST))
    script.signal(Candidate("1", 1, "udp", 1, THERE, "novel"))

    assert script.drops(DropReason.UNUSABLE_CANDIDATE) == 2
    assert script.agent.stats().pairs == ()
