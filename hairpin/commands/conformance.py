"""``hairpin conformance``: whether a STUN or TURN server does what the RFCs require."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import click

from conformance import Report, Target, TargetUnusable
from conformance.profiles import PROFILES
from conformance.reports import to_html, to_json, to_junit, to_pcapng
from hairpin.authorization import TokenKeyType
from hairpin.commands.conformance_client import client
from hairpin.commands.conformance_compare import compare
from hairpin.conforming.aim import Aim, sealing_key
from hairpin.conforming.arguments import (
    TO_STDOUT,
    ReportFile,
    UriType,
    check_reports,
    write_report,
)
from hairpin.conforming.listing import HEADINGS, every_row, summary
from hairpin.conforming.progress import announce_run, show_progress
from hairpin.conforming.repeating import Repeat
from hairpin.conforming.running import DEFAULT_JOBS, DEFAULT_PER_SECOND, Plan, run_plan
from hairpin.conforming.selecting import choose_rows
from hairpin.conforming.terminal import LOG_WIDTH, clean, show
from hairpin.daemon import announce
from hairpin.errors import HairpinError
from hairpin.interrupting import run_interruptibly
from hairpin.output import json_option, print_json, print_table
from hairpin.parameters import IPType, SecretPairType
from stun import ServerUri
from transport import IPAddress
from turn import tokens

EPILOG = """\b
Examples:
  hairpin conformance turn:127.0.0.1:3478 --user ann:secret --user bob:other
      every row that can be shown from outside, in about a minute
  hairpin conformance turn:127.0.0.1:3478 --user ann:secret --only TURN-ALLOC --html report.html
      those about Allocate, and a page with every exchange
  hairpin conformance turns:localhost?transport=udp --user ann:secret --ca-file cert.pem
      a server over DTLS
  hairpin conformance stun:stun.example.org --i-operate-this-server --json report.json
      a server at a public address
  hairpin conformance list
      every row of the catalogue, and why some are not run
  hairpin conformance compare before.json after.json
      the rows that two runs disagree about

\b
Exit status: 0 if no row failed and at least one passed, 1 if one failed, 2 if the server
could not be tested or nothing passed, 130 after Ctrl-C, which stops with what is known so far.
"""

NOT_TESTED = 2
INTERRUPTED = 130


class _TargetOrSubcommand(click.Group):
    """A first word that is no subcommand is the target."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # click's own signature
    ) -> click.Context:
        if args and args[0] in self.commands:
            return super().make_context(info_name, args, parent, **extra)
        return run.make_context(info_name, args, parent, **extra)


@click.command(epilog=EPILOG)
@click.argument("target", type=UriType())
@click.option(
    "--user",
    "users",
    type=SecretPairType("a user", "NAME:PASSWORD"),
    multiple=True,
    help="Whom to log in as; a second one for rows that need two.",
)
@click.option(
    "--secret", metavar="SECRET", help="Make time-limited credentials with this, without --user."
)
@click.option(
    "--oauth-key",
    type=TokenKeyType(),
    metavar="KID:BASE64",
    help="A key that the server takes access tokens of: they are made with it (RFC 7635).",
)
@click.option(
    "--oauth-server-name",
    metavar="NAME",
    help="What the tokens call the server.  [default: what it calls itself]",
)
@click.option(
    "--peer-address",
    type=IPType(),
    help="An address of this host that the server may relay to; by default the one that it is "
    "reached from.",
)
@click.option("--slow", is_flag=True, help="Also rows that wait for minutes.")
@click.option(
    "--only",
    multiple=True,
    metavar="PREFIX",
    help="Rows whose ids begin so, such as TURN-ALLOC or TURN-ALLOC-07; may be given again.",
)
@click.option(
    "--profile",
    type=click.Choice(sorted(PROFILES)),
    help="Which server it is: says how what is not offered is switched on. Changes no verdict.",
)
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Certificates to trust, in place of the system's.",
)
@click.option("--insecure", is_flag=True, help="Take any certificate.")
@click.option(
    "--i-operate-this-server",
    "is_operated",
    is_flag=True,
    help="Needed for public addresses: a run is not for other people's servers.",
)
@click.option("--json", "json_file", type=ReportFile(), help="Write a report; - prints it alone.")
@click.option("--junit", "junit_file", type=ReportFile(), help="Write a report as JUnit XML.")
@click.option("--pcap", "pcap_file", type=ReportFile(), help="Write every packet, as pcapng.")
@click.option("--html", "html_file", type=ReportFile(), help="Write a report to read, as a page.")
@click.option(
    "--rate",
    type=click.IntRange(10, 10_000),
    default=DEFAULT_PER_SECOND,
    show_default=True,
    metavar="N",
    help="Datagrams sent in a second, at most.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=DEFAULT_JOBS,
    show_default=True,
    metavar="N",
    help="Rows run beside each other, at most.",
)
def run(
    target: ServerUri,
    users: tuple[tuple[str, str], ...],
    secret: str | None,
    oauth_key: tokens.TokenKey | None,
    oauth_server_name: str | None,
    peer_address: IPAddress | None,
    slow: bool,
    only: tuple[str, ...],
    profile: str | None,
    ca_file: str | None,
    insecure: bool,
    is_operated: bool,
    json_file: pathlib.Path | None,
    junit_file: pathlib.Path | None,
    pcap_file: pathlib.Path | None,
    html_file: pathlib.Path | None,
    rate: int,
    jobs: int,
) -> int:
    """Find out what a STUN or TURN server does and does not do of what the RFCs require.

    TARGET is stun:host[:port], turn:host[:port][?transport=tcp], or over TLS stuns:host or
    turns:host, and over DTLS the same with ?transport=udp. Each row of the catalogue ends as PASS,
    FAIL, SKIP (not offered) or INFO (the RFC leaves it open). A FAIL comes with the sentence of
    the RFC, and with the bytes. Instead of a target there may be a subcommand: list, compare
    A.json B.json, or client.
    """
    try:
        reports = {
            "--json": json_file,
            "--junit": junit_file,
            "--pcap": pcap_file,
            "--html": html_file,
        }
        check_reports(reports)
        rows = tuple(choose_rows(only, slow=slow))
        aim = Aim(
            uri=target,
            users=users,
            secret=secret,
            peer_ip=peer_address,
            profile=profile,
            ca_file=ca_file,
            is_insecure=insecure,
            is_operated=is_operated,
            token_key=sealing_key(oauth_key, oauth_server_name),
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    try:
        report = _run(aim, Plan(rows=rows, per_second=rate, jobs=jobs))
    except (TargetUnusable, HairpinError) as error:
        announce(f"hairpin conformance: {target} cannot be tested: {clean(str(error))}")
        return NOT_TESTED
    repeat = Repeat(aim, {row.id for row in rows if row.slow})
    write_report(json_file, lambda: to_json(report))
    write_report(junit_file, lambda: to_junit(report))
    write_report(pcap_file, lambda: to_pcapng(report))
    write_report(html_file, lambda: to_html(report, repeat=repeat.for_reports))
    if pathlib.Path(TO_STDOUT) not in reports.values():
        _show(report, repeat)
    return report.exit_status if report.is_complete else INTERRUPTED


@click.group(cls=_TargetOrSubcommand)
def command() -> None:
    """Whether a STUN or TURN server does what the RFCs require."""


command.add_command(client)
command.add_command(compare)


@command.command("list", epilog="Example: hairpin conformance list | grep TURN-ALLOC")
@json_option
def list_rows(as_json: bool) -> None:
    """Every row of the catalogue: its section, its level, and whether it is run or why not."""
    found = every_row()
    if as_json:
        print_json(found)
        return
    lines = [
        [str(row["id"]), str(row["section"]), str(row["level"]), summary(row), str(row["title"])]
        for row in found
    ]
    print_table(HEADINGS, lines)
    ran = [row for row in found if row["is_run"]]
    slow = sum(bool(row["is_slow"]) for row in ran)
    clients = sum(bool(row["is_script"]) for row in ran)
    announce(
        f"{len(ran)} of {len(found)} rows are run, {clients} of them against clients (hairpin "
        f"conformance client), {slow} with --slow only"
    )


def _run(aim: Aim, plan: Plan) -> Report:
    with show_progress(len(plan.rows)) as on_result:

        def on_begin(target: Target, local: IPAddress) -> None:
            announce_run(target, plan, local)

        return run_interruptibly(run_plan(aim, plan, on_begin=on_begin, on_result=on_result))


def _show(report: Report, repeat: Repeat) -> None:
    from rich.console import Console

    if sys.stdout.isatty():
        show(report, Console(highlight=False), repeat.for_terminal)
    else:
        show(report, Console(highlight=False, width=LOG_WIDTH), repeat.for_reports)
