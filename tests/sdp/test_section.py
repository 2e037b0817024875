"""Sections are edited line by line; what is not edited keeps its bytes."""

from __future__ import annotations

import pytest
from hypothesis import given

from sdp import Direction, SdpError, SessionDescription
from sdp.attributes.group import Mid
from sdp.attributes.ice import IceUfrag
from sdp.attributes.rtpmap import RtpMap
from sdp.lines.media import MediaLine
from sdp.section import Section
from tests.sdp.strategies import byte_strings, documents, tokens

TEXT = (
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
    "m=audio 9 RTP/AVP 0\r\nb=AS:64\r\na=mid:0\r\na=rtpmap:0 PCMU/8000\r\na=flag\r\n"
    "a=strange:value:with:colons\r\na=rtpmap:x\r\n"
)


def section() -> Section:
    return SessionDescription.parse(TEXT).media[0]


@pytest.mark.requirement("sdp-media:SDP-G09")
def test_attributes_are_found_by_name_as_text() -> None:
    audio = section()

    assert audio.has("flag")
    assert not audio.has("Flag")
    assert audio.value("flag") == ""
    assert audio.value("strange") == "value:with:colons"
    assert audio.value("absent") is None
    assert audio.values("rtpmap") == ["0 PCMU/8000", "x"]
    assert ("flag", None) in audio.attributes
    assert ("mid", "0") in audio.attributes


def test_a_malformed_attribute_raises_with_its_place_only_when_asked_for() -> None:
    audio = section()

    assert audio.get(RtpMap) == RtpMap(0, "PCMU", 8000)
    with pytest.raises(SdpError) as caught:
        audio.get_all(RtpMap)
    assert (caught.value.line, caught.value.column) == (12, 10)


@pytest.mark.requirement("sdp-media:SDP-G06")
def test_bandwidths_are_typed() -> None:
    (bandwidth,) = section().bandwidths

    assert (bandwidth.type, bandwidth.value, bandwidth.bits_per_second) == ("AS", 64, 64000)


def test_editing_leaves_every_other_line_as_it_was() -> None:
    audio = section()
    audio.replace(Mid("1"))
    audio.remove("flag")
    audio.add(IceUfrag("abcd"))
    audio.replace_text("new")
    audio.replace_line("b", "AS:32")

    assert str(audio) == (
        "m=audio 9 RTP/AVP 0\r\nb=AS:32\r\na=mid:1\r\na=rtpmap:0 PCMU/8000\r\n"
        "a=strange:value:with:colons\r\na=rtpmap:x\r\na=ice-ufrag:abcd\r\na=new\r\n"
    )


def test_replacing_takes_all_of_the_name() -> None:
    audio = section()
    audio.replace(RtpMap(8, "PCMA", 8000))

    assert audio.values("rtpmap") == ["8 PCMA/8000"]


def test_a_new_line_has_the_ending_that_the_document_has() -> None:
    document = SessionDescription.parse(TEXT.replace("\r\n", "\n").rstrip("\n"))
    document.media[0].add_text("more")

    assert str(document).endswith("a=rtpmap:x\na=more\n")


def test_the_media_line_can_be_replaced() -> None:
    audio = SessionDescription.parse(TEXT).media[0]
    audio.media = MediaLine("audio", 0, "RTP/AVP", ("0",))

    assert str(audio).startswith("m=audio 0 RTP/AVP 0\r\nb=")


def test_a_direction_replaces_all_directions() -> None:
    audio = section()
    audio.replace_direction(Direction.SENDONLY)
    audio.replace_direction(Direction.RECVONLY)

    assert audio.direction is Direction.RECVONLY
    assert not audio.has("sendonly")


def test_a_missing_line_cannot_be_replaced() -> None:
    with pytest.raises(ValueError, match="no i="):
        section().replace_line("i", "x")


@pytest.mark.parametrize("value", ["", "a\r\nb", "a\nb", "a\0b"])
def test_a_value_that_would_break_the_document_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="NUL, CR or LF"):
        section().add_line("i", value)


@pytest.mark.long  # whole documents, fifty times
@given(documents(), tokens, byte_strings)
def test_an_added_attribute_is_found_and_removing_it_undoes_the_addition(
    text: str, name: str, value: str
) -> None:
    document = SessionDescription.parse(text)
    last = document.media[-1] if document.media else document.session
    if last.has(name):
        return
    last.terminate()
    before = str(document)
    last.add_text(name, value)

    assert last.value(name) == value.rstrip("\r\n")
    assert SessionDescription.parse(str(document)).media == [] or last.has(name)
    last.remove(name)
    assert str(document) == before
