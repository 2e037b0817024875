"""A server that is silent to one thing fails the rows about that, and no others.

So does one that says the same to all requests of a method.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Set

import pytest

import conformance.rows
from conformance.codes import Attr, Class, Method
from conformance.outcome import Verdict
from conformance.reading import ReceivedMessage
from conformance.row import Feature, Row, registered
from conformance.survey import Survey

from .mutants import SETUPS, Mutant
from .mutants.changing import failing, is_success, parsed, with_error
from .mutants.mutant import only
from .world import run_rows

assert conformance.rows  # registers them

ROWS = {row.id: row for row in registered()}

REFRESHING = {f"TURN-REFR-{number:02}" for number in range(1, 11)}


def _silent_to_error(code: int) -> Mutant:
    return Mutant(lambda _, response: None if response.error_code == code else response.data)


def _silent_to(method: Method, message_class: Class = Class.REQUEST) -> Mutant:
    """Neither does it do what it is asked for."""

    def take(data: bytes) -> bytes | None:
        message = parsed(data)
        if message is None or message.method != method:
            return data
        return None if message.message_class is message_class else data

    return Mutant(take=take)


def _without_answers_that_grant(method: Method) -> Mutant:
    """It does what it is asked for."""
    return Mutant(lambda q, a: None if is_success(method)(q, a) else a.data)


def _always(method: Method, code: int) -> Mutant:
    """To who is let in."""

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        if response.error_code in (401, 438):
            return response.data
        return failing(code)(request, response)

    return Mutant(only(method, answer))


def _without_deletions() -> Mutant:
    def take(data: bytes) -> bytes | None:
        message = parsed(data)
        if message is None or message.method != Method.REFRESH:
            return data
        return None if message.number(Attr.LIFETIME) == 0 else data

    return Mutant(take=take)


def _without_data_indications() -> Mutant:
    return Mutant(tell=lambda data: None if data[:2] == b"\x00\x17" else data)


def _without_channel_data() -> Mutant:
    return Mutant(take=lambda data: None if data and 0x40 <= data[0] < 0x50 else data)


@pytest.mark.long  # every row that is not slow
@pytest.mark.parametrize(
    ("server", "about"),
    [
        pytest.param(
            _silent_to_error(420),
            (
                "COD-ATTR-05",
                "STUNS-BASE-07",
                "STUNS-BASE-08",
                "NATB-05",
                "NATB-10",
                "TURN-OAUTH-04",
            ),
            id="420",
        ),
        pytest.param(
            _silent_to_error(437),
            ("TURN-GEN-03", "TURN-ALLOC-02", "TURN-REFR", "TURN-TCP-06", "TURN-MOB-05"),
            id="437",
        ),
        pytest.param(_silent_to_error(438), ("STUNS-LTC-04", "STUNS-LTC-13"), id="438"),
        pytest.param(_silent_to_error(440), ("TURN-ALLOC-09", "TURN-ALLOC-11"), id="440"),
        pytest.param(
            _silent_to_error(441),
            ("TURN-GEN-05", "TURN-REFR-10", "TURN-TCP-15", "TURN-MOB-05", "SEC-18"),
            id="441",
        ),
        pytest.param(_silent_to_error(442), ("TURN-ALLOC-04", "TURN-TCP-05"), id="442"),
    ],
)
def test_silence_fails_the_rows_about_what_is_not_answered(
    server: Mutant, about: tuple[str, ...]
) -> None:
    failed = _failed([row for row in ROWS.values() if not row.slow], server, Survey())

    assert failed
    assert [row_id for row_id in failed if not row_id.startswith(about)] == []


@pytest.mark.long  # every row
@pytest.mark.parametrize(
    ("server", "about"),
    [
        pytest.param(_silent_to(Method.REFRESH), {"TURN-GEN-11", *REFRESHING}, id="no-Refresh"),
        pytest.param(
            _without_answers_that_grant(Method.REFRESH),
            {"TURN-GEN-11", *REFRESHING}
            - {f"TURN-REFR-{number}" for number in ("01", "05", "06", "07")},
            id="no-answer-to-Refresh",
        ),
        pytest.param(_always(Method.REFRESH, 400), {"TURN-GEN-11", *REFRESHING}, id="Refresh-400"),
        pytest.param(
            # That an allocation has ended cannot be told from its being there.
            _always(Method.REFRESH, 437),
            {"TURN-GEN-11", *REFRESHING} - {"TURN-REFR-07"},
            id="Refresh-437",
        ),
        pytest.param(
            _without_deletions(),
            {f"TURN-REFR-{number}" for number in ("01", "05", "06", "09", "10")},
            id="no-deletion",
        ),
        pytest.param(
            _silent_to(Method.CREATE_PERMISSION),
            {"TURN-PERM-03", "TURN-PERM-04", "TURN-PERM-12", "TURN-PERM-13"},
            id="no-CreatePermission",
        ),
        pytest.param(
            _silent_to(Method.CHANNEL_BIND),
            {"TURN-GEN-11", "TURN-CHAN-01", "TURN-CHAN-02", "TURN-CHAN-06"},
            id="no-ChannelBind",
        ),
        pytest.param(
            _silent_to(Method.SEND, Class.INDICATION),
            {"TURN-GEN-11", "TURN-SEND-04", "TURN-SEND-05", "TURN-SEND-09"},
            id="no-Send",
        ),
        pytest.param(
            _without_data_indications(),
            {"TURN-GEN-11", "TURN-DATA-01", "TURN-DATA-02", "TURN-DATA-04"},
            id="no-Data",
        ),
        pytest.param(
            _without_channel_data(),
            {"TURN-CDATA-01", "TURN-CDATA-08"}
            | {f"TURN-CHAN-{number}" for number in ("03", "05", "08", "10", "11", "12")},
            id="no-ChannelData",
        ),
    ],
)
def test_a_server_without_a_method_fails_the_rows_about_that(
    server: Mutant, about: Set[str]
) -> None:
    assert set(_failed(ROWS.values(), server, Survey(_lost(server)))) == about


def _failed(rows: Iterable[Row], server: Mutant, surveyed: Survey) -> list[str]:
    return [
        each.row_id
        for row in rows
        for each in run_rows([row], server, setup=SETUPS.get(row.id), surveyed=surveyed).results
        if each.outcome.verdict is Verdict.FAIL
    ]


def _lost(server: Mutant) -> Mapping[Feature, str]:
    """What is found out to be missing for what is broken, and not for the setup."""
    found = run_rows([], server).survey.missing
    return {feature: why for feature, why in found.items() if feature not in _missing()}


@functools.cache
def _missing() -> Mapping[Feature, str]:
    return run_rows([]).survey.missing


@pytest.mark.parametrize("row_id", ["COD-ATTR-04", "STUNS-LTC-17", "TURN-MOB-03", "SEC-24"])
def test_what_needs_a_refresh_is_skipped_where_there_is_none(row_id: str) -> None:
    server = _silent_to(Method.REFRESH)
    surveyed = Survey(_lost(server))

    report = run_rows([ROWS[row_id]], server, setup=SETUPS.get(row_id), surveyed=surveyed)

    outcome = report.results[0].outcome
    assert outcome.verdict is Verdict.SKIP
    assert outcome.detail == "not offered: Refresh; no answer to Refresh in 3 s"


@pytest.mark.parametrize(
    "row_id",
    [
        "COD-ATTR-03",
        "COD-TXT-03",
        "COD-MI-05",
        "STUNS-BASE-07",
        "STUNS-LTC-01",
        "STUNS-LTC-11",
        "STUNS-LTC-13",
        "STUNS-LTC-20",
        "TURN-GEN-03",
        "TURN-GEN-05",
        "TURN-GEN-08",
        "TURN-GEN-10",
        "TURN-ALLOC-02",
        "TURN-ALLOC-24",
        "TURN-OAUTH-02",
        "SEC-18",
        "SEC-19",
    ],
)
def test_what_shows_without_a_refresh_is_judged_where_there_is_none(row_id: str) -> None:
    server = _silent_to(Method.REFRESH)
    surveyed = Survey(_lost(server))

    report = run_rows([ROWS[row_id]], server, setup=SETUPS.get(row_id), surveyed=surveyed)

    assert [each.outcome.verdict for each in report.results] == [Verdict.PASS]


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        pytest.param(437, Verdict.FAIL, id="gone"),
        pytest.param(403, Verdict.PASS, id="forbidden"),
    ],
)
def test_without_a_refresh_permissions_tell_whether_an_allocation_is_there(
    code: int, verdict: Verdict
) -> None:
    server = with_error(is_success(Method.CREATE_PERMISSION), code)
    surveyed = Survey({Feature.REFRESH: "seen"})

    report = run_rows([ROWS["TURN-ALLOC-02"]], server, surveyed=surveyed)

    assert [each.outcome.verdict for each in report.results] == [verdict]


def test_without_a_refresh_and_permissions_nothing_tells_whether_an_allocation_is_there() -> None:
    surveyed = Survey({Feature.REFRESH: "seen", Feature.PERMISSIONS: "seen"})

    report = run_rows([ROWS["TURN-ALLOC-02"]], surveyed=surveyed)

    assert [each.outcome.verdict for each in report.results] == [Verdict.SKIP]


def test_a_server_that_grants_nobody_anything_is_not_asked_what_it_refuses() -> None:
    each_method = (Feature.REFRESH, Feature.PERMISSIONS, Feature.CHANNELS)
    surveyed = Survey(dict.fromkeys(each_method, "seen"))

    report = run_rows([ROWS["TURN-GEN-03"]], surveyed=surveyed)

    assert [each.outcome.verdict for each in report.results] == [Verdict.SKIP]
