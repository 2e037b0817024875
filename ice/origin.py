"""What a reflexive or relayed candidate is obtained from."""

from __future__ import annotations

import dataclasses

from transport import Path, TransportAddress

from .context import ComponentKey
from .servers import Server


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """A host address of ours and a server.

    ``path`` leads from the one to the other; over a stream its local address is the
    unspecified one until it is connected, since there is no host candidate involved.
    ``preference`` is the local preference of what is obtained (section 5.1.2.1).
    """

    key: ComponentKey
    server: Server
    path: Path
    preference: int

    @property
    def host(self) -> TransportAddress | None:
        """The base of a server-reflexive candidate; None over a stream."""
        return None if self.path.transport.is_reliable else self.path.local
