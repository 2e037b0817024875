"""Which addresses are paired (RFC 8445 section 6.1.2.2)."""

import pytest

from ice import Candidate, CandidateType, HostName
from ice.scope import can_pair, in_zone_of, is_usable_remote, without_zone
from transport import TransportAddress


def candidate(ip: str, component: int = 1) -> Candidate:
    address = TransportAddress.parse(ip, 1)
    return Candidate("1", component, "udp", 1, address, CandidateType.HOST)


@pytest.mark.requirement("ice:L01")
@pytest.mark.requirement("ice:L02")
@pytest.mark.parametrize(
    ("local", "remote", "paired"),
    [
        ("192.0.2.1", "203.0.113.1", True),
        ("2001:db8::1", "2001:db8::2", True),
        ("fe80::1", "fe80::2", True),
        ("192.0.2.1", "2001:db8::2", False),
        ("2001:db8::1", "203.0.113.1", False),
        ("fe80::1", "2001:db8::2", False),
        ("2001:db8::1", "fe80::2", False),
        ("169.254.0.1", "203.0.113.1", True),
    ],
)
def test_pairs_share_family_and_link_locality(local: str, remote: str, paired: bool) -> None:
    assert can_pair(candidate(local), candidate(remote)) is paired


@pytest.mark.requirement("ice:L01")
def test_pairs_share_the_component() -> None:
    assert not can_pair(candidate("192.0.2.1", 1), candidate("192.0.2.2", 2))


def test_a_host_name_is_not_paired() -> None:
    named = Candidate("1", 1, "udp", 1, HostName("x.local", 1), CandidateType.HOST)

    assert not can_pair(candidate("192.0.2.1"), named)


def test_zones_stay_on_this_host() -> None:
    base = TransportAddress.parse("fe80::1%eth0", 1)

    assert without_zone(base) == TransportAddress.parse("fe80::1", 1)
    assert in_zone_of(TransportAddress.parse("fe80::2", 2), base) == TransportAddress.parse(
        "fe80::2%eth0", 2
    )
    assert in_zone_of(TransportAddress.parse("2001:db8::2", 2), base).host == "2001:db8::2"


@pytest.mark.parametrize(
    ("ip", "port", "usable"),
    [
        ("192.0.2.1", 1, True),
        ("192.0.2.1", 0, False),
        ("0.0.0.0", 1, False),
        ("::", 1, False),
        ("224.0.0.1", 1, False),
        ("ff02::1", 1, False),
    ],
)
def test_no_check_goes_where_none_can_be_answered(ip: str, port: int, usable: bool) -> None:
    assert is_usable_remote(TransportAddress.parse(ip, port).ip, port) is usable
