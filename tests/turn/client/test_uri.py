"""TURN URIs (RFC 7065)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport import DecodeError, TransportProtocol
from turn.client import TurnUri

UDP, TCP = TransportProtocol.UDP, TransportProtocol.TCP
TLS, DTLS = TransportProtocol.TLS, TransportProtocol.DTLS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The table of RFC 7065 appendix B.
        ("turn:example.org", TurnUri("example.org", 3478, UDP)),
        ("turns:example.org", TurnUri("example.org", 5349, TLS)),
        ("turn:example.org:8000", TurnUri("example.org", 8000, UDP)),
        ("turn:example.org?transport=udp", TurnUri("example.org", 3478, UDP)),
        ("turn:example.org?transport=tcp", TurnUri("example.org", 3478, TCP)),
        ("turns:example.org?transport=tcp", TurnUri("example.org", 5349, TLS)),
        # Others.
        ("turns:192.0.2.1:443?transport=udp", TurnUri("192.0.2.1", 443, DTLS)),
        ("turn:[2001:db8:0::1]:3479", TurnUri("2001:db8::1", 3479, UDP)),
        ("TURN:Example.ORG?Transport=TCP", TurnUri("Example.ORG", 3478, TCP)),
    ],
)
def test_a_uri_says_where_and_how(text: str, expected: TurnUri) -> None:
    assert TurnUri.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "turn:",
        "stun:example.org",
        "turn://example.org",
        "turn:example.org:0",
        "turn:example.org:65536",
        "turn:example.org:",
        "turn:example.org?transport=sctp",
        "turn:example.org?transport=udp&x=1",
        "turn:user@example.org",
        "turn:2001:db8::1",
        "turn:[2001:db8::1",
        "turn:[12345::1]",
        "turn:example.org\n",
    ],
)
def test_what_is_no_turn_uri_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        TurnUri.parse(text)


@given(st.text() | st.from_regex(r"turns?:[\[\]0-9a-f:.]*(\?transport=\w+)?"))
def test_any_text_gives_a_uri_or_a_decode_error(text: str) -> None:
    try:
        uri = TurnUri.parse(text)
    except DecodeError:
        return
    assert 0 < uri.port <= 0xFFFF
