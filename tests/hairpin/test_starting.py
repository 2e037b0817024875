"""What daemons say when they start."""

from __future__ import annotations

import pathlib

import pytest

from tests.interop.process import hairpin

pytestmark = pytest.mark.long  # Processes have to start.


def commands(data: pathlib.Path) -> dict[str, tuple[str, ...]]:
    any_port = ("--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0")
    return {
        "serve": ("serve", *any_port, "--data", str(data), "--access-key", "AKID:secret"),
        "relay": ("relay", "--listen", "udp://127.0.0.1:0", "--user", "ann:secret"),
    }


@pytest.mark.parametrize("command", ["serve", "relay"])
async def test_a_relay_on_a_private_network_says_who_is_refused_and_how_to_let_them_in(
    tmp_path: pathlib.Path, command: str
) -> None:
    async with hairpin(*commands(tmp_path)[command]) as relay:
        pass
    async with hairpin(*commands(tmp_path)[command], "--allow-peer", "127.0.0.0/8") as open_relay:
        pass

    (said,) = [line for line in relay.log if line.startswith("refusing ")]
    assert "127.0.0.1" in said
    assert "--allow-peer CIDR" in said
    assert not [line for line in open_relay.log if line.startswith("refusing ")]
