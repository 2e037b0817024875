"""What is found out about a NAT, in the words of RFC 4787."""

from __future__ import annotations

import dataclasses
import enum

from transport import Event, TransportAddress


class BehaviorTest(enum.Enum):
    """What can be asked."""

    MAPPING = "mapping"
    FILTERING = "filtering"
    HAIRPINNING = "hairpinning"
    FRAGMENTS = "fragments"
    LIFETIME = "binding lifetime"


class NatMapping(enum.Enum):
    """When the NAT gives a socket another external address (RFC 4787 section 4.1)."""

    NONE = "no NAT"
    """The server sees the socket's own address."""
    ENDPOINT_INDEPENDENT = "endpoint-independent"
    ADDRESS_DEPENDENT = "address-dependent"
    ADDRESS_AND_PORT_DEPENDENT = "address-and-port-dependent"


class NatFiltering(enum.Enum):
    """From whom the NAT, or a firewall, lets datagrams in (RFC 4787 section 5)."""

    ENDPOINT_INDEPENDENT = "endpoint-independent"
    ADDRESS_DEPENDENT = "address-dependent"
    ADDRESS_AND_PORT_DEPENDENT = "address-and-port-dependent"


class NatHairpinning(enum.Enum):
    """Whether two sockets behind the NAT reach each other by their external addresses
    (RFC 4787 section 6)."""

    NONE = "none"
    EXTERNAL_SOURCE = "external-source"
    INTERNAL_SOURCE = "internal-source"
    """The datagram seems to come from the inside, which REQ-9 forbids."""


class Fragments(enum.Enum):
    """Whether datagrams pass that are longer than a packet (RFC 5780 section 3.5)."""

    PASS = "pass in both directions"
    LOST_OUTBOUND = "lost on the way out"
    LOST_INBOUND = "lost on the way in"
    """Those on the way out may be lost too."""


@dataclasses.dataclass(frozen=True, slots=True)
class BindingLifetime:
    """Seconds after which a binding without traffic was still there, and was gone.

    ``below`` is None where it outlived all that was waited for.
    """

    at_least: float
    below: float | None


class Obstacle(enum.Enum):
    """Why a test tells nothing."""

    NO_RESPONSE = "the server does not answer"
    NO_OTHER_ADDRESS = "the server has no second address to test with"
    ALTERNATE_SILENT = "the server's other address does not answer"
    REFUSED = "the server refuses the test"
    UNEXPECTED_ANSWER = "the server answered in another way than RFC 5780 says"
    NO_NAT = "there is no NAT"
    FILTERED = "the NAT's mapping and filtering hide the answer"
    SEVERAL_ADDRESSES = "the NAT gives our sockets different IP addresses"


@dataclasses.dataclass(frozen=True, slots=True)
class Inconclusive:
    """A test that tells nothing; ``code`` is that of the server's error response."""

    obstacle: Obstacle
    code: int | None = None


TestResult = NatMapping | NatFiltering | NatHairpinning | Fragments | BindingLifetime | Inconclusive


@dataclasses.dataclass(frozen=True, slots=True)
class Reached:
    """What the first answer of the server says.

    ``mapped`` is our address as the server saw it, ``other`` its own second one. With
    ``is_rewritten`` something on the path changes addresses inside of messages (section 3.6).
    ``round_trip_time`` is None when the request was sent more than once.
    """

    local: TransportAddress
    mapped: TransportAddress
    other: TransportAddress | None
    round_trip_time: float | None
    is_rewritten: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class BehaviorReport:
    """All that was found; a test that was not asked for is None, as is ``reached`` where the
    server gave no answer."""

    reached: Reached | None = None
    mapping: NatMapping | Inconclusive | None = None
    filtering: NatFiltering | Inconclusive | None = None
    hairpinning: NatHairpinning | Inconclusive | None = None
    fragments: Fragments | Inconclusive | None = None
    lifetime: BindingLifetime | Inconclusive | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class ServerReached(Event):
    """The server answers; the tests begin."""

    reached: Reached


@dataclasses.dataclass(frozen=True, slots=True)
class TestConcluded(Event):
    """One test is over."""

    __test__ = False  # no test in the sense of pytest

    test: BehaviorTest
    result: TestResult


@dataclasses.dataclass(frozen=True, slots=True)
class DiscoveryFinished(Event):
    """All tests are over."""

    report: BehaviorReport
