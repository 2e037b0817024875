"""What stands on the command line of ``hairpin conformance``: a target, and files for reports."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping

import click

from hairpin.errors import HairpinError
from hairpin.relay_endpoints import parse_relay_endpoint
from stun import ServerUri
from transport import TransportProtocol
from turn.aio import Endpoint

from .aim import read_uri

TO_STDOUT = "-"
"""In place of a file."""

PROTOCOLS = (TransportProtocol.UDP, TransportProtocol.TCP, TransportProtocol.TLS)
"""What scripts are played on."""


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
        if str(path) == TO_STDOUT:
            return path
        if path.is_dir():
            self.fail(f"{value} is a folder, not a file", param, ctx)
        if not path.absolute().parent.is_dir():
            self.fail(f"{value}: there is no folder {path.parent}", param, ctx)
        return path


class ScriptedEndpointType(click.ParamType[Endpoint]):
    """Where scripts are played."""

    name = "udp|tcp|tls://HOST:PORT"

    def convert(
        self, value: str | Endpoint, param: click.Parameter | None, ctx: click.Context | None
    ) -> Endpoint:
        if isinstance(value, Endpoint):
            return value
        if not value.startswith(tuple(f"{each.value}://" for each in PROTOCOLS)):
            self.fail(f"{value!r} is not udp://, tcp:// or tls://HOST:PORT", param, ctx)
        try:
            return parse_relay_endpoint(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def check_reports(files: Mapping[str, pathlib.Path | None]) -> None:
    """See that no report is written over another; ``files`` are by their options.

    Raises:
        ValueError: two have one file, or standard output.
    """
    first: dict[pathlib.Path, str] = {}
    for option, path in files.items():
        if path is None:
            continue
        is_stdout = str(path) == TO_STDOUT
        where = path if is_stdout else path.resolve()
        if where in first:
            what = "standard output" if is_stdout else str(path)
            raise ValueError(f"{first[where]} and {option} both write to {what}")
        first[where] = option


def write_report(path: pathlib.Path | None, make: Callable[[], bytes]) -> None:
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
        path.write_bytes(make())
    except OSError as error:
        raise HairpinError(f"{path} cannot be written: {error.strerror}") from error
