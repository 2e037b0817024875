from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import ATTRIBUTES, KNOWN_TYPES, AnyAttribute, UnknownAttribute, decode_attribute
from tests.stun.strategies import ATTRIBUTES as STRATEGIES
from tests.stun.strategies import transaction_ids
from transport import DecodeError

CODE_POINTS = {
    0x0001: "MappedAddress",
    0x0003: "ChangeRequest",
    0x0006: "Username",
    0x0008: "MessageIntegrity",
    0x0009: "ErrorCode",
    0x000A: "UnknownAttributes",
    0x000C: "ChannelNumber",
    0x000D: "Lifetime",
    0x0012: "XorPeerAddress",
    0x0013: "Data",
    0x0014: "Realm",
    0x0015: "Nonce",
    0x0016: "XorRelayedAddress",
    0x0017: "RequestedAddressFamily",
    0x0018: "EvenPort",
    0x0019: "RequestedTransport",
    0x001A: "DontFragment",
    0x001B: "AccessToken",
    0x001C: "MessageIntegritySha256",
    0x001D: "PasswordAlgorithm",
    0x001E: "Userhash",
    0x0020: "XorMappedAddress",
    0x0022: "ReservationToken",
    0x0024: "Priority",
    0x0025: "UseCandidate",
    0x0026: "Padding",
    0x0027: "ResponsePort",
    0x002A: "ConnectionId",
    0x8000: "AdditionalAddressFamily",
    0x8001: "AddressErrorCode",
    0x8002: "PasswordAlgorithms",
    0x8003: "AlternateDomain",
    0x8004: "Icmp",
    0x8022: "Software",
    0x8023: "AlternateServer",
    0x8025: "TransactionTransmitCounter",
    0x8027: "CacheTimeout",
    0x8028: "Fingerprint",
    0x8029: "IceControlled",
    0x802A: "IceControlling",
    0x802B: "ResponseOrigin",
    0x802C: "OtherAddress",
    0x802D: "EcnCheck",
    0x802E: "ThirdPartyAuthorization",
    0x802F: "Origin",
    0x8030: "MobilityTicket",
}


def test_the_table_has_the_registered_numbers() -> None:
    assert {number: cls.__name__ for number, cls in ATTRIBUTES.items()} == CODE_POINTS
    assert CODE_POINTS.keys() == KNOWN_TYPES


def test_the_strategies_cover_every_class() -> None:
    assert len(STRATEGIES) == len(ATTRIBUTES)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=CODE_POINTS.values())
@given(data=st.data(), transaction_id=transaction_ids)
def test_a_value_that_is_written_reads_the_same(
    strategy: st.SearchStrategy[AnyAttribute], data: st.DataObject, transaction_id: bytes
) -> None:
    attribute = data.draw(strategy)

    value = attribute.encode(transaction_id)

    assert decode_attribute(attribute.TYPE, value, transaction_id) == attribute


@given(st.sampled_from(sorted(CODE_POINTS)), st.binary(max_size=48), transaction_ids)
def test_any_bytes_are_a_value_or_a_decode_error(
    number: int, value: bytes, transaction_id: bytes
) -> None:
    try:
        attribute = decode_attribute(number, value, transaction_id)
    except DecodeError:
        return
    again = attribute.encode(transaction_id)
    assert decode_attribute(number, again, transaction_id) == attribute


@pytest.mark.parametrize("number", [0x0000, 0x0010, 0x0021, 0x7FFF, 0xC001, 0xFFFF])
def test_a_number_without_a_class_is_kept_as_it_came(number: int) -> None:
    assert decode_attribute(number, b"abc", bytes(12)) == UnknownAttribute(number, b"abc")
