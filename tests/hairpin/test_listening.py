"""Where a server listens, and what clients are told."""

from __future__ import annotations

from hairpin.listening import expand, farthest_first, told_to_clients
from transport import TransportAddress


def at(*hosts: str) -> list[TransportAddress]:
    return [TransportAddress.parse(host, 3478) for host in hosts]


def hosts(*addresses: TransportAddress) -> list[str]:
    return [address.host for address in addresses]


def test_a_wildcard_of_ipv6_stands_for_all_addresses() -> None:
    expanded = list(expand(at("::")))

    assert {*expand(at("0.0.0.0"))} <= {*expanded}
    assert not any(address.ip.is_unspecified for address in expanded)


def test_a_wildcard_of_ipv4_stands_for_addresses_of_its_family_and_port() -> None:
    expanded = list(expand(at("0.0.0.0", "192.0.2.1")))

    assert TransportAddress.parse("127.0.0.1", 3478) in expanded
    assert expanded[-1] == TransportAddress.parse("192.0.2.1", 3478)
    assert not any(address.ip.is_unspecified or address.is_ipv6 for address in expanded)


def test_what_reaches_farthest_is_first_and_one_link_alone_is_left_out() -> None:
    listening = at("127.0.0.1", "10.0.0.1", "169.254.1.1", "8.8.8.8", "10.0.0.1")

    assert [str(ip) for ip in farthest_first(listening)] == ["8.8.8.8", "10.0.0.1", "127.0.0.1"]
    assert [str(ip) for ip in farthest_first(at("169.254.1.1"))] == ["169.254.1.1"]


def test_clients_are_told_of_loopback_only_if_there_is_nothing_else() -> None:
    listening = at("127.0.0.1", "10.0.0.1", "8.8.8.8")

    assert hosts(*told_to_clients(listening, at_most=4)) == ["8.8.8.8", "10.0.0.1"]
    assert hosts(*told_to_clients(listening, at_most=1)) == ["8.8.8.8"]
    assert hosts(*told_to_clients(at("127.0.0.1"), at_most=4)) == ["127.0.0.1"]
