"""Access tokens of third-party authorization (RFC 7635 sections 4, 8 and 9)."""

from __future__ import annotations

from collections.abc import Callable

from stun import AccessGrant

from .events import TokenRequested
from .limits import TOKEN_MARGIN
from .session import ClientSession
from .state import ClientState

Continuation = Callable[[float], None]


class Tokens:
    """Asks for tokens, and knows what waits for one."""

    __slots__ = ("_ends_at", "_server_name", "_session", "_waiting")

    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self._waiting: list[Continuation] = []
        self._server_name = ""
        self._ends_at: float | None = None

    def is_due(self, now: float) -> bool:
        """Whether the token ends so soon that the next refresh needs another (section 9)."""
        return self._ends_at is not None and now >= self._ends_at - TOKEN_MARGIN

    def ask(self, server_name: str, then: Continuation) -> None:
        """Have the driver get a token; ``then(now)`` is called when it has, or has not."""
        self._server_name = server_name
        self.ask_again(then)

    def ask_again(self, then: Continuation) -> None:
        """As ``ask``, of the server that was asked for before."""
        if not self._waiting:
            self._session.events.append(TokenRequested(self._server_name))
        self._waiting.append(then)

    def granted(self, grant: AccessGrant, now: float) -> None:
        """Use this token from now on; it need not have been asked for."""
        self._session.credentials.use_token(grant)
        self._ends_at = now + grant.lifetime
        self._go_on(now)

    def refused(self, now: float) -> None:
        """There is no token, or no other: what there is has to serve."""
        self._session.credentials.takes_tokens = False
        self._ends_at = None
        self._go_on(now)

    def forget_waiting(self) -> None:
        self._waiting.clear()

    def _go_on(self, now: float) -> None:
        waiting, self._waiting = self._waiting, []
        if self._session.state is not ClientState.CLOSED:
            for then in waiting:
                then(now)
