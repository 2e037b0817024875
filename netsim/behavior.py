"""How NATs and firewalls behave, in the words of RFC 4787."""

from __future__ import annotations

import dataclasses
import enum


class Mapping(enum.Enum):
    """When a NAT reuses a mapping for another destination (RFC 4787 section 4.1)."""

    ENDPOINT_INDEPENDENT = "endpoint-independent"
    ADDRESS_DEPENDENT = "address-dependent"
    ADDRESS_AND_PORT_DEPENDENT = "address-and-port-dependent"


class Filtering(enum.Enum):
    """From whom datagrams are let in (RFC 4787 section 5)."""

    ENDPOINT_INDEPENDENT = "endpoint-independent"
    ADDRESS_DEPENDENT = "address-dependent"
    ADDRESS_AND_PORT_DEPENDENT = "address-and-port-dependent"


class PortAssignment(enum.Enum):
    """Which external port a new mapping gets (RFC 4787 section 4.2)."""

    PRESERVING = "preserving"
    """The internal one; when that is taken, the next one free."""
    SEQUENTIAL = "sequential"
    RANDOM = "random"


class Refresh(enum.Enum):
    """What keeps a mapping alive (RFC 4787 section 4.3)."""

    OUTBOUND = "outbound"
    BOTH_DIRECTIONS = "both-directions"


class Hairpinning(enum.Enum):
    """What happens to a datagram between two hosts of the inside, sent to an external
    address (RFC 4787 section 6)."""

    NONE = "none"
    EXTERNAL_SOURCE = "external-source"
    """It seems to come from the sender's external address, as REQ-9 demands."""
    INTERNAL_SOURCE = "internal-source"


class Pooling(enum.Enum):
    """Which of several external IP addresses a mapping gets (RFC 4787 section 4.1)."""

    PAIRED = "paired"
    """All mappings of one internal IP address get the same."""
    ARBITRARY = "arbitrary"


@dataclasses.dataclass(frozen=True, slots=True)
class NatBehavior:
    """What a NAT does. The default is a common home router that keeps RFC 4787.

    ``lifetime`` is how long a mapping, and each permission of its filter, lives
    without being refreshed; REQ-5 wants two minutes at least, real ones have 30 s.
    ``ports`` are those that it gives out, the last not included.

    Raises:
        ValueError: the lifetime is not positive, or there are no ports.
    """

    mapping: Mapping = Mapping.ENDPOINT_INDEPENDENT
    filtering: Filtering = Filtering.ADDRESS_AND_PORT_DEPENDENT
    port_assignment: PortAssignment = PortAssignment.PRESERVING
    lifetime: float = 120.0
    refresh: Refresh = Refresh.OUTBOUND
    hairpinning: Hairpinning = Hairpinning.EXTERNAL_SOURCE
    pooling: Pooling = Pooling.PAIRED
    ports: range = range(1024, 65536)

    def __post_init__(self) -> None:
        if self.lifetime <= 0:
            raise ValueError("a mapping lives longer than 0 seconds")
        if not self.ports or self.ports.step != 1 or self.ports[0] < 1 or self.ports[-1] > 0xFFFF:
            raise ValueError(f"{self.ports} is not a range of ports")


FULL_CONE = NatBehavior(filtering=Filtering.ENDPOINT_INDEPENDENT)
"""What RFC 3489 called this, and the three below it."""
RESTRICTED_CONE = NatBehavior(filtering=Filtering.ADDRESS_DEPENDENT)
PORT_RESTRICTED_CONE = NatBehavior()
SYMMETRIC = NatBehavior(
    mapping=Mapping.ADDRESS_AND_PORT_DEPENDENT, port_assignment=PortAssignment.RANDOM
)
