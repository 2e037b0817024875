from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.source import SourceAddress, SourceKind

ADDRESSES = [
    pytest.param("test-card", SourceKind.TEST_CARD, "test card", id="card"),
    pytest.param("./test-card", SourceKind.FILE, "./test-card", id="file-of-that-name"),
    pytest.param("/dev/video0", SourceKind.CAMERA, "/dev/video0", id="camera"),
    pytest.param("film.mp4", SourceKind.FILE, "film.mp4", id="file"),
    pytest.param("a:b/film.mp4", SourceKind.FILE, "a:b/film.mp4", id="file-with-colon"),
    pytest.param("file:///film.mp4", SourceKind.FILE, "file:///film.mp4", id="file-url"),
    pytest.param(
        "rtsp://cam.example:554/live", SourceKind.NETWORK, "rtsp://cam.example:554/live", id="rtsp"
    ),
    pytest.param(
        "RTSP://admin:hunter2@[2001:db8::1]/live",
        SourceKind.NETWORK,
        "RTSP://[2001:db8::1]/live",
        id="password",
    ),
    pytest.param(
        "rtsp://cam/live@2?user=admin&password=hunter2",
        SourceKind.NETWORK,
        "rtsp://cam/live@2",
        id="password-in-query",
    ),
    pytest.param("http://a@b@cam", SourceKind.NETWORK, "http://cam", id="two-at-signs"),
    pytest.param("tcp://cam:9?listen#x", SourceKind.NETWORK, "tcp://cam:9", id="no-path"),
]


@pytest.mark.parametrize(("text", "kind", "name"), ADDRESSES)
def test_a_source_is_known_by_how_it_is_written(text: str, kind: SourceKind, name: str) -> None:
    assert SourceAddress.parse(text) == SourceAddress(text, kind, name)


@given(st.text())
def test_any_text_names_some_source_and_addresses_show_no_user(text: str) -> None:
    address = SourceAddress.parse(text)

    assert address.text == text
    if address.kind is SourceKind.NETWORK:
        host = address.name.partition("://")[2].partition("/")[0]
        assert "@" not in host
        assert "?" not in address.name


def test_cameras_and_addresses_may_go_away_and_come_back() -> None:
    assert SourceAddress.parse("/dev/video0").is_remote
    assert SourceAddress.parse("rtsp://cam/live").is_remote
    assert not SourceAddress.parse("film.mp4").is_remote
    assert not SourceAddress.parse("test-card").is_remote
