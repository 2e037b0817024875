"""A run against real sockets comes to an end, whatever the server does."""

from __future__ import annotations

import asyncio
import dataclasses
import logging

import pytest

from conformance import Credential, RowResult, Survey, Target, TargetUnusable, registered
from conformance.aio import run
from conformance.building import address, channel_data
from conformance.codes import Attr, Method
from conformance.outcome import Outcome, Verdict
from conformance.probe import Probe
from conformance.reading import read_address
from conformance.row import Run
from transport import TransportAddress, TransportProtocol

from .loopback import CLOSED, answering, hanging_up, relay, success, two_at_a_time
from .running import QUICK, REQUIREMENT, named, quick, row, target


async def why_unusable(tested: Target) -> str:
    with pytest.raises(TargetUnusable) as caught:
        await run(tested, limits=QUICK)
    return str(caught.value)


async def test_nothing_at_a_port_is_told() -> None:
    assert "no answer to a Binding request in 0.1 s" in await why_unusable(target(CLOSED))


async def test_a_refused_connection_is_told() -> None:
    assert "refused" in await why_unusable(target(CLOSED, TransportProtocol.TCP))


@pytest.mark.parametrize("user", [0, 1], ids=["first", "second"])
async def test_who_is_not_let_in_is_told(user: int) -> None:
    async with relay() as server:
        tested = target(server.addresses[0])
        wrong = Credential(tested.credentials[user].username, "wrong")
        others = [each for each in tested.credentials if each.username != wrong.username]
        credentials = (wrong, *others) if user == 0 else (*others, wrong)

        problem = await why_unusable(dataclasses.replace(tested, credentials=credentials))

    assert problem == f"the server does not let {wrong.username} in (401): a wrong password?"


async def test_garbage_is_told_and_shown() -> None:
    async with answering(lambda _: b"HTTP/1.1 400") as server:
        assert "12 bytes come back that are no STUN: 48 54" in await why_unusable(target(server))


async def test_a_server_that_closes_the_connection_at_once_is_told() -> None:
    async with hanging_up() as server:
        problem = await why_unusable(target(server, TransportProtocol.TCP))

    assert problem == "the server closes the connection at once"


async def test_garbage_over_a_stream_is_told() -> None:
    async with hanging_up(b"\x7fSSH") as server:
        problem = await why_unusable(target(server, TransportProtocol.TCP))

    assert problem.startswith("4 bytes come back that are no STUN")


async def test_a_server_that_is_too_slow_to_tell_its_answers_from_silence_is_not_judged() -> None:
    async with answering(success, delay=0.04) as server:
        assert (await why_unusable(target(server))).startswith("too slow: an answer takes 0.0")


async def test_a_server_that_answers_once_is_not_judged() -> None:
    answers = iter([True])
    async with answering(lambda data: success(data) if next(answers, False) else None) as server:
        assert "a second Binding request is not answered" in await why_unusable(target(server))


@pytest.mark.long  # there is no answer to some of what is asked
async def test_where_turn_is_missing_what_needs_it_is_not_asked_for() -> None:
    async with answering(lambda data: success(data) if data[1] == 1 else None) as server:
        report = await run(target(server), rows=[], limits=QUICK)

    reasons = {feature.name: how for feature, how in report.survey.missing.items()}
    assert "no answer to Allocate" in reasons["TURN"]
    assert reasons["MOBILITY"] == "there are no TURN allocations"


async def test_nothing_is_said_of_fragments_where_all_fits() -> None:
    rows = [each for each in registered() if each.id == "TURN-IP-05"]
    async with relay() as server:
        report = await run(target(server.addresses[0]), rows=rows, limits=QUICK)

    (result,) = report.results
    assert result.outcome.verdict is Verdict.INFO
    assert "all fits" in result.outcome.detail


async def test_rows_pass_against_our_relay() -> None:
    rows = [each for each in registered() if each.id in ("STUNS-BASE-01", "STUNS-BASE-02")]
    seen: list[RowResult] = []
    async with relay() as server:
        report = await run(
            target(server.addresses[0]),
            rows=rows,
            limits=QUICK,
            surveyed=Survey(),
            on_result=seen.append,
        )

    assert [each.outcome.verdict for each in report.results] == [Verdict.PASS] * 2
    assert len(seen) == 2
    assert (report.exit_status, report.is_complete) == (0, True)
    assert report.begun > 0


async def test_what_is_stopped_leaves_nothing_allocated_and_keeps_what_is_known() -> None:
    stop = asyncio.Event()

    async def endless(probe: Probe) -> None:
        await probe.allocate()
        stop.set()
        await asyncio.Event().wait()

    first, second = (dataclasses.replace(REQUIREMENT, id=each.id) for each in registered()[:2])
    rows = [
        dataclasses.replace(row(quick), requirement=first),
        dataclasses.replace(row(endless, alone=True), requirement=second),
    ]
    async with relay() as server:
        report = await run(
            target(server.addresses[0]), rows=rows, limits=QUICK, surveyed=Survey(), stop=stop
        )
        assert server.allocations() == ()

    assert not report.is_complete
    assert [(each.row_id, each.outcome) for each in report.results] == [
        (first.id, Outcome(Verdict.PASS))
    ]


async def test_a_server_whose_connections_a_row_has_used_up_recovers_before_the_next() -> None:
    async def takes_both(probe: Probe) -> None:
        for client in (await probe.client(), await probe.client()):
            await client.request(Method.BINDING)

    async def takes_one(probe: Probe) -> None:
        await (await probe.client()).request(Method.BINDING)

    first, second = (dataclasses.replace(REQUIREMENT, id=each.id) for each in registered()[:2])
    rows = [
        dataclasses.replace(row(takes_both, alone=True), requirement=first),
        dataclasses.replace(row(takes_one, alone=True), requirement=second),
    ]
    async with two_at_a_time(late=0.05) as server:
        tested = target(server, TransportProtocol.TCP)
        report = await run(tested, rows=rows, limits=QUICK, surveyed=Survey())

    assert [each.outcome.verdict for each in report.results] == [Verdict.PASS] * 2


async def outcome(program: Run, server: TransportAddress = CLOSED) -> Outcome:
    report = await run(target(server), rows=[row(program)], limits=QUICK, surveyed=Survey())
    return report.results[0].outcome


async def test_an_answer_that_cannot_be_read_is_no_verdict() -> None:
    async def malformed(_: Probe) -> None:
        read_address(address(CLOSED)[:5])

    found = await outcome(malformed)

    assert found.verdict is Verdict.SKIP
    assert "cannot be read" in found.detail


async def test_a_fault_in_closing_ends_no_other_row(caplog: pytest.LogCaptureFixture) -> None:
    async def cannot_be_closed(probe: Probe) -> None:
        probe.close = broken  # type: ignore[method-assign]  # as a socket may break

    async def broken() -> None:
        raise TypeError

    async with answering(success) as server:
        rows = [named(cannot_be_closed, 0), named(quick, 1)]
        with caplog.at_level(logging.CRITICAL):
            report = await run(target(server), rows=rows, limits=QUICK, surveyed=Survey())

    assert [each.outcome.verdict for each in report.results] == [Verdict.PASS] * 2


async def test_a_fault_of_the_harness_is_no_verdict(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_: Probe) -> None:
        raise KeyError(Attr.REALM)

    with caplog.at_level(logging.CRITICAL):
        found = await outcome(broken)

    assert found.verdict is Verdict.SKIP
    assert "a fault of this harness: KeyError" in found.detail


async def test_an_address_that_this_host_does_not_have_is_no_verdict() -> None:
    async def elsewhere(probe: Probe) -> None:
        await probe.wire.open_datagrams(TransportAddress.parse("192.0.2.1", 0).ip)

    found = await outcome(elsewhere)

    assert found.verdict is Verdict.SKIP
    assert "this host does not let the row be run" in found.detail


async def test_a_report_where_nothing_passed_is_no_success() -> None:
    report = await run(target(CLOSED), rows=[], limits=QUICK, surveyed=Survey())

    assert report.exit_status == 2


@pytest.mark.parametrize(
    ("other", "verdicts"),
    [
        pytest.param(b"asked before", [], id="late"),
        pytest.param(b"nobody asked", [Verdict.FAIL], id="stray"),
    ],
)
async def test_an_answer_is_stray_only_if_nothing_has_asked_for_it(
    other: bytes, verdicts: list[Verdict]
) -> None:
    pending = [other]

    def answer(data: bytes) -> bytes:
        tail = data[:8] + pending.pop() if pending else data
        return success(tail)

    async def ask(probe: Probe) -> None:
        client = await probe.client()
        await client.send(channel_data(0x4000, b"asked before"))
        await client.request(Method.BINDING)

    async with answering(answer) as server:
        report = await run(target(server), rows=[row(ask)], limits=QUICK, surveyed=Survey())

    strays = [each for each in report.results if each.row_id == "COD-HDR-08"]
    assert [each.outcome.verdict for each in strays] == verdicts
