"""The wheel in an empty environment, from another folder: what a user of pip gets."""

from __future__ import annotations

import asyncio
import pathlib
import subprocess
import sys
import zipfile

import pytest

from tests.media.clips import h264_mp4

from .process import running

pytestmark = [pytest.mark.interop, pytest.mark.alone, pytest.mark.timeout(300)]

ROOT = pathlib.Path(__file__).parent.parent.parent
PACKAGES = {
    "conformance",
    "hairpin",
    "ice",
    "media",
    "netsim",
    "sdp",
    "signaling",
    "stun",
    "transport",
    "turn",
}


def run(*command: str | pathlib.Path, cwd: pathlib.Path) -> str:
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("wheel")
    # What git tracks, and nothing else that lies about: a build leaves its own folder behind.
    archive = folder / "source.tar"
    run("git", "archive", "-o", archive, "HEAD", cwd=ROOT)
    source = folder / "source"
    source.mkdir()
    run("tar", "xf", archive, "-C", source, cwd=folder)
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, source, cwd=folder)
    (built,) = folder.glob("hairpin-*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: pathlib.Path) -> pathlib.Path:
    """A virtual environment with the base install alone."""
    home = wheel.parent / "environment"
    run(sys.executable, "-m", "venv", home, cwd=wheel.parent)
    run(home / "bin" / "pip", "install", "-q", wheel, cwd=wheel.parent)
    return home


def test_the_wheel_holds_our_packages_and_the_page_and_no_tests(wheel: pathlib.Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names if ".dist-info/" not in name}

    assert top == PACKAGES
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    assert "hairpin/web/static/index.html" in names


async def test_the_base_install_has_the_protocol_layers_and_a_relay(
    environment: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    python = environment / "bin" / "python"
    assert run(python, "-c", "import stun, turn, ice, sdp; print(stun.__name__)", cwd=tmp_path)

    command = (str(environment / "bin" / "hairpin"), "relay", "--user", "ann:secret")
    async with running(*command, "--listen", "udp://127.0.0.1:0", folder=tmp_path) as relay:
        assert relay.address.startswith("udp://127.0.0.1:")
        assert await relay.stop() == 0


def test_a_missing_extra_is_one_line_that_names_it(
    environment: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    done = subprocess.run(
        [environment / "bin" / "hairpin", "demo"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "pip install 'hairpin[" in done.stderr
    assert "Traceback" not in done.stderr


async def test_with_all_extras_the_demo_comes_up(
    wheel: pathlib.Path, environment: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    pip = environment / "bin" / "pip"
    await asyncio.to_thread(run, pip, "install", "-q", f"{wheel}[all]", cwd=tmp_path)
    clip = h264_mp4(tmp_path / "clip.mp4")

    command = (str(environment / "bin" / "hairpin"), "demo", "--source", str(clip))
    listen = ("--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0")
    async with running(*command, *listen, folder=tmp_path) as demo:
        assert demo.address.startswith("http://127.0.0.1:")
        assert await demo.stop() == 0
