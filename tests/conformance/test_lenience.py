"""Servers that do what the RFC leaves to them are not failed for it."""

from __future__ import annotations

import ipaddress

import pytest

import conformance.rows
from conformance.codes import Method
from conformance.outcome import Verdict
from conformance.row import Feature, registered
from conformance.survey import Survey

from .lenient import (
    Banning,
    FewPermissions,
    behind_a_nat,
    decodes_nonces,
    drops_what_is_malformed,
    greet,
    knows_no_pairs_of_ports,
    narrow,
    of_rfc_5766,
    up_to,
)
from .mutants import SETUPS, Mutant, Setup
from .mutants.changing import is_success, with_error
from .mutants.mutant import Segments
from .mutants.stuns_base import unauthorized
from .mutants.stuns_ltc import grant_instead
from .mutants.stuns_tcp import redirect_strangers
from .mutants.turn_alloc import V4_ALONE, V6_ALONE, unsupported_dont_fragment
from .mutants.turn_alloc_ports import FEW_ALLOCATIONS, FEW_PORTS, Full
from .mutants.turn_gen import RemembersTheLast, instead, refused, succeeding
from .world import run_rows

assert conformance.rows  # registers them

ROWS = {row.id: row for row in registered()}
DELETING = [f"TURN-REFR-{number:02}" for number in (1, 6, 7, 8, 9)]
GARBLING = [
    row_id for row_id in ROWS if row_id.startswith(("COD-HDR-", "COD-ATTR-", "DEMUX-", "SEC-15"))
]
ALLOCATING = [row_id for row_id, row in ROWS.items() if Feature.TURN in row.needs]


def test_a_server_with_few_permissions_is_taken_for_what_it_is() -> None:
    anywhere = ipaddress.ip_network("192.0.0.0/8", strict=False)
    server = Mutant(FewPermissions(), options={"allow_peers": (anywhere,)})

    report = run_rows([ROWS["TURN-PERM-12"]], server, surveyed=Survey())

    assert [each.outcome.verdict for each in report.results] == [Verdict.PASS]


def test_all_that_a_server_with_two_ports_offers_is_found_out() -> None:
    narrow_one = Mutant(options={"min_port": 50_000, "max_port": 50_001})

    surveyed = [run_rows([], server).survey for server in (Mutant(), narrow_one)]

    assert surveyed[0] == surveyed[1]


@pytest.mark.long  # every row that is not slow
def test_a_server_of_rfc_5766_is_failed_for_nothing_that_came_later() -> None:
    rows = [row for row in ROWS.values() if not row.slow and row.id not in SETUPS]

    report = run_rows(rows, of_rfc_5766())

    verdicts = {each.row_id: each.outcome.verdict for each in report.results}
    assert [row_id for row_id, each in verdicts.items() if each is Verdict.FAIL] == []
    assert list(verdicts.values()).count(Verdict.PASS) > 100


@pytest.mark.parametrize("code", [300, 486, 508])
@pytest.mark.parametrize("row_id", ALLOCATING)
def test_a_server_without_room_is_not_failed(row_id: str, code: int) -> None:
    full = refused(code, lambda _: True)

    report = run_rows([ROWS[row_id]], full, setup=SETUPS.get(row_id), surveyed=Survey())

    assert {each.outcome.verdict for each in report.results} & {Verdict.FAIL} == set()


@pytest.mark.parametrize("way", [Setup(tcp=True), Setup(dtls=True)], ids=["TCP", "DTLS"])
@pytest.mark.parametrize("row_id", DELETING)
def test_a_server_that_closes_a_connection_with_its_allocation_is_not_failed(
    row_id: str, way: Setup
) -> None:
    closing = Mutant(segments=Segments.CLOSES_AFTER_DELETION)

    report = run_rows([ROWS[row_id]], closing, setup=way, surveyed=Survey())

    assert {each.outcome.verdict for each in report.results} & {Verdict.FAIL} == set()


@pytest.mark.parametrize("way", [Setup(tcp=True), Setup(dtls=True)], ids=["TCP", "DTLS"])
@pytest.mark.parametrize("row_id", ["TURN-REFR-07", "TURN-REFR-08"])
def test_a_server_that_closes_one_of_two_connections_without_allocations_is_not_failed(
    row_id: str, way: Setup
) -> None:
    late = Mutant(segments=Segments.ENDS_FIRST_LATE)

    report = run_rows([ROWS[row_id]], late, setup=way, surveyed=Survey())

    assert {each.outcome.verdict for each in report.results} & {Verdict.FAIL} == set()


@pytest.mark.parametrize("row_id", GARBLING)
def test_a_server_that_ends_an_association_at_garbage_is_not_failed(row_id: str) -> None:
    strict = Mutant(segments=Segments.ENDS_AT_GARBAGE)

    report = run_rows([ROWS[row_id]], strict, setup=Setup(dtls=True), surveyed=Survey())

    verdicts = {each.row_id: each.outcome.verdict for each in report.results}
    assert set(verdicts.values()) & {Verdict.FAIL} == set()
    assert verdicts.get("SEC-15") in (None, Verdict.INFO)  # most of it was not received


def test_a_server_without_tcp_allocations_need_not_refuse_them_over_dtls_as_rfc_6062_has_it() -> (
    None
):
    surveyed = Survey({Feature.TCP_RELAY: "seen"})

    report = run_rows([ROWS["TURN-TCP-02"]], setup=Setup(dtls=True), surveyed=surveyed)

    outcome = report.results[0].outcome
    assert outcome.verdict is Verdict.SKIP
    assert outcome.detail == "not offered: TCP allocations (RFC 6062); seen"


@pytest.mark.parametrize(
    ("row_id", "server", "verdict"),
    [
        pytest.param("COD-ADDR-02", Mutant(drops_what_is_malformed), Verdict.INFO, id="drops"),
        pytest.param("TURN-GEN-06", Mutant(RemembersTheLast()), Verdict.INFO, id="one-request"),
        pytest.param("COD-ATTR-13", Mutant(drops_what_is_malformed), Verdict.INFO, id="drops"),
        pytest.param("COD-ATTR-13", Mutant(instead(443, 400)), Verdict.INFO, id="says-443"),
        pytest.param(
            "STUNS-BASE-12",
            with_error(is_success(Method.BINDING), 401),
            Verdict.PASS,
            id="wants-credentials",
        ),
        pytest.param("STUNS-LTC-13", decodes_nonces(), Verdict.PASS, id="decodes-nonces"),
        pytest.param("STUNS-LTC-04", grant_instead(438), Verdict.INFO, id="any-nonce"),
        pytest.param("TURN-ALLOC-06", Mutant(knows_no_pairs_of_ports), Verdict.SKIP, id="no-pairs"),
        pytest.param("TURN-ALLOC-07", Mutant(knows_no_pairs_of_ports), Verdict.SKIP, id="no-pairs"),
        pytest.param("TURN-ALLOC-12", Mutant(knows_no_pairs_of_ports), Verdict.SKIP, id="no-pairs"),
        pytest.param("TURN-GEN-01", Mutant(options=V6_ALONE), Verdict.SKIP, id="ipv6-alone"),
        pytest.param("TURN-GEN-02", Mutant(options=V6_ALONE), Verdict.SKIP, id="ipv6-alone"),
        pytest.param("TURN-GEN-02", Mutant(succeeding(401)), Verdict.INFO, id="open"),
        pytest.param("TURN-ALLOC-01", Mutant(succeeding(401)), Verdict.INFO, id="open"),
        pytest.param(
            "TURN-ALLOC-04", Mutant(options={"tcp_relay": True}), Verdict.PASS, id="400-to-tcp"
        ),
        pytest.param(
            "TURN-ALLOC-05", unsupported_dont_fragment(b"\x00\x1a"), Verdict.PASS, id="unknown"
        ),
        pytest.param("TURN-ALLOC-09", Mutant(options=V4_ALONE), Verdict.PASS, id="ipv4-alone"),
        pytest.param("TURN-ALLOC-09", Mutant(options=V6_ALONE), Verdict.PASS, id="ipv6-alone"),
        pytest.param("TURN-ALLOC-11", Mutant(options=V4_ALONE), Verdict.SKIP, id="ipv4-alone"),
        pytest.param("TURN-ALLOC-15", Mutant(options=V4_ALONE), Verdict.SKIP, id="ipv4-alone"),
        pytest.param(
            "TURN-ALLOC-13", Mutant(options={"max_port": 65_535}), Verdict.SKIP, id="many-ports"
        ),
        pytest.param(
            "TURN-ALLOC-17",
            Mutant(Full(Method.ALLOCATE), options=FEW_ALLOCATIONS),
            Verdict.INFO,
            id="remembers",
        ),
        pytest.param(
            "TURN-ALLOC-21", Mutant(options={"min_port": 1024}), Verdict.INFO, id="all-ports"
        ),
        pytest.param("TURN-ALLOC-22", narrow(40), Verdict.PASS, id="used-up-at-random"),
        pytest.param("TURN-ALLOC-22", narrow(400), Verdict.PASS, id="narrow"),
        pytest.param("TURN-ALLOC-22", narrow(20), Verdict.SKIP, id="too-few"),
        pytest.param(
            "TURN-ALLOC-23", Mutant(options={"max_lifetime": 600}), Verdict.PASS, id="short"
        ),
        pytest.param(
            "TURN-ALLOC-23",
            Mutant(options={"default_lifetime": 300, "max_lifetime": 300}),
            Verdict.INFO,
            id="shorter",
        ),
        pytest.param(
            "TURN-ALLOC-23",
            Mutant(options={"default_lifetime": 300}),
            Verdict.INFO,
            id="less-by-default",
        ),
        pytest.param(
            "TURN-ALLOC-23",
            Mutant(options={"default_lifetime": 2400}),
            Verdict.INFO,
            id="more-by-default",
        ),
        pytest.param(
            "TURN-ALLOC-29",
            with_error(is_success(Method.CHANNEL_BIND), 403),
            Verdict.SKIP,
            id="no-channels",
        ),
        pytest.param("TURN-SEND-05", up_to(1500), Verdict.INFO, id="up-to-1500"),
        pytest.param("TURN-SEND-05", up_to(60_000), Verdict.INFO, id="up-to-60000"),
        pytest.param("TURN-CDATA-01", up_to(1500), Verdict.INFO, id="up-to-1500"),
        pytest.param("TURN-CDATA-01", up_to(60_000), Verdict.INFO, id="up-to-60000"),
        pytest.param("TURN-DATA-01", up_to(1500), Verdict.INFO, id="up-to-1500"),
        pytest.param("TURN-DATA-01", up_to(60_000), Verdict.INFO, id="up-to-60000"),
        pytest.param(
            "TURN-TCP-07", with_error(is_success(Method.CONNECT), 400), Verdict.SKIP, id="no-peers"
        ),
        pytest.param(
            "TURN-TCP-11", with_error(is_success(Method.CONNECT), 447), Verdict.SKIP, id="firewall"
        ),
        pytest.param(
            "TURN-MOB-08", with_error(is_success(Method.REFRESH), 400), Verdict.SKIP, id="no-moves"
        ),
        pytest.param(
            "TURN-PERM-01",
            with_error(is_success(Method.CREATE_PERMISSION), 400),
            Verdict.SKIP,
            id="no-permissions",
        ),
        pytest.param("TURN-IP-02", Mutant(hear=lambda _: b"late"), Verdict.SKIP, id="another's"),
        pytest.param("TURN-IP-05", up_to(1500), Verdict.SKIP, id="up-to-1500"),
        pytest.param("NATB-02", behind_a_nat(), Verdict.SKIP, id="behind-a-nat"),
        pytest.param("NATB-03", behind_a_nat(), Verdict.SKIP, id="behind-a-nat"),
        pytest.param("NATB-04", behind_a_nat(), Verdict.SKIP, id="behind-a-nat"),
        pytest.param("SEC-09", Mutant(take=Banning()), Verdict.SKIP, id="bans"),
        pytest.param(
            "SEC-13",
            Mutant(take=lambda _: None, reply=greet),
            Verdict.PASS,
            id="dtls-alone",
        ),
        pytest.param(
            "STUNS-TCP-09",
            Mutant(reply=lambda data: b"hello" if data[:1] == b"\x16" else None),
            Verdict.SKIP,
            id="no-dtls",
        ),
        pytest.param(
            "TURN-ALLOC-23", Mutant(options={"max_lifetime": 7200}), Verdict.INFO, id="long"
        ),
        pytest.param(
            "TURN-ALLOC-25", Mutant(options={"max_allocations": 1}), Verdict.SKIP, id="one-alone"
        ),
        pytest.param(
            "TURN-ALLOC-28",
            Mutant(Full(Method.ALLOCATE), options=FEW_PORTS),
            Verdict.INFO,
            id="remembers",
        ),
    ],
)
def test_what_the_rfc_leaves_open_is_not_failed(
    row_id: str, server: Mutant, verdict: Verdict
) -> None:
    setup = SETUPS.get(row_id)

    report = run_rows([ROWS[row_id]], server, setup=setup, surveyed=Survey())

    outcomes = {each.row_id: each.outcome for each in report.results}
    assert outcomes[row_id].verdict is verdict, outcomes[row_id].detail


@pytest.mark.long  # every row that is not slow
def test_answers_that_come_twice_are_not_laid_at_the_servers_door() -> None:
    failed = {
        each.row_id: each.outcome.detail
        for row in ROWS.values()
        if not row.slow
        for each in run_rows(
            [row], Mutant(answers_twice=True), setup=SETUPS.get(row.id), surveyed=Survey()
        ).results
        if each.outcome.verdict is Verdict.FAIL
    }

    assert failed == {}


def test_who_binds_no_channel_is_not_praised_for_binding_none_to_tunneled_addresses() -> None:
    unable = with_error(is_success(Method.CHANNEL_BIND), 400)
    survey = Survey({Feature.PEER: "nothing passes", Feature.CHANNELS: "400"})

    report = run_rows([ROWS["TURN-ALLOC-29"]], unable, surveyed=survey)

    assert [each.outcome.verdict for each in report.results] == [Verdict.SKIP]


def test_who_redirects_nobody_is_not_praised_for_that() -> None:
    report = run_rows([ROWS["STUNS-ALT-02"]], surveyed=Survey())

    assert [each.outcome.verdict for each in report.results] == [Verdict.SKIP]


def test_who_redirects_strangers_is_failed_though_there_is_no_challenge_to_be_had() -> None:
    row, setup = ROWS["STUNS-ALT-02"], SETUPS["STUNS-ALT-02"]
    survey = Survey({Feature.LONG_TERM: "300", Feature.TURN: "300"})

    report = run_rows([row], Mutant(redirect_strangers), setup=setup, surveyed=survey)

    assert [each.outcome.verdict for each in report.results] == [Verdict.FAIL]


def test_a_server_that_wants_credentials_for_binding_is_failed_for_that_alone() -> None:
    about = ("COD-", "STUNS-BASE-", "STUNS-TCP-", "NATB-", "TURN-TCP-14")
    chosen = [row for row_id, row in ROWS.items() if row_id.startswith(about)]

    report = run_rows(chosen, Mutant(unauthorized))

    failed = {each.row_id for each in report.results if each.outcome.verdict is Verdict.FAIL}
    assert failed == {"STUNS-BASE-01", "STUNS-BASE-04"}
