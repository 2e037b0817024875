from __future__ import annotations

import dataclasses

import pytest

from media.rtcp import is_rtcp
from media.rtp import RtpPacket
from media.session.errors import UnknownMedia
from media.session.events import KeyframeRequested, TrackEnded, UnitReceived
from media.session.rtp_session import Drop
from media.srtp import SrtpProfile
from media.units import AccessUnit, CodecName
from netsim import DatagramRecord, LinkProfile

from .material import opus_unit, video_unit
from .rtp_pair import AUDIO_MID, VIDEO_MID, Options, RtpPair


def video(count: int, *, codec: CodecName = CodecName.VP8, gop: int = 30) -> list[AccessUnit]:
    return [video_unit(codec, index, keyframe=index % gop == 0) for index in range(count)]


def received(pair: RtpPair, mid: str = VIDEO_MID) -> list[AccessUnit]:
    return [event.unit for event in pair.bob.events_of(UnitReceived) if event.mid == mid]


def rtp(records: list[DatagramRecord], *, sender: str = "alice") -> list[RtpPacket]:
    """The RTP packets that were sent; their headers are readable."""
    return [
        RtpPacket.decode(record.data)
        for record in records
        if record.origin.sender == sender and not is_rtcp(record.data)
    ]


@pytest.mark.requirement("sdp-media:SYS02")
@pytest.mark.parametrize("codec", [CodecName.H264, CodecName.VP8])
@pytest.mark.parametrize("profile", list(SrtpProfile))
def test_what_is_received_is_what_was_sent(codec: CodecName, profile: SrtpProfile) -> None:
    pair = RtpPair(options=Options(codec=codec, profile=profile))
    sent = video(20, codec=codec)
    pair.play(pair.rendition(codec), sent)
    pair.network.run(until=2.0)

    assert received(pair) == sent


def test_audio_and_video_arrive_side_by_side() -> None:
    pair = RtpPair()
    pictures, sounds = video(15), [opus_unit(index) for index in range(25)]
    pair.play(pair.rendition(CodecName.VP8), pictures)
    pair.play(pair.rendition(CodecName.OPUS), sounds, interval=0.02)
    pair.network.run(until=2.0)

    assert received(pair, AUDIO_MID) == sounds
    assert received(pair, VIDEO_MID) == pictures


@pytest.mark.requirement("sdp-media:REC04")
@pytest.mark.parametrize("rtx", [True, False], ids=["rtx", "same-ssrc"])
@pytest.mark.parametrize("loss", [0.05, 0.1])
@pytest.mark.parametrize("seed", [1, 2])
def test_loss_heals_by_retransmission(rtx: bool, loss: float, seed: int) -> None:
    pair = RtpPair(seed=seed, link=LinkProfile(delay=0.01, loss=loss / 2), options=Options(rtx=rtx))
    sent = video(60)
    pair.play(pair.rendition(CodecName.VP8), sent)
    pair.network.run(until=4.0)

    shown = {unit.data for unit in received(pair)}
    assert len([unit for unit in sent if unit.data not in shown]) <= 1


@pytest.mark.requirement("sdp-media:REC01")
def test_a_retransmission_has_its_own_ssrc_and_the_original_number_in_front() -> None:
    pair = RtpPair(seed=3, link=LinkProfile(delay=0.01, loss=0.05))
    tap = pair.network.tap()
    pair.play(pair.rendition(CodecName.VP8), video(30))
    pair.network.run(until=2.0)

    repairs = [packet for packet in rtp(tap) if packet.ssrc == 0x1101]
    originals = {packet.timestamp for packet in rtp(tap) if packet.ssrc == 0x1001}
    assert repairs
    assert {packet.payload_type for packet in repairs} == {97}
    assert {packet.timestamp for packet in repairs} <= originals
    numbers = [packet.sequence_number for packet in repairs]
    assert sorted(numbers) == [min(numbers) + step for step in range(len(numbers))]


@pytest.mark.requirement("sdp-media:SEC08")
def test_without_rtx_the_very_bytes_are_sent_again() -> None:
    pair = RtpPair(seed=3, link=LinkProfile(delay=0.01, loss=0.05), options=Options(rtx=False))
    tap = pair.network.tap()
    pair.play(pair.rendition(CodecName.VP8), video(30))
    pair.network.run(until=2.0)

    by_number: dict[int, set[bytes]] = {}
    count = 0
    for record in tap:
        if record.origin.sender == "alice" and not is_rtcp(record.data):
            packet = RtpPacket.decode(record.data)
            by_number.setdefault(packet.sequence_number, set()).add(record.data)
            count += 1
    assert count > len(by_number)
    assert all(len(versions) == 1 for versions in by_number.values())


@pytest.mark.requirement("sdp-media:RTP04")
@pytest.mark.requirement("sdp-media:RTP03")
def test_a_stream_starts_low_and_all_packets_of_a_frame_share_a_timestamp() -> None:
    pair = RtpPair()
    tap = pair.network.tap()
    pair.play(pair.rendition(CodecName.VP8), video(3))
    pair.network.run(until=1.0)

    packets = rtp(tap)
    assert packets[0].sequence_number < 1 << 15
    assert [packet.marker for packet in packets].count(True) == 3
    timestamps = list(dict.fromkeys(packet.timestamp for packet in packets))
    assert len(timestamps) == 3
    assert timestamps[1] - timestamps[0] & 0xFFFF_FFFF == 3000


@pytest.mark.requirement("sdp-media:RTP07")
def test_the_mid_is_sent_until_the_peer_reports_on_the_stream() -> None:
    pair = RtpPair()
    tap = pair.network.tap()
    pair.play(pair.rendition(CodecName.VP8), video(60))
    pair.network.run(until=3.0)

    mids = [packet.extension(1) for packet in rtp(tap)]
    assert mids[0] == VIDEO_MID.encode()
    assert mids[-1] is None
    assert mids == sorted(mids, key=lambda mid: mid is None)


@pytest.mark.requirement("sdp-media:RTP09")
def test_transport_wide_numbers_count_the_packets_of_all_streams() -> None:
    pair = RtpPair(seed=5, link=LinkProfile(delay=0.01, loss=0.03))
    tap = pair.network.tap()
    pair.play(pair.rendition(CodecName.VP8), video(20))
    pair.play(pair.rendition(CodecName.OPUS), [opus_unit(i) for i in range(30)], interval=0.02)
    pair.network.run(until=1.5)

    numbers = [int.from_bytes(packet.extension(3) or b"", "big") for packet in rtp(tap)]
    assert sorted(numbers) == list(range(len(numbers)))
    assert len({packet.ssrc for packet in rtp(tap)}) == 3


def test_a_stream_that_was_not_announced_is_found_by_its_mid() -> None:
    pair = RtpPair(options=Options(announced=False))
    sent = video(10)
    pair.play(pair.rendition(CodecName.VP8), sent)
    pair.network.run(until=1.0)

    assert received(pair) == sent


def test_a_stream_without_any_announcement_is_found_by_its_payload_type() -> None:
    pair = RtpPair(
        seed=2,
        link=LinkProfile(delay=0.01, loss=0.02),
        options=Options(announced=False, extensions=False),
    )
    sent = video(20)
    pair.play(pair.rendition(CodecName.VP8), sent)
    pair.network.run(until=2.0)

    assert received(pair) == sent


@pytest.mark.requirement("sdp-media:RTCP06")
def test_a_lasting_loss_makes_the_receiver_ask_for_a_keyframe() -> None:
    pair = RtpPair(options=Options(video_feedback=("nack pli",)))
    sent = video(40, gop=1000)
    pair.play(pair.rendition(CodecName.VP8), sent)
    alice, bob = pair.alice.host, pair.bob.host
    pair.network.call_at(0.30, lambda: pair.network.block([alice], [bob]))
    pair.network.call_at(0.40, pair.network.heal)
    pair.network.run(until=2.5)

    requests = pair.alice.events_of(KeyframeRequested)
    assert [event.mid for event in requests][:1] == [VIDEO_MID]
    assert received(pair)[-1].data == sent[-1].data


def test_a_keyframe_brings_the_picture_back() -> None:
    pair = RtpPair(options=Options(video_feedback=("nack pli",)))
    rendition = pair.rendition(CodecName.VP8)
    pair.play(rendition, video(90, gop=60))
    alice, bob = pair.alice.host, pair.bob.host
    pair.network.call_at(0.30, lambda: pair.network.block([alice], [bob]))
    pair.network.call_at(0.40, pair.network.heal)
    pair.network.run(until=4.0)

    indexes = [unit.timestamp // 3000 for unit in received(pair)]
    assert indexes[-30:] == list(range(60, 90))
    assert indexes == sorted(indexes)


def test_without_a_keyframe_nothing_that_cannot_be_decoded_is_given_on() -> None:
    pair = RtpPair(options=Options(video_feedback=(), rtx=False))
    sent = video(90, gop=60)
    pair.play(pair.rendition(CodecName.VP8), sent)
    alice, bob = pair.alice.host, pair.bob.host
    pair.network.call_at(0.30, lambda: pair.network.block([alice], [bob]))
    pair.network.call_at(0.40, pair.network.heal)
    pair.network.run(until=4.0)

    shown = [unit.data for unit in received(pair)]
    assert shown == [unit.data for unit in sent[: len(shown) - 30] + sent[60:]]
    assert len(shown) < 45


def test_the_application_may_ask_for_a_keyframe() -> None:
    pair = RtpPair()
    pair.play(pair.rendition(CodecName.VP8), video(10))
    pair.network.call_at(
        0.2, lambda: pair.bob.call(lambda bob, now: bob.session.request_keyframe(VIDEO_MID, now))
    )
    pair.network.run(until=0.3)

    assert pair.alice.events_of(KeyframeRequested) == [KeyframeRequested(VIDEO_MID)]


def test_bye_ends_the_track_at_the_peer() -> None:
    pair = RtpPair()
    pair.play(pair.rendition(CodecName.VP8), video(5))
    pair.network.call_at(
        0.5, lambda: pair.alice.call(lambda alice, now: alice.session.goodbye(now))
    )
    pair.network.run(until=5.0)

    assert pair.bob.events_of(TrackEnded) == [TrackEnded(VIDEO_MID)]


def test_after_goodbye_nothing_is_sent_any_more() -> None:
    pair = RtpPair()
    rendition = pair.rendition(CodecName.VP8)
    pair.play(rendition, video(60))
    pair.network.call_at(
        0.5, lambda: pair.alice.call(lambda alice, now: alice.session.goodbye(now))
    )
    pair.network.run(until=3.0)

    last = [record for record in pair.network.trace if record.origin.sender == "alice"][-1]
    assert is_rtcp(last.data)
    assert last.origin.sent_at == 0.5


@pytest.mark.requirement("sdp-media:REC06")
def test_a_keyframe_leaves_in_small_bursts() -> None:
    pair = RtpPair()
    tap = pair.network.tap()
    unit = dataclasses.replace(video_unit(CodecName.VP8, 0, keyframe=True))
    big = dataclasses.replace(unit, data=unit.data + bytes(100_000))
    pair.play(pair.rendition(CodecName.VP8), [big])
    pair.network.run(until=1.0)

    times = [record.origin.sent_at for record in tap if record.origin.sender == "alice"]
    assert len(times) > 90
    assert max(times.count(at) for at in times) <= 5
    assert received(pair)[0].data == big.data


def test_audio_overtakes_the_video_that_waits() -> None:
    pair = RtpPair()
    big = video_unit(CodecName.VP8, 0, keyframe=True)
    big = dataclasses.replace(big, data=big.data + bytes(200_000))
    pair.play(pair.rendition(CodecName.VP8), [big])
    pair.play(pair.rendition(CodecName.OPUS), [opus_unit(i) for i in range(5)], interval=0.02)
    pair.network.run(until=0.095)

    assert len(received(pair, AUDIO_MID)) == 4
    assert received(pair) == []


@pytest.mark.requirement("sdp-media:RTCP02")
def test_reports_give_the_round_trip_time() -> None:
    pair = RtpPair(link=LinkProfile(delay=0.02))
    pair.play(pair.rendition(CodecName.VP8), video(90))
    pair.network.run(until=3.0)

    rtt = pair.alice.machine.session.round_trip_time
    assert rtt == pytest.approx(0.08, abs=0.001)


def test_a_sender_report_tells_when_a_unit_was_captured() -> None:
    pair = RtpPair()
    pair.play(pair.rendition(CodecName.VP8), video(60))
    pair.network.run(until=3.0)

    last = pair.bob.events_of(UnitReceived)[-1]
    assert last.captured_at == pytest.approx(59 / 30, abs=0.01)


def test_what_cannot_be_used_is_dropped_and_counted() -> None:
    pair = RtpPair()
    bob = pair.bob.machine.session
    for data in (b"\x80\x60" + bytes(30), b"\x80\xc8" + bytes(30), b"\x80"):
        bob.receive(data, 0.0)

    assert bob.drops == {Drop.NOT_AUTHENTIC: 2, Drop.MALFORMED: 1}


def test_media_before_the_keys_is_dropped() -> None:
    pair = RtpPair()
    pair.bob.machine.session.goodbye(0.0)
    pair.bob.machine.session.receive(b"\x80\x60" + bytes(30), 0.0)

    assert pair.bob.machine.session.drops == {Drop.NOT_SECURED: 1}


def test_a_repeated_datagram_is_dropped() -> None:
    pair = RtpPair(link=LinkProfile(delay=0.01, duplicate=1.0))
    sent = video(5)
    pair.play(pair.rendition(CodecName.VP8), sent)
    pair.network.run(until=1.0)

    assert received(pair) == sent
    assert pair.bob.machine.session.drops[Drop.REPLAYED] > 0


def test_an_unknown_mid_is_refused() -> None:
    pair = RtpPair()

    with pytest.raises(UnknownMedia) as caught:
        pair.alice.machine.session.table.sender("9")
    assert caught.value.mid == "9"


def test_a_run_with_one_seed_is_the_same_twice() -> None:
    traces = []
    for _ in range(2):
        pair = RtpPair(seed=9, link=LinkProfile(delay=0.01, loss=0.05))
        pair.play(pair.rendition(CodecName.VP8), video(20))
        pair.network.run(until=1.0)
        traces.append([(record.origin.sent_at, record.data) for record in pair.network.trace])

    assert traces[0] == traces[1]
