"""The server's side of the long-term credential mechanism (RFC 8489 section 9.2.4)."""

from __future__ import annotations

import dataclasses
from typing import Final, Protocol

from stun.attributes import (
    AlgorithmParameters,
    AnyAttribute,
    ErrorCode,
    ErrorNumber,
    KeyAlgorithm,
    Nonce,
    PasswordAlgorithm,
    PasswordAlgorithms,
    Realm,
    ThirdPartyAuthorization,
    Userhash,
    Username,
)
from stun.encoding import encode_message
from stun.integrity import IntegrityAlgorithm, IntegrityKey
from stun.message import Message
from stun.nonce_cookie import SecurityFeature, security_features
from stun.types import MessageClass
from transport import DecodeError, RandomBytes, TransportAddress

from .nonces import Nonces

ALGORITHMS: Final = PasswordAlgorithms(
    (AlgorithmParameters(KeyAlgorithm.SHA256), AlgorithmParameters(KeyAlgorithm.MD5))
)
"""What is offered, best first; RFC 8656 section 6 binds TURN clients to SHA-256."""

_LISTED: Final = ALGORITHMS.encode(b"")
_NOBODYS_KEYS: Final = (b"nobody has this key",)


@dataclasses.dataclass(frozen=True, slots=True)
class KnownUser:
    """A user with the keys that may be used; there is one for each valid password.

    A key is what ``long_term_digest`` makes of the password, or, with ``is_token``, the
    mac_key of an access token (RFC 7635). The response to the latter has the integrity
    attribute of its request: no password algorithm says which.
    """

    username: str
    keys: tuple[bytes, ...] = dataclasses.field(repr=False)
    is_token: bool = False


class UserFinder(Protocol):
    """Finds users for ``LongTermServer``."""

    def __call__(self, user: str | Userhash, algorithm: KeyAlgorithm) -> KnownUser | None:
        """The user of this name, or hash of name and realm; None for nobody."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class LongTermAuthenticated:
    """A request that passed; ``integrity`` is what the response must be signed with.

    ``key_algorithm`` is None for the mac_key of an access token.
    """

    username: str
    key: IntegrityKey
    key_bytes: bytes = dataclasses.field(repr=False)
    key_algorithm: KeyAlgorithm | None
    integrity: IntegrityAlgorithm


@dataclasses.dataclass(frozen=True, slots=True)
class LongTermRejected:
    """A request that did not pass; ``attributes`` are those of the error response.

    The reason phrase is left out: the source of such a request may be forged, and the
    answer is to be short.
    """

    error: ErrorNumber
    attributes: tuple[AnyAttribute, ...]

    def response(self, request: Message) -> bytes:
        return encode_message(
            request.method,
            MessageClass.ERROR,
            request.transaction_id,
            (ErrorCode(self.error), *self.attributes),
            fingerprint=request.fingerprint_ok is not None,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class _Claim:
    """Who a request says it is from, before that is checked."""

    user: str | Userhash
    nonce: str
    algorithm: KeyAlgorithm
    names_algorithm: bool


class LongTermServer:
    """Checks requests in the order of section 9.2.4. It keeps nothing of any client.

    With a ``server_name`` each 401 says that access tokens for it are taken (RFC 7635
    section 4).

    Raises:
        ValueError: the realm cannot be sent, or the nonce key is too short.
    """

    __slots__ = ("_nonces", "_realm", "_third_party")

    def __init__(
        self,
        realm: str,
        *,
        nonce_key: bytes,
        nonce_lifetime: float,
        random_bytes: RandomBytes,
        offers_userhash: bool = False,
        server_name: str | None = None,
    ) -> None:
        features = SecurityFeature.PASSWORD_ALGORITHMS
        if offers_userhash:
            features |= SecurityFeature.USERNAME_ANONYMITY
        self._realm = Realm(realm)
        self._third_party = () if server_name is None else (ThirdPartyAuthorization(server_name),)
        self._nonces = Nonces(
            nonce_key, features=features, lifetime=nonce_lifetime, random_bytes=random_bytes
        )

    def authenticate(
        self, request: Message, remote: TransportAddress, *, time: float, find_user: UserFinder
    ) -> LongTermAuthenticated | LongTermRejected:
        """Whose request this is, or what to answer. ``time`` is that of the nonces."""
        if not request.has_integrity:
            return self._challenge(ErrorNumber.UNAUTHENTICATED, remote, time)
        claim = _read_claim(request)
        if claim is None:
            return LongTermRejected(ErrorNumber.BAD_REQUEST, ())
        user = find_user(claim.user, claim.algorithm)
        match = _matching_key(request, user)
        if user is None or match is None:
            return self._challenge(ErrorNumber.UNAUTHENTICATED, remote, time)
        if not self._nonces.is_valid(claim.nonce, remote, time):
            return self._challenge(ErrorNumber.STALE_NONCE, remote, time)
        key_bytes, key = match
        is_sha256 = claim.names_algorithm
        if user.is_token:
            is_sha256 = request.integrity is not IntegrityAlgorithm.SHA1
        return LongTermAuthenticated(
            user.username,
            key,
            key_bytes,
            None if user.is_token else claim.algorithm,
            IntegrityAlgorithm.SHA256 if is_sha256 else IntegrityAlgorithm.SHA1,
        )

    def challenge(self, remote: TransportAddress, *, time: float) -> LongTermRejected:
        """401 with a new nonce, for a request that the caller has a reason to refuse."""
        return self._challenge(ErrorNumber.UNAUTHENTICATED, remote, time)

    def _challenge(
        self, error: ErrorNumber, remote: TransportAddress, time: float
    ) -> LongTermRejected:
        nonce = Nonce(self._nonces.issue(remote, time))
        third_party = self._third_party if error is ErrorNumber.UNAUTHENTICATED else ()
        return LongTermRejected(error, (self._realm, nonce, ALGORITHMS, *third_party))


def _matching_key(request: Message, user: KnownUser | None) -> tuple[bytes, IntegrityKey] | None:
    """The key that the request was signed with.

    For nobody a key is tried as well, so that an unknown user takes as long as a wrong
    password.
    """
    keys = () if user is None else user.keys
    for key_bytes in keys or _NOBODYS_KEYS:
        key = IntegrityKey(key_bytes)
        if request.verify_integrity(key) and keys:
            return key_bytes, key
    return None


def _read_claim(request: Message) -> _Claim | None:
    """None if something is missing, malformed or contradictory: 400."""
    try:
        user = _read_user(request)
        nonce = request.get(Nonce)
        realm = request.get(Realm)
        named = request.get(PasswordAlgorithm)
    except DecodeError:
        return None
    if user is None or nonce is None or realm is None:
        return None
    listed = request.raw_value(PasswordAlgorithms.TYPE)
    announced = SecurityFeature.PASSWORD_ALGORITHMS in security_features(nonce.nonce)
    if announced and not _is_choice_ours(named, listed):
        return None
    return _Claim(
        user,
        nonce.nonce,
        _key_algorithm(named),
        names_algorithm=named is not None or listed is not None,
    )


def _read_user(request: Message) -> str | Userhash | None:
    named = request.get(Username)
    return request.get(Userhash) if named is None else named.username


def _is_choice_ours(named: PasswordAlgorithm | None, listed: bytes | None) -> bool:
    """Both or neither, the list as it was sent, and the choice out of it: anything else
    may be an attacker who wants a weaker algorithm (section 9.2.1)."""
    if named is None and listed is None:
        return True
    return listed == _LISTED and named is not None and named.algorithm in ALGORITHMS.algorithms


def _key_algorithm(named: PasswordAlgorithm | None) -> KeyAlgorithm:
    if named is not None and named.algorithm in ALGORITHMS.algorithms:
        return KeyAlgorithm(named.algorithm.number)
    return KeyAlgorithm.MD5
