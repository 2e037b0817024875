"""What Chromium, the KVS clients, aiortc and Firefox write is negotiated."""

from __future__ import annotations

import pytest

from sdp import Direction, NegotiatedMedia, Negotiator, SessionDescription, Setup
from tests.sdp.corpus import CAPTURED, read
from tests.sdp.negotiation.parties import (
    ANSWER,
    AUDIO,
    OFFER,
    OURS,
    TRANSPORT_LINES,
    VIDEO,
    answer_to,
    party,
)

OFFERS = [path.name for path in CAPTURED if "offer" in path.name.lower()]
ANSWERS = [path.name for path in CAPTURED if "answer" in path.name.lower()]


def master() -> Negotiator:
    negotiator = party()
    for kind in (VIDEO, AUDIO):
        negotiator.add_transceiver(kind, direction=Direction.SENDONLY, stream_ids=["s"])
    return negotiator


@pytest.mark.requirement("sdp-media:SDP-O08")
@pytest.mark.requirement("sdp-media:SDP-O17")
@pytest.mark.parametrize("name", OFFERS)
def test_a_captured_offer_is_answered(name: str) -> None:
    negotiator = master()

    document = answer_to(read(name), negotiator)

    offered = SessionDescription.parse(read(name))
    for theirs, ours in zip(offered.media, document.media, strict=True):
        assert ours.media.media == theirs.media.media
        assert (ours.media.port == 0) == (theirs.media.media == "application")
        if ours.media.port:
            assert ours.direction is Direction.SENDONLY
            assert ours.value("setup") == "active"
    assert negotiator.remote_transport is not None


@pytest.mark.parametrize("name", [n for n in OFFERS if n.startswith("chromium")])
def test_chromium_gets_vp8_and_constrained_baseline_with_rtx(name: str) -> None:
    negotiator = master()
    answer_to(read(name), negotiator)

    video, audio, data = negotiator.media
    assert [str(c.receive.payload_type) for c in video.codecs] == ["96", "108"]
    assert [c.send.rtx_payload_type for c in video.codecs] == [97, 109]
    assert video.extensions[9] == "urn:ietf:params:rtp-hdrext:sdes:mid"
    assert [c.send.name for c in audio.codecs] == ["opus"]
    assert data.rejected


def offered_like(answer: str) -> tuple[Negotiator, str]:
    """An offerer with the sections that a captured answer has, and the answer to those."""
    ours = party()
    document = SessionDescription.parse(answer)
    sections = [s for s in document.media if s.media.media != "application"]
    for section in sections:
        kind = VIDEO if section.media.media == "video" else AUDIO
        ours.add_transceiver(kind, direction=Direction.RECVONLY)
    offer = ours.create_offer(OURS)
    ours.set_local(OFFER, offer)
    text = str(document.session) + "".join(map(str, sections))
    mids = " ".join(s.value("mid") or "" for s in sections)
    group = document.session.value("group")
    return ours, text.replace(f"a=group:{group}", f"a=group:BUNDLE {mids}")


@pytest.mark.parametrize("name", ANSWERS)
def test_a_captured_answer_is_taken(name: str) -> None:
    ours, answer = offered_like(read(name))

    ours.set_remote(ANSWER, answer)

    video: NegotiatedMedia = ours.media[0]
    assert not video.rejected
    assert video.direction is Direction.RECVONLY
    assert video.codecs[0].send.name in ("VP8", "H264")
    assert ours.dtls_role is Setup.PASSIVE
    assert video.remote_ssrcs


FIREFOX = (
    "v=0|o=mozilla...THIS_IS_SDPARTA-99.0 6243372184543210 0 IN IP4 0.0.0.0|s=-|t=0 0|"
    "a=sendrecv|a=fingerprint:sha-256 " + ":".join(["9D"] * 32) + "|a=group:BUNDLE 0 1|"
    "a=ice-options:trickle|a=msid-semantic:WMS *|"
    "m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101|c=IN IP4 0.0.0.0|a=recvonly|"
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level|"
    "a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level|"
    "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid|"
    "a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1|a=fmtp:101 0-15|"
    "a=ice-pwd:5f2a6c1de9a2c7f7a7d9c1a4a1b2c3d4|a=ice-ufrag:8c5d1e2f|a=mid:0|a=rtcp-mux|"
    "a=rtpmap:109 opus/48000/2|a=rtpmap:9 G722/8000/1|a=rtpmap:0 PCMU/8000|"
    "a=rtpmap:8 PCMA/8000|a=rtpmap:101 telephone-event/8000/1|a=setup:actpass|"
    "a=ssrc:2655508255 cname:{735484ea-4f6c-f74a-bd66-7425f8476c2e}|"
    "m=video 0 UDP/TLS/RTP/SAVPF 120 124 126 127|c=IN IP4 0.0.0.0|a=bundle-only|a=recvonly|"
    "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid|"
    "a=fmtp:126 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1|"
    "a=fmtp:120 max-fs=12288;max-fr=60|a=fmtp:124 apt=120|a=fmtp:127 apt=126|"
    "a=ice-pwd:5f2a6c1de9a2c7f7a7d9c1a4a1b2c3d4|a=ice-ufrag:8c5d1e2f|a=mid:1|"
    "a=rtcp-fb:120 nack|a=rtcp-fb:120 nack pli|a=rtcp-fb:120 ccm fir|a=rtcp-fb:126 nack|"
    "a=rtcp-mux|a=rtcp-rsize|a=rtpmap:120 VP8/90000|a=rtpmap:124 rtx/90000|"
    "a=rtpmap:126 H264/90000|a=rtpmap:127 rtx/90000|a=setup:actpass|"
    "a=ssrc:3677456789 cname:{735484ea-4f6c-f74a-bd66-7425f8476c2e}|"
).replace("|", "\r\n")
"""In Firefox's manner: bundle-only sections, the fingerprint at the session, attributes
in the order of the alphabet."""


def test_an_offer_in_firefoxs_manner_is_answered() -> None:
    negotiator = master()

    document = answer_to(FIREFOX, negotiator)

    assert [s.media.port for s in document.media] == [9, 9]
    assert document.session.values("group") == ["BUNDLE 0 1"]
    audio, video = negotiator.media
    assert [c.send.payload_type for c in audio.codecs] == [109]
    assert [c.send.payload_type for c in video.codecs] == [120, 126]
    assert [c.send.rtx_payload_type for c in video.codecs] == [124, 127]
    assert video.codecs[0].send.parameter("max-fs") == "12288"


KVS_C = (
    "v=0|o=- 1904080082 2 IN IP4 127.0.0.1|s=-|t=0 0|a=group:BUNDLE 0 1|a=msid-semantic: WMS x|"
    f"m=video 9 UDP/TLS/RTP/SAVPF 125|c=IN IP4 127.0.0.1|{TRANSPORT_LINES}|a=mid:0|"
    "a=ice-options:trickle|a=sendrecv|a=rtcp-rsize|a=rtcp:9 IN IP4 0.0.0.0|"
    "a=ssrc:45567500 cname:CNAME|a=ssrc:45567500 msid:x y|a=rtpmap:125 H264/90000|"
    "a=fmtp:125 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f|"
    "a=rtcp-fb:125 nack|a=rtcp-fb:125 goog-remb|"
    f"m=audio 9 UDP/TLS/RTP/SAVPF 111|c=IN IP4 127.0.0.1|{TRANSPORT_LINES}|a=mid:1|"
    "a=sendrecv|a=rtcp-rsize|a=rtpmap:111 opus/48000/2|a=fmtp:111 minptime=10;useinbandfec=1|"
).replace("|", "\r\n")
"""In the manner of the KVS C SDK."""


def test_an_offer_in_the_manner_of_the_kvs_c_sdk_is_answered_for_it_to_read() -> None:
    """It finds streams by a=ssrc only, takes no value over 255 characters, and drops
    text after the last line end."""
    negotiator = master()

    document = answer_to(KVS_C, negotiator)

    text = str(document)
    assert text.endswith("\r\n")
    assert not set('"\\') & set(text)
    assert text.isascii()
    assert all(len(value) <= 255 for _, value in document.session.lines)
    for section in document.media:
        assert section.media.port == 9
        assert "cname:" in section.values("ssrc")[0]
        assert all(len(value) <= 255 for _, value in section.lines)
    assert [s.ssrc for s in negotiator.media[0].remote_ssrcs] == [45567500]
