"""What stands on the command line of ``hairpin conformance``: a target, and files for reports."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import click

from hairpin.errors import HairpinError
from stun import ServerUri

from .aim import read_uri

TO_STDOUT = "-"
"""In place of a file."""


class UriType(click.ParamType[ServerUri]):
    """stun:, stuns:, turn: or turns: (RFC 7064, RFC 7065)."""

    name = "TARGET"

    def convert(
        self, value: str | ServerUri, param: click.Parameter | None, ctx: click.Context | None
    ) -> ServerUri:
        try:
            return value if isinstance(value, ServerUri) else read_uri(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class ReportFile(click.ParamType[pathlib.Path]):
    """A file to write, in a folder that is there: known before the run, not after it."""

    name = "FILE"

    def convert(
        self, value: str | pathlib.Path, param: click.Parameter | None, ctx: click.Context | None
    ) -> pathlib.Path:
        path = pathlib.Path(value)
        if str(path) != TO_STDOUT and (path.is_dir() or not path.absolute().parent.is_dir()):
            self.fail(f"{value}: there is no such folder, or it is one", param, ctx)
        return path


def write_report(path: pathlib.Path | str | None, make: Callable[[], bytes]) -> None:
    """Write a report where one is asked for.

    Raises:
        HairpinError: the file cannot be written.
    """
    if path is None:
        return
    if str(path) == TO_STDOUT:
        click.echo(make(), nl=False)
        return
    try:
        pathlib.Path(path).write_bytes(make())
    except OSError as error:
        raise HairpinError(f"{path} cannot be written: {error.strerror}") from error
