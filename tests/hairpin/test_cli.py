"""The command line as a user meets it."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from hairpin.cli import COMMANDS, cli


def test_help_names_every_command_and_shows_an_example() -> None:
    result = CliRunner().invoke(cli, ["--help"])

    assert result.exit_code == 0
    assert all(name in result.output for name in COMMANDS)
    assert "Examples:" in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_a_help_with_an_example(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"])

    assert result.exit_code == 0, result.output
    assert "Example" in result.output


def test_an_unknown_command_is_one_line() -> None:
    result = CliRunner().invoke(cli, ["fly"])

    assert result.exit_code == 2
    assert "No such command 'fly'" in result.output
