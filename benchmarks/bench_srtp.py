"""What a packet of media costs on the way out and in: header, protection, and back.

    pytest benchmarks/bench_srtp.py -o python_files='bench_*.py' -o python_functions='bench_*'

A row is RUN packets; the peer is libsrtp, in the rows that carry its name.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from media.rtp import HeaderExtension, RtpPacket, encode_extensions, pack_header
from media.srtp import SrtpProfile, SrtpReceiver, SrtpSender
from media.srtp.libsrtp import LibsrtpReceiver, LibsrtpSender

RUN = 40
"""Packets per call: an access unit of 48 kB."""

PAYLOAD = bytes(1160)
EXTENSION = encode_extensions([HeaderExtension(3, b"\0\0")])
SSRC = 7

Senders = type[SrtpSender] | type[LibsrtpSender]
Receivers = type[SrtpReceiver] | type[LibsrtpReceiver]

ENDS = [
    pytest.param(SrtpSender, SrtpReceiver, SrtpProfile.AEAD_AES_128_GCM, id="gcm128"),
    pytest.param(SrtpSender, SrtpReceiver, SrtpProfile.AEAD_AES_256_GCM, id="gcm256"),
    pytest.param(SrtpSender, SrtpReceiver, SrtpProfile.AES128_CM_SHA1_80, id="cm"),
    pytest.param(LibsrtpSender, LibsrtpReceiver, SrtpProfile.AEAD_AES_128_GCM, id="libsrtp-gcm128"),
]


def material(profile: SrtpProfile) -> tuple[bytes, bytes]:
    return bytes(profile.key_length), bytes(profile.salt_length)


def runs() -> Callable[[], list[bytes]]:
    """Headers of the next access unit, with every call."""
    starts = itertools.count(0, RUN)

    def headers() -> list[bytes]:
        start = next(starts)
        return [
            pack_header(96, number & 0xFFFF, 0, SSRC, EXTENSION)
            for number in range(start, start + RUN)
        ]

    return headers


@pytest.mark.parametrize(("sender", "receiver", "profile"), ENDS)
def bench_protect_one_by_one(
    benchmark: BenchmarkFixture, sender: Senders, receiver: Receivers, profile: SrtpProfile
) -> None:
    protect = sender(profile, *material(profile)).protect
    headers = runs()

    protected = benchmark(lambda: [protect(header, PAYLOAD) for header in headers()])

    assert len(protected) == RUN


@pytest.mark.parametrize(("sender", "receiver", "profile"), ENDS)
def bench_protect_a_run(
    benchmark: BenchmarkFixture, sender: Senders, receiver: Receivers, profile: SrtpProfile
) -> None:
    protect_run = sender(profile, *material(profile)).protect_run
    headers, payloads = runs(), [PAYLOAD] * RUN

    protected = benchmark(lambda: protect_run(headers(), payloads))

    assert len(protected) == RUN


@pytest.mark.parametrize(("sender", "receiver", "profile"), ENDS)
def bench_unprotect(
    benchmark: BenchmarkFixture, sender: Senders, receiver: Receivers, profile: SrtpProfile
) -> None:
    protect_run = sender(profile, *material(profile)).protect_run
    unprotect = receiver(profile, *material(profile)).unprotect
    headers, payloads = runs(), [PAYLOAD] * RUN

    def protected() -> tuple[tuple[list[bytes]], dict[str, object]]:
        return (protect_run(headers(), payloads),), {}

    plain = benchmark.pedantic(  # type: ignore[no-untyped-call]  # it has no annotations
        lambda packets: [unprotect(packet) for packet in packets], setup=protected, rounds=1000
    )

    assert plain[0].endswith(PAYLOAD)


@pytest.mark.parametrize("extension", [b"", EXTENSION], ids=["plain", "extension"])
def bench_decode_rtp(benchmark: BenchmarkFixture, extension: bytes) -> None:
    data = pack_header(96, 1, 2, SSRC, extension) + PAYLOAD

    packet = benchmark(lambda: [RtpPacket.decode(data) for _ in range(RUN)])

    assert packet[0].payload == PAYLOAD


def bench_pack_header(benchmark: BenchmarkFixture) -> None:
    headers = benchmark(runs())

    assert len(headers) == RUN
