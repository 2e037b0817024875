from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.dtls.records import RECORD_HEADER_BYTES, may_be_dtls, pack_records, split_records


def record(body: bytes) -> bytes:
    return b"\x16\xfe\xfd" + bytes(8) + len(body).to_bytes(2, "big") + body


RECORDS = st.lists(st.binary(max_size=300).map(record), max_size=12)


@given(RECORDS)
def test_records_come_apart_as_they_were_put_together(records: list[bytes]) -> None:
    assert list(split_records(b"".join(records))) == records


@pytest.mark.requirement("sdp-media:SEC12")
@given(RECORDS, st.integers(RECORD_HEADER_BYTES, 1300))
def test_datagrams_hold_whole_records_in_order_within_the_mtu(
    records: list[bytes], mtu: int
) -> None:
    datagrams = pack_records(b"".join(records), mtu)

    contents = [list(split_records(datagram)) for datagram in datagrams]
    assert [r for content in contents for r in content] == records
    for datagram, content in zip(datagrams, contents, strict=True):
        assert len(datagram) <= mtu or len(content) == 1
    for datagram, following in zip(datagrams, contents[1:], strict=False):
        assert len(datagram) + len(following[0]) > mtu


@pytest.mark.parametrize(
    ("datagram", "expected"),
    [
        pytest.param(record(b"x"), True, id="handshake"),
        pytest.param(b"\x3f" + bytes(13), True, id="last-type"),
        pytest.param(b"", False, id="empty"),
        pytest.param(record(b""), False, id="header-alone"),
        pytest.param(b"\x13" + bytes(20), False, id="zrtp"),
        pytest.param(b"\x40" + bytes(20), False, id="turn-channel"),
    ],
)
def test_what_cannot_be_dtls_is_told_by_its_first_byte(datagram: bytes, expected: bool) -> None:
    assert may_be_dtls(datagram) is expected
