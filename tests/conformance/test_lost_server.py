"""Rows that a server did not live through are not judged, unless they had it for themselves."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from conformance import Report, Row, Survey
from conformance.aio import Limits, run
from conformance.codes import Method
from conformance.outcome import Verdict
from conformance.probe import Probe

from .loopback import answering, success
from .running import QUICK, named, quick, target


async def outcomes(
    *rows: Row, dies_of: bytes, limits: Limits = QUICK
) -> tuple[list[Verdict], list[str], Report]:
    """What rows come to with a server that one message ends."""
    is_dead = False

    def answer(data: bytes) -> bytes | None:
        nonlocal is_dead
        is_dead |= data == dies_of
        return None if is_dead else success(data)

    async with answering(answer) as server:
        report = await run(target(server), rows=rows, limits=limits, surveyed=Survey())
    results = [each.outcome for each in report.results]
    return [each.verdict for each in results], [each.detail for each in results], report


async def deadly(probe: Probe) -> None:
    client = await probe.client()
    await client.send(b"the end")
    await client.request(Method.BINDING)


@pytest.mark.long  # until it is believed that the server does not come back
async def test_rows_that_the_server_did_not_live_through_are_not_judged() -> None:
    has_ended = asyncio.Event()

    async def deadly_to_all(probe: Probe) -> None:
        await (await probe.client()).send(b"the end")
        has_ended.set()
        await deadly(probe)

    async def victim(probe: Probe) -> None:
        await has_ended.wait()
        await (await probe.client()).request(Method.BINDING)

    verdicts, details, report = await outcomes(
        named(quick, 0),
        named(deadly_to_all, 1),
        named(victim, 2),
        named(quick, 3, alone=True),
        dies_of=b"the end",
    )

    during = "the server stopped answering during COD-HDR-02, COD-HDR-03"
    assert verdicts == [Verdict.PASS, Verdict.SKIP, Verdict.SKIP, Verdict.SKIP]
    assert details[1:] == [f"not judged: {during}"] * 2 + [f"not run: {during}"]
    assert report.how_it_ended == during
    assert report.exit_status == 2


@pytest.mark.long  # until it is believed that the server does not come back
async def test_a_row_that_had_the_server_for_itself_is_judged() -> None:
    verdicts, _, report = await outcomes(
        named(quick, 0), named(deadly, 1, alone=True), named(quick, 2), dies_of=b"the end"
    )

    assert verdicts == [Verdict.PASS, Verdict.FAIL, Verdict.PASS]
    assert (report.suspects, report.exit_status) == (("COD-HDR-02",), 1)


@pytest.mark.long  # until it is believed that the server does not come back
async def test_one_row_at_a_time_shows_which_ends_a_server() -> None:
    one = dataclasses.replace(QUICK, concurrency=1)

    verdicts, _, report = await outcomes(
        named(quick, 0), named(deadly, 1), named(quick, 2), dies_of=b"the end", limits=one
    )

    assert verdicts == [Verdict.PASS, Verdict.FAIL, Verdict.SKIP]
    assert report.suspects == ("COD-HDR-02",)


async def test_a_server_that_comes_back_is_judged_to_the_end() -> None:
    left = 2  # what the row sends is lost

    def answer(data: bytes) -> bytes | None:
        nonlocal left
        left -= 1
        return success(data) if left < 0 else None

    async with answering(answer) as server:
        rows = [named(deadly, 0), named(quick, 1, alone=True)]
        report = await run(target(server), rows=rows, limits=QUICK, surveyed=Survey())

    assert [each.outcome.verdict for each in report.results] == [Verdict.FAIL, Verdict.PASS]
    assert report.how_it_ended is None
