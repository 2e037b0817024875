"""RFC 8866: documents keep their bytes, and faults have a place."""

from __future__ import annotations

import contextlib
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdp import Diagnostic, Direction, SdpError, SessionDescription
from sdp.attributes.ice import IceUfrag
from sdp.attributes.ssrc import Ssrc
from sdp.lines.connection import Connection
from sdp.lines.media import MediaLine
from sdp.lines.origin import Origin
from tests.sdp.corpus import ALL
from tests.sdp.strategies import document_lines, documents

EXAMPLE = (
    "v=0\r\n"
    "o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n"
    "s=Call to John Smith\r\n"
    "i=SDP Offer #1\r\n"
    "u=http://www.jdoe.example.com/home.html\r\n"
    "e=Jane Doe <jane@jdoe.example.com>\r\n"
    "p=+1 617 555-6011\r\n"
    "c=IN IP4 198.51.100.1\r\n"
    "t=0 0\r\n"
    "m=audio 49170 RTP/AVP 0\r\n"
    "m=audio 49180 RTP/AVP 0\r\n"
    "m=video 51372 RTP/AVP 99\r\n"
    "c=IN IP6 2001:db8::2\r\n"
    "a=rtpmap:99 h263-1998/90000\r\n"
)
"""RFC 8866 section 5."""


@pytest.mark.requirement("sdp-media:SDP-G02")
@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_document_of_the_corpus_gives_its_bytes_back(path: pathlib.Path) -> None:
    data = path.read_bytes()

    assert bytes(SessionDescription.from_bytes(data)) == data


@pytest.mark.long  # whole documents, fifty times
@pytest.mark.requirement("sdp-media:SDP-G02")
@pytest.mark.requirement("sdp-media:SDP-G03")
@given(documents())
def test_what_the_grammar_generates_is_taken_strictly_and_given_back(text: str) -> None:
    assert str(SessionDescription.parse_strict(text)) == text


@pytest.mark.long  # whole documents, fifty times
@pytest.mark.requirement("sdp-media:SDP-G03")
@given(documents(), st.data())
def test_a_changed_character_gives_a_document_or_an_error_with_its_place(
    text: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("\0\r\n =:/avmostx019\x80") | st.just(""))
    changed = text[:place] + other + text[place + 1 :]

    place_of_error = (1, 1)
    try:
        assert str(SessionDescription.parse_strict(changed)) == changed
    except SdpError as error:
        place_of_error = (error.line, error.column)

    line, column = place_of_error
    lines = changed.split("\n")
    assert 1 <= line <= len(lines)
    assert 1 <= column <= len(lines[line - 1]) + 1


@pytest.mark.requirement("sdp-media:SDP-G03")
@given(st.text())
def test_any_text_gives_a_document_or_an_sdp_error(text: str) -> None:
    with contextlib.suppress(SdpError):
        assert str(SessionDescription.parse("v=0\r\n" + text)) == "v=0\r\n" + text
    with contextlib.suppress(SdpError):
        SessionDescription.parse(text)


@pytest.mark.requirement("sdp-media:SDP-G02")
@given(st.binary())
def test_bytes_that_are_no_utf8_are_kept(data: bytes) -> None:
    whole = b"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=" + data.translate(None, b"\0\r\n") + b"\r\n"

    assert bytes(SessionDescription.from_bytes(whole)) == whole


@pytest.mark.long  # whole documents, fifty times
@pytest.mark.requirement("sdp-media:SDP-G01")
@given(document_lines(), st.data())
def test_a_line_in_the_wrong_place_is_a_diagnostic_and_a_strict_error(
    lines: list[str], data: st.DataObject
) -> None:
    """Moving o= anywhere else breaks the order."""
    origin = lines.pop(1)
    lines.insert(data.draw(st.integers(2, len(lines))), origin)
    text = "\r\n".join(lines) + "\r\n"

    assert str(SessionDescription.parse(text)) == text
    assert SessionDescription.parse(text).diagnostics
    with pytest.raises(SdpError):
        SessionDescription.parse_strict(text)


MISPLACED = [
    pytest.param("v=0|o=- 1 1 IN IP4 0.0.0.0|t=0 0|s=-", 3, id="t-before-s"),
    pytest.param("v=0|s=-|o=- 1 1 IN IP4 0.0.0.0|t=0 0", 2, id="s-before-o"),
    pytest.param("v=0|o=- 1 1 IN IP4 0.0.0.0|s=-|t=0 0|b=AS:1", 5, id="b-after-t"),
    pytest.param("v=0|o=- 1 1 IN IP4 0.0.0.0|s=-|t=0 0|z=2882844526 -1h", 5, id="z-without-r"),
    pytest.param("v=0|o=- 1 1 IN IP4 0.0.0.0|s=-|i=x|i=y|t=0 0", 5, id="i-twice"),
    pytest.param("v=0|o=- 1 1 IN IP4 0.0.0.0|s=-|a=x", 4, id="a-before-t"),
    pytest.param("v=0|o=- 1 1 IN IP4 0.0.0.0|s=-|t=0 0|x=1", 5, id="unknown-type"),
    pytest.param("v=0|o=- 1 1 IN IP4 0.0.0.0|s=-|t=0 0||a=x", 5, id="empty-line"),
    pytest.param(
        "v=0|o=- 1 1 IN IP4 0.0.0.0|s=-|t=0 0|m=audio 9 RTP/AVP 0|a=x|c=IN IP4 1.2.3.4",
        7,
        id="c-after-a",
    ),
    pytest.param(
        "v=0|o=- 1 1 IN IP4 0.0.0.0|s=-|c=IN IP4 1.2.3.4|t=0 0|m=audio 9 RTP/AVP 0|t=0 0",
        7,
        id="t-in-media",
    ),
]


@pytest.mark.requirement("sdp-media:SDP-G01")
@pytest.mark.parametrize(("text", "line"), MISPLACED)
def test_the_first_diagnostic_names_the_line_out_of_order(text: str, line: int) -> None:
    document = SessionDescription.parse(text.replace("|", "\r\n"))

    assert document.diagnostics[0].line == line


@pytest.mark.requirement("sdp-media:SDP-G01")
def test_time_descriptions_and_connections_of_a_section_may_repeat() -> None:
    text = (
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\n"
        "t=3724394400 3724398000\r\nr=604800 3600 0 90000\r\nr=7d 1h 0 25h\r\n"
        "z=3730928400 -1h 3749680800 0\r\nt=3724484400 0\r\n"
        "m=audio 9/2 RTP/AVP 0\r\nc=IN IP4 233.252.0.1/127\r\nc=IN IP4 233.252.0.2/127\r\n"
    )

    assert not SessionDescription.parse(text).diagnostics


BROKEN = [
    pytest.param("", (1, 1), id="empty"),
    pytest.param("v=1\r\n", (1, 1), id="version-1"),
    pytest.param("v=00\r\n", (1, 1), id="version-00"),
    pytest.param("o=- 1 1 IN IP4 0.0.0.0\r\n", (1, 1), id="no-version"),
    pytest.param("v=0\r\ns=a\0b\r\n", (2, 4), id="nul"),
    pytest.param("v=0\r\ns=a\rb\r\n", (2, 4), id="cr-inside"),
]


@pytest.mark.requirement("sdp-media:SDP-G04")
@pytest.mark.requirement("sdp-media:SDP-G09")
@pytest.mark.parametrize(("text", "place"), BROKEN)
def test_what_hides_the_structure_is_an_error_with_line_and_column(
    text: str, place: tuple[int, int]
) -> None:
    with pytest.raises(SdpError) as caught:
        SessionDescription.parse(text)

    assert (caught.value.line, caught.value.column) == place


ODD_ATTRIBUTES = [
    pytest.param("a=", 3, id="no-name"),
    pytest.param("a=two words", 3, id="space-in-name"),
    pytest.param("a=:value", 3, id="only-a-value"),
    pytest.param("a=name:", 7, id="colon-without-value"),
]


@pytest.mark.requirement("sdp-media:SDP-G09")
@pytest.mark.parametrize(("line", "column"), ODD_ATTRIBUTES)
def test_an_odd_attribute_is_told_and_kept(line: str, column: int) -> None:
    text = EXAMPLE + line + "\r\n"

    document = SessionDescription.parse(text)

    assert [(d.line, d.column) for d in document.diagnostics] == [(15, column)]
    assert str(document) == text


def test_a_malformed_media_line_is_told_and_raises_when_it_is_looked_at() -> None:
    text = EXAMPLE.replace("m=video 51372", "m=video port")

    document = SessionDescription.parse(text)

    assert [d.line for d in document.diagnostics] == [12]
    with pytest.raises(SdpError) as caught:
        _ = document.media[2].media
    assert caught.value.line == 12


def test_the_example_of_the_rfc_is_seen_through_types() -> None:
    document = SessionDescription.parse_strict(EXAMPLE)

    assert document.origin == Origin(
        "jdoe", "3724394400", "3724394405", "IN", "IP4", "198.51.100.1"
    )
    assert document.name == "Call to John Smith"
    assert [section.media.port for section in document.media] == [49170, 49180, 51372]
    assert document.direction(document.media[0]) is Direction.SENDRECV
    assert document.session.lines


@pytest.mark.requirement("sdp-media:SDP-G05")
def test_a_connection_of_the_section_outranks_the_sessions() -> None:
    document = SessionDescription.parse(EXAMPLE)

    assert document.connection(document.media[0]) == Connection("IN", "IP4", "198.51.100.1")
    assert document.connection(document.media[2]) == Connection("IN", "IP6", "2001:db8::2")


@pytest.mark.requirement("sdp-media:SDP-G05")
def test_a_section_without_any_connection_is_told() -> None:
    document = SessionDescription.parse(EXAMPLE.replace("c=IN IP4 198.51.100.1\r\n", ""))

    assert [d.line for d in document.diagnostics] == [9, 10]


@pytest.mark.requirement("sdp-media:SDP-G11")
@pytest.mark.parametrize(
    ("session", "media", "expected"),
    [
        pytest.param("", "", Direction.SENDRECV, id="neither"),
        pytest.param("a=recvonly\r\n", "", Direction.RECVONLY, id="session"),
        pytest.param("a=recvonly\r\n", "a=inactive\r\n", Direction.INACTIVE, id="both"),
        pytest.param("", "a=sendonly\r\na=recvonly\r\n", Direction.RECVONLY, id="last-of-two"),
    ],
)
def test_a_direction_is_inherited_and_sendrecv_by_default(
    session: str, media: str, expected: Direction
) -> None:
    text = (
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
        f"{session}m=audio 9 RTP/AVP 0\r\n{media}"
    )

    document = SessionDescription.parse(text)

    assert document.direction(document.media[0]) is expected


@pytest.mark.requirement("sdp-media:SDP-G08")
def test_a_key_line_survives_and_has_no_view() -> None:
    text = EXAMPLE.replace("t=0 0\r\n", "t=0 0\r\nk=clear:secret\r\n")

    document = SessionDescription.parse_strict(text)

    assert str(document) == text
    assert not hasattr(document, "key")


LIMITS = [
    pytest.param("v=0\r\n" + "a=x\r\n" * 4097, id="attributes"),
    pytest.param("v=0\r\n" + "m=a 9 b 0\r\n" * 257, id="media"),
    pytest.param("v=0\r\ns=" + "x" * 65536, id="characters"),
]


@pytest.mark.requirement("sdp-media:SDP-G13")
@pytest.mark.parametrize("text", LIMITS)
def test_what_exceeds_a_limit_is_an_sdp_error(text: str) -> None:
    with pytest.raises(SdpError, match="more than"):
        SessionDescription.parse(text)


HOSTILE = [
    pytest.param("\r\n" * 32000, id="empty-lines"),
    pytest.param("a" * 65000, id="one-long-line"),
    pytest.param("a=\r\n" * 4000, id="odd-attributes"),
    pytest.param("o=- " + "1" * 60000 + " 1 IN IP4 x", id="long-number"),
    pytest.param("e=" + "a@" * 30000, id="at-signs"),
    pytest.param("p=" + "1 " * 30000 + "(", id="phone"),
    pytest.param("z=" + "2882844526 1 " * 4600, id="zones"),
    pytest.param("m=" + "a/" * 32000 + " ", id="slashes"),
]


@pytest.mark.requirement("sdp-media:SDP-G13")
@pytest.mark.parametrize("body", HOSTILE)
def test_faults_by_the_thousand_are_told_a_hundred_times_at_most(body: str) -> None:
    document = SessionDescription.parse("v=0\r\n" + body)

    assert 0 < len(document.diagnostics) <= 100


@pytest.mark.requirement("sdp-media:SDP-G04")
@given(st.integers(0, 10**60), st.integers(0, 10**60))
def test_the_numbers_of_the_origin_have_no_bounds(session: int, version: int) -> None:
    text = f"v=0\r\no=- {session} 0{version} IN IP4 0.0.0.0\r\ns= \r\nt=0 0\r\n"

    origin = SessionDescription.parse_strict(text).origin

    assert (origin.session_id, origin.session_version) == (str(session), f"0{version}")
    assert origin.version_number == version


@pytest.mark.requirement("sdp-media:SDP-G07")
def test_times_are_seen_through_types() -> None:
    document = SessionDescription.parse_strict(
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=3724394400 3724398000\r\n"
        "r=604800 3600 0 90000\r\nz=3730928400 -1h\r\n"
    )

    assert [(t.start, t.stop) for t in document.timings] == [(3724394400, 3724398000)]
    assert [r.interval.seconds for r in document.repeats] == [604800]
    assert document.time_zones[0].adjustments[0][1].seconds == -3600


@pytest.mark.requirement("sdp-media:SDP-G05")
def test_a_document_may_have_no_connection_at_all() -> None:
    document = SessionDescription.parse("v=0\r\nm=audio 9 RTP/AVP 0\r\n")

    assert document.connection(document.media[0]) is None


@pytest.mark.requirement("sdp-media:SDP-A03")
def test_attributes_of_the_session_hold_where_the_section_has_none() -> None:
    document = SessionDescription.parse(
        "v=0\r\na=ice-ufrag:sess\r\na=ssrc:1 a\r\n"
        "m=audio 9 RTP/AVP 0\r\nm=audio 9 RTP/AVP 0\r\na=ice-ufrag:medi\r\na=ssrc:2 b\r\n"
    )

    first, second = document.media
    assert document.inherited(first, IceUfrag) == IceUfrag("sess")
    assert document.inherited(second, IceUfrag) == IceUfrag("medi")
    assert [s.ssrc for s in document.inherited_all(first, Ssrc)] == [1]
    assert [s.ssrc for s in document.inherited_all(second, Ssrc)] == [2]


def test_a_missing_origin_is_an_error_when_it_is_asked_for() -> None:
    document = SessionDescription.parse("v=0\r\ns=-\r\nt=0 0\r\n")

    with pytest.raises(SdpError, match="no o="):
        _ = document.origin


def test_a_built_document_follows_the_grammar() -> None:
    document = SessionDescription.build(Origin("-", "1", "2"))
    section = document.add_media(
        MediaLine("audio", 9, "UDP/TLS/RTP/SAVPF", ("111",)), Connection("IN", "IP4", "0.0.0.0")
    )
    section.replace_direction(Direction.SENDONLY)
    document.origin = Origin("-", "1", "3")

    assert str(document) == (
        "v=0\r\no=- 1 3 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=sendonly\r\n"
    )
    assert SessionDescription.parse_strict(str(document)).diagnostics == ()


def test_a_diagnostic_reads_well() -> None:
    document = SessionDescription.parse("v=0\r\no=-\r\ns=-\r\nt=0 0\r\n")

    assert document.diagnostics == (Diagnostic(2, 3, "'-' is no origin of six fields"),)
