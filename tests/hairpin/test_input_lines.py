"""Lines from a pipe and from a file."""

from __future__ import annotations

import os
import pathlib

import pytest

from hairpin.input_lines import MAX_LINE_BYTES, input_lines


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        pytest.param(b"one\ntwo\n", [b"one", b"two"], id="lines"),
        pytest.param(b"one\ntwo", [b"one", b"two"], id="no-last-newline"),
        pytest.param(b"\n\n", [b"", b""], id="empty-lines"),
        pytest.param(b"", [], id="nothing"),
    ],
)
async def test_a_file_gives_its_lines(
    tmp_path: pathlib.Path, written: bytes, lines: list[bytes]
) -> None:
    (tmp_path / "input").write_bytes(written)
    descriptor = os.open(tmp_path / "input", os.O_RDONLY)
    found = [line async for line in input_lines(descriptor)]
    os.close(descriptor)

    assert found == lines


async def test_a_pipe_gives_each_line_when_it_is_whole() -> None:
    reading, writing = os.pipe()
    lines = input_lines(reading)
    os.write(writing, b"on")
    os.write(writing, b"e\ntwo\nthr")

    assert [await anext(lines), await anext(lines)] == [b"one", b"two"]
    os.close(writing)
    assert [line async for line in lines] == [b"thr"]
    os.close(reading)


async def test_a_line_without_end_comes_in_parts(tmp_path: pathlib.Path) -> None:
    (tmp_path / "input").write_bytes(b"x" * (2 * MAX_LINE_BYTES))
    descriptor = os.open(tmp_path / "input", os.O_RDONLY)
    found = [line async for line in input_lines(descriptor)]
    os.close(descriptor)

    assert sum(map(len, found)) == 2 * MAX_LINE_BYTES
    assert max(map(len, found)) < 1.1 * MAX_LINE_BYTES
