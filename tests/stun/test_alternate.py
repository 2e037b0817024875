"""What a client reads out of a 300."""

from __future__ import annotations

import pytest

from stun import (
    AlternateDomain,
    AlternateServer,
    AnyAttribute,
    Message,
    MessageClass,
    Method,
    UnknownAttribute,
    alternate_of,
    encode_message,
)
from transport import TransportAddress

FIRST = TransportAddress.parse("192.0.2.1", 3478)
SECOND = TransportAddress.parse("192.0.2.2", 3478)
OF_IPV6 = TransportAddress.parse("2001:db8::1", 3478)
MALFORMED = UnknownAttribute(AlternateServer.TYPE, b"\0\1")
DOMAIN = AlternateDomain("relay.example")


@pytest.mark.requirement("stun-turn:STUNC-ALT-04")
@pytest.mark.parametrize(
    ("attributes", "asked", "expected"),
    [
        pytest.param([FIRST, SECOND], FIRST, (FIRST, None), id="first"),
        pytest.param([OF_IPV6, SECOND], FIRST, (SECOND, None), id="family"),
        pytest.param([FIRST, OF_IPV6, DOMAIN], OF_IPV6, (OF_IPV6, "relay.example"), id="domain"),
        pytest.param([FIRST], OF_IPV6, None, id="none-of-the-family"),
        pytest.param([DOMAIN], FIRST, None, id="none"),
        pytest.param([FIRST, MALFORMED], FIRST, None, id="malformed"),
    ],
)
def test_the_first_of_the_family_counts(
    attributes: list[TransportAddress | AnyAttribute],
    asked: TransportAddress,
    expected: tuple[TransportAddress, str | None] | None,
) -> None:
    sent = [
        AlternateServer(each) if isinstance(each, TransportAddress) else each for each in attributes
    ]
    message = encode_message(Method.BINDING, MessageClass.ERROR, bytes(12), sent)

    assert alternate_of(Message.decode(message), asked) == expected
