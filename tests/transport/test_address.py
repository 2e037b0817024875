from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport import TransportAddress


@pytest.mark.parametrize(
    ("host", "port", "text", "is_ipv6"),
    [
        pytest.param("192.0.2.1", 3478, "192.0.2.1:3478", False, id="ipv4"),
        pytest.param("2001:db8::1", 3478, "[2001:db8::1]:3478", True, id="ipv6"),
        pytest.param("fe80::1%eth0", 0, "[fe80::1%eth0]:0", True, id="link-local-with-zone"),
    ],
)
def test_an_address_reads_as_in_a_uri(host: str, port: int, text: str, is_ipv6: bool) -> None:
    address = TransportAddress.parse(host, port)

    assert (str(address), address.host, address.is_ipv6) == (text, host, is_ipv6)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_of_more_than_16_bits_is_refused(port: int) -> None:
    with pytest.raises(ValueError, match="0 to 65535"):
        TransportAddress.parse("192.0.2.1", port)


@pytest.mark.parametrize("host", ["", "localhost", "192.0.2", "192.0.2.256", "[::1]", "::1 "])
def test_a_host_that_is_no_ip_address_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="address"):
        TransportAddress.parse(host, 1)


def test_addresses_that_differ_in_zone_alone_are_different() -> None:
    zones = {TransportAddress.parse(f"fe80::1{zone}", 1) for zone in ("", "%eth0", "%eth1")}

    assert len(zones) == 3


@given(st.ip_addresses(), st.integers(0, 0xFFFF))
def test_equal_addresses_serve_as_one_key(ip: object, port: int) -> None:
    one, other = TransportAddress.parse(str(ip), port), TransportAddress.parse(str(ip), port)

    assert one == other
    assert {one: 1}[other] == 1
