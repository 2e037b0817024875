"""The example in docs/conformance.md runs as it stands, against our relay."""

from __future__ import annotations

import asyncio
import pathlib
import re
import sys

import pytest

from tests.conformance.loopback import relay

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "conformance.md"
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.mark.long
async def test_the_example_of_a_run_prints_verdicts_and_writes_a_page(
    tmp_path: pathlib.Path,
) -> None:
    """A process of its own has to start; of the rows it runs one, as all take a minute."""
    example = EXAMPLE.replace(
        "await run(target)",
        'await run(target, rows=[r for r in registered() if "BASE-01" in r.id])',
    ).replace("import Credential", "import registered, Credential")
    async with relay() as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", example.replace("3478", str(server.addresses[0].port))),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=tmp_path,
        )
        printed, complaints = await process.communicate()

    assert (printed, complaints) == (b"STUNS-BASE-01 PASS \n", b"")
    assert (tmp_path / "report.html").read_bytes().startswith(b"<!doctype html>")
