"""The server's side of STUN (RFC 8489): Binding, and the long-term credential mechanism.

``BindingServer`` is a machine that tells clients their server-reflexive address;
``binding_response`` is the same for a server that does more. ``LongTermServer``
authenticates requests, and ``Nonces`` makes nonces that need no memory.
"""

from .binding import MAX_UNKNOWN_TYPES, BindingServer, binding_response, mapped_address
from .long_term import (
    KnownUser,
    LongTermAuthenticated,
    LongTermRejected,
    LongTermServer,
    UserFinder,
)
from .nonces import Nonces

__all__ = [
    "MAX_UNKNOWN_TYPES",
    "BindingServer",
    "KnownUser",
    "LongTermAuthenticated",
    "LongTermRejected",
    "LongTermServer",
    "Nonces",
    "UserFinder",
    "binding_response",
    "mapped_address",
]
