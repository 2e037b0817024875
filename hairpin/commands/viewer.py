"""``hairpin viewer``: watch a channel of any service, and record it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import ipaddress
import os
import pathlib
import urllib.parse

import click

from hairpin.access import ViewerAccess
from hairpin.aws import ServiceAccess, explained, read_access, service_options
from hairpin.daemon import Life, announce, run_daemon
from hairpin.errors import HairpinError
from hairpin.progress import show_progress
from hairpin.reception import Figures, Reception
from hairpin.viewing import ViewerOptions, ViewerSession
from ice import IceConfig, IcePolicy
from media.aio.recorder import FileRecorder
from media.recorder import Container, RecorderError
from media.session import SessionConfig
from signaling.aio import ConnectRefused
from signaling.messages import CLIENT_ID
from turn.aio import RelayEventLoop

EPILOG = """\b
Examples:
  hairpin viewer --channel porch
  hairpin viewer --channel porch --record porch.mp4 --duration 60
  hairpin viewer --channel porch --record porch.mkv --policy relay

\b
The ending of the file decides its format: .mp4 takes H.264, .webm takes VP8, .mkv both,
and each of them Opus. A file that is cut off by a crash lacks a second at most.
The service and the key are those of AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY.
"""

FULL = "ClientLimitExceededException"


@dataclasses.dataclass(frozen=True, slots=True)
class ViewOptions:
    """What the command line said."""

    channel: str
    record: pathlib.Path | None
    force: bool
    duration: float | None
    client_id: str
    policy: IcePolicy
    loopback: bool


def _client_id(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    if value is None:
        return f"viewer-{os.urandom(6).hex()}"
    if not CLIENT_ID.match(value):
        raise click.BadParameter("a client id is 1 to 256 of the characters a-z A-Z 0-9 _ . -")
    return value


def _container(
    ctx: click.Context, param: click.Parameter, value: pathlib.Path | None
) -> pathlib.Path | None:
    if value is not None:
        try:
            Container.of(value)
        except RecorderError as error:
            raise click.BadParameter(str(error)) from error
    return value


@click.command(epilog=EPILOG)
@click.option("--channel", metavar="NAME", required=True, help="Which channel to watch.")
@click.option(
    "--record",
    type=click.Path(path_type=pathlib.Path),
    metavar="FILE",
    callback=_container,
    help="Write what comes to this file, as it is encoded: .mp4, .webm or .mkv.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option(
    "--duration",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="End so long after the first picture.  [default: when told to]",
)
@click.option(
    "--client-id",
    metavar="ID",
    callback=_client_id,
    help="What the master knows this viewer by.  [default: a random one]",
)
@click.option(
    "--policy",
    type=click.Choice(["all", "relay"]),
    default="all",
    show_default=True,
    help="Which candidates to use; with relay, everything comes through the relay.",
)
@click.option(
    "--loopback",
    is_flag=True,
    help="Offer loopback candidates too, as is done anyway with a service on loopback.",
)
@service_options
def command(
    channel: str,
    record: pathlib.Path | None,
    force: bool,
    duration: float | None,
    client_id: str,
    policy: str,
    loopback: bool,
    endpoint: str | None,
    region: str | None,
) -> None:
    """Watch a channel, as one of its viewers, and record it if asked to.

    "ready" and the channel's ARN are printed once media flows. A connection that is lost
    is made again, and the recording goes on with it; SIGINT or SIGTERM ends it.
    """
    access = read_access(endpoint, region)
    options = ViewOptions(
        channel,
        record,
        force,
        duration,
        client_id,
        IcePolicy(policy),
        loopback or _is_loopback(access.endpoint),
    )
    viewing = _Viewing(access, options)
    run_daemon(viewing.start, loop_factory=RelayEventLoop)
    viewing.check()


class _Viewing:
    """The command from its start to its end."""

    def __init__(self, access: ServiceAccess, options: ViewOptions) -> None:
        self._access = access
        self._options = options
        self._recorder: FileRecorder | None = None

    async def start(self, life: Life) -> str:
        """Watch until ``life`` ends; returns the channel's ARN once media flows."""
        options = self._options
        self._recorder = await self._open_recorder(life)
        client = await life.enter_async_context(self._access.client())
        channel = ViewerAccess(client, self._access, options.channel, client_id=options.client_id)

        async def configure() -> SessionConfig:
            servers = await channel.ice_servers()
            return SessionConfig(ice=IceConfig(servers=servers, policy=options.policy))

        reception = Reception(self._recorder)
        session = ViewerSession(
            reception, ViewerOptions(channel.connect, configure, loopback=options.loopback)
        )
        life.run_beside(self._watch(session))
        await session.connected.wait()
        announce(f"channel    {options.channel}, as {options.client_id}; waiting for its master")
        await reception.begun.wait()
        life.run_beside(
            _show(session, reception, "" if options.record is None else str(options.record))
        )
        if options.duration is not None:
            life.run_beside(_end_after(life, options.duration))
        return str(channel.arn)

    def check(self) -> None:
        """Say what came of it.

        Raises:
            HairpinError: the recording failed.
        """
        recorder = self._recorder
        if recorder is None:
            return
        if recorder.error is not None:
            raise HairpinError(str(recorder.error))
        if not recorder.has_begun:
            announce("recorded   nothing came, no file was written")
            return
        stats = recorder.stats
        announce(
            f"recorded   {self._options.record}: {stats.seconds:.1f} s, {stats.video} frames, "
            f"{stats.audio} audio packets, {stats.gaps} gaps"
        )

    async def _open_recorder(self, life: Life) -> FileRecorder | None:
        path = self._options.record
        if path is None:
            return None
        if path.exists() and not self._options.force:
            raise HairpinError(f"{path} is there already: choose another name, or add --force")
        try:
            recorder = FileRecorder(path, overwrite=self._options.force)
            await life.enter_async_context(recorder)
        except RecorderError as error:
            raise HairpinError(str(error)) from error
        life.run_beside(_fail_with(recorder))
        return recorder

    async def _watch(self, session: ViewerSession) -> None:
        with explained(self._access):
            try:
                await session.run()
            except ConnectRefused as error:
                if error.code != FULL:
                    raise
                raise HairpinError(
                    f"channel {self._options.channel} has all the viewers that it takes: "
                    "try again when one of them has left"
                ) from error


async def _fail_with(recorder: FileRecorder) -> None:
    """End with the recording, if that cannot go on."""
    try:
        await asyncio.shield(recorder.failed)
    except RecorderError as error:
        raise HairpinError(str(error)) from error


async def _show(session: ViewerSession, reception: Reception, target: str) -> None:
    async def read() -> Figures:
        return await reception.figures(session.connection)

    await show_progress(read, target)


async def _end_after(life: Life, seconds: float) -> None:
    await asyncio.sleep(seconds)
    life.end()


def _is_loopback(endpoint: str) -> bool:
    """Whether the service is reached over loopback: then so may be the master."""
    host = urllib.parse.urlsplit(endpoint).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
