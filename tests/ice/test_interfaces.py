"""Which local addresses are gathered (RFC 8445 section 5.1.1.1)."""

import ipaddress

import pytest

from ice.interfaces import InterfaceAddress, host_addresses


def on(interface: str, ip: str, length: int = 64, **flags: bool) -> InterfaceAddress:
    return InterfaceAddress(
        ipaddress.ip_address(ip),
        length,
        interface,
        temporary=flags.get("temporary", False),
        usable=flags.get("usable", True),
    )


STABLE = on("eth0", "2001:db8::1")
TEMPORARY = on("eth0", "2001:db8::beef", temporary=True)
LINK_LOCAL = on("eth0", "fe80::1%eth0")
V4 = on("eth0", "192.0.2.1", 24)


@pytest.mark.requirement("ice:G02")
@pytest.mark.requirement("ice:G03")
@pytest.mark.requirement("ice:G04")
@pytest.mark.requirement("ice:Z10")
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param([V4, STABLE], [V4, STABLE], id="ordinary"),
        pytest.param([on("lo", "127.0.0.1", 8), on("lo", "::1", 128), V4], [V4], id="loopback"),
        pytest.param([STABLE, TEMPORARY], [TEMPORARY], id="temporary-hides-stable"),
        pytest.param(
            [on("eth0", "2001:db8:1::1"), TEMPORARY],
            [on("eth0", "2001:db8:1::1"), TEMPORARY],
            id="another-prefix",
        ),
        pytest.param(
            [on("eth1", "2001:db8::1"), TEMPORARY],
            [on("eth1", "2001:db8::1"), TEMPORARY],
            id="another-interface",
        ),
        pytest.param([LINK_LOCAL, TEMPORARY], [TEMPORARY], id="temporary-hides-link-local"),
        pytest.param([LINK_LOCAL, V4], [V4], id="link-local-beside-another"),
        pytest.param([LINK_LOCAL], [LINK_LOCAL], id="link-local-alone"),
        pytest.param([on("eth0", "169.254.1.1", 16), V4], [V4], id="ipv4-link-local"),
        pytest.param([on("eth0", "fec0::1")], [], id="site-local"),
        pytest.param([on("eth0", "::192.0.2.1")], [], id="ipv4-compatible"),
        pytest.param([on("eth0", "::ffff:192.0.2.1")], [], id="ipv4-mapped"),
        pytest.param([on("eth0", "::"), on("eth0", "ff02::1")], [], id="no-unicast"),
        pytest.param([on("eth0", "2001:db8::1", usable=False)], [], id="deprecated"),
        pytest.param(
            [on("docker0", "172.17.0.1", 16), on("veth1a", "192.0.2.9")], [], id="virtual"
        ),
    ],
)
def test_what_is_kept(given: list[InterfaceAddress], kept: list[InterfaceAddress]) -> None:
    assert host_addresses(given) == [address.ip for address in kept]


@pytest.mark.requirement("ice:G02")
def test_loopback_is_there_for_who_asks() -> None:
    addresses = [on("lo", "127.0.0.1", 8), on("lo", "::1", 128)]

    assert host_addresses(addresses, loopback=True) == [address.ip for address in addresses]


@pytest.mark.requirement("ice:Z10")
def test_ignored_interfaces_are_a_choice() -> None:
    assert host_addresses([on("docker0", "172.17.0.1", 16)], ignored=())
    assert not host_addresses([V4], ignored=("eth",))
