"""``hairpin master``: stream a file, a camera or an address to a channel of any service."""

from __future__ import annotations

import click

from hairpin.aws import ServiceAccess, read_access, service_options
from hairpin.daemon import Life, announce, run_daemon
from hairpin.streaming import SOURCE_HELP, open_broadcast, start_master
from ice import IcePolicy
from turn.aio import RelayEventLoop

EPILOG = """\b
Examples:
  hairpin master --channel porch --source film.mp4
  hairpin master --channel porch --source rtsp://camera.example/live
  hairpin master --channel porch --source film.mp4 --policy relay --endpoint http://10.0.0.7:8080

\b
The service and the key are those of AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY. Make the channel first: hairpin channel create porch
"""


@click.command(epilog=EPILOG)
@click.option("--channel", metavar="NAME", required=True, help="Which channel's master to be.")
@click.option("--source", metavar="SOURCE", required=True, help=SOURCE_HELP)
@click.option(
    "--policy",
    type=click.Choice(["all", "relay"]),
    default="all",
    show_default=True,
    help="Which candidates to use; with relay, everything goes through the relay.",
)
@click.option(
    "--loopback",
    is_flag=True,
    help="Offer loopback candidates too, for viewers on this machine.  [default: if the "
    "service is at a loopback address]",
)
@service_options
def command(
    channel: str,
    source: str,
    policy: str,
    loopback: bool,
    endpoint: str | None,
    region: str | None,
) -> None:
    """Stream SOURCE to the viewers of a channel, as its master.

    "ready" and the channel's ARN are printed once it is connected. A connection that is
    lost later is made again; SIGINT or SIGTERM ends it.
    """
    access = read_access(endpoint, region)

    async def start(life: Life) -> str:
        return await _start(
            life,
            access,
            channel,
            source=source,
            policy=IcePolicy(policy),
            loopback=loopback or access.is_on_loopback,
        )

    run_daemon(start, loop_factory=RelayEventLoop)


async def _start(
    life: Life,
    access: ServiceAccess,
    channel: str,
    *,
    source: str,
    policy: IcePolicy,
    loopback: bool,
) -> str:
    broadcast = await open_broadcast(life, source)
    announce(f"source     {broadcast.describe()}")
    return await start_master(life, broadcast, access, channel, policy=policy, loopback=loopback)
