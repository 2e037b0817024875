"""``hairpin relay`` where clients may examine their NAT (RFC 5780)."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import pytest
from click.testing import CliRunner

from hairpin.cli import cli

RELAY = ("relay", "--listen", "udp://127.0.0.1:0", "--user", "ann:secret")
ENABLED = ("--enable", "nat-discovery")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        pytest.param(
            ["--alternate-address", "127.0.0.2:3479"], 1, "NAT behavior discovery", id="not-enabled"
        ),
        pytest.param(
            [*ENABLED, "--alternate-address", "127.0.0.1:3479"], 1, "another IP address", id="same"
        ),
        pytest.param(
            [*ENABLED, "--alternate-address", "0.0.0.0:3479"], 2, "no address to", id="wildcard"
        ),
        pytest.param([*ENABLED, "--alternate-address", "here"], 2, "is not HOST:PORT", id="name"),
        pytest.param(
            [*ENABLED, "--alternate-address", "192.0.2.77:3479"],
            1,
            "192.0.2.77:3479 is not an address of this machine: choose another with "
            "--alternate-address",
            id="foreign",
        ),
    ],
)
def test_an_alternate_address_that_cannot_be_is_named(
    arguments: Sequence[str], status: int, message: str
) -> None:
    result = CliRunner().invoke(cli, [*RELAY, *arguments])

    assert result.exit_code == status
    said = result.output + str(result.exception)
    assert message in " ".join(said.split())


def test_an_alternate_address_that_is_taken_is_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.2", 0))
        address = f"127.0.0.2:{taken.getsockname()[1]}"

        result = CliRunner().invoke(cli, [*RELAY, *ENABLED, "--alternate-address", address])

    assert f"{address} is in use: choose another with --alternate-address" in str(result.exception)
