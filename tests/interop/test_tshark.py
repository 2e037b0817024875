"""The captures of ``hairpin conformance --pcap``, read by Wireshark's own command."""

from __future__ import annotations

import pathlib
import subprocess

import pytest

from conformance.reports import to_pcapng
from tests.conformance.reports.report_of_a_run import REPORT

from .conftest import need

pytestmark = pytest.mark.interop


def test_tshark_reads_a_capture_and_finds_nothing_wrong(tmp_path: pathlib.Path) -> None:
    capture = tmp_path / "run.pcapng"
    capture.write_bytes(to_pcapng(REPORT))
    fields = (
        "ip.version",
        "udp.checksum.status",
        "tcp.checksum.status",
        "stun.type",
        "frame.comment",
    )
    checks = [f"-o{protocol}.check_checksum:TRUE" for protocol in ("ip", "udp", "tcp")]

    result = subprocess.run(
        [
            need("tshark"),
            "-r",
            str(capture),
            *checks,
            "-Tfields",
            *(f"-e{each}" for each in fields),
        ],
        capture_output=True,
        text=True,
        check=True,
    )

    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [line[0] for line in lines] == ["4", "4", "4", "4", "6", "4"]
    assert {line[1] for line in lines} | {line[2] for line in lines} == {"", "1"}
    assert lines[0][3] == "0x0003"
    assert lines[1][3] == "0x0103"
    assert lines[4][4] == "COD-HDR-01 PASS: a message starts with two zero bits"
