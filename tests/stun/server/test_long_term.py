"""The server's side of the long-term mechanism (RFC 8489 section 9.2.4)."""

from __future__ import annotations

import itertools

import pytest

from stun import (
    AlgorithmChoice,
    AlgorithmParameters,
    AnyAttribute,
    ErrorCode,
    IntegrityAlgorithm,
    IntegrityKey,
    KeyAlgorithm,
    LongTermClient,
    Message,
    MessageClass,
    MessageIntegrity,
    Method,
    Nonce,
    PasswordAlgorithm,
    PasswordAlgorithms,
    Realm,
    SecurityFeature,
    UnknownAttribute,
    Userhash,
    Username,
    encode_message,
    long_term_digest,
    security_features,
    userhash,
)
from stun.server import KnownUser, LongTermAuthenticated, LongTermRejected, LongTermServer
from transport import TransportAddress

REALM = "example.org"
CLIENT = TransportAddress.parse("192.0.2.9", 40000)
ID = bytes(12)
BOTH = PasswordAlgorithms(
    (AlgorithmParameters(KeyAlgorithm.SHA256), AlgorithmParameters(KeyAlgorithm.MD5))
)
SHA256 = PasswordAlgorithm(AlgorithmParameters(KeyAlgorithm.SHA256))
MD5 = PasswordAlgorithm(AlgorithmParameters(KeyAlgorithm.MD5))
TIME = 1_700_000_000.0


def digest(algorithm: KeyAlgorithm, password: str = "secret") -> bytes:
    return long_term_digest("alice", REALM, password=password, algorithm=algorithm)


def find_user(user: str | Userhash, algorithm: KeyAlgorithm) -> KnownUser | None:
    if user in ("alice", Userhash(userhash("alice", REALM))):
        # An old password is good too, as while a secret is being replaced.
        return KnownUser("alice", (digest(algorithm, "old secret"), digest(algorithm)))
    return None


class Bench:
    """A server and the requests that are put to it."""

    def __init__(self, *, offers_userhash: bool = False) -> None:
        salts = itertools.count()
        self.server = LongTermServer(
            REALM,
            nonce_key=bytes(32),
            nonce_lifetime=600.0,
            random_bytes=lambda size: next(salts).to_bytes(size, "big"),
            offers_userhash=offers_userhash,
        )

    def judge(
        self, data: bytes, *, time: float = TIME, remote: TransportAddress = CLIENT
    ) -> LongTermAuthenticated | LongTermRejected:
        return self.server.authenticate(
            Message.decode(data), remote, time=time, find_user=find_user
        )

    def challenge(self) -> Message:
        bare = encode_message(Method.ALLOCATE, MessageClass.REQUEST, ID, ())
        outcome = self.judge(bare)
        assert isinstance(outcome, LongTermRejected)
        return Message.decode(outcome.response(Message.decode(bare)))

    def nonce(self) -> Nonce:
        nonce = self.challenge().get(Nonce)
        assert nonce is not None
        return nonce

    def code(self, data: bytes) -> int:
        """The error, or 0 for a request that passes."""
        outcome = self.judge(data)
        return outcome.error if isinstance(outcome, LongTermRejected) else 0


def signed(
    *attributes: AnyAttribute,
    algorithm: IntegrityAlgorithm = IntegrityAlgorithm.SHA1,
    key: bytes | None = None,
) -> bytes:
    return encode_message(
        Method.ALLOCATE,
        MessageClass.REQUEST,
        ID,
        attributes,
        key=IntegrityKey(digest(KeyAlgorithm.MD5) if key is None else key),
        algorithm=algorithm,
    )


@pytest.mark.requirement(
    "stun-turn:STUNS-LTC-01",
    "stun-turn:STUNS-LTC-02",
    "stun-turn:STUNS-LTC-05",
    "stun-turn:STUNS-LTC-06",
    "stun-turn:COD-TXT-04",
    "stun-turn:COD-TXT-09",
)
def test_a_bare_request_is_challenged() -> None:
    response = Bench().challenge()

    assert response.get(ErrorCode) == ErrorCode(401)
    assert response.get(Realm) == Realm(REALM)
    assert response.raw_value(PasswordAlgorithms.TYPE) == bytes.fromhex("0002000000010000")
    nonce = response.get(Nonce)
    assert nonce is not None
    assert security_features(nonce.nonce) == SecurityFeature.PASSWORD_ALGORITHMS
    assert not response.has_integrity
    assert not response.has(Username)
    assert not response.has(Userhash)


@pytest.mark.requirement("stun-turn:STUNS-LTC-08", "stun-turn:STUNS-LTC-14")
def test_a_client_of_rfc_5389_is_answered_with_message_integrity() -> None:
    bench = Bench()

    outcome = bench.judge(signed(Username("alice"), Realm(REALM), bench.nonce()))

    assert isinstance(outcome, LongTermAuthenticated)
    assert outcome.integrity is IntegrityAlgorithm.SHA1
    assert (outcome.username, outcome.key_algorithm) == ("alice", KeyAlgorithm.MD5)
    assert outcome.key_bytes == digest(KeyAlgorithm.MD5)
    assert "key_bytes" not in repr(outcome)


@pytest.mark.parametrize("chosen", [SHA256, MD5], ids=["sha256", "explicit-md5"])
@pytest.mark.requirement("stun-turn:STUNS-LTC-14")
def test_who_names_an_algorithm_is_answered_with_sha256(chosen: PasswordAlgorithm) -> None:
    bench = Bench()
    key_algorithm = KeyAlgorithm(chosen.algorithm.number)

    outcome = bench.judge(
        signed(
            Username("alice"),
            Realm(REALM),
            bench.nonce(),
            BOTH,
            chosen,
            algorithm=IntegrityAlgorithm.SHA256,
            key=digest(key_algorithm),
        )
    )

    assert isinstance(outcome, LongTermAuthenticated)
    assert outcome.integrity is IntegrityAlgorithm.SHA256
    assert outcome.key_algorithm is key_algorithm


@pytest.mark.parametrize("offers_userhash", [False, True])
@pytest.mark.parametrize("choice", list(AlgorithmChoice))
@pytest.mark.requirement("stun-turn:STUNS-LTC-16", "stun-turn:STUNS-LTC-19")
def test_our_client_gets_in(choice: AlgorithmChoice, offers_userhash: bool) -> None:
    bench = Bench(offers_userhash=offers_userhash)
    client = LongTermClient("alice", "secret", choice=choice)
    request = client.request(Method.ALLOCATE, ())
    first = request.encode(ID)
    rejected = bench.judge(first)
    assert isinstance(rejected, LongTermRejected)
    assert request.retry(Message.decode(rejected.response(Message.decode(first))))

    second = request.encode(bytes(11) + b"2")

    outcome = bench.judge(second)
    assert isinstance(outcome, LongTermAuthenticated)
    assert outcome.key_algorithm is KeyAlgorithm.SHA256
    assert Message.decode(second).has(Userhash) is offers_userhash


@pytest.mark.parametrize("missing", [Username, Realm, Nonce])
@pytest.mark.requirement("stun-turn:STUNS-LTC-07")
def test_integrity_without_what_it_needs_is_a_bad_request(missing: type[AnyAttribute]) -> None:
    bench = Bench()
    attributes: list[AnyAttribute] = [Username("alice"), Realm(REALM), bench.nonce()]

    data = signed(*(each for each in attributes if not isinstance(each, missing)))

    outcome = bench.judge(data)
    assert isinstance(outcome, LongTermRejected)
    response = Message.decode(outcome.response(Message.decode(data)))
    assert response.get(ErrorCode) == ErrorCode(400)
    assert [number for number, _ in response.raw_attributes()] == [ErrorCode.TYPE]
    assert not response.has_integrity


@pytest.mark.parametrize(
    ("algorithms", "expected"),
    [
        pytest.param((BOTH, SHA256), 0, id="as-offered"),
        pytest.param((BOTH,), 400, id="no-choice"),
        pytest.param((SHA256,), 400, id="no-list"),
        pytest.param((PasswordAlgorithms(BOTH.algorithms[1:]), MD5), 400, id="bid-down"),
        pytest.param((PasswordAlgorithms(BOTH.algorithms[::-1]), SHA256), 400, id="reordered"),
        pytest.param((PasswordAlgorithms(()), SHA256), 400, id="empty-list"),
        pytest.param((BOTH, PasswordAlgorithm(AlgorithmParameters(3))), 400, id="not-offered"),
        pytest.param(
            (BOTH, PasswordAlgorithm(AlgorithmParameters(2, b"abcd"))), 400, id="parameters"
        ),
        pytest.param((BOTH, UnknownAttribute(0x001D, b"\0\2")), 400, id="malformed-choice"),
        pytest.param(
            (UnknownAttribute(0x8002, b"\0\2\0\0\0\1\0"), SHA256), 400, id="malformed-list"
        ),
    ],
)
@pytest.mark.requirement("stun-turn:STUNS-LTC-09")
def test_the_algorithms_must_be_those_that_were_offered(
    algorithms: tuple[AnyAttribute, ...], expected: int
) -> None:
    bench = Bench()
    data = signed(
        Username("alice"),
        Realm(REALM),
        bench.nonce(),
        *algorithms,
        algorithm=IntegrityAlgorithm.SHA256,
        key=digest(KeyAlgorithm.SHA256),
    )

    assert bench.code(data) == expected


@pytest.mark.parametrize(
    ("user", "key", "expected"),
    [
        pytest.param(Username("alice"), digest(KeyAlgorithm.MD5), 0, id="right"),
        pytest.param(Username("alice"), digest(KeyAlgorithm.MD5, "old secret"), 0, id="rotated"),
        pytest.param(Username("alice"), digest(KeyAlgorithm.MD5, "wrong"), 401, id="password"),
        pytest.param(Username("mallory"), digest(KeyAlgorithm.MD5), 401, id="unknown"),
        pytest.param(Username(""), digest(KeyAlgorithm.MD5), 401, id="empty"),
        pytest.param(Username("alice\n%n"), digest(KeyAlgorithm.MD5), 401, id="format"),
        pytest.param(Username("x" * 508), digest(KeyAlgorithm.MD5), 401, id="508-bytes"),
        pytest.param(UnknownAttribute(6, b"x" * 763), digest(KeyAlgorithm.MD5), 401, id="763"),
        pytest.param(UnknownAttribute(6, b"x" * 764), digest(KeyAlgorithm.MD5), 400, id="764"),
        pytest.param(UnknownAttribute(6, b"\xc0\x80"), digest(KeyAlgorithm.MD5), 400, id="utf-8"),
        pytest.param(Userhash(bytes(32)), digest(KeyAlgorithm.MD5), 401, id="unknown-hash"),
        pytest.param(
            Userhash(userhash("alice", REALM)), digest(KeyAlgorithm.MD5), 0, id="known-hash"
        ),
    ],
)
@pytest.mark.requirement(
    "stun-turn:STUNS-LTC-10",
    "stun-turn:STUNS-LTC-11",
    "stun-turn:STUNS-LTC-16",
    "stun-turn:COD-TXT-01",
)
def test_who_gets_in(user: AnyAttribute, key: bytes, expected: int) -> None:
    bench = Bench()

    assert bench.code(signed(user, Realm(REALM), bench.nonce(), key=key)) == expected


@pytest.mark.requirement("stun-turn:SEC-20")
def test_nobody_is_checked_as_a_user_is() -> None:
    """Else the time that an answer takes would tell who is a user."""
    checked = []

    class Counting(Message):
        def verify_integrity(self, key: IntegrityKey) -> bool:
            checked.append(self.get(Username))
            return super().verify_integrity(key)

    def find(user: str | Userhash, algorithm: KeyAlgorithm) -> KnownUser | None:
        return KnownUser("alice", (digest(algorithm),)) if user == "alice" else None

    bench = Bench()
    for user in ("alice", "mallory"):
        data = signed(Username(user), Realm(REALM), bench.nonce(), key=b"wrong")
        message = Counting.decode(data)
        outcome = bench.server.authenticate(message, CLIENT, time=TIME, find_user=find)
        assert isinstance(outcome, LongTermRejected)

    assert checked == [Username("alice"), Username("mallory")]


@pytest.mark.parametrize("user", [None, KnownUser("bob", ())], ids=["unknown", "without-a-key"])
def test_the_key_that_stands_in_for_nobodys_opens_nothing(user: KnownUser | None) -> None:
    bench = Bench()
    data = signed(Username("bob"), Realm(REALM), bench.nonce(), key=b"nobody has this key")

    outcome = bench.server.authenticate(
        Message.decode(data), CLIENT, time=TIME, find_user=lambda user_, algorithm: user
    )

    assert isinstance(outcome, LongTermRejected)
    assert outcome.error == 401


@pytest.mark.requirement("stun-turn:SEC-20")
def test_an_unknown_user_and_a_wrong_password_look_alike() -> None:
    bench = Bench()
    answers = []
    for user in ("alice", "mallory"):
        data = signed(Username(user), Realm(REALM), bench.nonce(), key=b"wrong")
        outcome = bench.judge(data)
        assert isinstance(outcome, LongTermRejected)
        response = outcome.response(Message.decode(data))
        answers.append([number for number, _ in Message.decode(response).raw_attributes()])

    assert answers[0] == answers[1]
    assert PasswordAlgorithms.TYPE in answers[0]


@pytest.mark.parametrize(
    "nonce", ["", "x", "obMatJos2", "obMatJos2gAAA", "obMatJos2????", "obMatJos2wAAA", "x" * 127]
)
@pytest.mark.requirement("stun-turn:STUNS-LTC-13")
def test_a_nonce_that_is_not_ours_is_stale_and_the_new_one_works(nonce: str) -> None:
    bench = Bench()
    data = signed(Username("alice"), Realm(REALM), Nonce(nonce))

    outcome = bench.judge(data)

    assert isinstance(outcome, LongTermRejected)
    response = Message.decode(outcome.response(Message.decode(data)))
    assert response.get(ErrorCode) == ErrorCode(438)
    assert response.get(Realm) == Realm(REALM)
    assert response.has(PasswordAlgorithms)
    fresh = response.get(Nonce)
    assert fresh is not None
    assert bench.code(signed(Username("alice"), Realm(REALM), fresh)) == 0


def test_a_nonce_is_stale_after_its_lifetime() -> None:
    bench = Bench()
    data = signed(Username("alice"), Realm(REALM), bench.nonce())

    assert isinstance(bench.judge(data, time=TIME + 599.9), LongTermAuthenticated)
    late = bench.judge(data, time=TIME + 600.1)
    assert isinstance(late, LongTermRejected)
    assert late.error == 438


@pytest.mark.requirement("stun-turn:SEC-19")
def test_a_request_replayed_from_another_address_is_stale() -> None:
    bench = Bench()
    data = signed(Username("alice"), Realm(REALM), bench.nonce())

    outcome = bench.judge(data, remote=TransportAddress.parse("192.0.2.9", 40001))

    assert isinstance(outcome, LongTermRejected)
    assert outcome.error == 438


@pytest.mark.requirement("stun-turn:STUNS-LTC-12")
def test_a_wrong_password_is_told_before_a_stale_nonce() -> None:
    data = signed(Username("alice"), Realm(REALM), Nonce("stale"), key=b"wrong")

    assert Bench().code(data) == 401


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("alice", "mallory", 0), ("mallory", "alice", 401)],
)
@pytest.mark.requirement("stun-turn:COD-ATTR-04")
def test_the_first_of_two_usernames_counts(first: str, second: str, expected: int) -> None:
    bench = Bench()
    data = signed(Username(first), Username(second), Realm(REALM), bench.nonce())

    assert bench.code(data) == expected


@pytest.mark.parametrize(
    ("sha1_ok", "expected"),
    [pytest.param(False, 0, id="sha256"), pytest.param(True, 401, id="sha1")],
)
@pytest.mark.requirement("stun-turn:STUNS-LTC-15")
def test_of_two_integrity_attributes_sha256_decides(sha1_ok: bool, expected: int) -> None:
    bench = Bench()
    key = IntegrityKey(digest(KeyAlgorithm.MD5))
    data = bytearray(
        signed(Username("alice"), Realm(REALM), bench.nonce(), algorithm=IntegrityAlgorithm.BOTH)
    )
    if sha1_ok:
        data[-1] ^= 1
    else:
        # The SHA-1 value is inside what SHA-256 covers: break it, then sign again.
        data[-37] ^= 1
        data[-32:] = key.sha256(bytes(data[:-36]))

    assert bench.code(bytes(data)) == expected


@pytest.mark.parametrize("length", [16, 20, 28])
@pytest.mark.requirement("stun-turn:COD-MI-03")
def test_a_truncated_sha256_is_not_enough(length: int) -> None:
    bench = Bench()
    key = IntegrityKey(digest(KeyAlgorithm.MD5))
    head = (Username("alice"), Realm(REALM), bench.nonce())
    plain = encode_message(Method.ALLOCATE, MessageClass.REQUEST, ID, head)
    size = len(plain) - 20 + 4 + length
    text = plain[:2] + size.to_bytes(2, "big") + plain[4:]
    value = key.sha256(text)[:length]

    assert bench.code(text + b"\0\x1c" + length.to_bytes(2, "big") + value) == 401


@pytest.mark.parametrize("length", [19, 21, 24, 32])
def test_a_message_integrity_of_another_length_does_not_pass(length: int) -> None:
    bench = Bench()
    data = encode_message(
        Method.ALLOCATE,
        MessageClass.REQUEST,
        ID,
        (
            Username("alice"),
            Realm(REALM),
            bench.nonce(),
            UnknownAttribute(MessageIntegrity.TYPE, bytes(length)),
        ),
    )

    assert bench.code(data) == 401


def test_the_caller_can_challenge_for_its_own_reasons() -> None:
    rejected = Bench().server.challenge(CLIENT, time=TIME)

    assert rejected.error == 401
    assert len(rejected.attributes) == 3
