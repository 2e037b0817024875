"""What the kernel tells of its addresses."""

import ipaddress

from ice.aio import local_addresses


def test_loopback_is_among_the_addresses_of_this_host() -> None:
    addresses = {address.ip: address for address in local_addresses()}

    loopback = addresses[ipaddress.ip_address("127.0.0.1")]
    assert loopback.prefix_length == 8
    assert loopback.interface == "lo"
    assert loopback.usable
    assert not loopback.temporary


def test_link_local_addresses_have_their_interface_as_zone() -> None:
    for address in local_addresses():
        if isinstance(address.ip, ipaddress.IPv6Address) and address.ip.is_link_local:
            assert address.ip.scope_id == address.interface
