"""The client under test, as a report speaks of it."""

from __future__ import annotations

import dataclasses

from conformance.target import Target
from conformance.wording import OF_CLIENTS, Wording


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClientTarget(Target):
    """Whoever comes to ``address``, or to any port there, if it has none; ``name`` is what the
    operator calls it."""

    name: str = "a client"

    @property
    def wording(self) -> Wording:
        return OF_CLIENTS

    def __str__(self) -> str:
        where = self.address if self.address.port else self.address.ip
        return f"{self.name} at {self.transport.value}://{where}"
