from __future__ import annotations

import pytest

from stun import (
    AnyAttribute,
    MappedAddress,
    Message,
    MessageClass,
    Method,
    UnknownAttribute,
    XorMappedAddress,
    encode_message,
    reflexive_address,
)
from transport import TransportAddress

SEEN = TransportAddress.parse("2001:db8::1", 50000)
OTHER = TransportAddress.parse("192.0.2.1", 50000)
FAMILY_3 = UnknownAttribute(XorMappedAddress.TYPE, b"\0\3" + bytes(6))


@pytest.mark.requirement("stun-turn:STUNC-RX-02")
@pytest.mark.requirement("stun-turn:STUNC-RX-03")
@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        pytest.param([XorMappedAddress(SEEN)], SEEN, id="xor"),
        pytest.param([MappedAddress(OTHER), XorMappedAddress(SEEN)], SEEN, id="both"),
        pytest.param([MappedAddress(SEEN)], SEEN, id="rfc-3489"),
        pytest.param([FAMILY_3, MappedAddress(SEEN)], SEEN, id="unsupported-family-beside-another"),
        pytest.param([FAMILY_3], None, id="unsupported-family"),
        pytest.param([], None, id="none"),
    ],
)
def test_the_reflexive_address_is_read_from_what_the_server_knows(
    attributes: list[AnyAttribute], expected: TransportAddress | None
) -> None:
    data = encode_message(Method.BINDING, MessageClass.SUCCESS, bytes(12), attributes)

    assert reflexive_address(Message.decode(data)) == expected
