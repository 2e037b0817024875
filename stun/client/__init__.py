"""The client's side of STUN for its own sake (RFC 8489): requests to one server.

Start with ``StunClient``, a Machine for one server over UDP, TCP, TLS or DTLS. It answers
each ``request`` with RequestSucceeded or RequestFailed. Credentials are a ``LongTermClient``
or a ``ShortTermClient``, or none.
"""

from .client import Credentials, StunClient
from .config import ClientConfig
from .drops import DropReason
from .errors import (
    ClientClosed,
    RequestError,
    RequestRefused,
    ServerSilent,
    ServerUnreachable,
    StunClientError,
    error_of,
)
from .events import FailureReason, RequestFailed, RequestSucceeded, ServerReached
from .selection import ServerSelection

__all__ = [
    "ClientClosed",
    "ClientConfig",
    "Credentials",
    "DropReason",
    "FailureReason",
    "RequestError",
    "RequestFailed",
    "RequestRefused",
    "RequestSucceeded",
    "ServerReached",
    "ServerSelection",
    "ServerSilent",
    "ServerUnreachable",
    "StunClient",
    "StunClientError",
    "error_of",
]
