"""A server is worked over the transport that it is reached by, in the family of its peers."""

from __future__ import annotations

import dataclasses

import pytest

import conformance.rows
from conformance.outcome import Verdict
from conformance.row import Feature, Row, registered
from conformance.survey import Survey

from .mutants import SETUPS as WANTED
from .mutants import Setup
from .world import SERVER6, run_rows

assert conformance.rows  # registers them

ROWS = {row.id: row for row in registered()}
BOTH = Setup(ipv6=True)
IPV6_ALONE = Setup({"relay_addresses": (SERVER6.ip,)}, ipv6=True)
SETUPS = pytest.mark.parametrize("setup", [BOTH, IPV6_ALONE], ids=["both families", "IPv6 alone"])


@SETUPS
def test_a_server_that_is_reached_over_ipv6_relays_to_peers_over_ipv6(setup: Setup) -> None:
    chosen = [ROWS["TURN-SEND-04"], ROWS["TURN-CHAN-01"], ROWS["TURN-GEN-02"]]

    report = run_rows(chosen, setup=setup)

    assert Feature.PEER not in report.survey.missing
    assert {each.outcome.verdict for each in report.results} == {Verdict.PASS}


def test_what_comes_without_a_wish_for_a_family_is_asked_without_one() -> None:
    ipv4 = run_rows([ROWS["TURN-ALLOC-10"]], setup=BOTH)
    none = run_rows([ROWS["TURN-ALLOC-11"]], setup=IPV6_ALONE)

    assert [each.outcome.verdict for each in ipv4.results + none.results] == [Verdict.PASS] * 2


WAYS = [
    pytest.param(row, tcp, ipv6, id=f"{row.id}-{name}")
    for name, tcp, ipv6 in (("TCP", True, False), ("IPv6", False, True), ("both", True, True))
    for row in ROWS.values()
    if not (ipv6 and Feature.BEHAVIOR in row.needs)  # the server has one address of IPv6
]


@pytest.mark.parametrize(("row", "tcp", "ipv6"), WAYS)
def test_the_right_server_is_failed_over_no_transport(row: Row, tcp: bool, ipv6: bool) -> None:
    setup = dataclasses.replace(WANTED.get(row.id, Setup()), tcp=tcp, ipv6=ipv6)

    report = run_rows([row], setup=setup, surveyed=Survey())

    assert [each for each in report.results if each.outcome.verdict is Verdict.FAIL] == []
