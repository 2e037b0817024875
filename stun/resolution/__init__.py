"""Which servers a URI stands for (RFC 8489 section 8.1, RFC 5928, RFC 7350).

Start with ``Resolution``, a Machine: it asks for DNS records with LookupRequested, is
answered with ``answered``, and ends with Resolved, a list of targets in the order in which
they are to be tried. What cannot be resolved at all, whatever DNS says, is refused with a
ResolutionError before anything is asked. ``Attempts`` says then when which target is tried.
"""

from .attempts import AttemptAbandoned, AttemptRequested, Attempts, AttemptsExhausted
from .errors import NoServerFound, ResolutionError, UnsupportedTransport, UnverifiableServer
from .events import LookupRequested, Resolved
from .naptr import RELAY
from .records import NaptrRecord, Record, RecordType, SrvRecord
from .resolution import Resolution
from .srv import order_services
from .target import Target

__all__ = [
    "RELAY",
    "AttemptAbandoned",
    "AttemptRequested",
    "Attempts",
    "AttemptsExhausted",
    "LookupRequested",
    "NaptrRecord",
    "NoServerFound",
    "Record",
    "RecordType",
    "Resolution",
    "ResolutionError",
    "Resolved",
    "SrvRecord",
    "Target",
    "UnsupportedTransport",
    "UnverifiableServer",
    "order_services",
]
