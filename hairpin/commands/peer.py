"""``hairpin peer``: a WebRTC peer for scripts and tests."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys

import click
import msgspec

from hairpin.daemon import Life
from hairpin.input_lines import input_lines
from hairpin.interrupting import run_interruptibly
from hairpin.peering import Peering, PeerOptions
from hairpin.streaming import SOURCE_HELP, open_broadcast
from ice import IceConfig, IcePolicy, IceServer
from media import CodecName, MediaKind
from media.aio.player import play_into
from media.session import SessionConfig
from media.source import TEST_CARD
from sdp import SdpType
from stun import ServerUri
from transport import DecodeError

EPILOG = """\b
Examples:
  mkfifo back
  hairpin peer --role offer --send video,audio < back \\
      | hairpin peer --role answer --recv video,audio | tee back
      two peers, each reading what the other writes
  hairpin peer --role answer --recv video --policy relay \\
      --ice-servers '[{"urls": "turn:127.0.0.1:3478", "username": "u", "credential": "c"}]'

\b
Lines of output and input, the last one its result:
  {"type": "offer"|"answer", "sdp": ...}
  {"type": "candidate", "candidate": ..., "sdpMid": ..., "sdpMLineIndex": ...}
  {"type": "result", "ok": ..., "frames": ..., "pair": ..., "codec": ..., "errors": [...]}
"""


class KindsType(click.ParamType[frozenset[MediaKind]]):
    """video, audio, or both with a comma."""

    name = "video,audio"

    def convert(
        self,
        value: str | frozenset[MediaKind],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> frozenset[MediaKind]:
        if isinstance(value, frozenset):
            return value
        try:
            return frozenset(MediaKind(word.strip()) for word in value.split(",") if word.strip())
        except ValueError:
            self.fail(f"{value!r} is not video, audio, or video,audio", param, ctx)


class _Server(msgspec.Struct):
    urls: str | list[str]
    username: str | None = None
    credential: str | None = None


class ServersType(click.ParamType[tuple[IceServer, ...]]):
    """ICE servers as RTCPeerConnection takes them."""

    name = "JSON"

    def convert(
        self,
        value: str | tuple[IceServer, ...],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[IceServer, ...]:
        if isinstance(value, tuple):
            return value
        try:
            found = msgspec.json.decode(value, type=list[_Server])
        except msgspec.DecodeError as error:
            self.fail(
                f'not [{{"urls": ..., "username": ..., "credential": ...}}]: {error}', param, ctx
            )
        servers = []
        for each in found:
            urls = (each.urls,) if isinstance(each.urls, str) else tuple(each.urls)
            for url in urls:
                try:
                    ServerUri.parse(url)
                except DecodeError as error:
                    self.fail(f"{url!r} is not stun:HOST:PORT or turn:HOST:PORT: {error}")
            servers.append(IceServer(urls, each.username, each.credential))
        return tuple(servers)


NOTHING: frozenset[MediaKind] = frozenset()


@click.command(epilog=EPILOG)
@click.option("--role", type=click.Choice(["offer", "answer"]), required=True, help="Who begins.")
@click.option("--send", type=KindsType(), default=NOTHING, help="What to send.")
@click.option("--recv", type=KindsType(), default=NOTHING, help="What to receive, and decode.")
@click.option("--source", default=TEST_CARD, show_default=True, help=SOURCE_HELP)
@click.option("--codec", type=click.Choice(["H264", "VP8"]), help="The one format of video.")
@click.option("--policy", type=click.Choice(["all", "relay"]), default="all", show_default=True)
@click.option(
    "--ice-servers", type=ServersType(), default=(), help="STUN and TURN servers to gather from."
)
@click.option(
    "--duration",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to stay connected.",
)
def command(
    role: str,
    send: frozenset[MediaKind],
    recv: frozenset[MediaKind],
    source: str,
    codec: str | None,
    policy: str,
    ice_servers: tuple[IceServer, ...],
    duration: float,
) -> None:
    """Connect to another WebRTC peer, with lines of JSON as signaling.

    It says its description and candidates on standard output, hears those of the other side
    on standard input, and ends with a result. The exit status is 0 if it was connected and,
    where it receives, frames were decoded; else 1.
    """
    if role == "offer" and not send | recv:
        raise click.UsageError("an offer has something in it: --send or --recv")
    config = SessionConfig(ice=IceConfig(servers=ice_servers, policy=IcePolicy(policy)))
    options = PeerOptions(
        SdpType(role), send, recv, CodecName(codec) if codec else None, duration, config
    )
    if not run_interruptibly(_run(options, source)):
        sys.exit(1)


def _say(line: dict[str, object]) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        sys.stdout.flush()


async def _run(options: PeerOptions, source: str) -> bool:
    async with Life() as life:
        broadcast = await open_broadcast(life, source) if options.sends else None
        peering = Peering(options, broadcast, _say)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, peering.stop)
        if broadcast is not None:
            life.run_beside(play_into(broadcast.source, broadcast.renditions))
        life.run_beside(_hear(peering))
        result = await peering.run()
    _say(result)
    return bool(result["ok"])


async def _hear(peering: Peering) -> None:
    """Hand on standard input, line by line."""
    async for line in input_lines():
        if line.strip():
            await peering.take(line)
    peering.input_ended()
