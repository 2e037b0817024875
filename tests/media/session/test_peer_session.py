from __future__ import annotations

from typing import TypeVar

import pytest

from ice import HostAddressesRequested, IceConfig, IcePolicy, IceServer
from media.session import (
    ConnectionState,
    ConnectionStateChanged,
    InboundRtpStats,
    LocalCandidate,
    OutboundRtpStats,
    PeerSession,
    RemoteInboundRtpStats,
    SessionClosed,
    SessionConfig,
    StatsReport,
    TrackAdded,
    TrackEnded,
    TransportStats,
    UnitReceived,
    UnknownMedia,
)
from media.units import AccessUnit, CodecName, MediaKind
from netsim import LinkProfile, Network, Process
from sdp import Direction, InvalidStateError, SdpType, SignalingState
from stun import MessageClass, Method, XorMappedAddress, encode_message
from transport import DecodeError, TransportAddress

from .material import opus_unit, video_unit
from .peer_pair import PeerPair, injected

S = TypeVar("S")


def video(count: int, *, codec: CodecName = CodecName.VP8, gop: int = 30) -> list[AccessUnit]:
    return [video_unit(codec, index, keyframe=index % gop == 0) for index in range(count)]


def add(process: Process[PeerSession], kind: MediaKind, direction: Direction) -> None:
    process.call(lambda peer, now: peer.add_transceiver(kind, direction=direction))


def states(process: Process[PeerSession]) -> list[ConnectionState]:
    return [event.state for event in process.events_of(ConnectionStateChanged)]


def of(kind: type[S], report: StatsReport) -> list[S]:
    return [record for record in report.values() if isinstance(record, kind)]


def ufrag(text: str) -> str:
    return text.partition("a=ice-ufrag:")[2].partition("\r\n")[0]


def local_ufrag(process: Process[PeerSession]) -> str:
    local = process.machine.local_description
    assert local is not None
    return ufrag(local.sdp)


def one_way(
    *, seed: int = 1, link: LinkProfile | None = None, config: SessionConfig | None = None
) -> PeerPair:
    """Alice sends video and audio."""
    pair = PeerPair(seed=seed, link=link, config=config)
    add(pair.alice, MediaKind.VIDEO, Direction.SENDONLY)
    add(pair.alice, MediaKind.AUDIO, Direction.SENDONLY)
    return pair


@pytest.mark.requirement("sdp-media:SYS02")
@pytest.mark.parametrize("codec", [CodecName.H264, CodecName.VP8])
def test_the_offerer_sends(codec: CodecName) -> None:
    pair = one_way()
    pair.connect()
    pictures, sounds = video(20, codec=codec), [opus_unit(index) for index in range(30)]
    pair.play(pair.rendition(pair.alice, "0", codec), pictures)
    pair.play(pair.rendition(pair.alice, "1", CodecName.OPUS), sounds, interval=0.02)
    pair.network.run(until=pair.now + 1.5)

    assert pair.received(pair.bob, "0") == pictures
    assert pair.received(pair.bob, "1") == sounds


def test_the_answerer_sends() -> None:
    pair = PeerPair()
    add(pair.alice, MediaKind.VIDEO, Direction.RECVONLY)
    add(pair.bob, MediaKind.VIDEO, Direction.SENDONLY)
    pair.connect()
    sent = video(20)
    pair.play(pair.rendition(pair.bob, "0", CodecName.VP8), sent)
    pair.network.run(until=pair.now + 1.5)

    assert pair.received(pair.alice, "0") == sent


def test_both_send_at_once() -> None:
    pair = PeerPair()
    add(pair.alice, MediaKind.VIDEO, Direction.SENDRECV)
    add(pair.bob, MediaKind.VIDEO, Direction.SENDRECV)
    pair.connect()
    sent = video(20)
    for process in (pair.alice, pair.bob):
        pair.play(pair.rendition(process, "0", CodecName.VP8), sent)
    pair.network.run(until=pair.now + 1.5)

    assert pair.received(pair.alice, "0") == sent
    assert pair.received(pair.bob, "0") == sent


def test_the_states_of_a_connection() -> None:
    pair = one_way()
    pair.connect()
    pair.alice.call(lambda peer, now: peer.close(now))

    assert states(pair.alice) == [
        ConnectionState.CONNECTING,
        ConnectionState.CONNECTED,
        ConnectionState.CLOSED,
    ]


def test_a_receiver_learns_of_its_tracks() -> None:
    pair = PeerPair()
    pair.alice.call(
        lambda peer, now: peer.add_transceiver(
            MediaKind.VIDEO, direction=Direction.SENDONLY, stream_ids=["camera"]
        )
    )
    pair.connect()

    assert pair.bob.events_of(TrackAdded) == [TrackAdded("0", MediaKind.VIDEO, ("camera",))]
    assert pair.alice.events_of(TrackAdded) == []


@pytest.mark.requirement("sdp-media:REC04")
@pytest.mark.parametrize("loss", [0.05, 0.1])
@pytest.mark.parametrize("seed", range(3))
def test_a_lossy_path_loses_no_picture(loss: float, seed: int) -> None:
    pair = one_way(seed=seed, link=LinkProfile(delay=0.01, loss=loss / 2))
    pair.connect()
    sent = video(45)
    pair.play(pair.rendition(pair.alice, "0", CodecName.VP8), sent)
    pair.network.run(until=pair.now + 3.0)

    shown = {unit.data for unit in pair.received(pair.bob, "0")}
    assert len([unit for unit in sent if unit.data not in shown]) <= 1


@pytest.mark.requirement("sdp-media:REC07")
def test_a_viewer_that_joins_later_starts_with_a_keyframe_at_once() -> None:
    pair = one_way()
    pair.connect()
    rendition = pair.rendition(pair.alice, "0", CodecName.VP8)
    sink = pair.sink(pair.alice, "0")
    rendition.detach(sink)
    for unit in video(15):
        rendition.push(unit, pair.now)
    joined_at = pair.now
    rendition.attach(sink, joined_at)
    pair.network.run(until=pair.now + 0.5)

    times = [at for at, event in pair.bob.events if isinstance(event, UnitReceived)]
    assert len(times) == 15
    assert times[0] - joined_at < 0.05
    assert pair.received(pair.bob, "0")[0].keyframe


def test_closing_says_goodbye() -> None:
    pair = one_way()
    pair.connect()
    pair.play(pair.rendition(pair.alice, "0", CodecName.VP8), video(5))
    pair.network.run(until=pair.now + 0.5)
    pair.alice.call(lambda peer, now: peer.close(now))
    pair.network.run(until=pair.now + 0.1)

    assert pair.bob.events_of(TrackEnded) == [TrackEnded("0")]


def test_a_closed_session_does_nothing_more() -> None:
    pair = one_way()
    pair.connect()
    pair.alice.call(lambda peer, now: peer.close(now))
    pair.alice.call(lambda peer, now: peer.close(now))
    count = len(pair.alice.events)
    pair.network.run(until=pair.now + 10.0)

    assert len(pair.alice.events) == count
    assert pair.alice.machine.next_timeout() is None
    assert pair.alice.machine.signaling_state is SignalingState.CLOSED
    with pytest.raises(SessionClosed):
        pair.alice.call(lambda peer, now: peer.create_offer(now))


@pytest.mark.parametrize("steps", range(0, 60, 4))
def test_a_session_may_be_closed_at_any_point(steps: int) -> None:
    pair = one_way()
    pair.negotiate()
    pair.network.run(until=steps * 0.005)
    pair.alice.call(lambda peer, now: peer.close(now))
    pair.network.run(until=pair.now + 0.5)

    assert states(pair.alice)[-1] is ConnectionState.CLOSED


@pytest.mark.requirement("sdp-media:SDP-O07")
def test_a_second_offer_adds_a_track_and_media_goes_on() -> None:
    pair = PeerPair()
    add(pair.alice, MediaKind.VIDEO, Direction.SENDONLY)
    pair.connect()
    sent, sounds = video(60), [opus_unit(index) for index in range(20)]
    pair.play(pair.rendition(pair.alice, "0", CodecName.VP8), sent)
    pair.network.run(until=pair.now + 0.5)
    add(pair.alice, MediaKind.AUDIO, Direction.SENDONLY)
    pair.negotiate()
    pair.network.run(until=pair.now + 0.5)
    pair.play(pair.rendition(pair.alice, "1", CodecName.OPUS), sounds, interval=0.02)
    pair.network.run(until=pair.now + 3.0)

    assert pair.received(pair.bob, "0") == sent
    assert pair.received(pair.bob, "1") == sounds


def test_the_answerer_may_offer_next() -> None:
    pair = one_way()
    pair.connect()
    add(pair.bob, MediaKind.VIDEO, Direction.SENDONLY)
    pair.negotiate(pair.bob)
    pair.network.run(until=pair.now + 0.5)
    sent = video(10)
    mid = pair.bob.machine.media[-1].mid
    pair.play(pair.rendition(pair.bob, mid, CodecName.VP8), sent)
    pair.network.run(until=pair.now + 1.0)

    assert pair.received(pair.alice, mid) == sent


def test_a_track_that_is_stopped_ends_at_the_peer() -> None:
    pair = one_way()
    pair.connect()
    pair.alice.machine.transceivers[0].stop()
    pair.negotiate()
    pair.network.run(until=pair.now + 0.5)

    assert TrackEnded("0") in pair.bob.events_of(TrackEnded)
    assert states(pair.bob)[-1] is ConnectionState.CONNECTED


@pytest.mark.parametrize("next_offerer", ["alice", "bob"])
def test_after_all_was_stopped_either_side_may_begin_anew(next_offerer: str) -> None:
    pair = one_way()
    pair.connect()
    before = local_ufrag(pair.alice), local_ufrag(pair.bob)
    for transceiver in pair.alice.machine.transceivers:
        transceiver.stop()
    pair.negotiate()
    pair.network.run(until=pair.now + 0.5)
    offerer = {"alice": pair.alice, "bob": pair.bob}[next_offerer]
    add(offerer, MediaKind.VIDEO, Direction.SENDONLY)
    pair.negotiate(offerer)
    pair.network.run(until=pair.now + 2.0)
    (mid,) = [section.mid for section in offerer.machine.media if not section.rejected]
    sent = video(5)
    pair.play(pair.rendition(offerer, mid, CodecName.VP8), sent)
    pair.network.run(until=pair.now + 1.0)

    other = pair.bob if offerer is pair.alice else pair.alice
    assert pair.received(other, mid) == sent
    assert not {local_ufrag(pair.alice), local_ufrag(pair.bob)} & set(before)
    assert states(pair.alice)[-1] is states(pair.bob)[-1] is ConnectionState.CONNECTED


def test_a_second_offer_opens_no_further_sockets() -> None:
    pair = one_way()
    pair.connect()
    pair.negotiate()
    pair.network.run(until=pair.now + 0.5)

    assert len(pair.alice.events_of(HostAddressesRequested)) == 1
    assert len(pair.bob.events_of(HostAddressesRequested)) == 1


def test_an_offer_that_restarts_ice_holds_the_candidates_of_the_new_generation() -> None:
    pair = one_way()
    pair.connect()
    before = pair.alice.call(lambda peer, now: peer.create_offer(now))
    offer = pair.alice.call(lambda peer, now: peer.create_offer(now, ice_restart=True))

    assert ufrag(offer) != ufrag(before)
    assert "a=candidate:" in offer


def test_media_goes_on_over_an_ice_restart() -> None:
    pair = one_way()
    pair.connect()
    sent = video(60)
    pair.play(pair.rendition(pair.alice, "0", CodecName.VP8), sent)
    pair.network.run(until=pair.now + 0.5)
    pair.negotiate(ice_restart=True)
    pair.network.run(until=pair.now + 3.0)

    assert pair.received(pair.bob, "0") == sent
    assert states(pair.alice)[-1] is ConnectionState.CONNECTED


@pytest.mark.requirement("sdp-media:SEC14")
def test_media_stops_when_consent_is_gone() -> None:
    pair = one_way()
    pair.connect()
    rendition = pair.rendition(pair.alice, "0", CodecName.VP8)
    pair.network.partition([pair.alice.host], [pair.bob.host])
    pair.network.run(until=pair.now + 40.0)
    pair.play(rendition, video(3))
    tap = pair.network.tap()
    pair.network.run(until=pair.now + 1.0)

    assert states(pair.alice)[-1] is ConnectionState.FAILED
    assert not [record for record in tap if record.data[0] >= 0x80]
    (transport,) = of(TransportStats, pair.alice.machine.stats(pair.now))
    assert dict(transport.drops)["no-path"] > 0


@pytest.mark.requirement("sdp-media:SDP-O12")
def test_candidates_before_the_description_wait() -> None:
    pair = PeerPair()
    pair.bob.call(
        lambda peer, now: peer.add_ice_candidate(
            "candidate:1 1 udp 2130706431 192.0.2.1 49152 typ host", now, mid="0"
        )
    )
    add(pair.alice, MediaKind.VIDEO, Direction.SENDONLY)
    pair.connect()

    assert states(pair.bob)[-1] is ConnectionState.CONNECTED


def test_a_candidate_that_cannot_be_read_is_refused() -> None:
    pair = PeerPair()

    with pytest.raises(DecodeError):
        pair.alice.call(lambda peer, now: peer.add_ice_candidate("candidate:x", now, mid="0"))


def test_local_candidates_name_their_media_description() -> None:
    pair = one_way()
    pair.connect()
    first, last = pair.alice.events_of(LocalCandidate)

    assert first.candidate.startswith("candidate:")
    assert (first.mid, first.media_index, last.candidate) == ("0", 0, "")


def test_the_local_description_holds_the_candidates_gathered_so_far() -> None:
    pair = one_way()
    pair.connect()
    description = pair.alice.machine.local_description

    assert description is not None
    assert description.sdp.count("a=candidate:") == 1
    assert description.sdp.count("a=end-of-candidates") == 1
    audio = description.sdp.index("m=audio")
    assert description.sdp.index("a=candidate:") < audio


@pytest.mark.requirement("ice:W10")
def test_a_candidate_found_after_the_end_of_candidates_is_not_conveyed() -> None:
    config = SessionConfig(
        ice=IceConfig(servers=(IceServer(("stun:198.51.100.1",)),)), injected_keys=injected(0)
    )
    session = PeerSession(random_bytes=Network(seed=1).random_bytes("alice"), config=config)
    session.add_transceiver(MediaKind.AUDIO)
    session.set_local_description(SdpType.OFFER, session.create_offer(0.0), 0.0)
    session.hosts_opened([TransportAddress.parse("192.0.2.1", 4000)], 0.0)
    session.handle_timeout(0.0)
    request = session.poll_transmit()
    session.handle_timeout(2.0)
    assert request is not None
    mapped = XorMappedAddress(TransportAddress.parse("203.0.113.1", 4000))
    response = encode_message(
        Method.BINDING, MessageClass.SUCCESS, request.segments[0][8:20], [mapped]
    )
    session.receive(response, request.path, 3.0)

    conveyed = []
    while (event := session.poll_event()) is not None:
        if isinstance(event, LocalCandidate):
            conveyed.append(event.candidate)
    assert len(conveyed) == 2
    assert conveyed[-1] == ""
    assert session.local_description is not None
    assert "203.0.113.1" not in session.local_description.sdp


def test_without_relays_the_relay_policy_gathers_nothing() -> None:
    config = SessionConfig(ice=IceConfig(policy=IcePolicy.RELAY))
    pair = one_way(config=config)
    pair.negotiate()
    pair.network.run(until=1.0)

    assert [event.candidate for event in pair.alice.events_of(LocalCandidate)] == [""]


def test_an_answer_out_of_turn_is_refused() -> None:
    pair = PeerPair()

    with pytest.raises(InvalidStateError):
        pair.alice.call(lambda peer, now: peer.set_remote_description(SdpType.ANSWER, "", now))


def test_a_rollback_takes_an_offer_back() -> None:
    pair = one_way()
    offer = pair.alice.call(lambda peer, now: peer.create_offer(now))
    pair.alice.call(lambda peer, now: peer.set_local_description(SdpType.OFFER, offer, now))
    pair.alice.call(lambda peer, now: peer.rollback(now))

    assert pair.alice.machine.signaling_state is SignalingState.STABLE


def test_sending_under_an_unknown_mid_is_refused() -> None:
    pair = one_way()
    pair.connect()
    rendition = pair.rendition(pair.alice, "7", CodecName.VP8)

    with pytest.raises(UnknownMedia):
        rendition.push(video(1)[0], pair.now)


@pytest.mark.requirement("sdp-media:SYS05")
def test_stats_have_stable_ids_and_agree_on_both_sides() -> None:
    pair = one_way()
    pair.connect()
    pair.play(pair.rendition(pair.alice, "0", CodecName.VP8), video(60))
    pair.network.run(until=pair.now + 4.0)
    sent = pair.alice.machine.stats(pair.now)
    got = pair.bob.machine.stats(pair.now)

    (outbound,) = (s for s in of(OutboundRtpStats, sent) if s.mid == "0")
    (inbound,) = of(InboundRtpStats, got)
    (remote,) = of(RemoteInboundRtpStats, sent)
    assert remote.id == f"remote-inbound-rtp-{outbound.ssrc}"
    assert outbound.ssrc == inbound.ssrc == remote.ssrc
    assert outbound.packets_sent == inbound.packets_received
    assert (outbound.frames_sent, inbound.frames_received) == (60, 60)
    assert remote.round_trip_time == pytest.approx(0.04, abs=0.002)
    assert {"transport"} <= set(sent)
    assert any(record.type == "candidate-pair" for record in sent.values())
    assert any(record.type == "codec" for record in sent.values())
    assert set(pair.alice.machine.stats(pair.now + 1.0)) == set(sent)


def test_a_run_with_one_seed_is_the_same_twice() -> None:
    traces = []
    for _ in range(2):
        pair = one_way(seed=4, link=LinkProfile(delay=0.01, loss=0.05))
        pair.connect()
        pair.play(pair.rendition(pair.alice, "0", CodecName.VP8), video(20))
        pair.network.run(until=pair.now + 1.0)
        traces.append([(record.origin.sent_at, record.data) for record in pair.network.trace])

    assert traces[0] == traces[1]


def test_before_a_description_time_changes_nothing() -> None:
    network = Network()
    session = PeerSession(
        random_bytes=network.random_bytes("x"), config=SessionConfig(injected_keys=injected(0))
    )
    session.handle_timeout(1.0)

    assert session.state is ConnectionState.NEW
    assert session.next_timeout() is None
    assert session.poll_event() is None
    assert session.poll_transmit() is None
    assert session.local_description is None
