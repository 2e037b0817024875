"""``hairpin conformance`` as who runs a server meets it."""

from __future__ import annotations

import json
import pathlib
import xml.etree.ElementTree as ET

import click
import pytest

from hairpin.errors import HairpinError
from tests.conformance.loopback import hanging_up, relay

from .conforming import USERS, invoke, invoke_beside, uri


@pytest.mark.long
async def test_a_server_that_is_right_passes_and_every_report_says_so(
    tmp_path: pathlib.Path,
) -> None:
    files = {name: tmp_path / f"report.{name}" for name in ("json", "junit", "pcap", "html")}
    options = [word for name, path in files.items() for word in (f"--{name}", str(path))]

    async with relay() as server:
        target = uri(server.addresses[0])
        result = await invoke_beside(target, *USERS, "--only", "stuns-base-01", *options)

    assert result.exit_code == 0, result.output
    assert "1 row, at most 400 datagrams a second from 127.0.0.1" in result.stderr
    assert "1 PASS, 0 FAIL, 0 INFO, 0 SKIP" in result.stdout
    rows = json.loads(files["json"].read_bytes())["rows"]
    assert [(row["id"], row["verdict"]) for row in rows] == [("STUNS-BASE-01", "PASS")]
    assert ET.parse(files["junit"]).getroot()[0].attrib["tests"] == "1"
    assert files["pcap"].read_bytes().startswith(b"\x0a\x0d\x0d\x0a")
    page = files["html"].read_text()
    assert "--only STUNS-BASE-01" in page
    assert "secret" not in page


@pytest.mark.long
async def test_json_to_standard_output_stands_there_alone() -> None:
    async with relay() as server:
        target = uri(server.addresses[0])
        result = await invoke_beside(target, *USERS, "--only", "STUNS-BASE-06", "--json", "-")

    assert result.exit_code == 2  # INFO alone is no success
    assert json.loads(result.stdout)["summary"]["INFO"] == 1


@pytest.mark.parametrize(
    ("greeting", "problem"),
    [
        pytest.param(b"", "the server closes the connection at once", id="closes"),
        pytest.param(b"\x7f\x1b[2J", "5 bytes come back that are no STUN: 7f 1b 5b", id="garbage"),
    ],
)
@pytest.mark.long
async def test_what_cannot_be_tested_is_one_line(greeting: bytes, problem: str) -> None:
    async with hanging_up(greeting) as server:
        result = await invoke_beside(uri(server, "?transport=tcp"), *USERS)

    assert result.exit_code == 2
    assert result.stdout == ""
    announced, line = result.stderr.splitlines()
    assert announced.startswith("turn:")
    assert "cannot be tested: " in line
    assert problem in line


def test_a_public_address_needs_a_word_of_who_operates_it() -> None:
    result = invoke("stun:8.8.8.8")

    assert result.exit_code == 2
    assert "8.8.8.8 is a public address" in result.stderr
    assert "say so with --i-operate-this-server" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_target_may_stand_behind_its_options() -> None:
    result = invoke("--only", "COD", "stun:8.8.8.8")

    assert "8.8.8.8 is a public address" in result.stderr


def test_help_shows_the_options_of_a_run() -> None:
    assert "--peer-address" in invoke("--help").output
    assert click.unstyle(invoke("compare", "--help").output).startswith("Usage: ")


@pytest.mark.parametrize("host", ["stun:[fe80::1]", "stun:no-such-host.invalid"])
def test_an_address_that_nothing_can_be_sent_to_is_one_line(host: str) -> None:
    result = invoke(host)

    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "cannot be tested" in result.stderr


@pytest.mark.long
async def test_a_report_that_cannot_be_written_is_told() -> None:
    async with relay() as server:
        target = uri(server.addresses[0])
        with pytest.raises(HairpinError, match="/dev/full cannot be written: No space"):
            await invoke_beside(target, *USERS, "--only", "STUNS-BASE-01", "--json", "/dev/full")
