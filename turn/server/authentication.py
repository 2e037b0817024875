"""Who sends a request (RFC 8656 section 5 on top of RFC 8489 section 9.2.4)."""

from __future__ import annotations

import hashlib
from typing import Final

from stun import (
    AccessToken,
    ErrorNumber,
    KeyAlgorithm,
    Message,
    Method,
    UnknownAttributes,
    Userhash,
    Username,
    long_term_digest,
)
from stun.server import KnownUser, LongTermRejected, LongTermServer
from transport import DecodeError, Path, RandomBytes
from turn.credentials import Expired
from turn.tokens import TokenContents

from .allocation import Allocation
from .config import ServerConfig
from .request import Request

NONCE_KEY_BYTES = 32
SHA1_KEY_BYTES = 20
SHA256_KEY_BYTES = 32

COTURN_KEY_BYTES = 16
"""What coturn signs with of a mac_key of 20 bytes: its keys are as long as MD5's."""

_NOBODYS_PASSWORDS: Final = ("nobody has this password",)
"""A key is made for nobody as well: else the time would tell who is a user."""


class Authenticator:
    """Authenticates requests by users, by time-limited credentials, by access tokens (RFC
    7635), or by the key that an allocation has kept.

    ``wall_clock_offset`` added to ``now`` gives Unix time.
    """

    __slots__ = ("_config", "_long_term", "_offset")

    def __init__(
        self,
        config: ServerConfig,
        random_bytes: RandomBytes,
        *,
        wall_clock_offset: float,
    ) -> None:
        self._config = config
        self._offset = wall_clock_offset
        self._long_term = LongTermServer(
            config.realm,
            nonce_key=config.nonce_key or random_bytes(NONCE_KEY_BYTES),
            nonce_lifetime=config.nonce_lifetime,
            random_bytes=random_bytes,
            offers_userhash=config.offers_userhash,
            server_name=_server_name(config),
        )

    def authenticate(
        self, message: Message, path: Path, now: float, *, allocation: Allocation | None
    ) -> Request | LongTermRejected:
        """Whose request this is, or what to answer; ``allocation`` is what it is about."""
        unix_time = now + self._offset
        has_token = self._has_token(message)
        contents = self._open_token(message, unix_time) if has_token else None

        def find_user(user: str | Userhash, algorithm: KeyAlgorithm) -> KnownUser | None:
            if has_token:
                return _token_user(user, contents)
            return self._find_user(user, algorithm, allocation, unix_time)

        outcome = self._long_term.authenticate(
            message, path.remote, time=unix_time, find_user=find_user
        )
        if isinstance(outcome, LongTermRejected):
            return _unexpected_token() if self._has_unexpected_token(message) else outcome
        ends_at = None if contents is None else now + contents.allowed_for(unix_time)
        request = Request(message, path, now, outcome, token_ends_at=ends_at)
        if self._is_expired(request, allocation, unix_time):
            return self._long_term.challenge(path.remote, time=unix_time)
        return request

    def quota_id(self, request: Request) -> str | None:
        """What the allocations of this user are counted by; None for a static user.

        Those of an access token are counted by its mac_key, which no other token has.
        """
        proof = request.proof
        if proof.key_algorithm is None:
            return "token:" + hashlib.sha256(proof.key_bytes).hexdigest()
        found = self._config.credentials.lookup(proof.username, request.now + self._offset)
        if isinstance(found, Expired):
            found = found.credential
        return None if found is None else found.quota_id

    def _find_user(
        self,
        user: str | Userhash,
        algorithm: KeyAlgorithm,
        allocation: Allocation | None,
        unix_time: float,
    ) -> KnownUser | None:
        name = self._name(user)
        if allocation is not None and _has_key_of(allocation, name, algorithm):
            is_token = allocation.key_algorithm is None
            return KnownUser(name, (allocation.key,), is_token=is_token)
        found = self._config.credentials.lookup(name, unix_time)
        if isinstance(found, Expired):
            found = found.credential
        keys = tuple(
            long_term_digest(name, self._config.realm, password=password, algorithm=algorithm)
            for password in (_NOBODYS_PASSWORDS if found is None else found.passwords)
        )
        return None if found is None else KnownUser(name, keys)

    def _name(self, user: str | Userhash) -> str:
        """Nobody's name is empty: OpaqueString allows none."""
        if isinstance(user, str):
            return user
        return self._config.credentials.username_of(user.digest, self._config.realm) or ""

    def _is_expired(self, request: Request, allocation: Allocation | None, unix: float) -> bool:
        """Whether a time-limited credential counts no more.

        Its time limits when an allocation can be made. A live one goes on, up to a
        maximum session life, for the client has no way to change its credential then
        (RFC 8656 section 5); strict checking is an option.
        """
        if request.proof.key_algorithm is None:
            return False  # a token has its own time, and the allocation ends with it
        found = self._config.credentials.lookup(request.proof.username, unix)
        if not isinstance(found, Expired):
            return False
        if request.message.method == Method.ALLOCATE:
            is_retransmitted = (
                allocation is not None
                and allocation.transaction_id == request.message.transaction_id
            )
            return not is_retransmitted
        if self._config.strict_expiry:
            return True
        life = 0.0 if allocation is None else request.now - allocation.created_at
        return life >= self._config.max_session_life

    def _has_token(self, message: Message) -> bool:
        """Whether a token is to be looked at: only where one may be (RFC 7635 section 9)."""
        return (
            self._config.third_party_auth is not None
            and message.method in (Method.ALLOCATE, Method.REFRESH)
            and message.has_integrity
            and message.has(AccessToken)
        )

    def _has_unexpected_token(self, message: Message) -> bool:
        """Whether a client sends a token to a server that takes none (RFC 7635 section 7).

        It is told although it is not authenticated: it has nothing else for that.
        """
        is_static = self._config.third_party_auth is None
        return is_static and message.has_integrity and message.has(AccessToken)

    def _open_token(self, message: Message, unix_time: float) -> TokenContents | None:
        verifier = self._config.third_party_auth
        try:
            kid, token = message.get(Username), message.get(AccessToken)
        except DecodeError:
            return None
        if verifier is None or kid is None or token is None:
            return None
        return verifier.open(kid.username, token.token, unix_time)


def is_owner(request: Request, allocation: Allocation) -> bool:
    """Whether the allocation is that of the request's user.

    A new access token may have another kid than the one before, and has another key; it
    shows nothing but that its bearer may use this relay, from the allocation's 5-tuple.
    """
    is_token = request.proof.key_algorithm is None
    if is_token != (allocation.key_algorithm is None):
        return False
    return request.token_ends_at is not None or request.proof.username == allocation.username


def _unexpected_token() -> LongTermRejected:
    unknown = UnknownAttributes((AccessToken.TYPE,))
    return LongTermRejected(ErrorNumber.UNKNOWN_ATTRIBUTE, (unknown,))


def _server_name(config: ServerConfig) -> str | None:
    verifier = config.third_party_auth
    return None if verifier is None else verifier.server_name


def _token_user(user: str | Userhash, contents: TokenContents | None) -> KnownUser | None:
    if contents is None or not isinstance(user, str):
        return None
    mac_key = contents.mac_key
    keys = [mac_key]
    if len(mac_key) == SHA256_KEY_BYTES:
        # What RFC 7635 appendix B makes of it for HMAC-SHA1.
        keys.append(hashlib.sha1(mac_key, usedforsecurity=False).digest())
    elif len(mac_key) == SHA1_KEY_BYTES:
        keys.append(mac_key[:COTURN_KEY_BYTES])
    return KnownUser(user, tuple(keys), is_token=True)


def _has_key_of(allocation: Allocation, name: str, algorithm: KeyAlgorithm) -> bool:
    return allocation.username == name and allocation.key_algorithm in (algorithm, None)
