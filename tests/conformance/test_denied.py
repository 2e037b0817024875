"""Peers that are denied: their spellings, and what an operator allows on purpose."""

from __future__ import annotations

import collections
import ipaddress

import pytest

import conformance.rows
from conformance.codes import Attr, Class, Method
from conformance.denied import Peer, in_ipv6
from conformance.outcome import Verdict
from conformance.reading import ReceivedMessage
from conformance.row import Feature, registered
from conformance.survey import Survey

from .mutants import SETUPS, Mutant, Setup
from .mutants.mutant import edited
from .mutants.relaying import error
from .world import run_rows

assert conformance.rows  # registers them

ROWS = {row.id: row for row in registered()}


class _TwoPermissions:
    """508 to who has two permissions."""

    def __init__(self) -> None:
        self._granted: collections.Counter[bytes | None] = collections.Counter()

    def __call__(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        is_meant = request.method in (Method.CREATE_PERMISSION, Method.CHANNEL_BIND)
        if not is_meant or response.message_class is Class.ERROR:
            return response.data
        owner = request.get(Attr.NONCE)  # each 5-tuple has its own
        self._granted[owner] += 1
        if self._granted[owner] <= 2:
            return response.data
        add = [(Attr.ERROR_CODE, error(508))]
        return edited(response, request, message_class=Class.ERROR, add=add)


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


def test_peers_of_ipv4_are_tried_though_the_server_is_reached_over_ipv6() -> None:
    private = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "192.0.2.2/32", "2001:db8::2/128")))

    report = run_rows(
        [ROWS["SEC-04"]],
        Mutant(options={"allow_peers": private}),
        setup=Setup(ipv6=True),
        surveyed=Survey(),
    )

    (result,) = report.results
    assert result.outcome.verdict is Verdict.FAIL
    assert "10.0.0.1" in result.outcome.detail


def test_few_permissions_for_an_allocation_hide_none_that_is_wrong() -> None:
    allowed = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "240.0.0.0/4", "192.0.2.2/32")))
    server = Mutant(answer=_TwoPermissions(), options={"allow_peers": allowed})

    report = run_rows([ROWS["SEC-04"]], server, surveyed=Survey())

    (result,) = report.results
    assert result.outcome.verdict is Verdict.FAIL
    assert "10.0.0.1" in result.outcome.detail
    assert "240.0.0.1" in result.outcome.detail
