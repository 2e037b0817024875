"""``hairpin key``: the access keys of a service."""

from __future__ import annotations

import datetime
import sys

import click

from hairpin.aws import read_access, run_operation, service_options
from hairpin.output import json_option, print_json, print_table
from signaling import AccessKey
from signaling.aio import AccessKeyInfo, ControlClient

EPILOG = """\b
Examples:
  hairpin key create
  hairpin key list
  hairpin key revoke AKIA234567ABCDEFGHIJ

\b
The service and the key to sign with are those of AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY. The first key is the one that hairpin serve was given, or made.
"""


@click.group(epilog=EPILOG)
def command() -> None:
    """Make, list and revoke access keys."""


@command.command(epilog="Example: hairpin key create --json")
@json_option
@service_options
def create(as_json: bool, endpoint: str | None, region: str | None) -> None:
    """Make a key. Its secret is shown now and never again."""

    async def work(client: ControlClient) -> AccessKey:
        return await client.create_access_key()

    key = run_operation(read_access(endpoint, region), work)
    if as_json:
        print_json({"AccessKeyId": key.id, "SecretAccessKey": key.secret})
    elif sys.stdout.isatty():
        click.echo(f"export AWS_ACCESS_KEY_ID={key.id}")
        click.echo(f"export AWS_SECRET_ACCESS_KEY='{key.secret}'")
        click.echo("Keep the secret: it is not shown again.", err=True)
    else:
        click.echo(f"{key.id}\t{key.secret}")


@command.command("list", epilog="Example: hairpin key list --json")
@json_option
@service_options
def list_keys(as_json: bool, endpoint: str | None, region: str | None) -> None:
    """List the keys that are kept, without their secrets."""

    async def work(client: ControlClient) -> list[AccessKeyInfo]:
        return await client.list_access_keys()

    keys = run_operation(read_access(endpoint, region), work)
    if as_json:
        print_json([{"AccessKeyId": key.id, "CreationTime": key.created} for key in keys])
        return
    print_table(("Access key", "Made"), [(key.id, _iso(key.created)) for key in keys])


@command.command(epilog="Example: hairpin key revoke AKIA234567ABCDEFGHIJ")
@click.argument("key_id", metavar="ID")
@service_options
def revoke(key_id: str, endpoint: str | None, region: str | None) -> None:
    """Revoke the key ID: nothing that it signed is good any more."""

    async def work(client: ControlClient) -> None:
        await client.revoke_access_key(key_id)

    run_operation(read_access(endpoint, region), work)
    click.echo(f"revoked {key_id}", err=True)


def _iso(time: float) -> str:
    return datetime.datetime.fromtimestamp(time, datetime.UTC).isoformat(timespec="seconds")
