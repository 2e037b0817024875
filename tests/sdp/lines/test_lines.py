"""Lines that are no attributes: values, their text, and what is none."""

from __future__ import annotations

from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdp import SdpError
from sdp.lines.bandwidth import Bandwidth
from sdp.lines.connection import Connection
from sdp.lines.media import MediaLine
from sdp.lines.origin import Origin
from sdp.lines.timing import Repeat, TimeZones, Timing, TypedTime
from tests.sdp.strategies import bandwidths, connections, media, origins


class Line(Protocol):
    @classmethod
    def parse(cls, value: str) -> Line: ...


VALUES: list[object] = [
    pytest.param(
        Origin("-", "1", "2", "IN", "IP6", "2001:db8::1"), "- 1 2 IN IP6 2001:db8::1", id="origin"
    ),
    pytest.param(
        Connection("IN", "IP4", "233.252.0.1", 127), "IN IP4 233.252.0.1/127", id="multicast"
    ),
    pytest.param(
        Connection("IN", "IP4", "233.252.0.1", 127, 3),
        "IN IP4 233.252.0.1/127/3",
        id="multicast-range",
    ),
    pytest.param(Connection("IN", "IP6", "ff00::db8:0:101"), "IN IP6 ff00::db8:0:101", id="ip6"),
    pytest.param(
        Connection("IN", "IP6", "ff00::db8:0:101", None, 3),
        "IN IP6 ff00::db8:0:101/3",
        id="ip6-range",
    ),
    pytest.param(Connection("IN", "IP4", "host.example"), "IN IP4 host.example", id="name"),
    pytest.param(Connection("ATM", "NSAP", "47.0091"), "ATM NSAP 47.0091", id="other-network"),
    pytest.param(Bandwidth("X-YZ", 128), "X-YZ:128", id="bandwidth"),
    pytest.param(Timing(3724394400, 3724398000), "3724394400 3724398000", id="timing"),
    pytest.param(
        Repeat(TypedTime("7d"), TypedTime("1h"), (TypedTime("0"), TypedTime("25h"))),
        "7d 1h 0 25h",
        id="repeat",
    ),
    pytest.param(
        TimeZones(((3730928400, TypedTime("-1h")), (3749680800, TypedTime("0")))),
        "3730928400 -1h 3749680800 0",
        id="zones",
    ),
    pytest.param(
        MediaLine("audio", 49170, "RTP/AVP", ("31", "32"), 2), "audio 49170/2 RTP/AVP 31 32", id="m"
    ),
    pytest.param(
        MediaLine("application", 9, "UDP/DTLS/SCTP", ("webrtc-datachannel",)),
        "application 9 UDP/DTLS/SCTP webrtc-datachannel",
        id="m-data",
    ),
]


@pytest.mark.requirement("sdp-media:SDP-G05")
@pytest.mark.requirement("sdp-media:SDP-G07")
@pytest.mark.requirement("sdp-media:SDP-G10")
@pytest.mark.parametrize(("line", "text"), VALUES)
def test_a_line_is_its_text(line: Line, text: str) -> None:
    assert str(line) == text
    assert type(line).parse(text) == line


MALFORMED = [
    pytest.param(Origin, "- 1 1 IN IP4", id="origin-five-fields"),
    pytest.param(Origin, "- a 1 IN IP4 x", id="origin-letters"),
    pytest.param(Origin, "- 1 1 IN IP4 x y", id="origin-seven-fields"),
    pytest.param(Origin, f"- {'1' * 257} 1 IN IP4 x", id="origin-too-many-digits"),
    pytest.param(Connection, "IN IP4", id="connection-two-fields"),
    pytest.param(Connection, "IN IP4 224.2.1.1", id="multicast-without-ttl"),
    pytest.param(Connection, "IN IP4 224.2.1.1/256", id="ttl-256"),
    pytest.param(Connection, "IN IP4 224.2.1.1/127/0", id="count-0"),
    pytest.param(Connection, "IN IP4 192.0.2.1/127", id="ttl-of-unicast"),
    pytest.param(Connection, "IN IP4 host/1/2/3", id="slashes"),
    pytest.param(Connection, "IN IP6 ff15::101/127/3", id="ip6-with-ttl"),
    pytest.param(Connection, "IN IP6 2001:db8::1/3", id="ip6-count-of-unicast"),
    pytest.param(Bandwidth, "AS", id="bandwidth-without-number"),
    pytest.param(Bandwidth, "AS:-1", id="bandwidth-negative"),
    pytest.param(Timing, "0", id="one-time"),
    pytest.param(Timing, "123 0", id="nine-digits"),
    pytest.param(Repeat, "7d 1h", id="repeat-without-offset"),
    pytest.param(Repeat, "0 1h 0", id="repeat-interval-0"),
    pytest.param(Repeat, "7D 1h 0", id="upper-case-unit"),
    pytest.param(TimeZones, "3730928400", id="zone-without-offset"),
    pytest.param(MediaLine, "audio 9 RTP/AVP", id="no-format"),
    pytest.param(MediaLine, "audio 65536 RTP/AVP 0", id="port-65536"),
    pytest.param(MediaLine, "audio 9/0 RTP/AVP 0", id="port-count-0"),
    pytest.param(MediaLine, "audio 9 RTP//AVP 0", id="empty-protocol-part"),
    pytest.param(MediaLine, "audio 9 RTP/AVP 0 ", id="trailing-space"),
    pytest.param(MediaLine, "audio ٩ RTP/AVP 0", id="arabic-digit"),
]


@pytest.mark.requirement("sdp-media:SDP-G05")
@pytest.mark.requirement("sdp-media:SDP-G07")
@pytest.mark.parametrize(("kind", "value"), MALFORMED)
def test_a_malformed_line_is_an_sdp_error(kind: type[Line], value: str) -> None:
    with pytest.raises(SdpError) as caught:
        kind.parse(value)

    assert caught.value.line == 1
    assert 1 <= caught.value.column <= len(value) + 1


@given(
    st.sampled_from([Origin, Connection, Bandwidth, Timing, Repeat, TimeZones, MediaLine]),
    st.data(),
)
def test_any_text_gives_a_line_or_an_sdp_error(kind: type[Line], data: st.DataObject) -> None:
    value = data.draw(origins | connections | bandwidths | media | st.text())
    try:
        line = kind.parse(value)
    except SdpError:
        return
    assert type(line).parse(str(line)) == line


@pytest.mark.requirement("sdp-media:SDP-G07")
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7d", 604800),
        ("1h", 3600),
        ("25h", 90000),
        ("5m", 300),
        ("30s", 30),
        ("604800", 604800),
        ("-1h", -3600),
    ],
)
def test_units_of_time_are_those_of_the_rfc(text: str, seconds: int) -> None:
    """RFC 8866 section 5.10 writes the same repeat time both ways."""
    assert TypedTime(text).seconds == seconds


@pytest.mark.requirement("sdp-media:SDP-G06")
@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("CT:128", 128000),
        ("AS:64", 64000),
        ("TIAS:64000", 64000),
        ("RS:800", 800),
        ("RR:2400", 2400),
        ("X-YZ:1", 1000),
    ],
)
def test_bandwidths_count_in_their_own_unit(text: str, bits: int) -> None:
    assert Bandwidth.parse(text).bits_per_second == bits


@pytest.mark.requirement("sdp-media:SDP-G10")
def test_formats_are_payload_types_where_they_can_be() -> None:
    line = MediaLine.parse("audio 9 RTP/AVP 0 127 128 x 999999")

    assert line.payload_types == (0, 127)


@pytest.mark.requirement("sdp-media:SDP-O10")
@pytest.mark.parametrize(
    ("protocol", "is_rtp"),
    [
        ("RTP/AVP", True),
        ("RTP/AVPF", True),
        ("RTP/SAVP", True),
        ("RTP/SAVPF", True),
        ("UDP/TLS/RTP/SAVP", True),
        ("UDP/TLS/RTP/SAVPF", True),
        ("TCP/DTLS/RTP/SAVP", True),
        ("TCP/DTLS/RTP/SAVPF", True),
        ("UDP/DTLS/SCTP", False),
        ("udp", False),
    ],
)
def test_all_rtp_profiles_are_known(protocol: str, is_rtp: bool) -> None:
    assert MediaLine("audio", 9, protocol, ("0",)).is_rtp is is_rtp


def test_only_the_version_may_differ_within_a_session() -> None:
    origin = Origin.parse("- 1 1 IN IP4 x")

    assert origin.is_same_session(Origin.parse("- 1 2 IN IP4 x"))
    assert not origin.is_same_session(Origin.parse("- 2 2 IN IP4 x"))
