"""A server is worked over the transport that it is reached by, in the family of its peers."""

from __future__ import annotations

import dataclasses

import pytest

import conformance.rows
from conformance.codes import Attr
from conformance.outcome import Direction, Verdict
from conformance.reading import ReceivedMessage
from conformance.row import Feature, Row, registered
from conformance.survey import Survey

from .mutants import MUTANTS, Mutant, Setup
from .mutants import SETUPS as WANTED
from .mutants.changing import with_more
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
    pytest.param(row, way, id=f"{row.id}-{name}")
    for name, way in {
        "TCP": Setup(tcp=True),
        "IPv6": Setup(ipv6=True),
        "both": Setup(tcp=True, ipv6=True),
        "DTLS": Setup(dtls=True),
    }.items()
    for row in ROWS.values()
    if not (way.ipv6 and Feature.BEHAVIOR in row.needs)  # the server has one address of IPv6
]


@pytest.mark.parametrize(("row", "way"), WAYS)
def test_the_right_server_is_failed_over_no_transport(row: Row, way: Setup) -> None:
    wanted = WANTED.get(row.id, Setup())
    setup = dataclasses.replace(wanted, tcp=way.tcp, ipv6=way.ipv6, dtls=way.dtls)

    report = run_rows([row], setup=setup, surveyed=Survey())

    assert [each for each in report.results if each.outcome.verdict is Verdict.FAIL] == []


@pytest.mark.parametrize(("setup", "verdict"), [(BOTH, Verdict.PASS), (Setup(), Verdict.FAIL)])
def test_answers_over_ipv6_may_be_as_long_as_its_packets(setup: Setup, verdict: Verdict) -> None:
    long = with_more(lambda _, __: True, (0xC0FE, bytes(600)))

    report = run_rows([ROWS["COD-HDR-09"]], long, setup=setup, surveyed=Survey())

    assert [each.outcome.verdict for each in report.results] == [verdict]


@pytest.mark.parametrize(
    ("setup", "verdict"),
    [(BOTH, Verdict.PASS), (Setup(tcp=True), Verdict.PASS), (Setup(), Verdict.FAIL)],
    ids=["IPv6", "TCP", "UDP"],
)
def test_a_ticket_has_to_fit_into_a_datagram_where_there_are_datagrams(
    setup: Setup, verdict: Verdict
) -> None:
    mobile = dataclasses.replace(setup, options={"mobility": True})
    long = MUTANTS["TURN-MOB-01"]["long"]

    report = run_rows([ROWS["TURN-MOB-01"]], long, setup=mobile, surveyed=Survey())

    outcomes = {each.row_id: each.outcome for each in report.results}
    assert outcomes["TURN-MOB-01"].verdict is verdict


OF_DATAGRAMS = (
    *("COD-HDR-01", "COD-HDR-04", "COD-HDR-05", "COD-HDR-08", "DEMUX-01"),
    *("STUNS-BASE-01", "STUNS-BASE-02", "STUNS-BASE-11", "STUNS-BASE-16", "STUNS-TCP-09"),
    *("TURN-ALLOC-02", "TURN-PERM-01", "TURN-SEND-04", "TURN-DATA-02"),
    *("TURN-DATA-05", "TURN-CHAN-01", "TURN-CDATA-03", "TURN-CDATA-06", "SEC-07"),
)
"""Rows whose mutants remember nothing, so that other tests may have them, too."""

BROKEN = [
    pytest.param(ROWS[row_id], mutant, id=f"{row_id}-{name}")
    for row_id in OF_DATAGRAMS
    for name, mutant in MUTANTS[row_id].items()
]


@pytest.mark.parametrize(("row", "mutant"), BROKEN)
def test_what_a_row_fails_over_udp_it_fails_over_dtls(row: Row, mutant: Mutant) -> None:
    setup = dataclasses.replace(WANTED.get(row.id, Setup()), dtls=True)

    report = run_rows([row], mutant, setup=setup, surveyed=Survey())

    verdicts = {each.row_id: each.outcome.verdict for each in report.results}
    assert verdicts[row.id] is Verdict.FAIL


OF_PLAIN_UDP = (
    *("STUNS-BASE-13", "STUNS-BASE-14", "NATB-05", "NATB-06", "NATB-11", "COD-ADDR-07"),
    *(
        "TURN-GEN-01",
        "TURN-CDATA-04",
        "TURN-IP-01",
        "TURN-IP-02",
        "TURN-TCP-01",
        "SEC-09",
        "SEC-10",
    ),
)


@pytest.mark.parametrize("row_id", OF_PLAIN_UDP)
def test_what_is_said_of_udp_alone_is_not_asked_over_dtls(row_id: str) -> None:
    setup = dataclasses.replace(WANTED.get(row_id, Setup()), dtls=True)

    report = run_rows([ROWS[row_id]], setup=setup, surveyed=Survey())

    (result,) = report.results
    assert result.outcome.verdict is Verdict.SKIP
    assert "it is about plain UDP" in result.outcome.detail
    assert result.frames == ()


def test_a_server_of_dtls_is_asked_through_itself_with_what_it_answers() -> None:
    report = run_rows([ROWS["SEC-07"]], setup=Setup(dtls=True), surveyed=Survey())

    sent = [each for each in report.results[0].frames if each.direction is Direction.SENT]
    payloads = [ReceivedMessage.parse(each.data).get(Attr.DATA) for each in sent]
    assert next(each[:1] for each in payloads if each is not None) == b"\x16"  # a handshake
