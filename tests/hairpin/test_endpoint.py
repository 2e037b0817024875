"""HOST:PORT on a command line."""

from __future__ import annotations

import pytest

from hairpin.endpoint import parse_endpoint
from transport import TransportAddress

GOOD = [
    ("127.0.0.1:8080", "127.0.0.1", 8080),
    ("localhost:0", "127.0.0.1", 0),
    ("[::1]:3478", "::1", 3478),
    ("0.0.0.0:65535", "0.0.0.0", 65535),
]
BAD = ["", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "a:1"]


@pytest.mark.parametrize(("text", "host", "port"), GOOD)
def test_an_address_and_a_port_are_read(text: str, host: str, port: int) -> None:
    assert parse_endpoint(text) == TransportAddress.parse(host, port)


@pytest.mark.parametrize("text", BAD)
def test_anything_else_is_refused_with_what_was_given(text: str) -> None:
    with pytest.raises(ValueError, match="HOST"):
        parse_endpoint(text)
