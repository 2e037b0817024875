"""``--config FILE``."""

from __future__ import annotations

import pathlib

import click
import pytest
from click.testing import CliRunner, Result

from hairpin.configuration import config_option
from hairpin.errors import HairpinError


@click.command()
@config_option
@click.option("--name", required=True)
@click.option("--peer", multiple=True, default=["nobody"])
@click.option("--max-port", type=click.IntRange(1, 10), default=1)
@click.option("--drain", type=float, default=0.0)
@click.option("--quiet", is_flag=True)
def command(name: str, peer: tuple[str, ...], max_port: int, drain: float, quiet: bool) -> None:
    click.echo(f"{name} {','.join(peer)} {max_port} {drain} {quiet}")


def invoke(path: pathlib.Path, text: str, *arguments: str) -> Result:
    file = path / "daemon.toml"
    file.write_text(text)
    return CliRunner().invoke(command, ["--config", str(file), *arguments])


def test_every_kind_of_option_is_read_by_the_name_of_its_flag(tmp_path: pathlib.Path) -> None:
    text = 'name = "a"\npeer = ["b", "c"]\nmax-port = 3\ndrain = 2\nquiet = true\n'

    assert invoke(tmp_path, text).output == "a b,c 3 2.0 True\n"


def test_one_value_of_an_option_that_may_be_given_again_needs_no_brackets(
    tmp_path: pathlib.Path,
) -> None:
    assert invoke(tmp_path, 'name = "a"\npeer = "b"').output == "a b 1 0.0 False\n"


def test_the_command_line_wins(tmp_path: pathlib.Path) -> None:
    result = invoke(tmp_path, 'name = "a"\npeer = ["b"]', "--name", "x", "--peer", "y")

    assert result.output == "x y 1 0.0 False\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param('name = "a"\nnane = "b"', "unknown field `nane`", id="unknown"),
        pytest.param('config = "other.toml"', "unknown field `config`", id="nested"),
        pytest.param('name = "a"\nmax_port = 3', "unknown field `max_port`", id="underscore"),
        pytest.param("name = 1", "Expected `str`, got `int` - at `$.name`", id="type"),
        pytest.param('max-port = "3"', "Expected `int`, got `str`", id="number-as-text"),
        pytest.param("name = ", "Invalid value", id="not-toml"),
    ],
)
def test_what_no_option_has_is_named_with_the_file(
    tmp_path: pathlib.Path, text: str, problem: str
) -> None:
    error = invoke(tmp_path, text).exception

    assert isinstance(error, HairpinError)
    assert f"{tmp_path}/daemon.toml: " in str(error)
    assert problem in str(error)


@pytest.mark.parametrize("content", [b"\xff\xfe", None], ids=["not-text", "a-directory"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: pathlib.Path, content: bytes | None) -> None:
    file = tmp_path / "daemon.toml"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)

    error = CliRunner().invoke(command, ["--config", str(file)]).exception

    assert isinstance(error, HairpinError)
    assert str(file) in str(error)


def test_a_value_out_of_range_is_named_by_its_flag(tmp_path: pathlib.Path) -> None:
    result = invoke(tmp_path, 'name = "a"\nmax-port = 11')

    assert result.exit_code == 2
    assert "--max-port" in result.output
