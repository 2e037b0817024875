"""``hairpin``: one command, its subcommands in ``hairpin.commands``."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from typing import NoReturn

import click

from .errors import HairpinError

logger = logging.getLogger(__name__)

COMMANDS = {
    "demo": "The whole system on this machine, and a page that shows a stream.",
    "serve": "The signaling service, with a relay: what clients connect to.",
    "relay": "A STUN and TURN server, for clients that find no direct path.",
    "master": "Stream a file to the viewers of a signaling channel.",
    "viewer": "Watch a signaling channel, and record it.",
    "probe": "What works with a STUN or TURN server, and what to fix.",
    "conformance": "Whether a STUN or TURN server does what the RFCs require.",
    "peer": "A WebRTC peer for scripts, with lines of JSON as signaling.",
    "channel": "Make, list, describe and delete signaling channels.",
    "key": "Make, list and revoke access keys of the service.",
}
"""Name and short help; a subcommand is imported only when it is asked for."""

EPILOG = """\b
Examples:
  hairpin demo                      everything at once, with a page to open
  hairpin demo --source film.mp4    stream a file of yours
  hairpin serve --data DIR          the service; then, with its keys in AWS_* variables,
  hairpin channel create porch      a channel on it, and
  hairpin master --channel porch --source film.mp4
  hairpin viewer --channel porch --record porch.mp4
  hairpin relay --user ann:secret   a TURN server on 127.0.0.1:3478
  hairpin probe turn:127.0.0.1 --user ann:secret    whether it works, and what to fix if not
  hairpin conformance turn:127.0.0.1 --user ann:secret    whether it does what the RFCs require
"""

INTERRUPTED = 130
"""Exit status of what Ctrl-C ended, as shells have it."""


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
    """The entry point: whatever goes wrong is one line on standard error.

    The exit status is 1, or 2 where the command line made no sense.
    """
    try:
        from .ownership import check_packages

        check_packages()
        status = cli(prog_name="hairpin", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "hairpin"
        _fail(f"{error.format_message()} (see '{command} --help')", command, error.exit_code)
    except click.ClickException as error:
        _fail(error.format_message())
    except HairpinError as error:
        _fail(str(error))
    except click.Abort:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone. Nothing is to be flushed into the pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        logger.info("unexpected", exc_info=error)
        _fail(f"unexpected {type(error).__name__}: {error} (hairpin -v shows where)")
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str, command: str = "hairpin", status: int = 1) -> NoReturn:
    """Say it in one line, whatever a server put into the message."""
    line = " ".join(message.split())
    click.echo(f"{command}: {''.join(c if c.isprintable() else '?' for c in line)}", err=True)
    sys.exit(status)
