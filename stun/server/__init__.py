"""The server's side of STUN (RFC 8489): Binding, and the long-term credential mechanism.

``BindingServer`` is a machine that tells clients their server-reflexive address;
``binding_response`` is the same for a server that does more. ``LongTermServer``
authenticates requests, and ``Nonces`` makes nonces that need no memory. ``BehaviorServer``
answers clients that examine their NAT (RFC 5780), ``classic_binding_response`` those of
RFC 3489.
"""

from .behavior import AlternatePair, BehaviorServer
from .binding import MAX_UNKNOWN_TYPES, BindingServer, binding_response, mapped_address
from .classic import classic_binding_response, refusal_without_cookie
from .long_term import (
    KnownUser,
    LongTermAuthenticated,
    LongTermRejected,
    LongTermServer,
    UserFinder,
)
from .nonces import Nonces
from .source_limiter import SourceLimiter

__all__ = [
    "MAX_UNKNOWN_TYPES",
    "AlternatePair",
    "BehaviorServer",
    "BindingServer",
    "KnownUser",
    "LongTermAuthenticated",
    "LongTermRejected",
    "LongTermServer",
    "Nonces",
    "SourceLimiter",
    "UserFinder",
    "binding_response",
    "classic_binding_response",
    "mapped_address",
    "refusal_without_cookie",
]
