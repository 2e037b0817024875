"""What leaves of a session, and what does not hold it up (docs/departures.md)."""

from __future__ import annotations

from media.rtcp import (
    Goodbye,
    ReceiverEstimatedMaximumBitrate,
    ReceiverReport,
    RtcpPacket,
    SourceDescription,
    UnknownRtcp,
    encode_compound,
    is_rtcp,
)
from media.rtp import RtpPacket
from media.session.events import BandwidthEstimated, UnitReceived
from media.srtp import SrtpSender
from media.units import CodecName, MediaKind

from .material import video_unit, vp8_unit
from .peer_pair import PeerPair
from .rtp_pair import PROFILE, VIDEO_MID, RtpPair

BOBS_KEY, BOBS_SALT = bytes([1] * PROFILE.key_length), bytes([1] * PROFILE.salt_length)


def tell_alice(pair: RtpPair, *packets: RtcpPacket, ssrc: int = 9) -> None:
    """Have Alice receive RTCP from a source at Bob's."""
    report = ReceiverReport(ssrc=ssrc)
    data = encode_compound([report, SourceDescription.for_cname(ssrc, "bob"), *packets])
    protected = SrtpSender(PROFILE, BOBS_KEY, BOBS_SALT).protect_rtcp(data)
    pair.alice.call(lambda machine, now: machine.session.receive(protected, now))


def test_an_estimate_of_the_bandwidth_is_reported_and_changes_no_pace() -> None:
    pair = RtpPair()
    before = pair.alice.machine.session.target_bps

    tell_alice(pair, ReceiverEstimatedMaximumBitrate(9, 100_000, (0x1001,)))

    assert pair.alice.events_of(BandwidthEstimated) == [BandwidthEstimated(100_000.0)]
    assert pair.alice.machine.session.target_bps == before


def test_a_request_for_a_lower_bitrate_changes_no_pace() -> None:
    pair = RtpPair()
    before = pair.alice.machine.session.target_bps
    tmmbr = bytes.fromhex("00000009 00000000 00001001 1a000000")

    tell_alice(pair, UnknownRtcp(205, 3, tmmbr))

    assert pair.alice.machine.session.target_bps == before


def test_an_ssrc_that_the_peer_uses_too_is_kept() -> None:
    pair = RtpPair()
    tap = pair.network.tap()

    tell_alice(pair, Goodbye((0x1001,)), ssrc=0x1001)
    pair.play(pair.rendition(CodecName.VP8), [video_unit(CodecName.VP8, 0, keyframe=True)])
    pair.network.run(until=1.0)

    media = [RtpPacket.decode(record.data) for record in tap if not is_rtcp(record.data)]
    assert {packet.ssrc for packet in media} == {0x1001}


def test_media_goes_on_for_a_peer_that_reports_nothing() -> None:
    pair = RtpPair()
    tap = pair.network.tap()
    units = [video_unit(CodecName.VP8, index, keyframe=True) for index in range(40)]
    pair.bob.stop()

    pair.play(pair.rendition(CodecName.VP8), units, interval=0.5)
    pair.network.run(until=20.0)

    assert any(record.origin.sent_at > 19.0 for record in tap)


def test_units_that_wait_are_discarded_but_the_one_that_is_leaving_leaves_whole() -> None:
    pair = RtpPair()
    units = [vp8_unit(index, keyframe=index == 0, size=40_000) for index in range(4)]
    for unit in units:
        pair.play(pair.rendition(CodecName.VP8), [unit])
    pair.network.run(until=0.03)

    session = pair.alice.machine.session
    session.discard_waiting(VIDEO_MID)
    last = vp8_unit(9, keyframe=True)
    pair.play(pair.rendition(CodecName.VP8), [last])
    pair.network.run(until=2.0)

    received = [event.unit.data for event in pair.bob.events_of(UnitReceived)]
    assert received == [units[0].data, last.data]


def test_media_carries_no_code_point() -> None:
    pair = PeerPair()
    pair.alice.call(lambda peer, now: peer.add_transceiver(MediaKind.VIDEO))
    pair.connect()
    mid = pair.alice.machine.media[0].mid
    tap = pair.network.tap()

    pair.play(
        pair.rendition(pair.alice, mid, CodecName.VP8),
        [video_unit(CodecName.VP8, 0, keyframe=True)],
    )
    pair.network.run(until=pair.now + 0.5)

    media = [record for record in tap if record.data[0] >> 6 == 2]
    assert len(media) > 2
    assert {record.origin.dscp for record in media} == {None}
