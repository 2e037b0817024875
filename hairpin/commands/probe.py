"""``hairpin probe``: what works with a STUN or TURN server, and what to fix."""

from __future__ import annotations

import pathlib
import sys
import time
from collections.abc import Callable

import click

from hairpin.errors import HairpinError
from hairpin.interrupting import run_interruptibly
from hairpin.parameters import IPType, SecretPairType
from hairpin.probing.findings import Finding, Report
from hairpin.probing.options import ProbeOptions, Proof
from hairpin.probing.probe import Probe
from hairpin.probing.report import INDENT, STYLES, as_json, as_text, body, conclusion, label, status
from hairpin.tls import check_certificates
from stun import OpaqueStringError, ServerUri, opaque_string
from transport import DecodeError, IPAddress
from transport.aio import ClientTls
from turn.credentials import Credentials, RelaySecret, make_credentials

EPILOG = """\b
Examples:
  hairpin probe stun:stun.example.org
      our address, and what kind of NAT we are behind
  hairpin probe turn:relay.example.org --user ann:secret
      the same, an allocation, and packets through the relay and back
  hairpin probe turns:relay.example.org:443?transport=tcp --secret "$SECRET" --json report.json
      over TLS, with time-limited credentials, and a report for programs

\b
Exit status: 0 if all that was asked has worked, 1 if something did not, 2 for a command line
that makes no sense.
"""

SECRET_LIFETIME = 3600
"""Seconds for which credentials are made: longer than any probe, and clocks may differ."""

TO_STDOUT = "-"


class UriType(click.ParamType[ServerUri]):
    """stun:, stuns:, turn: or turns: (RFC 7064, RFC 7065)."""

    name = "URI"

    def convert(
        self,
        value: str | ServerUri,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> ServerUri:
        if isinstance(value, ServerUri):
            return value
        try:
            uri = ServerUri.parse(value)
        except DecodeError as error:
            self.fail(f"{value!r}: {error}", param, ctx)
        if uri.protocol is None:
            self.fail(f"{value!r}: the transport {uri.transport!r} is not known", param, ctx)
        if uri.scheme.is_secure and uri.address is not None:
            self.fail(
                f"{value!r}: a certificate is checked against a name: give that of the server "
                "in place of its address",
                param,
                ctx,
            )
        return uri


@click.command(epilog=EPILOG)
@click.argument("uri", type=UriType())
@click.option(
    "--user",
    type=SecretPairType("a user", "NAME:PASSWORD"),
    help="Whom to log in to a TURN server as.",
)
@click.option(
    "--secret", metavar="SECRET", help="Make time-limited credentials with this, instead of --user."
)
@click.option(
    "--peer",
    type=IPType(),
    multiple=True,
    help="Ask whether the relay would send to this address; may be given again.",
)
@click.option(
    "--packets",
    type=click.IntRange(1, 1000),
    default=50,
    show_default=True,
    help="How many go through the relay, and back, 20 ms apart.",
)
@click.option(
    "--binding-lifetime",
    type=click.FloatRange(1, 3600),
    metavar="SECONDS",
    help="Also find out how long the NAT keeps a binding, up to this; it takes a few times as "
    "long.",
)
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Certificates to trust, in place of the system's.",
)
@click.option(
    "--json",
    "json_file",
    metavar="FILE",
    help="Write the report as JSON to FILE; with -, print that and nothing else.",
)
def command(
    uri: ServerUri,
    user: tuple[str, str] | None,
    secret: str | None,
    peer: tuple[IPAddress, ...],
    packets: int,
    binding_lifetime: float | None,
    ca: str | None,
    json_file: str | None,
) -> None:
    """Find out what works with a STUN or TURN server from here, and what to fix if it does not.

    Resolution, transports, the NAT, candidates, an allocation, a packet round trip through
    the relay: each is tried and told.
    """
    credentials = _credentials(uri, user, secret)
    if peer and not uri.scheme.is_turn:
        raise click.UsageError("--peer is for a TURN server: turn: or turns:")
    if ca is not None:
        check_certificates(ca, "--ca")
    options = ProbeOptions(
        uri=uri,
        credentials=credentials,
        proof=Proof.PASSWORD if secret is None else Proof.SECRET,
        peers=peer,
        packets=packets,
        longest_lifetime=binding_lifetime,
        tls=ClientTls(ca=ca),
    )
    report = _show(options, quiet=json_file == TO_STDOUT)
    if json_file is not None:
        _write_json(report, json_file)
    if not report.has_worked:
        click.get_current_context().exit(1)


def _credentials(
    uri: ServerUri, user: tuple[str, str] | None, secret: str | None
) -> Credentials | None:
    if user is not None and secret is not None:
        raise click.UsageError("--user and --secret exclude each other")
    if not uri.scheme.is_turn:
        if user is not None or secret is not None:
            raise click.UsageError("--user and --secret are for a TURN server: turn: or turns:")
        return None
    try:
        if user is not None:
            opaque_string(user[0])
            opaque_string(user[1])
            return Credentials(*user)
        if secret is not None:
            expiry = int(time.time()) + SECRET_LIFETIME
            return make_credentials(RelaySecret(secret.encode()), "probe", expiry)
    except (OpaqueStringError, ValueError) as error:
        raise click.UsageError(f"--user or --secret: {error}") from error
    raise click.UsageError(
        "a TURN server wants credentials: --user NAME:PASSWORD or --secret SECRET "
        f"(without any: hairpin probe stun:{uri.host})"
    )


def _show(options: ProbeOptions, *, quiet: bool) -> Report:
    """Run the probe, and tell how it goes: on a terminal in colours, else in plain lines."""

    def run(on_begin: Callable[[str], None], on_finding: Callable[[Finding], None]) -> Report:
        probe = Probe(options, on_begin=on_begin, on_finding=on_finding)
        return run_interruptibly(probe.run())

    if quiet:
        return run(_ignore, _ignore)
    if not sys.stdout.isatty():
        report = run(_ignore, lambda finding: click.echo(as_text(finding)))
        click.echo(f"\n{conclusion(report)}")
        return report
    return _show_live(run)


def _show_live(
    run: Callable[[Callable[[str], None], Callable[[Finding], None]], Report],
) -> Report:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(highlight=False)

    def tell(finding: Finding) -> None:
        first, *more = body(finding)
        head = Text.assemble(
            (label(finding), "bold"), (status(finding), STYLES[finding.status]), first
        )
        console.print(head)
        for line in more:
            console.print(Padding(Text(line, style="dim"), (0, 0, 0, len(INDENT))))

    with console.status("") as progress:
        report = run(lambda text: progress.update(Text(f"{text} ...")), tell)
    style = "green" if report.has_worked else "red"
    console.print()
    console.print(Text(conclusion(report, width=console.width), style=style))
    return report


def _ignore(_: object) -> None:
    """What nobody watches."""


def _write_json(report: Report, json_file: str) -> None:
    document = as_json(report)
    if json_file == TO_STDOUT:
        click.echo(document, nl=False)
        return
    try:
        pathlib.Path(json_file).write_bytes(document)
    except OSError as error:
        raise HairpinError(f"{json_file} cannot be written: {error.strerror}") from error
