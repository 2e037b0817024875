"""A capture is read again, block by block, and by Wireshark's own program where there is one."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.reports import to_pcapng
from conformance.reports.packets import checksum, udp_packet

from .report_of_a_run import ANSWER, BEGUN, HARNESS, HARNESS6, REPORT, REQUEST, SERVER, SERVER6

ENHANCED_PACKET = 6


def _blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    while data:
        kind, size = struct.unpack_from("<II", data)
        assert size % 4 == 0
        assert data[size - 4 : size] == data[4:8]
        yield kind, data[8 : size - 4]
        data = data[size:]


def _packets() -> list[tuple[float, bytes, bytes]]:
    found = []
    for kind, body in _blocks(to_pcapng(REPORT)):
        if kind == ENHANCED_PACKET:
            _, high, low, captured, original = struct.unpack_from("<IIIII", body)
            assert captured == original
            options = body[20 + captured + -captured % 4 :]
            size = struct.unpack_from("<HH", options)[1]
            when = (high << 32 | low) / 1e6
            found.append((when, body[20 : 20 + captured], options[4 : 4 + size]))
    return found


def test_a_capture_has_a_section_an_interface_and_a_packet_for_each_frame() -> None:
    kinds = [kind for kind, _ in _blocks(to_pcapng(REPORT))]

    assert kinds == [0x0A0D0D0A, 1, *[ENHANCED_PACKET] * 6]


def test_packets_stand_by_time_with_the_row_they_belong_to() -> None:
    packets = _packets()

    assert [when - BEGUN for when, _, _ in packets] == pytest.approx(
        [0.0, 0.001, 0.1, 0.2, 0.3, 1.0], abs=1e-5
    )
    assert packets[0][2].startswith(b"TURN-ALLOC-01 FAIL: ")
    assert packets[0][1].endswith(REQUEST)
    assert packets[1][1].endswith(ANSWER)


def test_the_segments_of_a_stream_follow_each_other() -> None:
    sent, received = (packet for _, packet, _ in _packets()[2:4])

    assert struct.unpack_from("!II", sent, 24) == (1, 1)
    assert struct.unpack_from("!II", received, 24) == (1, 1 + 2 * len(REQUEST))


@given(st.binary(max_size=64))
def test_checksums_are_those_of_a_host(data: bytes) -> None:
    packet = udp_packet(HARNESS, SERVER, data)
    pseudo = packet[12:20] + struct.pack("!xBH", 17, len(packet) - 20)

    assert checksum(packet[:20]) == 0
    assert checksum(pseudo + packet[20:]) == 0


@given(st.binary(max_size=64))
def test_checksums_over_ipv6_are_those_of_a_host(data: bytes) -> None:
    packet = udp_packet(HARNESS6, SERVER6, data)
    pseudo = packet[8:40] + struct.pack("!I3xB", len(packet) - 40, 17)

    assert checksum(pseudo + packet[40:]) == 0
