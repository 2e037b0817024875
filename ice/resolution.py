"""Names of servers, and the addresses that the driver finds for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from transport import IPAddress

from .context import AgentContext
from .events import ResolveRequested
from .limits import MAX_ADDRESSES_PER_NAME


class Resolution:
    """Asks for each name once; one that has no address is asked for again on a restart."""

    def __init__(self, context: AgentContext) -> None:
        self._context = context
        self._addresses: dict[str, tuple[IPAddress, ...]] = {}
        self._asked: dict[int, str] = {}
        self._next_token = 0

    @property
    def is_waiting(self) -> bool:
        return bool(self._asked)

    def ask(self, names: Iterable[str]) -> None:
        """Ask the driver for what is not known, nor asked for yet."""
        waiting = set(self._asked.values())
        for name in dict.fromkeys(names):
            if name in waiting or self._addresses.get(name):
                continue
            self._asked[self._next_token] = name
            self._context.report(ResolveRequested(self._next_token, name))
            self._next_token += 1

    def answer(self, token: int, addresses: Sequence[IPAddress]) -> bool:
        """Take what the driver found, in its order; False if it was not waited for."""
        name = self._asked.pop(token, None)
        if name is None:
            return False
        self._addresses[name] = tuple(dict.fromkeys(addresses))[:MAX_ADDRESSES_PER_NAME]
        return True

    def abandon(self) -> None:
        """Wait for no answer any more."""
        self._asked.clear()

    def addresses(self, name: str) -> tuple[IPAddress, ...]:
        return self._addresses.get(name, ())
