"""Dual allocations as coturn has them, with the code points of a draft before RFC 8656.

Up to now (4.6) it knows ADDITIONAL-ADDRESS-FAMILY and ADDRESS-ERROR-CODE by these numbers
alone. Both are comprehension-optional, so that whoever does not know them ignores them.
"""

from __future__ import annotations

from typing import Final

from stun import AdditionalAddressFamily, AddressErrorCode, Message, UnknownAttribute

DRAFT_ADDITIONAL_ADDRESS_FAMILY: Final = 0x8032
DRAFT_ADDRESS_ERROR_CODE: Final = 0x8033

_NO_TRANSACTION: Final = bytes(12)


def additional_address_family(message: Message) -> AdditionalAddressFamily | None:
    """The attribute, by either number.

    Raises:
        DecodeError: it is malformed.
    """
    value = message.raw_value(DRAFT_ADDITIONAL_ADDRESS_FAMILY)
    if value is None or message.has(AdditionalAddressFamily):
        return message.get(AdditionalAddressFamily)
    return AdditionalAddressFamily.decode(value, message.transaction_id)


def address_error_code(message: Message) -> AddressErrorCode | None:
    """The attribute, by either number.

    Raises:
        DecodeError: it is malformed.
    """
    value = message.raw_value(DRAFT_ADDRESS_ERROR_CODE)
    if value is None or message.has(AddressErrorCode):
        return message.get(AddressErrorCode)
    return AddressErrorCode.decode(value, message.transaction_id)


def speaks_the_draft(message: Message) -> bool:
    """Whether a request for a dual allocation knows the draft's number alone."""
    return not message.has(AdditionalAddressFamily)


def in_the_draft(
    attribute: AdditionalAddressFamily | AddressErrorCode,
) -> UnknownAttribute:
    """The attribute by its number in the draft."""
    is_error = isinstance(attribute, AddressErrorCode)
    number = DRAFT_ADDRESS_ERROR_CODE if is_error else DRAFT_ADDITIONAL_ADDRESS_FAMILY
    return UnknownAttribute(number, attribute.encode(_NO_TRANSACTION))
