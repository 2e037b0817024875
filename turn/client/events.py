"""What a TURN client reports."""

from __future__ import annotations

import dataclasses
import enum

from stun import AddressFamily
from transport import Event, IPAddress, Path, TransportAddress


class FailureReason(enum.Enum):
    """Why something that was asked of the server did not come about."""

    REFUSED = "the server answered with an error"
    REDIRECTED = "the server sends us to another one (300 Try Alternate)"
    UNAUTHENTICATED = "the server does not take the credentials"
    MISMATCH = "the server has another allocation on this 5-tuple, or none (437)"
    TIMED_OUT = "the server does not answer"
    UNREACHABLE = "the server cannot be reached, or the connection to it is gone"
    INTEGRITY_VIOLATED = "no answer had the integrity that the credentials prove"
    UNUSABLE_RESPONSE = "the answer lacks what it must have, or has what we cannot use"
    EXPIRED = "no refresh succeeded in the allocation's lifetime"
    LIMIT_REACHED = "the client keeps no more of them"


@dataclasses.dataclass(frozen=True, slots=True)
class ServerReached(Event):
    """The server is there: it wants credentials, or the stream to it is open.

    Of several that are tried beside each other, this is the one to go on with (RFC 8656
    section 3.9).
    """


@dataclasses.dataclass(frozen=True, slots=True)
class Allocated(Event):
    """The server relays for us now.

    ``relayed`` is the relayed transport address, for peers to send to; ``mapped`` is
    our own address as the server sees it; ``lifetime`` is in seconds, and the client
    refreshes the allocation by itself. ``additional`` is the IPv6 one of a dual allocation,
    if there are two; ``reservation_token`` stands for the next port, if it was to be held;
    ``dont_fragment`` says that datagrams can be kept from being cut.
    """

    relayed: TransportAddress
    mapped: TransportAddress
    lifetime: int
    additional: TransportAddress | None = None
    reservation_token: bytes | None = None
    dont_fragment: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class AddressFamilyRefused(Event):
    """Of a dual allocation, the server has granted the other family alone.

    ``retry_after`` is as in AllocationFailed. Clients with the same ServerMemory do not ask
    that server for the family before.
    """

    family: AddressFamily
    code: int
    phrase: str = ""
    retry_after: float | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class AddressFamilyReleased(Event):
    """The server was asked to delete one of two addresses, and has answered, or will not."""

    family: AddressFamily


@dataclasses.dataclass(frozen=True, slots=True)
class AllocationFailed(Event):
    """There will be no allocation; the client is of no more use.

    ``code`` is that of the server's error response, if it was one, and ``phrase`` what
    the server says about it. ``alternate`` is where a 300 points to, to be asked with
    the same credentials (and ``alternate_domain`` is the name that its certificate has).
    For ``retry_after`` seconds the same server should not be asked again (RFC 8656
    section 7.4); None says that the same request never succeeds there.
    """

    code: int | None
    reason: FailureReason
    phrase: str = ""
    alternate: TransportAddress | None = None
    alternate_domain: str | None = None
    retry_after: float | None = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class AllocationLost(Event):
    """The allocation is gone without our wish; the client is of no more use."""

    reason: FailureReason
    code: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class AllocationReleased(Event):
    """The server was asked to delete the allocation, and has answered, or will not.

    The end of what ``release`` began, and of the allocation that an AllocationFailed or
    AllocationLost left behind, where we were the ones who gave it up.
    """


@dataclasses.dataclass(frozen=True, slots=True)
class PermissionInstalled(Event):
    """Data can go to all ports of this IP address, and comes from there."""

    ip: IPAddress


@dataclasses.dataclass(frozen=True, slots=True)
class PermissionRefused(Event):
    """There is no permission for this IP address, or none any more."""

    ip: IPAddress
    code: int | None
    reason: FailureReason
    phrase: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelBound(Event):
    """Data to this peer goes as ChannelData from now on."""

    peer: TransportAddress
    number: int


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelRefused(Event):
    """There is no channel to this peer, or none any more; Send indications still serve."""

    peer: TransportAddress
    code: int | None
    reason: FailureReason
    phrase: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class DataReceived(Event):
    """A datagram from a peer, through the relay."""

    peer: TransportAddress
    data: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class IcmpReceived(Event):
    """What we sent to a peer provoked this ICMP message (RFC 8656 section 11.6).

    ``peer`` has the port of the datagram that provoked it.
    """

    peer: TransportAddress
    icmp_type: int
    icmp_code: int
    error_data: int


@dataclasses.dataclass(frozen=True, slots=True)
class TokenRequested(Event):
    """The server takes access tokens (RFC 7635): get one for the server of this name.

    Answered by ``token_granted(grant, now)``, or by ``token_refused(now)``, after which the
    password serves, if there is one. Requests wait meanwhile, so an answer must come.
    """

    server_name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Moved(Event):
    """The server relays for us on this path now (RFC 8016).

    What it sent on the old one may still come for a moment.
    """

    path: Path


@dataclasses.dataclass(frozen=True, slots=True)
class MoveFailed(Event):
    """The allocation stays where it was; AllocationLost tells if that is gone too."""

    code: int | None
    reason: FailureReason
    phrase: str = ""
