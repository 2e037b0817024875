from __future__ import annotations

import socket

import pytest

from transport import TransportAddress
from transport.aio.sockaddr import SocketAddress, from_sockaddr, to_sockaddr

LOOPBACK_NAME = "lo"
LOOPBACK_INDEX = socket.if_nametoindex(LOOPBACK_NAME)
NO_SUCH_INDEX = 0x7FFFFFFF


@pytest.mark.parametrize(
    ("host", "sockaddr"),
    [
        pytest.param("192.0.2.1", ("192.0.2.1", 5), id="ipv4"),
        pytest.param("2001:db8::1", ("2001:db8::1", 5, 0, 0), id="ipv6"),
        pytest.param("fe80::1%lo", ("fe80::1", 5, 0, LOOPBACK_INDEX), id="zone"),
    ],
)
def test_an_address_goes_both_ways(host: str, sockaddr: SocketAddress) -> None:
    address = TransportAddress.parse(host, 5)

    assert to_sockaddr(address) == sockaddr
    assert from_sockaddr(sockaddr) == address


def test_a_zone_may_be_a_number_and_comes_back_as_a_name() -> None:
    sockaddr = to_sockaddr(TransportAddress.parse(f"fe80::1%{LOOPBACK_INDEX}", 5))

    assert sockaddr == ("fe80::1", 5, 0, LOOPBACK_INDEX)
    assert from_sockaddr(sockaddr).host == "fe80::1%lo"


def test_a_zone_in_the_text_of_the_kernel_is_not_doubled() -> None:
    assert from_sockaddr(("fe80::1%lo", 5, 0, LOOPBACK_INDEX)).host == "fe80::1%lo"


def test_an_interface_that_is_gone_keeps_its_number() -> None:
    address = from_sockaddr(("fe80::1", 5, 0, NO_SUCH_INDEX))

    assert address.host == f"fe80::1%{NO_SUCH_INDEX}"


def test_an_unknown_zone_is_an_os_error() -> None:
    with pytest.raises(OSError, match="interface"):
        to_sockaddr(TransportAddress.parse("fe80::1%nosuch0", 5))
