"""Typed attributes: values, their text, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdp import Direction, Fingerprint, Msid, SdpError
from sdp.attributes.base import Attribute
from sdp.attributes.crypto import Crypto
from sdp.attributes.extmap import ExtMap
from sdp.attributes.fmtp import Fmtp, parameters_text
from sdp.attributes.group import Group, Mid
from sdp.attributes.ice import IceOptions, IcePacing, IcePwd, IceUfrag, RemoteCandidates
from sdp.attributes.rid import Rid
from sdp.attributes.rtcp import Rtcp
from sdp.attributes.rtcp_fb import RtcpFeedback
from sdp.attributes.rtpmap import STATIC, RtpMap
from sdp.attributes.sctp import MaxMessageSize, SctpPort
from sdp.attributes.simulcast import Simulcast, SimulcastStream
from sdp.attributes.ssrc import Ssrc, SsrcGroup
from sdp.attributes.tls_id import TlsId

SHA256 = ":".join(["AB"] * 32)

VALUES: list[object] = [
    pytest.param(RtpMap(0, "PCMU", 8000), "0 PCMU/8000", id="rtpmap"),
    pytest.param(RtpMap(111, "opus", 48000, "2"), "111 opus/48000/2", id="rtpmap-channels"),
    pytest.param(
        Fmtp("111", "minptime=10;useinbandfec=1"), "111 minptime=10;useinbandfec=1", id="fmtp"
    ),
    pytest.param(Fmtp("webrtc-datachannel", "x"), "webrtc-datachannel x", id="fmtp-token"),
    pytest.param(RtcpFeedback(96, "nack pli"), "96 nack pli", id="rtcp-fb"),
    pytest.param(
        RtcpFeedback(None, "ccm tmmbr smaxpr=120"), "* ccm tmmbr smaxpr=120", id="rtcp-fb-all"
    ),
    pytest.param(RtcpFeedback(96, "ack ccfb"), "96 ack ccfb", id="rtcp-fb-ccfb"),
    pytest.param(ExtMap(1, "urn:x"), "1 urn:x", id="extmap"),
    pytest.param(
        ExtMap(4096, "http://x/y", Direction.RECVONLY, "attr 1"),
        "4096/recvonly http://x/y attr 1",
        id="extmap-full",
    ),
    pytest.param(ExtMap(256, "urn:x"), "256 urn:x", id="extmap-256"),
    pytest.param(Ssrc(0xFFFFFFFF, "cname", "a b:c"), "4294967295 cname:a b:c", id="ssrc"),
    pytest.param(Ssrc(1, "flag"), "1 flag", id="ssrc-flag"),
    pytest.param(SsrcGroup("FID", (1, 2)), "FID 1 2", id="ssrc-group"),
    pytest.param(SsrcGroup("SIM", ()), "SIM", id="ssrc-group-empty"),
    pytest.param(Mid("audio"), "audio", id="mid"),
    pytest.param(Group("BUNDLE", ("a", "b")), "BUNDLE a b", id="group"),
    pytest.param(Group("LS", ()), "LS", id="group-empty"),
    pytest.param(Msid("-", "track"), "- track", id="msid"),
    pytest.param(Msid("stream"), "stream", id="msid-without-appdata"),
    pytest.param(Rtcp(53020), "53020", id="rtcp"),
    pytest.param(
        Rtcp(53020, "IN", "IP6", "2001:db8::1"), "53020 IN IP6 2001:db8::1", id="rtcp-address"
    ),
    pytest.param(IceUfrag("a+/9"), "a+/9", id="ice-ufrag"),
    pytest.param(IceUfrag("u" * 256), "u" * 256, id="ice-ufrag-256"),
    pytest.param(IcePwd("p" * 22), "p" * 22, id="ice-pwd"),
    pytest.param(IceOptions(("trickle", "ice2")), "trickle ice2", id="ice-options"),
    pytest.param(IceOptions(("google-ice",)), "google-ice", id="ice-options-with-a-hyphen"),
    pytest.param(IcePacing(50), "50", id="ice-pacing"),
    pytest.param(
        RemoteCandidates(((1, "192.0.2.1", 9), (2, "::1", 10))),
        "1 192.0.2.1 9 2 ::1 10",
        id="remote-candidates",
    ),
    pytest.param(Fingerprint("sha-256", SHA256), f"sha-256 {SHA256}", id="fingerprint"),
    pytest.param(Fingerprint("x-new", "AB"), "x-new AB", id="fingerprint-unknown-hash"),
    pytest.param(TlsId("abc3de65cddef001be82"), "abc3de65cddef001be82", id="tls-id"),
    pytest.param(Rid("1", "send"), "1 send", id="rid"),
    pytest.param(
        Rid("foo-1_", "recv", (96, 97), (("max-width", "1280"), ("depend", None))),
        "foo-1_ recv pt=96,97;max-width=1280;depend",
        id="rid-full",
    ),
    pytest.param(
        Simulcast(
            ((SimulcastStream("1"),), (SimulcastStream("2", True), SimulcastStream("3"))),
            ((SimulcastStream("4"),),),
        ),
        "send 1;~2,3 recv 4",
        id="simulcast",
    ),
    pytest.param(SctpPort(5000), "5000", id="sctp-port"),
    pytest.param(MaxMessageSize(0), "0", id="max-message-size"),
    pytest.param(
        Crypto(1, "AES_CM_128_HMAC_SHA1_80", ("inline:WVNf|2^20|1:32",), ("UNENCRYPTED_SRTP",)),
        "1 AES_CM_128_HMAC_SHA1_80 inline:WVNf|2^20|1:32 UNENCRYPTED_SRTP",
        id="crypto",
    ),
]


@pytest.mark.requirement("sdp-media:SDP-A03")
@pytest.mark.requirement("sdp-media:SDP-A04")
@pytest.mark.requirement("sdp-media:SDP-A10")
@pytest.mark.requirement("sdp-media:SDP-A13")
@pytest.mark.requirement("sdp-media:SDP-A18")
@pytest.mark.requirement("sdp-media:SDP-A21")
@pytest.mark.requirement("sdp-media:SDP-A22")
@pytest.mark.requirement("sdp-media:SDP-A23")
@pytest.mark.requirement("sdp-media:SDP-A24")
@pytest.mark.requirement("sdp-media:SDP-A25")
@pytest.mark.requirement("sdp-media:SDP-A27")
@pytest.mark.requirement("sdp-media:SDP-A28")
@pytest.mark.parametrize(("attribute", "text"), VALUES)
def test_an_attribute_is_its_text(attribute: Attribute, text: str) -> None:
    assert str(attribute) == text
    assert type(attribute).parse(text) == attribute


MALFORMED = [
    pytest.param(RtpMap, "128 VP8/90000", id="payload-type-128"),
    pytest.param(RtpMap, "96 VP8", id="no-clock-rate"),
    pytest.param(RtpMap, "96 VP8/0", id="clock-rate-0"),
    pytest.param(RtpMap, "x VP8/90000", id="payload-type-letters"),
    pytest.param(Fmtp, "96", id="fmtp-without-parameters"),
    pytest.param(RtcpFeedback, "96", id="rtcp-fb-without-value"),
    pytest.param(RtcpFeedback, "128 nack", id="rtcp-fb-128"),
    pytest.param(ExtMap, "0 urn:x", id="extmap-0"),
    pytest.param(ExtMap, "257 urn:x", id="extmap-257"),
    pytest.param(ExtMap, "4352 urn:x", id="extmap-4352"),
    pytest.param(ExtMap, "1/both urn:x", id="extmap-direction"),
    pytest.param(ExtMap, "1", id="extmap-without-uri"),
    pytest.param(Ssrc, "4294967296 cname:x", id="ssrc-33-bits"),
    pytest.param(Ssrc, "1", id="ssrc-without-attribute"),
    pytest.param(SsrcGroup, "FID 4294967296", id="ssrc-group-33-bits"),
    pytest.param(SsrcGroup, "FID x", id="ssrc-group-letters"),
    pytest.param(Mid, "", id="mid-empty"),
    pytest.param(Mid, "a b", id="mid-space"),
    pytest.param(Group, "", id="group-empty"),
    pytest.param(Msid, "", id="msid-empty"),
    pytest.param(Msid, "a ", id="msid-empty-appdata"),
    pytest.param(Msid, "x" * 65, id="msid-65-characters"),
    pytest.param(Rtcp, "65536", id="rtcp-port-65536"),
    pytest.param(Rtcp, "1 IN IP4", id="rtcp-half-an-address"),
    pytest.param(IceUfrag, "abc", id="ice-ufrag-3"),
    pytest.param(IceUfrag, "a" * 257, id="ice-ufrag-257"),
    pytest.param(IceUfrag, "ab_d", id="ice-ufrag-underscore"),
    pytest.param(IcePwd, "p" * 21, id="ice-pwd-21"),
    pytest.param(IceOptions, "", id="ice-options-empty"),
    pytest.param(IcePacing, "fast", id="ice-pacing-letters"),
    pytest.param(RemoteCandidates, "1 192.0.2.1", id="remote-candidates-two-words"),
    pytest.param(Fingerprint, "sha-256 AB", id="fingerprint-short"),
    pytest.param(Fingerprint, f"sha-256 {SHA256[:-1]}", id="fingerprint-odd-digits"),
    pytest.param(Fingerprint, f"sha-256 {SHA256.replace(':', '')}", id="fingerprint-no-colons"),
    pytest.param(Fingerprint, "sha-256", id="fingerprint-without-value"),
    pytest.param(TlsId, "x" * 19, id="tls-id-19"),
    pytest.param(TlsId, "x" * 256, id="tls-id-256"),
    pytest.param(Rid, "1 both", id="rid-direction"),
    pytest.param(Rid, "1 send max-width=1;pt=96", id="rid-pt-not-first"),
    pytest.param(Rid, "1 send pt=x", id="rid-pt-letters"),
    pytest.param(Simulcast, "send 1 send 2", id="simulcast-send-twice"),
    pytest.param(Simulcast, "send 1;", id="simulcast-empty-stream"),
    pytest.param(SctpPort, "65536", id="sctp-port-65536"),
    pytest.param(MaxMessageSize, "-1", id="max-message-size-negative"),
    pytest.param(Crypto, "1 AES_CM", id="crypto-without-key"),
]


@pytest.mark.requirement("sdp-media:SDP-A03")
@pytest.mark.requirement("sdp-media:SDP-A17")
@pytest.mark.parametrize(("kind", "value"), MALFORMED)
def test_a_malformed_attribute_is_an_sdp_error(kind: type[Attribute], value: str) -> None:
    with pytest.raises(SdpError) as caught:
        kind.parse(value)

    assert (caught.value.line, caught.value.column >= 1) == (1, True)


KINDS: list[type[Attribute]] = [
    RtpMap, Fmtp, RtcpFeedback, ExtMap, Ssrc, SsrcGroup, Mid, Group, Msid, Rtcp, IceUfrag, IcePwd,
    IceOptions, IcePacing, RemoteCandidates, Fingerprint, TlsId, Rid, Simulcast, SctpPort,
    MaxMessageSize, Crypto,
]  # fmt: skip


@given(st.sampled_from(KINDS), st.data())
def test_any_text_gives_an_attribute_or_an_sdp_error(
    kind: type[Attribute], data: st.DataObject
) -> None:
    likely = st.text("019 /:;=,~*abcsendrecvpt-", max_size=30)
    try:
        attribute = kind.parse(data.draw(likely | st.text()))
    except SdpError:
        return
    assert kind.parse(str(attribute)) == attribute


def test_a_secret_stays_out_of_representations_and_errors() -> None:
    secret = "s3cret" * 4

    assert secret not in repr(IcePwd(secret))
    with pytest.raises(SdpError) as password:
        IcePwd.parse(secret + "-")
    with pytest.raises(SdpError) as key:
        Crypto.parse(f"x {secret}")
    assert "s3cret" not in str(password.value) + str(key.value)


@pytest.mark.requirement("sdp-media:SDP-G12")
def test_channels_are_one_unless_the_rtpmap_says_more() -> None:
    assert RtpMap.parse("0 PCMU/8000").channels == 1
    assert RtpMap.parse("111 opus/48000/2").channels == 2
    assert RtpMap.parse("96 x/90000/odd").channels == 1


@pytest.mark.requirement("sdp-media:SDP-G12")
@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 PCMU/8000"),
        (8, "8 PCMA/8000"),
        (9, "9 G722/8000"),
        (10, "10 L16/44100/2"),
        (26, "26 JPEG/90000"),
    ],
)
def test_static_payload_types_are_those_of_rfc_3551(number: int, text: str) -> None:
    assert str(STATIC[number]) == text


def test_parameters_keep_their_order_and_lone_values() -> None:
    fmtp = Fmtp.parse("96 a=1; b = 2;;c;d=x=y")

    assert fmtp.parameters == (("a", "1"), ("b", "2"), ("", "c"), ("d", "x=y"))
    assert parameters_text(fmtp.parameters) == "a=1;b=2;c;d=x=y"


@pytest.mark.requirement("sdp-media:SDP-A24")
def test_a_rid_with_an_unknown_restriction_is_not_understood() -> None:
    """RFC 8851 section 5 lets such a rid be dropped."""
    assert Rid.parse("1 send pt=96;max-fps=30").is_understood
    assert not Rid.parse("1 send max-colours=3").is_understood


@pytest.mark.requirement("sdp-media:SDP-A25")
def test_the_example_of_rfc_8853_is_read() -> None:
    """Section 6.6.1."""
    simulcast = Simulcast.parse("send 1,2,3;~4,~5 recv 6;~7,~8")

    assert simulcast.rids == ("1", "2", "3", "4", "5", "6", "7", "8")
    assert str(simulcast) == "send 1,2,3;~4,~5 recv 6;~7,~8"
