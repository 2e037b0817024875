"""One frozen dataclass per attribute type, named as in its RFC.

Each has ``TYPE``, ``decode(value, transaction_id)`` and ``encode(transaction_id)``.
``UnknownAttribute`` keeps what no class knows. ``ATTRIBUTES`` in ``registry`` is
the table of all of them.
"""

from .addresses import AddressFamily
from .authentication import (
    AlgorithmParameters,
    KeyAlgorithm,
    MessageIntegrity,
    MessageIntegritySha256,
    Nonce,
    PasswordAlgorithm,
    PasswordAlgorithms,
    Realm,
    Userhash,
    Username,
)
from .base import AnyAttribute, Attribute, UnknownAttribute
from .binding import (
    AlternateDomain,
    AlternateServer,
    Fingerprint,
    MappedAddress,
    Software,
    UnknownAttributes,
    XorMappedAddress,
)
from .discovery import (
    CacheTimeout,
    ChangeRequest,
    OtherAddress,
    Padding,
    ResponseOrigin,
    ResponsePort,
)
from .errors import AddressErrorCode, ErrorCode, ErrorNumber
from .extensions import (
    AccessToken,
    ConnectionId,
    EcnCheck,
    MobilityTicket,
    Origin,
    ThirdPartyAuthorization,
    TransactionTransmitCounter,
)
from .ice import IceControlled, IceControlling, Priority, UseCandidate
from .registry import ATTRIBUTES, KNOWN_TYPES, decode_attribute
from .turn import (
    AdditionalAddressFamily,
    ChannelNumber,
    Data,
    DontFragment,
    EvenPort,
    Icmp,
    IpProtocol,
    Lifetime,
    RequestedAddressFamily,
    RequestedTransport,
    ReservationToken,
    XorPeerAddress,
    XorRelayedAddress,
)

__all__ = [
    "ATTRIBUTES",
    "AccessToken",
    "AdditionalAddressFamily",
    "AddressErrorCode",
    "AddressFamily",
    "AlgorithmParameters",
    "AlternateDomain",
    "AlternateServer",
    "AnyAttribute",
    "Attribute",
    "CacheTimeout",
    "ChangeRequest",
    "ChannelNumber",
    "ConnectionId",
    "Data",
    "DontFragment",
    "EcnCheck",
    "ErrorCode",
    "ErrorNumber",
    "EvenPort",
    "Fingerprint",
    "IceControlled",
    "IceControlling",
    "Icmp",
    "IpProtocol",
    "KNOWN_TYPES",
    "KeyAlgorithm",
    "Lifetime",
    "MappedAddress",
    "MessageIntegrity",
    "MessageIntegritySha256",
    "MobilityTicket",
    "Nonce",
    "Origin",
    "OtherAddress",
    "Padding",
    "PasswordAlgorithm",
    "PasswordAlgorithms",
    "Priority",
    "Realm",
    "RequestedAddressFamily",
    "RequestedTransport",
    "ReservationToken",
    "ResponseOrigin",
    "ResponsePort",
    "Software",
    "ThirdPartyAuthorization",
    "TransactionTransmitCounter",
    "UnknownAttribute",
    "UnknownAttributes",
    "UseCandidate",
    "Userhash",
    "Username",
    "XorMappedAddress",
    "XorPeerAddress",
    "XorRelayedAddress",
    "decode_attribute",
]
