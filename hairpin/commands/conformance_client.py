"""``hairpin conformance client``: whether a STUN or TURN client does what the RFCs require."""

from __future__ import annotations

import contextlib
import pathlib
import sys
import time
from collections.abc import Callable, Iterator

import click

from conformance import Report, RowResult, Survey
from conformance.clients import ClientTarget
from conformance.describing_values import counted
from conformance.reports import to_html, to_json, to_pcapng
from hairpin.conforming.arguments import (
    TO_STDOUT,
    ReportFile,
    ScriptedEndpointType,
    check_reports,
    write_report,
)
from hairpin.conforming.progress import show_progress
from hairpin.conforming.scripting import (
    COMMAND_JOBS,
    MAX_JOBS,
    PORT,
    ClientPlan,
    check_command,
    choose_scripts,
    play_all,
)
from hairpin.conforming.terminal import LOG_WIDTH, clean, show
from hairpin.daemon import announce
from hairpin.endpoint import ENDPOINT
from hairpin.errors import HairpinError
from hairpin.interrupting import run_interruptibly
from hairpin.parameters import SecretPairType
from transport import TransportAddress, TransportProtocol
from turn.aio import Endpoint

EPILOG = """\b
Examples:
  hairpin conformance client --listen udp://127.0.0.1:3478 --script STUNC-UDP
      say what the client is to do for each script, wait for it, and judge
  hairpin conformance client --listen udp://127.0.0.1:0 --script TURNC --script STUNC-LTC \\
      --command "turnutils_uclient -u {user} -w {password} -p {port} -e {peer_host} {host}"
      start a client for each script
  hairpin conformance client --listen tcp://127.0.0.1:3478 --command "./mine {action} {port}" \\
      --status-tells --json report.json
      a client that is told what to do, and whose exit status says whether it worked

\b
In --command stand {host}, {port}, {transport}, {user}, {password}, {realm}, {peer}, {peer_host},
{peer_port}, {other}, {action} and {script}. Exit status: 0 if no script failed and at least one
passed, 1 if one failed, 2 if nothing passed or could be played, 130 after Ctrl-C.
"""

STOPPED = 130
NOT_TESTED = 2


@click.command(epilog=EPILOG)
@click.option(
    "--listen",
    type=ScriptedEndpointType(),
    metavar=ScriptedEndpointType.name,
    multiple=True,
    help="Where the client finds the scripted server; may be given again for another transport. "
    "On tls:// the beginning of the handshake is looked at.  [default: udp://127.0.0.1:3478]",
)
@click.option(
    "--user",
    type=SecretPairType("a user", "NAME:PASSWORD"),
    default=("ann", "secret"),
    help="What the client logs in with.  [default: ann:secret]",
)
@click.option("--realm", default="hairpin.test", show_default=True, help="What the server says.")
@click.option(
    "--peer",
    type=ENDPOINT,
    default="192.0.2.33:7000",
    show_default=True,
    help="Whom the client sends to; the scripted server plays that peer.",
)
@click.option(
    "--other", type=ENDPOINT, default="192.0.2.34:7001", show_default=True, help="Another peer."
)
@click.option(
    "--script",
    "only",
    multiple=True,
    metavar="PREFIX",
    help="Scripts whose ids begin so, such as STUNC-UDP; may be given again. All without it.",
)
@click.option("--slow", is_flag=True, help="Also scripts that take more than two minutes.")
@click.option(
    "--command",
    metavar="COMMAND",
    help="Start this for each script, without a shell, and end it after that.",
)
@click.option(
    "--status-tells",
    is_flag=True,
    help="COMMAND ends when what it does has ended, with exit status 0 if and only if it "
    "succeeded.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, MAX_JOBS),
    metavar="N",
    help="Scripts at once, each on a port of its own, where COMMAND has {port}.  "
    f"[default: {COMMAND_JOBS}]",
)
@click.option(
    "--patience",
    type=click.FloatRange(1, 3600),
    metavar="SECONDS",
    help="For the client's first message.  [default: 15 for a command, else 120]",
)
@click.option("--json", "json_file", type=ReportFile(), help="Write a report; - prints it alone.")
@click.option("--html", "html_file", type=ReportFile(), help="Write a report to read, as a page.")
@click.option("--pcap", "pcap_file", type=ReportFile(), help="Write every packet, as pcapng.")
def client(
    listen: tuple[Endpoint, ...],
    user: tuple[str, str],
    realm: str,
    peer: TransportAddress,
    other: TransportAddress,
    only: tuple[str, ...],
    slow: bool,
    command: str | None,
    status_tells: bool,
    jobs: int | None,
    patience: float | None,
    json_file: pathlib.Path | None,
    html_file: pathlib.Path | None,
    pcap_file: pathlib.Path | None,
) -> int:
    """Find out what a STUN or TURN client does and does not do of what the RFCs require.

    A scripted server waits for the client, does one thing to it, and judges it by what it sends,
    and when; then comes the next script. What the client is to do for each is printed, or a
    command does it.
    """
    try:
        check_reports({"--json": json_file, "--html": html_file, "--pcap": pcap_file})
        chosen = choose_scripts(only, slow=slow)
        if command is not None:
            check_command(command)
        elif status_tells or jobs is not None:
            raise ValueError("--status-tells and --jobs are about --command")
        if jobs is not None and jobs > 1 and PORT not in (command or ""):
            raise ValueError("--jobs: the command has to say {port}, as each script has its own")
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    where = listen or (Endpoint(TransportProtocol.UDP, TransportAddress.parse("127.0.0.1", 3478)),)
    plan = ClientPlan(
        scripts=chosen,
        listen=where,
        user=user,
        realm=realm,
        peer=peer,
        other=other,
        command=command,
        status_tells=status_tells,
        patience=patience,
        jobs=jobs,
    )
    try:
        report = _play(plan)
    except HairpinError as error:
        announce(f"hairpin conformance client: {clean(str(error))}")
        return NOT_TESTED
    write_report(json_file, lambda: to_json(report))
    write_report(html_file, lambda: to_html(report, repeat=plan.repeat))
    write_report(pcap_file, lambda: to_pcapng(report))
    if pathlib.Path(TO_STDOUT) not in (json_file, html_file, pcap_file):
        _show(report, plan)
    return report.exit_status if report.is_complete else STOPPED


def _play(plan: ClientPlan) -> Report:
    results: dict[str, RowResult] = {}
    begun = time.time()
    is_complete = True
    with _progress(plan) as advance:

        def on_result(result: RowResult) -> None:
            results[result.row_id] = result
            announce(_line(result))
            advance(result)

        try:
            run_interruptibly(play_all(plan, on_result))
        except KeyboardInterrupt:
            is_complete = False
    first = plan.listen[0]
    target = ClientTarget(address=first.address, transport=first.transport, name=plan.client)
    inorder = tuple(results[each.id] for each in plan.scripts if each.id in results)
    return Report(target, Survey(), inorder, begun, is_complete)


@contextlib.contextmanager
def _progress(plan: ClientPlan) -> Iterator[Callable[[RowResult], None]]:
    """A bar, where a command is run; a person is told what to do instead."""
    if plan.command is None:
        yield lambda _: None
        return
    scripts, jobs = counted(len(plan.scripts), "script"), plan.at_once
    announce(f"{plan.client}: {scripts}, {f'{jobs} at once' if jobs > 1 else 'one by one'}")
    with show_progress(len(plan.scripts), begin="playing") as advance:
        yield advance


def _line(result: RowResult) -> str:
    outcome = result.outcome
    detail = f": {clean(outcome.detail)}" if outcome.detail else ""
    return f"{outcome.verdict.value} {result.row_id} ({result.seconds:.1f} s){detail}"


def _show(report: Report, plan: ClientPlan) -> None:
    from rich.console import Console

    width = None if sys.stdout.isatty() else LOG_WIDTH
    show(report, Console(highlight=False, width=width), plan.repeat)
