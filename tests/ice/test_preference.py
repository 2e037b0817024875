"""The order of local addresses (RFC 8421)."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ice.preference import LocalPreferences, interleave
from transport import TransportAddress


def v4(count: int) -> list[TransportAddress]:
    return [TransportAddress.parse(f"192.0.2.{n}", 1) for n in range(1, count + 1)]


def v6(count: int) -> list[TransportAddress]:
    return [TransportAddress.parse(f"2001:db8::{n}", 1) for n in range(1, count + 1)]


@pytest.mark.requirement("ice:H01")
@pytest.mark.requirement("ice:H02")
@pytest.mark.parametrize(
    ("fours", "sixes", "order"),
    [
        pytest.param(2, 6, "66664646", id="rfc8421-4"),
        pytest.param(1, 1, "64", id="one-each"),
        pytest.param(2, 2, "6644", id="two-each"),
        pytest.param(4, 1, "64444", id="mostly-ipv4"),
        pytest.param(0, 3, "666", id="ipv6-only"),
        pytest.param(3, 0, "444", id="ipv4-only"),
        pytest.param(0, 0, "", id="none"),
    ],
)
def test_families_take_turns_after_a_head_start(fours: int, sixes: int, order: str) -> None:
    families = [str(a.ip.version) for a in interleave(v4(fours) + v6(sixes))]

    assert "".join(families) == order


@pytest.mark.requirement("ice:H03")
def test_unreliable_interfaces_come_last() -> None:
    (tunnel, *_), (wired, *_) = v6(1), v4(1)

    assert interleave([tunnel, wired], unreliable={tunnel.ip}) == [wired, tunnel]


@given(st.integers(0, 8), st.integers(0, 8))
def test_every_address_appears_once_and_keeps_its_place_in_its_family(
    fours: int, sixes: int
) -> None:
    ordered = interleave(v6(sixes) + v4(fours))

    assert [a for a in ordered if a.is_ipv6] == v6(sixes)
    assert [a for a in ordered if not a.is_ipv6] == v4(fours)


@pytest.mark.requirement("ice:P05")
def test_local_preferences_are_unique_per_component_and_start_at_the_top() -> None:
    preferences = LocalPreferences()

    assert [preferences.take(0, 1) for _ in range(5)] == [65535, 65534, 65533, 65532, 65531]
    assert preferences.take(0, 2) == preferences.take(1, 1) == 65535


def test_addresses_are_ip_addresses() -> None:
    assert isinstance(v4(1)[0].ip, ipaddress.IPv4Address)
