"""``hairpin conformance`` that Ctrl-C stops."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest

from tests.conformance.loopback import answering, relay

from .conforming import USERS, DyingOfGarbage, uri


@pytest.mark.long
async def test_ctrl_c_stops_with_what_is_known_so_far() -> None:
    allocated = asyncio.Event()
    async with relay(lambda _: allocated.set()) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from hairpin.cli import main; main()"),
            *("conformance", uri(server.addresses[0]), *USERS),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        await process.stderr.readline()
        await allocated.wait()
        process.send_signal(signal.SIGINT)
        stdout, stderr = await process.communicate()

    assert process.returncode == 130
    assert b"stopped before its end" in stdout
    assert stderr == b""


@pytest.mark.long
async def test_ctrl_c_is_told_by_the_exit_status_also_where_a_row_has_failed() -> None:
    has_begun = asyncio.Event()
    async with answering(DyingOfGarbage(has_begun.set)) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from hairpin.cli import main; main()"),
            *("conformance", f"stun:{server}"),
            *("--only", "STUNS-BASE-02", "--only", "SEC-15"),
            stdout=asyncio.subprocess.PIPE,
        )
        await has_begun.wait()
        process.send_signal(signal.SIGINT)
        stdout, _ = await process.communicate()

    assert process.returncode == 130
    assert b"0 PASS, 1 FAIL, 0 INFO, 0 SKIP; stopped before its end" in stdout
