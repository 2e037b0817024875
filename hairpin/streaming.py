"""A source as the broadcast of a channel: what ``master`` and ``demo`` have in common."""

from __future__ import annotations

from ice import IceConfig, IcePolicy
from media.aio.player import open_source, play_into
from media.session import SessionConfig
from media.source import TEST_CARD, MediaSourceError

from .access import MasterAccess
from .aws import ServiceAccess, explained
from .broadcast import Broadcast
from .daemon import Life
from .errors import HairpinError
from .session import MasterOptions, MasterSession

SOURCE_HELP = (
    "What to stream: a file (mp4, mkv, webm and others, looped), a camera (/dev/video0), "
    f"an address (rtsp://, http://), or {TEST_CARD}."
)


async def open_broadcast(life: Life, source: str) -> Broadcast:
    """Open a source until ``life`` ends; what ``SOURCE_HELP`` says.

    Raises:
        HairpinError: it cannot be played.
    """
    try:
        return Broadcast(await life.enter_async_context(open_source(source)))
    except MediaSourceError as error:
        raise HairpinError(str(error)) from error


async def start_master(
    life: Life,
    broadcast: Broadcast,
    access: ServiceAccess,
    channel_name: str,
    *,
    policy: IcePolicy,
    loopback: bool,
) -> str:
    """Stream to a channel's viewers until ``life`` ends; returns the channel's ARN once
    its master is connected. ``life`` fails if that cannot be.
    """
    client = await life.enter_async_context(access.client())
    channel = MasterAccess(client, access, channel_name)

    async def configure() -> SessionConfig:
        servers = await channel.ice_servers()
        return SessionConfig(ice=IceConfig(servers=servers, policy=policy))

    master = MasterSession(broadcast, MasterOptions(channel.connect, configure, loopback=loopback))
    life.run_beside(_play(broadcast))
    life.run_beside(_serve(master, access))
    await master.connected.wait()
    return str(channel.arn)


async def _play(broadcast: Broadcast) -> None:
    name = broadcast.source.description.name
    try:
        await play_into(broadcast.source, broadcast.renditions)
    except MediaSourceError as error:
        raise HairpinError(str(error)) from error
    raise HairpinError(f"{name} has ended")


async def _serve(master: MasterSession, access: ServiceAccess) -> None:
    with explained(access):
        await master.run()
