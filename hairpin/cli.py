"""``hairpin``: one command, its subcommands in ``hairpin.commands``."""

from __future__ import annotations

import importlib
import logging
import sys

import click

from .errors import HairpinError

COMMANDS = {
    "demo": "The whole system on this machine, and a page that shows a stream.",
    "relay": "A STUN and TURN server, for clients that find no direct path.",
}
"""Name and short help; a subcommand is imported only when it is asked for."""

EPILOG = """\b
Examples:
  hairpin demo                      everything at once, with a page to open
  hairpin demo --source film.mp4    stream a file of yours
  hairpin relay --user ann:secret   a TURN server on 127.0.0.1:3478
"""


class _Commands(click.Group):
    """Imports a subcommand's module when it is called for, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        try:
            module = importlib.import_module(f"hairpin.commands.{cmd_name}")
        except ModuleNotFoundError as error:
            raise click.ClickException(_missing(cmd_name, error)) from error
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


EXTRA_OF = {"OpenSSL": "media", "pylibsrtp": "media", "av": "media", "aiohttp": "signaling"}


def _missing(command: str, error: ModuleNotFoundError) -> str:
    extra = EXTRA_OF.get((error.name or "").partition(".")[0], "all")
    return (
        f"'hairpin {command}' needs the Python package {error.name}: pip install 'hairpin[{extra}]'"
    )


@click.group(cls=_Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-v", "--verbose", count=True, help="Say more; twice for every packet's fate.")
@click.version_option(package_name="hairpin", message="hairpin %(version)s")
def cli(verbose: int) -> None:
    """Self-hosted WebRTC connectivity: STUN, TURN, ICE, signaling and media."""
    level = {0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
    logging.basicConfig(
        level=level, stream=sys.stderr, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )


def main() -> None:
    """The entry point: errors that a user can act on are one line."""
    try:
        from .ownership import check_packages

        check_packages()
        cli()
    except HairpinError as error:
        click.echo(f"hairpin: {error}", err=True)
        sys.exit(1)
