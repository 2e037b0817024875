"""``hairpin conformance client`` with real clients: hairpin's drivers, and coturn's client.

What other clients do not do is theirs to publish: of coturn's a few rows are asserted that no
TURN client can live without, and that a run comes to its end.
"""

from __future__ import annotations

import asyncio
import pathlib
import shlex
import sys

import msgspec
import pytest

from .conftest import need
from .process import communicate

pytestmark = [pytest.mark.interop, pytest.mark.timeout(450)]

OURS = pathlib.Path(__file__).parent / "our_client.py"
WITHIN = 400.0
"""Seconds for a run: it takes one minute where nothing else is run."""

SHORT = (
    *("COD-HDR-07", "STUNC-UDP-01", "STUNC-UDP-02", "STUNC-UDP-07", "STUNC-UDP-08"),
    *("STUNC-UDP-09", "STUNC-UDP-12", "STUNC-TCP-01", "STUNC-TCP-03", "STUNC-TCP-04"),
    *("STUNC-TCP-05", "STUNC-RX", "STUNC-STC", "STUNC-LTC", "STUNC-ALT"),
    *("TURNC-ALLOC", "TURNC-LIFE-02", "TURNC-LIFE-05", "TURNC-PERM", "TURNC-CHAN"),
)
"""Scripts that take no more than some seconds each."""

UNDONE = {"TURNC-ALLOC-06": "no allocation in two families is made twice"}
OPEN = {"TURNC-ALLOC-09": "a client may do without DONT-FRAGMENT, or give up"}
OF_ANY_CLIENT = (
    *("STUNC-UDP-01", "STUNC-UDP-08", "STUNC-LTC-01", "STUNC-LTC-02", "STUNC-LTC-04"),
    *("TURNC-ALLOC-01", "TURNC-CHAN-04"),
)


class Row(msgspec.Struct):
    id: str
    verdict: str
    detail: str = ""


class Document(msgspec.Struct):
    rows: list[Row]


async def played(
    command: str, *options: str, scripts: tuple[str, ...], report: pathlib.Path
) -> dict[str, Row]:
    """What a run of scripts comes to that runs to its end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from hairpin.cli import main; main()"),
        *("conformance", "client", "--listen", "udp://127.0.0.1:0"),
        *("--listen", "tcp://127.0.0.1:0", "--command", command, "--jobs", "6", *options),
        *(word for each in scripts for word in ("--script", each)),
        *("--json", str(report)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await communicate(process, within=WITHIN)
    assert process.returncode in (0, 1), said.decode()
    return rows_of(report)


def rows_of(report: pathlib.Path) -> dict[str, Row]:
    document = msgspec.json.decode(report.read_bytes(), type=Document)
    return {row.id: row for row in document.rows}


async def test_our_drivers_pass_what_they_do(tmp_path: pathlib.Path) -> None:
    words = "{action} {host} {port} {transport} {user} {password} {peer} {other}"
    command = f"{shlex.join([sys.executable, str(OURS)])} {words}"

    rows = await played(command, "--status-tells", scripts=SHORT, report=tmp_path / "report")

    assert {row.id: row.detail for row in rows.values() if row.verdict == "FAIL"} == {}
    passed = {row.id for row in rows.values() if row.verdict == "PASS"}
    assert set(rows) - passed == {*UNDONE, *OPEN}


async def test_coturns_client_is_judged_to_the_end(tmp_path: pathlib.Path) -> None:
    options = "-u {user} -w {password} -p {port} -e {peer_host} -r {peer_port} -n 20 -z 500"
    command = f"{need('turnutils_uclient')} {options} {{host}}"

    rows = await played(command, scripts=SHORT, report=tmp_path / "report")

    assert {each for each in OF_ANY_CLIENT if rows[each].verdict != "PASS"} == set()
    assert all(row.detail for row in rows.values() if row.verdict in ("SKIP", "FAIL"))
