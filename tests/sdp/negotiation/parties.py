"""Negotiators with known codecs, seeded, and exchanges between two of them."""

from __future__ import annotations

import random

from sdp import (
    Fingerprint,
    MediaKind,
    NegotiationPolicy,
    Negotiator,
    RtpCodec,
    SdpType,
    SessionDescription,
    Setup,
    TransportDescription,
)

AUDIO, VIDEO = MediaKind.AUDIO, MediaKind.VIDEO
OFFER, ANSWER, PRANSWER = SdpType.OFFER, SdpType.ANSWER, SdpType.PRANSWER

MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"
TRANSPORT_CC_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

FEEDBACK = ("nack", "nack pli", "ccm fir")

OPUS = RtpCodec(
    AUDIO, "opus", 48000, channels=2, parameters=(("minptime", "10"), ("useinbandfec", "1"))
)
PCMU = RtpCodec(AUDIO, "PCMU", 8000, payload_type=0)
VP8 = RtpCodec(VIDEO, "VP8", 90000, feedback=FEEDBACK)
RTX = RtpCodec(VIDEO, "rtx", 90000)


def h264(
    profile_level_id: str | None = "42e01f", mode: str | None = "1", asymmetry: str | None = "1"
) -> RtpCodec:
    parameters = (
        ("level-asymmetry-allowed", asymmetry),
        ("packetization-mode", mode),
        ("profile-level-id", profile_level_id),
    )
    given = tuple((name, value) for name, value in parameters if value is not None)
    return RtpCodec(VIDEO, "H264", 90000, parameters=given, feedback=FEEDBACK)


H264 = h264()
CODECS = (OPUS, H264, VP8, RTX)
EXTENSIONS = ((AUDIO, MID_URI), (VIDEO, MID_URI), (VIDEO, TRANSPORT_CC_URI))


def party(
    *codecs: RtpCodec,
    seed: int = 1,
    policy: NegotiationPolicy | None = None,
    extensions: tuple[tuple[MediaKind, str], ...] = EXTENSIONS,
) -> Negotiator:
    """A negotiator whose randomness is the seed's."""
    return Negotiator(
        random.Random(seed).randbytes, codecs=codecs or CODECS, extensions=extensions, policy=policy
    )


def transport(
    name: str = "ours",
    *,
    setup: Setup = Setup.ACTPASS,
    certificate: str = "AB",
    candidates: tuple[str, ...] = (),
    end_of_candidates: bool = False,
) -> TransportDescription:
    """A transport whose credentials are told by its name."""
    return TransportDescription(
        ice_ufrag=name,
        ice_pwd=name.ljust(24, "x"),
        fingerprints=(Fingerprint("sha-256", ":".join([certificate] * 32)),),
        setup=setup,
        candidates=candidates,
        end_of_candidates=end_of_candidates,
    )


OURS = transport("ours")
THEIRS = transport("theirs", certificate="CD")


def exchange(
    offerer: Negotiator,
    answerer: Negotiator,
    offered: TransportDescription = OURS,
    answered: TransportDescription = THEIRS,
) -> tuple[str, str]:
    """One whole offer/answer; the two texts."""
    offer = offerer.create_offer(offered)
    offerer.set_local(OFFER, offer)
    answerer.set_remote(OFFER, offer)
    answer = answerer.create_answer(answered)
    answerer.set_local(ANSWER, answer)
    offerer.set_remote(ANSWER, answer)
    return offer, answer


def answer_to(
    offer: str, negotiator: Negotiator | None = None, local: TransportDescription = OURS
) -> SessionDescription:
    """The answer, set on the negotiator, as a document that follows the grammar."""
    answerer = negotiator or party()
    answerer.set_remote(OFFER, offer)
    text = answerer.create_answer(local)
    answerer.set_local(ANSWER, text)
    return SessionDescription.parse_strict(text)


def remote_offer(*sections: str, session: str = "", group: bool = True) -> str:
    """An offer of a peer: sections without their transport, which is added to each."""
    mids = " ".join(str(index) for index in range(len(sections)))
    head = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
    if group:
        head += f"a=group:BUNDLE {mids}\r\n"
    body = "".join(
        section.replace("|", "\r\n").rstrip() + f"\r\na=mid:{index}\r\n"
        for index, section in enumerate(sections)
    )
    return head + session + body


TRANSPORT_LINES = (
    "a=ice-ufrag:them|a=ice-pwd:themthemthemthemthemthem|"
    f"a=fingerprint:sha-256 {':'.join(['CD'] * 32)}|a=setup:actpass|a=rtcp-mux"
)

AUDIO_SECTION = (
    f"m=audio 9 UDP/TLS/RTP/SAVPF 111|c=IN IP4 0.0.0.0|{TRANSPORT_LINES}|a=rtpmap:111 opus/48000/2"
)
VIDEO_SECTION = (
    f"m=video 9 UDP/TLS/RTP/SAVPF 96|c=IN IP4 0.0.0.0|{TRANSPORT_LINES}|a=rtpmap:96 VP8/90000"
)
DATA_SECTION = (
    f"m=application 9 UDP/DTLS/SCTP webrtc-datachannel|c=IN IP4 0.0.0.0|{TRANSPORT_LINES}|"
    "a=sctp-port:5000"
)
