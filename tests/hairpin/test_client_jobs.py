"""Scripts of ``hairpin conformance client`` beside each other."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys

import pytest

from conformance.clients import scripts
from conformance.outcome import RowResult, Verdict
from hairpin.conforming.scripting import ClientPlan, choose_scripts, play_all
from hairpin.errors import HairpinError
from transport import TransportAddress, TransportProtocol
from turn.aio import Endpoint

from .conforming import client_command

ANYWHERE = TransportAddress.parse("127.0.0.1", 0)
SLEEPER = "import os, sys, time; open(sys.argv[1] + str(os.getpid()), 'w'); time.sleep(60)"


def plan_of(*prefixes: str, command: str | None, jobs: int | None = None) -> ClientPlan:
    return ClientPlan(
        scripts=choose_scripts(prefixes, slow=False),
        listen=(Endpoint(TransportProtocol.UDP, ANYWHERE),),
        user=("ann", "secret"),
        realm="r",
        peer=ANYWHERE,
        other=ANYWHERE,
        command=command,
        status_tells=True,
        jobs=jobs,
    )


@pytest.mark.parametrize(
    ("command", "jobs", "at_once"),
    [
        pytest.param(None, None, 1, id="a-person"),
        pytest.param("mine 3478", None, 1, id="one-port"),
        pytest.param("mine {port}", None, 4, id="by-itself"),
        pytest.param("mine {port}", 2, 2, id="as-asked"),
        pytest.param("mine {port}", 16, 15, id="no-more-than-scripts"),
    ],
)
def test_scripts_are_played_beside_each_other_where_the_command_is_told_the_port(
    command: str | None, jobs: int | None, at_once: int
) -> None:
    assert plan_of("STUNC-LTC", command=command, jobs=jobs).at_once == at_once


@pytest.mark.long
async def test_verdicts_do_not_depend_on_how_many_are_played_at_once() -> None:
    wanted = ("STUNC-RX-03", "STUNC-RX-04", "STUNC-LTC-01", "TURNC-PERM-01")

    async def verdicts(jobs: int) -> dict[str, Verdict]:
        results: list[RowResult] = []
        await play_all(plan_of(*wanted, command=client_command(), jobs=jobs), results.append)
        return {each.row_id: each.outcome.verdict for each in results}

    alone, beside = await asyncio.gather(verdicts(1), verdicts(4))

    assert alone == beside
    assert [alone[each] for each in wanted] == [
        *(Verdict.FAIL, Verdict.SKIP, Verdict.PASS, Verdict.SKIP)
    ]


async def test_a_command_that_is_not_there_ends_the_run_once() -> None:
    plan = plan_of("STUNC-LTC", command="/nonexistent/client {port}")

    with pytest.raises(HairpinError, match="--command"):
        await play_all(plan, lambda _: None)


async def test_an_address_that_is_not_ours_is_named() -> None:
    elsewhere = Endpoint(TransportProtocol.UDP, TransportAddress.parse("192.0.2.1", 0))
    plan = dataclasses.replace(plan_of("STUNC-LTC", command="x {port}"), listen=(elsewhere,))

    with pytest.raises(HairpinError, match="192"):
        await play_all(plan, lambda _: None)


@pytest.mark.long
def test_ctrl_c_ends_the_clients_and_reports_what_is_known(tmp_path: pathlib.Path) -> None:
    clients, report = tmp_path / "clients", tmp_path / "report.json"
    clients.mkdir()
    command = shlex.join([sys.executable, "-c", SLEEPER, f"{clients}/", "{port}"])
    run = subprocess.Popen(
        [
            *(sys.executable, "-c", "from hairpin.cli import main; main()"),
            *("conformance", "client", "--listen", "udp://127.0.0.1:0", "--jobs", "2"),
            *("--script", "STUNC-TCP-01", "--script", "STUNC-LTC"),
            *("--command", command, "--json", str(report)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert run.stderr is not None
    while b"SKIP" not in (line := run.stderr.readline()):
        assert line
    while len(list(clients.iterdir())) < 2:
        assert run.poll() is None

    run.send_signal(signal.SIGINT)
    run.communicate(timeout=50)

    assert run.returncode == 130
    assert [row["id"] for row in json.loads(report.read_bytes())["rows"]] == ["STUNC-TCP-01"]
    for each in clients.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(each.name), 0)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        pytest.param(None, "a client", id="nobody-knows"),
        pytest.param("/usr/bin/turnutils_uclient -p {port}", "turnutils_uclient", id="program"),
        pytest.param("python3 -I tests/mine.py {port}", "mine.py", id="interpreted"),
        pytest.param("python3 -c 'print(1)' {port}", "python3", id="inline"),
    ],
)
def test_a_client_is_called_what_its_command_is(command: str | None, name: str) -> None:
    assert plan_of("STUNC-LTC", command=command).client == name


def test_scripts_are_reported_in_the_order_of_the_catalogue() -> None:
    chosen = choose_scripts(["STUNC-RX", "STUNC-UDP"], slow=False)

    assert [each.id for each in chosen] == [
        each.id for each in scripts() if each.id.startswith(("STUNC-RX", "STUNC-UDP"))
    ]
