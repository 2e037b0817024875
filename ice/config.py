"""What an application may choose about an agent."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable

from transport import IPAddress

from .limits import MAX_PAIRS
from .patience import PAC_TIMEOUT

AddressPolicy = Callable[[IPAddress], bool]
"""Whether an agent may talk to a remote IP address; it is asked once per candidate."""


def allow_every_address(ip: IPAddress) -> bool:
    """The default policy: ICE between two consenting peers, wherever they are."""
    return True


class IcePolicy(enum.Enum):
    """Which candidates are used (W3C RTCIceTransportPolicy)."""

    ALL = "all"
    RELAY = "relay"


@dataclasses.dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server and the credential for it (W3C RTCIceServer)."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = dataclasses.field(default=None, repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class IceConfig:
    """An agent's settings; the defaults suit WebRTC with BUNDLE and rtcp-mux.

    ``components`` holds the number of components of each data stream; ``pacing_ms``
    is the Ta that we propose (``a=ice-pacing``, RFC 8839 section 5.5), which counts
    only when the peer proposes one too; ``max_pairs`` bounds all checklists together
    (RFC 8445 section 6.1.2.5); ``pac_timeout`` is in seconds (RFC 8863).

    Raises:
        ValueError: a setting is out of range.
    """

    components: tuple[int, ...] = (1,)
    servers: tuple[IceServer, ...] = ()
    policy: IcePolicy = IcePolicy.ALL
    pacing_ms: int = 5
    pac_timeout: float = PAC_TIMEOUT
    max_pairs: int = MAX_PAIRS
    address_policy: AddressPolicy = allow_every_address

    def __post_init__(self) -> None:
        if not self.components or not all(1 <= count <= 256 for count in self.components):
            raise ValueError("each data stream has 1 to 256 components")
        if not 5 <= self.pacing_ms <= 1000:
            raise ValueError(f"Ta is from 5 to 1000 ms, not {self.pacing_ms}")
        if self.max_pairs < 1:
            raise ValueError("max_pairs is at least 1")
