"""The address that a Binding success response reports (RFC 8489 section 6.3.3)."""

from __future__ import annotations

from transport import DecodeError, TransportAddress

from .attributes import MappedAddress, XorMappedAddress
from .message import Message


def reflexive_address(response: Message) -> TransportAddress | None:
    """From XOR-MAPPED-ADDRESS, or MAPPED-ADDRESS of an RFC 3489 server.

    None if neither is there with a family that we know: the transaction has failed.
    """
    return _read(response, XorMappedAddress) or _read(response, MappedAddress)


def _read(
    response: Message, attribute: type[XorMappedAddress] | type[MappedAddress]
) -> TransportAddress | None:
    try:
        found = response.get(attribute)
    except DecodeError:
        return None
    return None if found is None else found.address
