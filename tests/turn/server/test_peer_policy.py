"""The peers that a relay refuses (RFC 8656 section 21, RFC 6890)."""

from __future__ import annotations

import dataclasses
import ipaddress
from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport import IPAddress, TransportAddress
from turn.server import ServerConfig
from turn.server.peer_policy import PeerPolicy, is_tunneled, spellings

from .denied import DENIED_IPV4, DENIED_IPV6, disguises
from .harness import LISTENING, LISTENING_6, RELAY_IP, config

PUBLIC = ip_address("20.0.0.1")

LEGAL = ["8.8.8.8", "100.128.0.1", "172.32.0.1", "192.0.1.1", "198.20.0.1", "223.255.255.255"]
LEGAL_IPV6 = ["2600::1", "2a00:1450::1", "2001:4860:4860::8888"]
IN_DISGUISE = st.ip_addresses(v=4).filter(lambda ip: int(ip) != 1)
"""The IPv4-compatible form of 0.0.0.1 is taken: by ::1."""


def policy(*allowed: str, settings: ServerConfig | None = None) -> PeerPolicy:
    networks = tuple(ip_network(text) for text in allowed)
    return PeerPolicy(dataclasses.replace(settings or config(), allow_peers=networks))


def at(host: str, port: int = 7000) -> TransportAddress:
    return TransportAddress.parse(host, port)


@pytest.mark.parametrize("host", DENIED_IPV4 + DENIED_IPV6)
@pytest.mark.requirement(
    "stun-turn:SEC-01", "stun-turn:SEC-03", "stun-turn:SEC-04", "stun-turn:SEC-06"
)
def test_where_a_relay_must_not_go(host: str) -> None:
    assert not policy().admits(at(host))
    assert not policy().admits_permission(at(host, 0))


@pytest.mark.parametrize("host", LEGAL + LEGAL_IPV6)
def test_everybody_else_is_a_legal_peer(host: str) -> None:
    assert policy().admits(at(host))
    assert policy().admits_permission(at(host, 0))


@pytest.mark.parametrize("host", DENIED_IPV4)
@pytest.mark.requirement("stun-turn:SEC-02", "stun-turn:SEC-05")
def test_no_disguise_helps(host: str) -> None:
    for disguise in disguises(IPv4Address(host)):
        assert not policy().admits(at(disguise)), disguise
        # Nor does an allow entry that holds the disguise alone.
        assert not policy("::/0").admits(at(disguise)), disguise


@given(IN_DISGUISE)
def test_every_disguise_is_seen_through(ip: IPv4Address) -> None:
    for disguise in disguises(ip):
        assert ip in spellings(ip_address(disguise)), disguise


@given(IN_DISGUISE)
@pytest.mark.requirement("stun-turn:SEC-02")
def test_a_disguised_address_needs_both_to_be_allowed(ip: IPv4Address) -> None:
    for disguise in disguises(ip)[:6]:
        assert not policy().admits(at(disguise)), disguise
        assert policy("::/0", f"{ip}/32").admits(at(disguise)), disguise


@given(st.ip_addresses())
def test_an_allowed_address_without_a_disguise_is_legal(ip: IPAddress) -> None:
    if list(spellings(ip)) != [ip]:
        return
    assert policy("0.0.0.0/0", "::/0").admits(TransportAddress(ip, 1))


def test_an_allow_entry_beats_the_list_for_what_it_holds() -> None:
    lan = policy("192.168.0.0/16")

    assert lan.admits(at("192.168.7.7"))
    assert not lan.admits(at("10.0.0.1"))
    assert not lan.admits(at("::ffff:192.168.7.7"))


def test_the_loopback_address_of_ipv6_is_no_disguise() -> None:
    loopback = ip_address("::1")

    assert list(spellings(loopback)) == [loopback]
    assert policy("::1/128").admits(at("::1"))
    assert not policy().admits(at("::1"))


@pytest.mark.parametrize("allowed", [(), ("0.0.0.0/0", "::/0")], ids=["default", "all"])
@pytest.mark.parametrize(
    "peer",
    [
        LISTENING,
        LISTENING_6,
        at("::ffff:5.5.5.5", 3478),
        at("64:ff9b::5.5.5.5", 3478),
        at("2002:505:505::1", 3478),
    ],
    ids=str,
)
@pytest.mark.requirement("stun-turn:SEC-07")
def test_a_listening_address_is_never_legal(
    peer: TransportAddress, allowed: tuple[str, ...]
) -> None:
    assert not policy(*allowed).admits(peer)
    assert not policy(*allowed).admits_permission(peer)


@pytest.mark.requirement("stun-turn:SEC-07")
def test_our_own_host_is_refused_unless_it_is_allowed() -> None:
    for ip in (RELAY_IP, LISTENING.ip):
        assert not policy().admits(TransportAddress(ip, 22))
        assert policy("5.5.5.0/24").admits(TransportAddress(ip, 22))


def test_a_permission_for_a_relay_address_is_legal_for_the_sake_of_others() -> None:
    assert policy().admits_permission(TransportAddress(RELAY_IP, 0))
    assert not policy().admits_permission(TransportAddress(LISTENING.ip, 0))


def test_behind_a_nat_the_public_side_is_our_own_too() -> None:
    listening = TransportAddress(RELAY_IP, 3478)
    settings = dataclasses.replace(config(), advertised={RELAY_IP: PUBLIC}, listening=(listening,))
    open_policy = policy("0.0.0.0/0", settings=settings)

    assert not policy(settings=settings).admits(TransportAddress(PUBLIC, 22))
    assert policy(settings=settings).admits_permission(TransportAddress(PUBLIC, 0))
    assert not open_policy.admits(TransportAddress(PUBLIC, 3478))
    assert open_policy.admits(TransportAddress(PUBLIC, 22))


def test_a_wildcard_listener_is_on_all_our_addresses() -> None:
    settings = dataclasses.replace(config(), listening=(at("0.0.0.0", 3478),))
    open_policy = policy("0.0.0.0/0", settings=settings)

    assert not open_policy.admits(TransportAddress(RELAY_IP, 3478))
    assert open_policy.admits(at("8.8.8.8", 3478))


@pytest.mark.requirement("stun-turn:SEC-08")
def test_a_denied_port_is_nobodys_whatever_is_allowed() -> None:
    settings = dataclasses.replace(config(), deny_peer_ports=(range(1, 1024), range(5353, 5354)))

    for denied in (policy(settings=settings), policy("0.0.0.0/0", settings=settings)):
        ports = [
            port
            for port in (1, 53, 1023, 1024, 5352, 5353, 5354)
            if denied.admits(at("8.8.8.8", port))
        ]
        assert ports == [1024, 5352, 5354]
    assert policy().admits(at("8.8.8.8", 53))


def test_nobody_is_at_port_0() -> None:
    assert not policy("0.0.0.0/0").admits(at("8.8.8.8", 0))


@pytest.mark.parametrize(
    ("host", "expected"),
    [("2001::1", True), ("2002::1", True), ("2001:4860::1", False), ("8.8.8.8", False)],
)
def test_tunnels_are_told(host: str, expected: bool) -> None:
    assert is_tunneled(ipaddress.ip_address(host)) is expected
