"""What a STUN client reports."""

from __future__ import annotations

import dataclasses
import enum

from stun.message import Message
from transport import Event, Path, TransportAddress


class FailureReason(enum.Enum):
    """Why a request has not succeeded."""

    REFUSED = "the server answered with an error"
    REDIRECTED = "the server sends us to another one (300 Try Alternate)"
    UNAUTHENTICATED = "the server does not take the credentials"
    TIMED_OUT = "the server does not answer"
    UNREACHABLE = "the server cannot be reached, or the connection to it is gone"
    INTEGRITY_VIOLATED = "no answer had the integrity that the credentials prove"
    UNUSABLE_RESPONSE = "the answer lacks what it must have, or has what we cannot use"


@dataclasses.dataclass(frozen=True, slots=True)
class ServerReached(Event):
    """The server is there: it wants credentials, or the connection to it is open.

    Of several that are tried beside each other, this is the one to go on with (RFC 8305).
    """


@dataclasses.dataclass(frozen=True, slots=True)
class RequestSucceeded(Event):
    """The server has done it.

    ``mapped`` is our address as the server sees it, which every Binding response has.
    ``round_trip_time`` is None where the request was retransmitted.
    """

    token: int
    response: Message
    path: Path
    mapped: TransportAddress | None = None
    round_trip_time: float | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class RequestFailed(Event):
    """The server has not done it, or nobody knows.

    ``code`` and ``phrase`` are those of its error response, if there was one; or else
    ``phrase`` says why there is no connection.
    ``alternate`` is where a 300 points to, to be asked with the same credentials over the
    same transport, and ``alternate_domain`` the name that its certificate has.
    ``unknown_attributes`` are those of the request that the server does not know (420), or
    of the response that we do not.
    """

    token: int
    reason: FailureReason
    code: int | None = None
    phrase: str = ""
    alternate: TransportAddress | None = None
    alternate_domain: str | None = None
    unknown_attributes: tuple[int, ...] = ()
    response: Message | None = None
