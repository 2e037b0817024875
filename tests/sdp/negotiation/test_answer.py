"""RFC 8829 section 5.3: answers to offers of every kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdp import (
    DescriptionRefused,
    Direction,
    MediaKind,
    MissingProfile,
    NegotiationPolicy,
    RtpCodec,
    SdpError,
    SessionDescription,
    Setup,
    Verdict,
)
from sdp.attributes.fmtp import Fmtp
from sdp.attributes.rtpmap import RtpMap
from tests.sdp.negotiation.parties import (
    AUDIO,
    AUDIO_SECTION,
    CODECS,
    DATA_SECTION,
    H264,
    MID_URI,
    OFFER,
    OPUS,
    OURS,
    TRANSPORT_LINES,
    VIDEO,
    VIDEO_SECTION,
    VP8,
    answer_to,
    h264,
    party,
    remote_offer,
    transport,
)


def video_section(*formats: str, extra: str = "", numbers: str) -> str:
    return (
        f"m=video 9 UDP/TLS/RTP/SAVPF {numbers}|c=IN IP4 0.0.0.0|{TRANSPORT_LINES}|"
        + "|".join(formats)
        + f"|{extra}"
    )


@pytest.mark.requirement("sdp-media:SDP-O01")
@pytest.mark.requirement("sdp-media:SDP-O08")
def test_an_answer_has_the_offers_sections_and_numbers() -> None:
    answerer = party()
    answerer.add_transceiver(VIDEO)

    document = answer_to(remote_offer(AUDIO_SECTION, VIDEO_SECTION), answerer)

    audio, video = document.media
    assert document.session.values("group") == ["BUNDLE 0 1"]
    assert (audio.value("mid"), audio.media.formats) == ("0", ("111",))
    assert (video.value("mid"), video.media.formats) == ("1", ("96",))
    assert audio.direction is Direction.RECVONLY
    assert video.direction is Direction.SENDRECV


@pytest.mark.requirement("sdp-media:SDP-O01")
@pytest.mark.requirement("sdp-media:SDP-A27")
def test_data_channels_are_rejected_with_port_0() -> None:
    document = answer_to(remote_offer(DATA_SECTION, AUDIO_SECTION))

    data, audio = document.media
    assert str(data.media) == "application 0 UDP/DTLS/SCTP webrtc-datachannel"
    assert data.value("mid") == "0"
    assert audio.media.port == 9
    assert document.session.values("group") == ["BUNDLE 1"]


REJECTED = [
    pytest.param("m=text 9 UDP/TLS/RTP/SAVPF 98|c=IN IP4 0.0.0.0", "not supported", id="text"),
    pytest.param("m=audio 9 udp 0|c=IN IP4 0.0.0.0", "over udp is not supported", id="proto"),
    pytest.param(VIDEO_SECTION.replace("VP8", "VP7"), "no codec in common", id="codec"),
    pytest.param(VIDEO_SECTION.replace("m=video 9", "m=video 0"), "disables it", id="port-0"),
]


@pytest.mark.requirement("sdp-media:SDP-O01")
@pytest.mark.requirement("sdp-media:SDP-O18")
@pytest.mark.parametrize(("section", "reason"), REJECTED)
def test_what_cannot_be_had_is_rejected_and_says_why(section: str, reason: str) -> None:
    answerer = party()

    document = answer_to(remote_offer(section, AUDIO_SECTION), answerer)

    rejected = document.media[0]
    assert rejected.media.port == 0
    assert not rejected.has("ice-ufrag")
    assert [media.rejected for media in answerer.media] == [True, False]
    assert any(e.index == 0 and reason in e.reason for e in answerer.report)


def test_a_kind_without_codecs_here_is_rejected() -> None:
    document = answer_to(remote_offer(VIDEO_SECTION), party(OPUS))

    assert document.media[0].media.port == 0
    assert not document.session.has("group")


@pytest.mark.requirement("sdp-media:SDP-A11")
def test_a_section_without_rtcp_mux_is_rejected() -> None:
    section = VIDEO_SECTION.replace("|a=rtcp-mux", "")
    answerer = party()

    document = answer_to(remote_offer(section, group=False), answerer)

    assert document.media[0].media.port == 0
    assert "rtcp-mux" in answerer.report[-1].reason


@pytest.mark.requirement("sdp-media:SDP-A12")
def test_an_answer_never_says_rtcp_mux_only_or_bundle_only() -> None:
    offer = remote_offer(
        AUDIO_SECTION + "|a=rtcp-mux-only",
        "m=video 0 UDP/TLS/RTP/SAVPF 96|c=IN IP4 0.0.0.0|a=rtpmap:96 VP8/90000|a=bundle-only",
    )

    document = answer_to(offer)

    assert [section.media.port for section in document.media] == [9, 9]
    assert "rtcp-mux-only" not in str(document)
    assert "bundle-only" not in str(document)


@pytest.mark.requirement("sdp-media:SDP-A07")
def test_a_bundle_only_section_is_never_the_tagged_one() -> None:
    """RFC 9143 section 7.3.1: the tagged section has a port of its own."""
    bundle_only = "m=audio 0 UDP/TLS/RTP/SAVPF 111|c=IN IP4 0.0.0.0|a=rtpmap:111 opus/48000/2"
    stale = "a=ice-ufrag:stale|a=ice-pwd:stalestalestalestalestale"
    answerer = party()

    answer_to(remote_offer(f"{bundle_only}|a=bundle-only|{stale}", VIDEO_SECTION), answerer)

    assert answerer.remote_transport is not None
    assert answerer.remote_transport.ice_ufrag == "them"
    assert answerer.candidate_message("").index == 1


@pytest.mark.requirement("sdp-media:SDP-A07")
def test_sections_that_are_not_bundled_with_the_first_are_rejected() -> None:
    answerer = party()

    document = answer_to(remote_offer(AUDIO_SECTION, VIDEO_SECTION, group=False), answerer)

    assert [section.media.port for section in document.media] == [9, 0]
    assert any("not bundled" in entry.reason for entry in answerer.report)


def test_an_offer_without_mid_or_bundle_is_answered_likewise() -> None:
    offer = remote_offer(VIDEO_SECTION, group=False).replace("a=mid:0\r\n", "")
    answerer = party()

    document = answer_to(offer, answerer)

    assert not document.media[0].has("mid")
    assert not document.session.has("group")
    assert answerer.media[0].mid == "0"
    assert answerer.media[0].codecs


@pytest.mark.requirement("sdp-media:SDP-A16")
@pytest.mark.parametrize(
    ("offered", "wanted", "expected"),
    [
        ("actpass", Setup.ACTPASS, "active"),
        ("actpass", Setup.ACTIVE, "active"),
        ("actpass", Setup.PASSIVE, "passive"),
        ("active", Setup.ACTIVE, "passive"),
        ("passive", Setup.PASSIVE, "active"),
    ],
)
def test_the_dtls_role_follows_the_offer_and_then_the_wish(
    offered: str, wanted: Setup, expected: str
) -> None:
    offer = remote_offer(AUDIO_SECTION.replace("actpass", offered))
    answerer = party()

    document = answer_to(offer, answerer, transport(setup=wanted))

    assert document.media[0].value("setup") == expected
    assert answerer.dtls_role is Setup(expected)


@pytest.mark.requirement("sdp-media:SDP-A16")
def test_holdconn_leaves_no_role() -> None:
    answerer = party()
    answerer.set_remote(OFFER, remote_offer(AUDIO_SECTION.replace("actpass", "holdconn")))

    with pytest.raises(DescriptionRefused, match="section 0"):
        answerer.create_answer(OURS)


@pytest.mark.requirement("sdp-media:SDP-O06")
@pytest.mark.requirement("sdp-media:SDP-A06")
@pytest.mark.requirement("ice:X06")
@pytest.mark.requirement("ice:W01")
@pytest.mark.parametrize(
    ("offered", "answered"),
    [
        ("", None),
        ("a=ice-options:trickle\r\n", "trickle"),
        ("a=ice-options:ice2 trickle\r\n", "trickle ice2"),
        ("a=ice-options:rtp+ecn\r\n", None),
    ],
)
def test_only_ice_options_that_were_offered_are_answered(
    offered: str, answered: str | None
) -> None:
    document = answer_to(remote_offer(AUDIO_SECTION, session=offered))

    assert document.session.value("ice-options") == answered


@pytest.mark.requirement("sdp-media:SDP-A14")
@pytest.mark.parametrize("offered", [True, False], ids=["offered", "not-offered"])
def test_reduced_size_rtcp_is_answered_when_it_was_offered(offered: bool) -> None:
    answerer = party()
    section = AUDIO_SECTION + ("|a=rtcp-rsize" if offered else "")

    document = answer_to(remote_offer(section), answerer)

    assert document.media[0].has("rtcp-rsize") is offered
    assert answerer.media[0].rtcp_reduced_size is offered


@pytest.mark.requirement("sdp-media:SDP-A19")
@pytest.mark.parametrize("offered", [True, False], ids=["offered", "not-offered"])
def test_mixed_extension_headers_are_answered_when_they_were_offered(offered: bool) -> None:
    answerer = party()
    session = "a=extmap-allow-mixed\r\n" if offered else ""

    document = answer_to(remote_offer(AUDIO_SECTION, session=session), answerer)

    assert document.session.has("extmap-allow-mixed") is offered
    assert answerer.media[0].extmap_allow_mixed is offered


@pytest.mark.requirement("sdp-media:SDP-A18")
def test_extensions_keep_their_id_and_turn_their_direction_round() -> None:
    section = AUDIO_SECTION + f"|a=extmap:7/sendonly {MID_URI}|a=extmap:3 urn:unknown"
    answerer = party()

    document = answer_to(remote_offer(section), answerer)

    assert document.media[0].values("extmap") == [f"7/recvonly {MID_URI}"]
    assert answerer.media[0].extensions == {7: MID_URI}


@pytest.mark.requirement("sdp-media:SDP-A18")
def test_an_id_above_4095_is_replaced_by_a_free_one() -> None:
    section = AUDIO_SECTION + f"|a=extmap:1 urn:unknown|a=extmap:4096 {MID_URI}"

    document = answer_to(remote_offer(section))

    assert document.media[0].values("extmap") == [f"2 {MID_URI}"]


@pytest.mark.requirement("sdp-media:SDP-A26")
@pytest.mark.requirement("sdp-media:SDP-O08")
def test_rtx_is_answered_with_what_it_repairs_and_dropped_with_it() -> None:
    section = video_section(
        "a=rtpmap:96 VP8/90000",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
        "a=rtpmap:98 VP9/90000",
        "a=rtpmap:99 rtx/90000",
        "a=fmtp:99 apt=98",
        numbers="96 97 98 99",
    )
    answerer = party()

    document = answer_to(remote_offer(section), answerer)

    assert document.media[0].media.formats == ("96", "97")
    assert document.media[0].values("fmtp") == ["97 apt=96"]
    assert answerer.media[0].codecs[0].send.rtx_payload_type == 97


def test_without_the_capability_rtx_is_left_out() -> None:
    section = video_section(
        "a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96", numbers="96 97"
    )
    answerer = party(VP8)

    document = answer_to(remote_offer(section), answerer)

    assert document.media[0].media.formats == ("96",)
    assert answerer.media[0].codecs[0].send.rtx_payload_type is None


@pytest.mark.requirement("sdp-media:SDP-A23")
def test_feedback_for_all_formats_counts_for_each_and_is_written_for_each() -> None:
    section = video_section(
        "a=rtpmap:96 VP8/90000", "a=rtcp-fb:* nack", "a=rtcp-fb:96 ccm fir", numbers="96"
    )

    document = answer_to(remote_offer(section))

    assert document.media[0].values("rtcp-fb") == ["96 nack", "96 ccm fir"]


@pytest.mark.requirement("sdp-media:SDP-O08")
def test_the_order_is_the_offers_unless_the_transceiver_prefers() -> None:
    section = video_section(
        "a=rtpmap:96 VP8/90000",
        "a=rtpmap:97 H264/90000",
        "a=fmtp:97 packetization-mode=1;profile-level-id=42e01f",
        numbers="96 97",
    )
    plain, preferring = party(), party()
    preferring.add_transceiver(VIDEO, codecs=[H264, VP8])
    only = party()
    only.add_transceiver(VIDEO, codecs=[H264])

    formats = [
        answer_to(remote_offer(section), answerer).media[0].media.formats
        for answerer in (plain, preferring, only)
    ]

    assert formats == [("96", "97"), ("97", "96"), ("97",)]


@pytest.mark.requirement("sdp-media:SDP-O14")
@pytest.mark.parametrize(
    ("offered", "answered"),
    [
        (
            "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e034",
            "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        ),
        (
            "packetization-mode=1;profile-level-id=42e00b",
            "packetization-mode=1;profile-level-id=42e00b",
        ),
        (
            "packetization-mode=1;profile-level-id=42e034",
            "packetization-mode=1;profile-level-id=42e01f",
        ),
    ],
    ids=["asymmetric", "lower", "higher"],
)
def test_the_level_of_the_answer(offered: str, answered: str) -> None:
    section = video_section("a=rtpmap:97 H264/90000", f"a=fmtp:97 {offered}", numbers="97")

    document = answer_to(remote_offer(section))

    assert document.media[0].get(Fmtp) == Fmtp("97", answered)


@pytest.mark.requirement("sdp-media:SDP-O15")
@pytest.mark.parametrize(
    ("missing", "port"), [(MissingProfile.RFC6184, 0), (MissingProfile.LIBWEBRTC, 9)]
)
def test_a_missing_profile_is_what_the_policy_says(missing: MissingProfile, port: int) -> None:
    section = video_section(
        "a=rtpmap:97 H264/90000", "a=fmtp:97 packetization-mode=1", numbers="97"
    )
    answerer = party(policy=NegotiationPolicy(missing_profile=missing))

    assert answer_to(remote_offer(section), answerer).media[0].media.port == port


def test_what_we_may_send_is_what_the_peer_declared() -> None:
    section = video_section(
        "a=rtpmap:97 H264/90000",
        "a=fmtp:97 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e034",
        numbers="97",
    )
    answerer = party()
    answer_to(remote_offer(section), answerer)

    (codec,) = answerer.media[0].codecs
    assert codec.local == H264
    assert codec.send.parameter("profile-level-id") == "42e034"
    assert codec.receive.parameter("Profile-Level-Id") == "42e01f"


@pytest.mark.requirement("sdp-media:SDP-G12")
def test_a_static_payload_type_needs_no_rtpmap_and_others_do() -> None:
    section = AUDIO_SECTION.replace(" 111|", " 0 112 111|")
    answerer = party(OPUS, RtpCodec(AUDIO, "PCMU", 8000))

    document = answer_to(remote_offer(section), answerer)

    assert document.media[0].media.formats == ("0", "111")
    assert any("112" in e.subject and "a=rtpmap" in e.reason for e in answerer.report)


@pytest.mark.requirement("sdp-media:SDP-A21")
@pytest.mark.requirement("sdp-media:SDP-A22")
def test_what_the_peer_sends_is_told_by_ssrc_and_msid() -> None:
    section = VIDEO_SECTION + (
        "|a=msid:s1 t|a=msid:s2 t|a=ssrc-group:FID 11 12|a=ssrc:11 cname:them|"
        "a=ssrc:12 cname:them|a=ssrc:13 label:odd|a=ssrc-group:SIM 11 13"
    )
    answerer = party()
    answer_to(remote_offer(section), answerer)

    (media,) = answerer.media
    assert [(s.ssrc, s.rtx_ssrc, s.cname) for s in media.remote_ssrcs] == [
        (11, 12, "them"),
        (13, None, None),
    ]
    assert [m.stream for m in media.msids] == ["s1", "s2"]


@pytest.mark.requirement("sdp-media:SDP-A22")
@pytest.mark.parametrize("direction", Direction)
def test_what_we_send_is_announced_by_ssrc_with_a_cname(direction: Direction) -> None:
    answerer = party()
    transceiver = answerer.add_transceiver(VIDEO, direction=direction)

    document = answer_to(remote_offer(VIDEO_SECTION), answerer)

    video = document.media[0]
    announced = [value.partition(" ")[0] for value in video.values("ssrc")]
    assert announced == ([str(transceiver.ssrc)] if direction.sends else [])
    assert video.has("msid") is direction.sends
    assert [s.ssrc for s in answerer.media[0].local_ssrcs] == [int(s) for s in announced]


@pytest.mark.requirement("sdp-media:SDP-A25")
def test_simulcast_is_refused_by_leaving_it_out() -> None:
    section = VIDEO_SECTION + "|a=rid:1 send|a=rid:2 send|a=simulcast:send 1;~2"
    answerer = party()

    document = answer_to(remote_offer(section), answerer)

    assert document.media[0].media.port == 9
    assert not document.media[0].has("simulcast")
    assert not document.media[0].has("rid")
    assert any(e.subject == "simulcast" for e in answerer.report)


@pytest.mark.requirement("sdp-media:SDP-A28")
def test_sdes_keys_are_never_accepted() -> None:
    key = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNf"
    document = answer_to(remote_offer(f"{AUDIO_SECTION}|{key}"))
    assert not document.media[0].has("crypto")

    without_dtls = "|".join(
        line for line in f"{AUDIO_SECTION}|{key}".split("|") if "fingerprint" not in line
    )
    with pytest.raises(DescriptionRefused, match="fingerprint is missing"):
        party().set_remote(OFFER, remote_offer(without_dtls))


@pytest.mark.requirement("sdp-media:SDP-O10")
@pytest.mark.parametrize(
    "protocol",
    ["RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF"],
)
def test_any_rtp_profile_is_answered_with_itself(protocol: str) -> None:
    section = AUDIO_SECTION.replace("UDP/TLS/RTP/SAVPF", protocol)

    assert answer_to(remote_offer(section)).media[0].media.protocol == protocol


@pytest.mark.requirement("sdp-media:SDP-O06")
def test_a_lip_sync_group_stays_when_our_streams_allow_it() -> None:
    offer = remote_offer(AUDIO_SECTION, VIDEO_SECTION, session="a=group:LS 0 1\r\n")
    together, apart = party(), party()
    for kind in (AUDIO, VIDEO):
        together.add_transceiver(kind, stream_ids=["one"])
        apart.add_transceiver(kind, stream_ids=[kind.value])

    groups = [
        answer_to(offer, answerer).session.values("group")[1:]
        for answerer in (party(), together, apart)
    ]

    assert groups == [["LS 0 1"], ["LS 0 1"], []]


def test_transceivers_are_matched_in_the_order_they_were_added() -> None:
    answerer = party()
    first = answerer.add_transceiver(VIDEO, direction=Direction.SENDONLY)
    second = answerer.add_transceiver(VIDEO, direction=Direction.SENDONLY)

    answer_to(remote_offer(VIDEO_SECTION, AUDIO_SECTION, VIDEO_SECTION), answerer)

    assert (first.index, second.index) == (0, 2)
    assert [media.direction for media in answerer.media] == [
        Direction.SENDONLY,
        Direction.RECVONLY,
        Direction.SENDONLY,
    ]


@pytest.mark.requirement("sdp-media:SDP-A16")
def test_a_reoffer_that_goes_on_keeps_the_dtls_role_and_a_new_one_may_change_it() -> None:
    answerer = party()
    answer_to(remote_offer(AUDIO_SECTION), answerer, transport(setup=Setup.PASSIVE))
    again = answer_to(remote_offer(AUDIO_SECTION), answerer, transport(setup=Setup.ACTIVE))
    restarted = remote_offer(AUDIO_SECTION).replace("them", "newx").replace("CD:", "EF:")

    new = answer_to(restarted, answerer, transport("next", setup=Setup.ACTIVE))

    assert again.media[0].value("setup") == "passive"
    assert new.media[0].value("setup") == "active"


@pytest.mark.requirement("sdp-media:SDP-O18")
def test_the_report_reads_well() -> None:
    answerer = party()
    answer_to(remote_offer(VIDEO_SECTION), answerer)

    assert [str(entry) for entry in answerer.report] == [
        "m= section 0: 96 VP8/90000 kept: we send as 96 and receive as 96"
    ]


formats = st.sampled_from(
    [
        "opus/48000/2",
        "PCMU/8000",
        "VP8/90000",
        "H264/90000",
        "VP9/90000",
        "rtx/90000",
        "red/90000",
        "telephone-event/8000",
    ]
)


@st.composite
def offers(draw: st.DrawFn) -> str:
    """Offers of one BUNDLE group with any formats, directions and rejections."""
    sections = []
    free = iter(range(96, 128))
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["audio", "video", "application", "text"]))
        direction = draw(st.sampled_from(["sendrecv", "sendonly", "recvonly", "inactive"]))
        if kind == "application":
            sections.append(DATA_SECTION)
            continue
        chosen = {next(free): name for name in draw(st.lists(formats, min_size=1, max_size=5))}
        lines = [f"m={kind} 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, chosen))}", "c=IN IP4 0.0.0.0"]
        lines += [TRANSPORT_LINES, f"a={direction}"]
        for number, name in chosen.items():
            lines.append(f"a=rtpmap:{number} {name}")
            if name.startswith("rtx"):
                lines.append(f"a=fmtp:{number} apt={draw(st.sampled_from(sorted(chosen)))}")
            lines += draw(st.sampled_from([[], [f"a=rtcp-fb:{number} nack"]]))
        sections.append("|".join(lines))
    return remote_offer(*sections)


@pytest.mark.long  # whole documents, fifty times
@pytest.mark.requirement("sdp-media:SDP-O01")
@pytest.mark.requirement("sdp-media:SDP-O08")
@pytest.mark.requirement("sdp-media:SDP-A26")
@given(
    offers(),
    st.lists(st.sampled_from([*CODECS, h264("42001f")]), unique=True, min_size=1),
    st.lists(st.tuples(st.sampled_from(MediaKind), st.sampled_from(Direction)), max_size=3),
)
def test_any_offer_has_a_valid_answer(
    offer: str, codecs: list[RtpCodec], wanted: list[tuple[MediaKind, Direction]]
) -> None:
    answerer = party(*codecs)
    for kind, direction in wanted:
        answerer.add_transceiver(kind, direction=direction)

    document = answer_to(offer, answerer)

    offered = SessionDescription.parse(offer)
    assert len(document.media) == len(offered.media)
    for theirs, ours in zip(offered.media, document.media, strict=True):
        assert ours.media.media == theirs.media.media
        assert ours.media.protocol == theirs.media.protocol
        assert set(ours.media.formats) <= set(theirs.media.formats)
        assert ours.value("mid") == theirs.value("mid")
        assert set(ours.values("rtcp-fb")) <= set(theirs.values("rtcp-fb"))
        assert set(ours.get_all(RtpMap)) <= set(theirs.get_all(RtpMap))
        if ours.media.port:
            given_direction = offered.direction(theirs)
            assert document.direction(ours) & given_direction.reversed is document.direction(ours)
            for fmtp in ours.get_all(Fmtp):
                apt = dict(fmtp.parameters).get("apt")
                assert apt is None or apt in ours.media.formats
    kept = {e.subject for e in answerer.report if e.verdict is Verdict.KEPT}
    assert bool(kept) == any(section.media.port for section in document.media)


def test_a_malformed_attribute_that_is_needed_is_told_with_its_line() -> None:
    offer = remote_offer(AUDIO_SECTION.replace("a=rtpmap:111 opus", "a=rtpmap:opus"))

    with pytest.raises(SdpError) as caught:
        party().set_remote(OFFER, offer)

    assert offer.split("\r\n")[caught.value.line - 1].startswith("a=rtpmap:opus")
    assert caught.value.column == 10


def test_the_negotiator_is_as_before_when_an_offer_is_refused() -> None:
    answerer = party()
    wanted = answerer.add_transceiver(VIDEO)
    with pytest.raises(DescriptionRefused):
        answerer.set_remote(
            OFFER, remote_offer(VIDEO_SECTION, "m=audio 9 RTP/AVP 0|a=rtcp-mux-only")
        )

    assert (wanted.mid, answerer.transceivers) == (None, (wanted,))
    answer_to(remote_offer(VIDEO_SECTION), answerer)
    assert wanted.mid == "0"
