from __future__ import annotations

import struct
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import pack_header
from media.srtp import SrtpError, SrtpFailure, SrtpProfile, SrtpReceiver, SrtpSender
from media.srtp.index import MAX_STREAMS, REPLAY_WINDOW

from .conftest import material

RTCP = bytes.fromhex("80c9000100000007")
SSRC = 7


def header(number: int, ssrc: int = SSRC) -> bytes:
    return pack_header(96, number & 0xFFFF, 0, ssrc)


def protect(sender: SrtpSender, number: int, ssrc: int = SSRC) -> bytes:
    return sender.protect(header(number, ssrc), b"payload")


def refusal(function: object, *arguments: object) -> SrtpFailure:
    assert callable(function)
    with pytest.raises(SrtpError) as caught:
        function(*arguments)
    return caught.value.reason


def test_what_is_protected_comes_out_again(sender: SrtpSender, receiver: SrtpReceiver) -> None:
    extended = pack_header(96, 1, 2, SSRC, bytes.fromhex("bede000110aa0000"))

    protected = sender.protect(extended, b"payload")

    assert protected.startswith(extended)
    assert b"payload" not in protected
    assert receiver.unprotect(protected) == extended + b"payload"


def test_csrcs_stay_readable_and_authenticated(sender: SrtpSender, receiver: SrtpReceiver) -> None:
    with_csrc = b"\x81" + header(1)[1:] + b"CSRC"

    protected = sender.protect(with_csrc, b"")

    assert receiver.unprotect(protected) == with_csrc


def test_rtcp_comes_out_again(sender: SrtpSender, receiver: SrtpReceiver) -> None:
    packets = [RTCP, RTCP + bytes(40)]

    protected = [sender.protect_rtcp(packet) for packet in packets]

    assert [receiver.unprotect_rtcp(packet) for packet in protected] == packets


@pytest.mark.requirement("sdp-media:SEC05")
def test_a_run_is_what_its_packets_are_one_by_one(profile: SrtpProfile) -> None:
    headers = [header(number) for number in range(0xFFFD, 0x10003)]
    payloads = [bytes((i,)) * i for i in range(len(headers))]
    one_by_one = SrtpSender(profile, *material(profile))
    at_once = SrtpSender(profile, *material(profile))

    expected = [one_by_one.protect(h, p) for h, p in zip(headers, payloads, strict=True)]

    assert at_once.protect_run(headers[:2], payloads[:2]) == expected[:2]
    assert at_once.protect_run(headers[2:], payloads[2:]) == expected[2:]
    assert at_once.protect_run([], []) == []


@pytest.mark.requirement("sdp-media:SEC08")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(10, 10, id="the-same"),
        pytest.param(10, 9, id="one-before"),
        pytest.param(0, 0xFFFF, id="across-the-wrap"),
        pytest.param(0, 0x8000, id="too-far-ahead"),
    ],
)
def test_a_sequence_number_that_does_not_follow_is_refused(
    sender: SrtpSender, first: int, second: int
) -> None:
    protect(sender, first)

    assert refusal(sender.protect, header(second), b"payload") is SrtpFailure.INDEX_REUSED
    assert refusal(sender.protect_run, [header(second)], [b"x"]) is SrtpFailure.INDEX_REUSED
    assert protect(sender, first + 1)


@pytest.mark.requirement("sdp-media:SEC08")
def test_a_run_spends_its_indexes_even_when_it_fails(profile: SrtpProfile) -> None:
    sender = SrtpSender(profile, *material(profile))
    wrong: list[bytes] = [b"x", None]  # type: ignore[list-item]  # fails after the first
    with pytest.raises(TypeError):
        sender.protect_run([header(1), header(2)], wrong)

    assert refusal(sender.protect, header(1), b"another") is SrtpFailure.INDEX_REUSED


@pytest.mark.requirement("sdp-media:SEC08")
def test_no_two_packets_share_an_iv_whatever_is_asked(profile: SrtpProfile) -> None:
    """The index is recovered by a receiver that must accept each packet exactly once."""
    sender = SrtpSender(profile, *material(profile))
    receiver = SrtpReceiver(profile, *material(profile))
    accepted = 0
    for number in [0, 5, 5, 4, 6, 0x7000, 0x6FFF, 0xE000, 0xFFFF, 0, 0xFFFF, 1, 1, 0x4000]:
        try:
            protected = protect(sender, number)
        except SrtpError:
            continue
        receiver.unprotect(protected)
        accepted += 1

    assert accepted == 9


def test_headers_that_are_no_run_are_refused(sender: SrtpSender) -> None:
    with pytest.raises(ValueError, match="run"):
        sender.protect_run([header(1), header(3)], [b"", b""])


def test_a_short_header_is_a_mistake_of_the_caller(sender: SrtpSender) -> None:
    with pytest.raises(struct.error):
        sender.protect(b"\x80", b"")


def test_rtcp_without_an_ssrc_is_refused(sender: SrtpSender) -> None:
    assert refusal(sender.protect_rtcp, RTCP[:7]) is SrtpFailure.MALFORMED


@pytest.mark.requirement("sdp-media:SEC05")
def test_the_rollover_counter_survives_loss_and_reordering_around_the_wrap(
    sender: SrtpSender, receiver: SrtpReceiver
) -> None:
    numbers = [0xFFF0, 0xFFFE, 0xFFFF, 0x10000, 0x10001, 0x18000, 0x1F000, 0x1FFFF, 0x20005]
    protected = {number: protect(sender, number) for number in numbers}

    # 0x10000 is lost; the packets before the first wrap come late.
    for number in [0xFFF0, 0x10001, 0xFFFF, 0xFFFE, 0x18000, 0x1F000, 0x20005, 0x1FFFF]:
        assert receiver.unprotect(protected[number]) == header(number) + b"payload"


@pytest.mark.requirement("sdp-media:SEC06")
def test_a_packet_is_accepted_once(sender: SrtpSender, receiver: SrtpReceiver) -> None:
    first, second = protect(sender, 1), protect(sender, 2)
    receiver.unprotect(first)
    receiver.unprotect(second)

    assert refusal(receiver.unprotect, first) is SrtpFailure.REPLAYED
    assert refusal(receiver.unprotect, second) is SrtpFailure.REPLAYED


@pytest.mark.requirement("sdp-media:SEC06")
def test_a_packet_older_than_the_window_is_refused(
    sender: SrtpSender, receiver: SrtpReceiver
) -> None:
    too_old, oldest = protect(sender, 1), protect(sender, 2)
    receiver.unprotect(protect(sender, 1 + REPLAY_WINDOW))

    assert refusal(receiver.unprotect, too_old) is SrtpFailure.TOO_OLD
    assert receiver.unprotect(oldest) == header(2) + b"payload"


@pytest.mark.requirement("sdp-media:SEC07")
def test_rtcp_is_accepted_once(sender: SrtpSender, receiver: SrtpReceiver) -> None:
    protected = sender.protect_rtcp(RTCP)
    receiver.unprotect_rtcp(protected)

    assert refusal(receiver.unprotect_rtcp, protected) is SrtpFailure.REPLAYED


@pytest.mark.requirement("sdp-media:SEC07")
def test_no_two_rtcp_packets_are_protected_alike(sender: SrtpSender) -> None:
    assert len({sender.protect_rtcp(RTCP) for _ in range(50)}) == 50


def flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes((data[position] ^ 1,)) + data[position + 1 :]


def test_every_byte_of_a_packet_is_authenticated(
    sender: SrtpSender, receiver: SrtpReceiver
) -> None:
    protected = protect(sender, 1)

    for position in range(len(protected)):
        assert refusal(receiver.unprotect, flipped(protected, position)) in (
            SrtpFailure.AUTHENTICATION_FAILED,
            SrtpFailure.MALFORMED,
        )
    assert receiver.unprotect(protected) == header(1) + b"payload"


def test_every_byte_of_rtcp_is_authenticated(sender: SrtpSender, receiver: SrtpReceiver) -> None:
    protected = sender.protect_rtcp(RTCP)

    for position in range(len(protected)):
        assert refusal(receiver.unprotect_rtcp, flipped(protected, position)) in (
            SrtpFailure.AUTHENTICATION_FAILED,
            SrtpFailure.MALFORMED,
        )
    assert receiver.unprotect_rtcp(protected) == RTCP


def test_a_forged_packet_moves_neither_window_nor_rollover(
    sender: SrtpSender, receiver: SrtpReceiver
) -> None:
    receiver.unprotect(protect(sender, 1))

    assert (
        refusal(receiver.unprotect, header(0x7000) + bytes(40)) is SrtpFailure.AUTHENTICATION_FAILED
    )
    assert receiver.unprotect(protect(sender, 2)) == header(2) + b"payload"


def test_forged_sources_take_no_place_and_proven_ones_are_bounded(
    sender: SrtpSender, receiver: SrtpReceiver
) -> None:
    for ssrc in range(1, MAX_STREAMS + 100):
        assert refusal(receiver.unprotect, header(1, ssrc) + bytes(40))
    for ssrc in range(1, MAX_STREAMS + 1):
        receiver.unprotect(protect(sender, 1, ssrc))

    assert refusal(sender.protect, header(1, 5000), b"") is SrtpFailure.TOO_MANY_STREAMS
    assert refusal(receiver.unprotect, header(1, 5000) + bytes(40)) is SrtpFailure.TOO_MANY_STREAMS
    assert receiver.unprotect(protect(sender, 2, 1)) == header(2, 1) + b"payload"


@given(
    st.sampled_from(list(SrtpProfile)),
    st.binary(max_size=100),
    st.sampled_from([None, 0x80, 0x90, 0x8F, 0x9F, 0xB0]),
)
def test_no_bytes_raise_anything_but_srtp_error(
    profile: SrtpProfile, data: bytes, first: int | None
) -> None:
    if first is not None:
        data = bytes((first,)) + data[1:]
    receiver = SrtpReceiver(profile, *material(profile))

    assert refusal(receiver.unprotect, data)
    assert refusal(receiver.unprotect_rtcp, data)


def test_a_packet_cut_short_is_refused(sender: SrtpSender, receiver: SrtpReceiver) -> None:
    rtp, rtcp = protect(sender, 1), sender.protect_rtcp(RTCP)

    for length in range(len(rtp)):
        assert refusal(receiver.unprotect, rtp[:length])
    for length in range(len(rtcp)):
        assert refusal(receiver.unprotect_rtcp, rtcp[:length])


def test_an_extension_that_reaches_beyond_the_packet_is_refused(receiver: SrtpReceiver) -> None:
    cut_off = pack_header(96, 1, 2, SSRC, bytes.fromhex("bede00ff10aa0000")) + bytes(20)

    assert refusal(receiver.unprotect, cut_off) is SrtpFailure.MALFORMED


@pytest.mark.parametrize(("key_excess", "salt_excess"), [(1, 0), (0, 1), (-1, -1)])
def test_keying_material_of_another_length_is_refused(
    profile: SrtpProfile, key_excess: int, salt_excess: int
) -> None:
    key, salt = bytes(profile.key_length + key_excess), bytes(profile.salt_length + salt_excess)

    with pytest.raises(ValueError, match="takes a key of"):
        SrtpSender(profile, key, salt)
    with pytest.raises(ValueError, match="takes a key of"):
        SrtpReceiver(profile, key, salt)


@pytest.mark.long  # starts an interpreter, to see what it imports
def test_gcm_needs_neither_libsrtp_nor_openssl_bindings() -> None:
    program = (
        "import sys; from media.srtp import SrtpProfile, SrtpSender;"
        "SrtpSender(SrtpProfile.AEAD_AES_128_GCM, bytes(16), bytes(12));"
        "print({'pylibsrtp', 'OpenSSL'} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "set()\n"
