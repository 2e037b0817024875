"""``--config FILE``: the options of a daemon in a TOML file, under the names of the flags."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Sequence

import click
import msgspec

from .errors import HairpinError

Value = str | int | float | bool | list[str]
Command = Callable[..., None]


def config_option(command: Command) -> Command:
    """Let ``command`` take ``--config``; what stands on the command line wins."""
    return click.option(
        "--config",
        type=click.Path(),
        metavar="FILE",
        is_eager=True,
        expose_value=False,
        callback=_take,
        help="Options from a TOML file, by the names that they have here, such as "
        'listen = "127.0.0.1:8080". The command line wins.',
    )(command)


def _take(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None:
        others = [each for each in ctx.command.params if each is not param]
        ctx.default_map = read(pathlib.Path(value), others)


def read(path: pathlib.Path, parameters: Sequence[click.Parameter]) -> dict[str, Value]:
    """The options that a file gives, by their Python name.

    Raises:
        HairpinError: it cannot be read, is no TOML, or has a key or a type that no
            option has.
    """
    fields = [_field(each) for each in parameters if isinstance(each, click.Option) and each.name]
    expected = msgspec.defstruct(
        "Configuration", fields, rename="kebab", forbid_unknown_fields=True, kw_only=True
    )
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=expected)
    except OSError as error:
        raise HairpinError(f"--config {path}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HairpinError(f"--config {path}: {error}") from error
    values = msgspec.structs.asdict(found)
    return {
        each.name: _listed(each, values[each.name])
        for each in parameters
        if each.name in values and values[each.name] is not msgspec.UNSET
    }


def _field(option: click.Option) -> tuple[str, type, msgspec.UnsetType]:
    return str(option.name), _type(option) | msgspec.UnsetType, msgspec.UNSET  # type: ignore[return-value]  # a union is no type


def _type(option: click.Option) -> type:
    if option.multiple:
        return str | list[str]  # type: ignore[return-value]  # as above
    if option.is_flag:
        return bool
    if isinstance(option.type, click.types.IntParamType):
        return int
    if isinstance(option.type, click.types.FloatParamType):
        return float
    return str


def _listed(option: click.Parameter, value: Value) -> Value:
    """One value of an option that may be given again needs no brackets."""
    return [value] if option.multiple and isinstance(value, str) else value
