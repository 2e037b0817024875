"""The table of attribute types that hairpin knows (the registry of RFC 8489 section 18.3)."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from . import authentication, binding, discovery, errors, extensions, ice, turn
from .base import AnyAttribute, Attribute, UnknownAttribute

_CLASSES: Final[tuple[type[Attribute], ...]] = (
    binding.MappedAddress,
    discovery.ChangeRequest,
    authentication.Username,
    authentication.MessageIntegrity,
    errors.ErrorCode,
    binding.UnknownAttributes,
    turn.ChannelNumber,
    turn.Lifetime,
    turn.XorPeerAddress,
    turn.Data,
    authentication.Realm,
    authentication.Nonce,
    turn.XorRelayedAddress,
    turn.RequestedAddressFamily,
    turn.EvenPort,
    turn.RequestedTransport,
    turn.DontFragment,
    extensions.AccessToken,
    authentication.MessageIntegritySha256,
    authentication.PasswordAlgorithm,
    authentication.Userhash,
    binding.XorMappedAddress,
    turn.ReservationToken,
    ice.Priority,
    ice.UseCandidate,
    discovery.Padding,
    discovery.ResponsePort,
    extensions.ConnectionId,
    turn.AdditionalAddressFamily,
    errors.AddressErrorCode,
    authentication.PasswordAlgorithms,
    binding.AlternateDomain,
    turn.Icmp,
    binding.Software,
    binding.AlternateServer,
    extensions.TransactionTransmitCounter,
    discovery.CacheTimeout,
    binding.Fingerprint,
    ice.IceControlled,
    ice.IceControlling,
    discovery.ResponseOrigin,
    discovery.OtherAddress,
    extensions.EcnCheck,
    extensions.ThirdPartyAuthorization,
    extensions.Origin,
    extensions.MobilityTicket,
)

ATTRIBUTES: Final = MappingProxyType({cls.TYPE: cls for cls in _CLASSES})
"""The class of every attribute type that hairpin knows."""

KNOWN_TYPES: Final = frozenset(ATTRIBUTES)


def decode_attribute(number: int, value: bytes, transaction_id: bytes) -> AnyAttribute:
    """As its class, or as UnknownAttribute.

    Raises:
        DecodeError: the type is known and the value is malformed.
    """
    known = ATTRIBUTES.get(number)
    if known is None:
        return UnknownAttribute(number, value)
    return known.decode(value, transaction_id)
