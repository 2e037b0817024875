"""Our GCM and AES-CM against libsrtp, and libsrtp behind our shapes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import pack_header
from media.srtp import SrtpError, SrtpFailure, SrtpProfile, SrtpReceiver, SrtpSender
from media.srtp.libsrtp import (
    MAX_PROTECTED_LENGTH,
    MAX_RTCP_LENGTH,
    MAX_RTP_LENGTH,
    LibsrtpReceiver,
    LibsrtpSender,
)

from .conftest import material

GCM = [SrtpProfile.AEAD_AES_128_GCM, SrtpProfile.AEAD_AES_256_GCM]
CM = SrtpProfile.AES128_CM_SHA1_80
RTCP = bytes.fromhex("80c9000100000007")

# Strides of a sender, up to the greatest that it may make, so that a few dozen wrap twice.
strides = st.lists(
    st.one_of(st.integers(1, 3), st.integers(1, 2000), st.integers(0x7000, 0x7FFF)),
    min_size=1,
    max_size=40,
)


def header(number: int, extension: bytes = b"") -> bytes:
    return pack_header(96, number & 0xFFFF, 0, 7, extension)


def indexes(start: int, strides: list[int]) -> list[int]:
    numbers = [start]
    for stride in strides:
        numbers.append(numbers[-1] + stride)
    return numbers


def outcome(receiver: SrtpReceiver | LibsrtpReceiver, data: bytes) -> bytes | SrtpFailure:
    try:
        return receiver.unprotect(data)
    except SrtpError as error:
        return error.reason


@pytest.mark.requirement("sdp-media:SEC05")
@given(st.sampled_from(SrtpProfile), st.integers(0, 0xFFFF), strides, st.binary(max_size=40))
def test_both_senders_make_the_same_bytes(
    profile: SrtpProfile, start: int, strides: list[int], payload: bytes
) -> None:
    ours = SrtpSender(profile, *material(profile))
    libsrtp = LibsrtpSender(profile, *material(profile))

    for number in indexes(start, strides):
        assert ours.protect(header(number), payload) == libsrtp.protect(header(number), payload)


@pytest.mark.requirement("sdp-media:SEC05")
@given(st.sampled_from(SrtpProfile), st.integers(0, 0xFFFF), st.integers(1, 40))
def test_a_run_is_the_bytes_that_libsrtp_makes(
    profile: SrtpProfile, start: int, count: int
) -> None:
    ours = SrtpSender(profile, *material(profile))
    libsrtp = LibsrtpSender(profile, *material(profile))
    run = [header(number) for number in range(start, start + count)], [b"payload"] * count

    assert ours.protect_run(*run) == libsrtp.protect_run(*run)


@pytest.mark.requirement("sdp-media:SEC05")
@pytest.mark.requirement("sdp-media:SEC06")
@given(st.sampled_from(GCM), st.integers(0, 0x7FFF), strides, st.data())
def test_both_receivers_take_and_refuse_the_same_packets(
    profile: SrtpProfile, start: int, strides: list[int], data: st.DataObject
) -> None:
    sender = SrtpSender(profile, *material(profile))
    sent = [sender.protect(header(number), b"payload") for number in indexes(start, strides)]
    # Loss, duplication and reordering, each packet up to 4 places from where it was sent.
    fates = data.draw(
        st.lists(
            st.tuples(st.integers(0, len(sent) - 1), st.integers(0, 4)),
            max_size=2 * len(sent),
        )
    )
    arriving = [sent[i] for i, _ in sorted(fates, key=lambda fate: fate[0] + fate[1])]
    ours = SrtpReceiver(profile, *material(profile))
    libsrtp = LibsrtpReceiver(profile, *material(profile))

    for packet in arriving:
        assert outcome(ours, packet) == outcome(libsrtp, packet)


@pytest.mark.parametrize("profile", SrtpProfile)
def test_rtcp_passes_both_ways_between_ours_and_libsrtp(profile: SrtpProfile) -> None:
    key, salt = material(profile)
    ours, libsrtp = SrtpSender(profile, key, salt), LibsrtpSender(profile, key, salt)
    at_ours, at_libsrtp = SrtpReceiver(profile, key, salt), LibsrtpReceiver(profile, key, salt)

    for _ in range(3):
        assert at_libsrtp.unprotect_rtcp(ours.protect_rtcp(RTCP)) == RTCP
        assert at_ours.unprotect_rtcp(libsrtp.protect_rtcp(RTCP)) == RTCP


@pytest.mark.parametrize("profile", SrtpProfile)
def test_extension_and_csrcs_pass_both_ways(profile: SrtpProfile) -> None:
    key, salt = material(profile)
    whole = bytearray(header(1, bytes.fromhex("bede000110aa0000")))
    whole[0] |= 1
    whole[12:12] = b"CSRC"
    packet = bytes(whole)

    protected = SrtpSender(profile, key, salt).protect(packet, b"payload")

    assert LibsrtpReceiver(profile, key, salt).unprotect(protected) == packet + b"payload"
    assert LibsrtpSender(profile, key, salt).protect(packet, b"payload") == protected


def test_the_longest_packets_pass_and_longer_ones_are_refused_with_the_reason() -> None:
    sender, receiver = LibsrtpSender(CM, *material(CM)), LibsrtpReceiver(CM, *material(CM))
    longest, longest_rtcp = bytes(MAX_RTP_LENGTH - 12), RTCP + bytes(MAX_RTCP_LENGTH - 8)

    assert receiver.unprotect(sender.protect(header(1), longest)) == header(1) + longest
    assert receiver.unprotect_rtcp(sender.protect_rtcp(longest_rtcp)) == longest_rtcp
    refused = [
        (sender.protect_rtcp, longest_rtcp + b"x"),
        (receiver.unprotect, b"\x80" + bytes(MAX_PROTECTED_LENGTH)),
        (receiver.unprotect_rtcp, b"\x80" + bytes(MAX_PROTECTED_LENGTH)),
    ]
    for call, data in refused:
        with pytest.raises(SrtpError) as caught:
            call(data)
        assert caught.value.reason is SrtpFailure.TOO_LONG


def test_a_refused_packet_uses_no_index() -> None:
    sender = LibsrtpSender(CM, *material(CM))
    with pytest.raises(SrtpError) as caught:
        sender.protect(header(1), bytes(MAX_RTP_LENGTH))

    assert caught.value.reason is SrtpFailure.TOO_LONG
    assert sender.protect(header(1), b"")
