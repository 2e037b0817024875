"""A source that cannot be streamed is one line, and status 1."""

from __future__ import annotations

import pathlib
import sys

import pytest

from hairpin.cli import main
from tests.media import clips

SOURCES = [
    pytest.param("missing.mp4", "missing.mp4: there is no such file", id="missing"),
    pytest.param("text.mp4", "text.mp4: it is no audio or video that can be read", id="text"),
    pytest.param("empty.mp4", "empty.mp4: it is no audio or video that can be read", id="empty"),
    pytest.param("cut.mp4", "cut.mp4: it is no audio or video that can be read", id="truncated"),
    pytest.param("folder", "folder: it is a folder, not a file", id="folder"),
    pytest.param("", '"": there is no such file', id="nothing"),
    pytest.param("/dev/video99", "/dev/video99: there is no such camera", id="camera"),
    pytest.param(
        "rtsp://admin:hunter2@127.0.0.1:9/live",
        "rtsp://127.0.0.1:9/live: it cannot be reached: Connection refused",
        id="address",
    ),
]


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.mp4").write_text("this is no video")
    (tmp_path / "empty.mp4").touch()
    whole = clips.h264_mp4(tmp_path / "whole.mp4", frames=10, audio=False).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", ["demo", "master"])
@pytest.mark.parametrize(("source", "line"), SOURCES)
def test_a_source_that_cannot_be_streamed_is_one_line(
    command: str,
    source: str,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    where = {
        "demo": ["--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0"],
        "master": ["--channel", "porch", "--endpoint", "http://127.0.0.1:9"],
    }[command]
    monkeypatch.setattr(sys, "argv", ["hairpin", command, *where, "--source", source])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    with pytest.raises(SystemExit) as exited:
        main()

    out, err = capfd.readouterr()
    assert exited.value.code == 1
    assert out == ""
    assert len(err.splitlines()) == 1
    assert line in err
    assert "hunter2" not in err
