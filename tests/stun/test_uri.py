"""URIs of RFC 7064 and RFC 7065."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import ServerUri, UriScheme
from transport import DecodeError, TransportProtocol

UDP, TCP = TransportProtocol.UDP, TransportProtocol.TCP
TLS, DTLS = TransportProtocol.TLS, TransportProtocol.DTLS


@pytest.mark.requirement("stun-turn:STUNC-DNS-01")
@pytest.mark.requirement("stun-turn:STUNC-DNS-02")
@pytest.mark.requirement("stun-turn:STUNC-DNS-03")
@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "protocol"),
    [
        # RFC 7064 appendix A
        pytest.param("stun:example.org", "stun", "example.org", 3478, UDP, id="rfc7064-1"),
        pytest.param("stuns:example.org", "stuns", "example.org", 5349, TLS, id="rfc7064-2"),
        pytest.param("stun:example.org:8000", "stun", "example.org", 8000, UDP, id="rfc7064-3"),
        # RFC 7065 appendix A
        pytest.param("turn:example.org", "turn", "example.org", 3478, UDP, id="rfc7065-1"),
        pytest.param("turns:example.org", "turns", "example.org", 5349, TLS, id="rfc7065-2"),
        pytest.param("turn:example.org:8000", "turn", "example.org", 8000, UDP, id="rfc7065-3"),
        pytest.param(
            "turn:example.org?transport=udp", "turn", "example.org", 3478, UDP, id="rfc7065-4"
        ),
        pytest.param(
            "turn:example.org?transport=tcp", "turn", "example.org", 3478, TCP, id="rfc7065-5"
        ),
        pytest.param(
            "turns:example.org?transport=tcp", "turns", "example.org", 5349, TLS, id="rfc7065-6"
        ),
        pytest.param(
            "turns:192.0.2.1:443?transport=udp", "turns", "192.0.2.1", 443, DTLS, id="kvs-dtls"
        ),
        pytest.param("STUN:Example.org", "stun", "Example.org", 3478, UDP, id="upper-case"),
        pytest.param("turn:x?transport=TCP", "turn", "x", 3478, TCP, id="upper-case-transport"),
        pytest.param(
            "stun:[2001:db8::1]:3479", "stun", "2001:db8::1", 3479, UDP, id="ipv6-with-port"
        ),
        pytest.param("turn:[::1]", "turn", "::1", 3478, UDP, id="ipv6"),
        pytest.param("stun:192.0.2.1", "stun", "192.0.2.1", 3478, UDP, id="ipv4"),
        pytest.param("stun:example.org:", "stun", "example.org", 3478, UDP, id="empty-port"),
        pytest.param("turn:x?transport=sctp", "turn", "x", 3478, None, id="other-transport"),
    ],
)
def test_a_uri_says_where_the_server_is(
    text: str, scheme: str, host: str, port: int, protocol: TransportProtocol | None
) -> None:
    uri = ServerUri.parse(text)

    assert (uri.scheme, uri.host, uri.port) == (UriScheme(scheme), host, port)
    assert uri.protocol is protocol
    assert ServerUri.parse(str(uri)) == uri


@pytest.mark.requirement("stun-turn:STUNC-DNS-01")
@pytest.mark.requirement("stun-turn:STUNC-DNS-03")
@pytest.mark.requirement("stun-turn:STUNC-DNS-04")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "stun",
        "stun:",
        "stun://x",
        "stun:u@x",
        "stun:x:70000",
        "stun:x:0",
        "stun:x:-1",
        "stun:x y",
        " stun:x",
        "stun:x?transport=udp",
        "turn:x?foo",
        "turn:x?transport=",
        "turn:x?transport=udp&a=b",
        "turn:x/path",
        "turn:[2001:db8::1",
        "turn:[2001:db8::zz]",
        "turn:[192.0.2.1]",
        "turn:2001:db8::1",
        "turn:[fe80::1%25eth0]",
        "http:x",
        "stuns:192.0.2.1",
        "stuns:[2001:db8::1]",
        "stun:" + "x" * 600,
    ],
)
def test_what_is_no_uri_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        ServerUri.parse(text)


@pytest.mark.requirement("stun-turn:STUNC-DNS-09")
@pytest.mark.parametrize(
    ("text", "is_address"),
    [("turn:192.0.2.1", True), ("turn:[2001:db8::1]", True), ("turn:example.org", False)],
)
def test_an_ip_address_needs_no_resolution(text: str, is_address: bool) -> None:
    uri = ServerUri.parse(text)

    assert (uri.address is not None) is is_address


@given(st.one_of(st.text(), st.text("stunr:[].?=@/0123456789abcdef").map("turn:".__add__)))
def test_no_text_raises_anything_but_decode_error(text: str) -> None:
    with contextlib.suppress(DecodeError):
        assert ServerUri.parse(str(ServerUri.parse(text))).host
