"""Peers that are denied: their spellings, and what an operator allows on purpose."""

from __future__ import annotations

import ipaddress

import pytest

import conformance.rows
from conformance.denied import Peer, in_ipv6
from conformance.outcome import Verdict
from conformance.row import Feature, registered
from conformance.survey import Survey

from .mutants import SETUPS, Mutant
from .world import run_rows

assert conformance.rows  # registers them

ROWS = {row.id: row for row in registered()}


def test_ipv6_spells_an_ipv4_address_in_five_ways() -> None:
    ip = ipaddress.IPv4Address("10.1.2.3")

    mapped, compatible, nat64, six_to_four, teredo = in_ipv6(ip)

    assert mapped.ipv4_mapped == ip
    assert str(compatible) == "::a01:203"
    assert str(nat64) == "64:ff9b::a01:203"
    assert six_to_four.sixtofour == ip
    assert teredo.teredo is not None
    assert teredo.teredo[1] == ip


def test_a_network_is_tried_near_both_of_its_ends() -> None:
    assert [str(each.ip) for each in Peer.of("10.0.0.0/8")] == ["10.0.0.1", "10.255.255.254"]
    assert [str(each.ip) for each in Peer.of("::1/128")] == ["::1"]


@pytest.mark.parametrize("row_id", ["SEC-01", "SEC-04"])
def test_the_network_of_the_harness_may_be_allowed_on_purpose(row_id: str) -> None:
    """Here the harness is at 192.0.2.2, which is an address for documentation."""
    allowed = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "2001:db8::2/128")))
    server = Mutant(options={"allow_peers": allowed})

    report = run_rows([ROWS[row_id]], server, setup=SETUPS.get(row_id), surveyed=Survey())

    (result,) = report.results
    expected = Verdict.PASS if row_id == "SEC-01" else Verdict.INFO
    assert result.outcome.verdict is expected
    assert ("192.0.2.254 granted" in result.outcome.detail) is (row_id == "SEC-04")


def test_without_ipv6_relays_ipv6_peers_are_refused_by_their_family() -> None:
    survey = Survey({Feature.IPV6_RELAY: "none", Feature.TCP_RELAY: "none"})

    report = run_rows([ROWS["SEC-02"], ROWS["SEC-03"]], surveyed=survey)

    assert {each.outcome.verdict for each in report.results} == {Verdict.PASS}
