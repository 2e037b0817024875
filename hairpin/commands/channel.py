"""``hairpin channel``: the signaling channels of a service."""

from __future__ import annotations

import datetime

import click

from hairpin.aws import read_access, run_operation, service_options
from hairpin.output import Member, json_option, print_json, print_table
from signaling import Channel
from signaling.aio import ControlClient
from signaling.channel import (
    DEFAULT_MESSAGE_TTL_SECONDS,
    MAX_MESSAGE_TTL_SECONDS,
    MIN_MESSAGE_TTL_SECONDS,
)

EPILOG = """\b
Examples:
  hairpin channel create porch
  hairpin channel list --json
  hairpin channel describe porch
  hairpin channel delete porch

\b
The service and the key are those of AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY. Then: hairpin master --channel porch --source film.mp4
"""


@click.group(epilog=EPILOG)
def command() -> None:
    """Make, list, describe and delete signaling channels."""


@command.command(epilog="Example: hairpin channel create porch --message-ttl 30")
@click.argument("name")
@click.option(
    "--message-ttl",
    type=click.IntRange(MIN_MESSAGE_TTL_SECONDS, MAX_MESSAGE_TTL_SECONDS),
    metavar="SECONDS",
    default=DEFAULT_MESSAGE_TTL_SECONDS,
    show_default=True,
    help="How long a message waits for who is not there.",
)
@json_option
@service_options
def create(
    name: str, message_ttl: int, as_json: bool, endpoint: str | None, region: str | None
) -> None:
    """Make the channel NAME and print its ARN."""

    async def work(client: ControlClient) -> str:
        return str(await client.create_channel(name, message_ttl_seconds=message_ttl))

    arn = run_operation(read_access(endpoint, region), work)
    if as_json:
        print_json({"ChannelARN": arn})
    else:
        click.echo(arn)


@command.command("list", epilog="Example: hairpin channel list --prefix porch")
@click.option("--prefix", default="", help="Only those whose name begins so.")
@json_option
@service_options
def list_channels(prefix: str, as_json: bool, endpoint: str | None, region: str | None) -> None:
    """List the channels by name."""

    async def work(client: ControlClient) -> list[Channel]:
        return await client.list_channels(prefix=prefix or None)

    channels = run_operation(read_access(endpoint, region), work)
    if as_json:
        print_json([_members(channel) for channel in channels])
        return
    print_table(
        ("Name", "Message TTL", "ARN"),
        [(each.name, f"{each.message_ttl_seconds} s", str(each.arn)) for each in channels],
    )


@command.command(epilog="Example: hairpin channel describe porch --json")
@click.argument("name")
@json_option
@service_options
def describe(name: str, as_json: bool, endpoint: str | None, region: str | None) -> None:
    """Show what is known of the channel NAME."""

    async def work(client: ControlClient) -> Channel:
        return await client.describe_channel(name)

    channel = run_operation(read_access(endpoint, region), work)
    if as_json:
        print_json(_members(channel))
        return
    made = datetime.datetime.fromtimestamp(channel.arn.created_ms / 1000, datetime.UTC)
    print_table(
        ("Channel", name),
        [
            ("ARN", str(channel.arn)),
            ("Message TTL", f"{channel.message_ttl_seconds} s"),
            ("Made", made.isoformat(timespec="seconds")),
            ("Version", channel.version),
        ],
    )


@command.command(epilog="Example: hairpin channel delete porch")
@click.argument("name")
@service_options
def delete(name: str, endpoint: str | None, region: str | None) -> None:
    """Delete the channel NAME; whoever is connected to it is sent away."""

    async def work(client: ControlClient) -> None:
        channel = await client.describe_channel(name)
        await client.delete_channel(channel.arn, version=channel.version)

    run_operation(read_access(endpoint, region), work)
    click.echo(f"deleted {name}", err=True)


def _members(channel: Channel) -> dict[str, Member]:
    """By the names that the API and AWS's own tools have."""
    return {
        "ChannelARN": str(channel.arn),
        "ChannelName": channel.name,
        "CreationTime": channel.arn.created_ms / 1000,
        "SingleMasterConfiguration": {"MessageTtlSeconds": channel.message_ttl_seconds},
        "Version": channel.version,
    }
