"""What an Allocate request asks for, beside its lifetime (RFC 8656 section 7.1)."""

from __future__ import annotations

from collections.abc import Container

from stun import (
    AdditionalAddressFamily,
    AddressFamily,
    AnyAttribute,
    DontFragment,
    EvenPort,
    RequestedAddressFamily,
    ReservationToken,
)
from turn.draft_numbers import in_the_draft

from .config import ClientConfig, PortWish


def wanted_families(config: ClientConfig) -> tuple[AddressFamily, ...]:
    """Those that relayed transport addresses are wanted of; none where a token says it."""
    if config.reservation_token is not None:
        return ()
    if config.dual:
        return (AddressFamily.IPV4, AddressFamily.IPV6)
    return (config.family or AddressFamily.IPV4,)


def wanted_attributes(
    config: ClientConfig, refused: Container[AddressFamily], *, dont_fragment: bool
) -> tuple[AnyAttribute, ...]:
    """The attributes for it; a family that the server has ``refused`` is not asked for."""
    attributes: list[AnyAttribute] = []
    if config.reservation_token is not None:
        attributes.append(ReservationToken(config.reservation_token))
    if config.port is not PortWish.ANY:
        attributes.append(EvenPort(reserve_next=config.port is PortWish.EVEN_PAIR))
    if dont_fragment:
        attributes.append(DontFragment())
    if config.family is not None:
        attributes.append(RequestedAddressFamily(config.family))
    elif config.dual and AddressFamily.IPV4 in refused:
        attributes.append(RequestedAddressFamily(AddressFamily.IPV6))
    elif config.dual and AddressFamily.IPV6 not in refused:
        both = AdditionalAddressFamily(AddressFamily.IPV6)
        attributes += (both, in_the_draft(both))
    return tuple(attributes)
