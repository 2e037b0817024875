"""Real peers: a missing one fails in CI, elsewhere it skips and says how to get it."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pytest

from .reporting import Report

if importlib.util.find_spec("playwright") is None:
    # ``make interop`` installs the peers that are Python packages; ``make test`` does without.
    collect_ignore_glob = ["test_*.py"]

PACKAGES = {
    "chromium": "apt-get install chromium",
    "escript": "apt-get install erlang-p1-stun",
    "erlang-p1-stun": "apt-get install erlang-p1-stun",
    "turnserver": "apt-get install coturn",
    "turnutils_natdiscovery": "apt-get install coturn",
    "turnutils_peer": "apt-get install coturn",
    "turnutils_stunclient": "apt-get install coturn",
    "turnutils_uclient": "apt-get install coturn",
    "node": "apt-get install nodejs",
    "npm": "apt-get install npm",
    "ip": "apt-get install iproute2",
    "iptables": "apt-get install iptables",
    "git": "apt-get install git",
    "make": "apt-get install make",
    "tshark": "apt-get install tshark",
}


def need(program: str) -> str:
    """The path of a foreign program that the test cannot do without."""
    found = shutil.which(program)
    if found is None:
        message = f"{program} is missing: {PACKAGES[program]}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="session")
def javascript_sdks(request: pytest.FixtureRequest) -> None:
    """Amazon's SDKs are installed; whoever watches sees it happen."""
    from .javascript import install

    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        install()


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    """Prints a figure, whether or not output is captured."""

    def tell(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text}")  # noqa: T201

    return tell
