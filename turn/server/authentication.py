"""Who sends a request (RFC 8656 section 5 on top of RFC 8489 section 9.2.4)."""

from __future__ import annotations

from stun import (
    KeyAlgorithm,
    Message,
    Method,
    Userhash,
    long_term_digest,
)
from stun.server import KnownUser, LongTermRejected, LongTermServer
from transport import Path, RandomBytes
from turn.credentials import Expired

from .allocation import Allocation, AllocationTable
from .config import ServerConfig
from .request import Request

NONCE_KEY_BYTES = 32


class Authenticator:
    """Authenticates requests by users, by time-limited credentials, or by the key that
    an allocation has kept.

    ``wall_clock_offset`` added to ``now`` gives Unix time.
    """

    __slots__ = ("_allocations", "_config", "_long_term", "_offset")

    def __init__(
        self,
        config: ServerConfig,
        allocations: AllocationTable,
        random_bytes: RandomBytes,
        *,
        wall_clock_offset: float,
    ) -> None:
        self._config = config
        self._allocations = allocations
        self._offset = wall_clock_offset
        self._long_term = LongTermServer(
            config.realm,
            nonce_key=config.nonce_key or random_bytes(NONCE_KEY_BYTES),
            nonce_lifetime=config.nonce_lifetime,
            random_bytes=random_bytes,
            offers_userhash=config.offers_userhash,
        )

    def authenticate(self, message: Message, path: Path, now: float) -> Request | LongTermRejected:
        unix_time = now + self._offset
        allocation = self._allocations.of(path)

        def find_user(user: str | Userhash, algorithm: KeyAlgorithm) -> KnownUser | None:
            return self._find_user(user, algorithm, allocation, unix_time)

        outcome = self._long_term.authenticate(
            message, path.remote, time=unix_time, find_user=find_user
        )
        if isinstance(outcome, LongTermRejected):
            return outcome
        request = Request(message, path, now, outcome)
        if self._is_expired(request, allocation, unix_time):
            return self._long_term.challenge(path.remote, time=unix_time)
        return request

    def quota_id(self, username: str, now: float) -> str | None:
        """What the allocations of this user are counted by; None for a static user."""
        found = self._config.credentials.lookup(username, now + self._offset)
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
        if name is None:
            return None
        if allocation is not None and _has_key_of(allocation, name, algorithm):
            return KnownUser(name, (allocation.key,))
        found = self._config.credentials.lookup(name, unix_time)
        if isinstance(found, Expired):
            found = found.credential
        if found is None:
            return None
        keys = tuple(
            long_term_digest(name, self._config.realm, password=password, algorithm=algorithm)
            for password in found.passwords
        )
        return KnownUser(name, keys)

    def _name(self, user: str | Userhash) -> str | None:
        if isinstance(user, str):
            return user
        return self._config.credentials.username_of(user.digest, self._config.realm)

    def _is_expired(self, request: Request, allocation: Allocation | None, unix: float) -> bool:
        """Whether a time-limited credential counts no more.

        Its time limits when an allocation can be made. A live one goes on, up to a
        maximum session life, for the client has no way to change its credential then
        (RFC 8656 section 5); strict checking is an option.
        """
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


def _has_key_of(allocation: Allocation, name: str, algorithm: KeyAlgorithm) -> bool:
    return allocation.username == name and allocation.key_algorithm is algorithm
