"""What a ClientHello says."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from conformance.clients.client_hello import ClientHello
from transport import DecodeError

from .actors import client_hello


def test_what_python_offers_is_read() -> None:
    data = client_hello()

    hello = ClientHello.parse(data)

    assert ClientHello.is_whole(data)
    assert not ClientHello.is_whole(data[:-1])
    assert 0x0303 in hello.versions or 0x0304 in hello.versions
    assert 0x1301 in hello.suites
    assert hello.compressions == b"\0"
    assert hello.protocols == (b"stun.turn",)


@given(st.binary(max_size=200), st.integers(0, 500))
def test_no_bytes_raise_anything_but_decode_error(data: bytes, cut: int) -> None:
    for each in (data, client_hello()[:cut], client_hello()[:cut] + data):
        with contextlib.suppress(DecodeError):
            ClientHello.parse(each)
