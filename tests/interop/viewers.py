"""Viewers that count what they receive and decode nothing, so that ten fit on a small machine.

``CountingViewer`` is one of them; as a program, this is a process with one for each name:

    python -m tests.interop.viewers WHERE NAME...

WHERE is the address of a demo's page, or a channel; then the service and the key are those
of the AWS_* variables. Each line on standard output is a
JSON object: the time, and for each name what it has received so far.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from types import TracebackType
from typing import Self

import aiohttp

from hairpin.aws import ServiceAccess, read_access
from ice import IceConfig, IceServer
from media.aio import PeerConnection, RemoteTrack
from media.session import (
    ConnectionState,
    ConnectionStateChanged,
    InboundRtpStats,
    LocalCandidate,
    SessionConfig,
    TrackAdded,
)
from media.units import MediaKind
from sdp import Direction, SdpType
from signaling import (
    Description,
    DescriptionType,
    RemoteCandidate,
    Role,
    decode_candidate,
    decode_description,
)
from signaling.aio import SignalingConnection, viewer_url
from transport import Event
from transport.aio import SocketFactory

REPORT_INTERVAL = 0.25
"""Seconds between the lines of a process."""

JOIN_PATIENCE = 40.0
LEAVE_PATIENCE = 20.0
"""Seconds: who has no time to leave is missed by the master as late as one who was cut off."""


Invitation = tuple[SignalingConnection, tuple[IceServer, ...]]
"""A viewer's signaling connection, to be entered, and its ICE servers."""

Invite = Callable[[str], Awaitable[Invitation]]
"""Called with the viewer's name."""


def by_service(access: ServiceAccess, channel_name: str) -> Invite:
    """With an access key of the service."""

    async def invite(name: str) -> Invitation:
        async with access.client() as client:
            arn = (await client.describe_channel(channel_name)).arn
            endpoints = await client.get_endpoints(arn, Role.VIEWER)
            grants = await client.get_ice_servers(endpoints.https, arn, name)
        url = viewer_url(endpoints.wss, str(arn), name, key=access.key, region=access.region)
        servers = tuple(IceServer(each.uris, each.username, each.password) for each in grants)
        return SignalingConnection(url, ca_bundle=access.ca_bundle), servers

    return invite


def by_page(address: str) -> Invite:
    """As the page of a demo is, which has no key; the name is the server's choice."""

    async def invite(_: str) -> Invitation:
        async with aiohttp.ClientSession() as client, client.get(f"{address}api/viewer") as answer:
            invitation = await answer.json()
        servers = tuple(
            IceServer(tuple(each["urls"]), each["username"], each["credential"])
            for each in invitation["iceServers"]
        )
        return SignalingConnection(invitation["url"]), servers

    return invite


@dataclasses.dataclass(frozen=True)
class Received:
    """What a viewer has so far: access units of each kind, and packets of both."""

    video: int
    audio: int
    packets: int
    bytes: int
    lost: int

    def since(self, earlier: Received) -> Received:
        """What has come after another reading."""
        return Received(
            self.video - earlier.video,
            self.audio - earlier.audio,
            self.packets - earlier.packets,
            self.bytes - earlier.bytes,
            self.lost - earlier.lost,
        )


class CountingViewer:
    """One viewer, from its offer to its end: an asynchronous context manager.

    It has joined when it is entered.

    Raises:
        ConnectRefused: on entering, the service refused the handshake.
        TimeoutError: on entering, it did not get connected to the master.
    """

    def __init__(self, invite: Invite, name: str, *, sockets: SocketFactory | None = None) -> None:
        self._invite = invite
        self._sockets = sockets
        self.name = name
        self._units: collections.Counter[MediaKind] = collections.Counter()
        self._tasks: list[asyncio.Task[None]] = []
        self._candidates: asyncio.Queue[RemoteCandidate] = asyncio.Queue()
        self._stack = contextlib.AsyncExitStack()
        self.first_unit: asyncio.Event = asyncio.Event()
        self.ended = asyncio.Event()
        """The connection to the master is over."""

    async def __aenter__(self) -> Self:
        try:
            signaling, servers = await self._invite(self.name)
            self._signaling = await self._stack.enter_async_context(signaling)
            config = SessionConfig(ice=IceConfig(servers=servers))
            self.connection = await self._stack.enter_async_context(
                PeerConnection(
                    on_event=self._on_event, config=config, sockets=self._sockets, loopback=True
                )
            )
            self._stack.push_async_callback(self._stop_tasks)
            await asyncio.wait_for(self._join(), JOIN_PATIENCE)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def received(self) -> Received:
        stats = (await self.connection.get_stats()).values()
        inbound = [each for each in stats if isinstance(each, InboundRtpStats)]
        return Received(
            self._units[MediaKind.VIDEO],
            self._units[MediaKind.AUDIO],
            sum(each.packets_received for each in inbound),
            sum(each.bytes_received for each in inbound),
            sum(each.packets_lost for each in inbound),
        )

    async def _join(self) -> None:
        for kind in MediaKind:
            self.connection.add_transceiver(kind, direction=Direction.RECVONLY)
        offer = await self.connection.create_offer()
        description = Description(DescriptionType.OFFER, offer.sdp)
        await self._signaling.send_description(description)
        await self.connection.set_local_description(offer)
        self._start(self._read())
        self._start(self._trickle())
        await self.connection.connected()

    async def _read(self) -> None:
        early: list[RemoteCandidate] | None = []
        async for event in self._signaling:
            if event.message_type == "SDP_ANSWER":
                answer = decode_description(event.payload or "")
                await self.connection.set_remote_description(SdpType.ANSWER, answer.sdp)
                for candidate in early or ():
                    await self._take(candidate)
                early = None
            elif event.message_type == "ICE_CANDIDATE":
                candidate = decode_candidate(event.payload or "")
                if early is None:
                    await self._take(candidate)
                else:
                    early.append(candidate)

    async def _take(self, candidate: RemoteCandidate) -> None:
        await self.connection.add_ice_candidate(
            candidate.candidate,
            mid=candidate.sdp_mid,
            media_index=candidate.sdp_m_line_index,
            username_fragment=candidate.username_fragment,
        )

    async def _trickle(self) -> None:
        while True:
            await self._signaling.send_candidate(await self._candidates.get())

    async def _count(self, track: RemoteTrack) -> None:
        async for _ in track:
            self._units[track.kind] += 1
            self.first_unit.set()

    def _on_event(self, event: Event) -> None:
        match event:
            case LocalCandidate(candidate, mid, index, fragment) if candidate:
                self._candidates.put_nowait(RemoteCandidate(candidate, mid, index, fragment))
            case TrackAdded():
                self._start(self._count(self.connection.remote_track(event.mid)))
            case ConnectionStateChanged(ConnectionState.FAILED | ConnectionState.CLOSED):
                self.ended.set()
            case _:
                pass

    def _start(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.append(asyncio.ensure_future(work))

    async def _stop_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class ViewerProcess:
    """A process of counting viewers, seen from the one that started it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.received: dict[str, Received] = {}
        """What each viewer has received, by its own last word."""
        self.at = 0.0
        """When that was, by the clock of time.monotonic()."""
        self._changed = asyncio.Event()

    async def read(self) -> None:
        """Follow what the process says, until it ends."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            report = json.loads(line)
            self.at = report["at"]
            self.received = {
                name: Received(**counts) for name, counts in report["received"].items()
            }
            self._changed.set()

    async def next_report(self) -> dict[str, Received]:
        """What it says next."""
        self._changed.clear()
        await self._changed.wait()
        return self.received

    async def playing(self) -> None:
        """Wait until each of its viewers has received a picture."""
        while not self.received or not all(each.video for each in self.received.values()):
            await self.next_report()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@contextlib.asynccontextmanager
async def viewer_process(
    where: str, *names: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[ViewerProcess]:
    """Viewers in a process of their own, killed at the end if they are still there."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        where,
        *names,
        env={**os.environ, **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
    )
    viewers = ViewerProcess(process)
    reading = asyncio.ensure_future(viewers.read())
    try:
        yield viewers
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), LEAVE_PATIENCE)
            except TimeoutError:
                process.kill()
                await process.wait()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _run(where: str, names: list[str]) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    is_page = where.startswith("http")
    invite = by_page(where) if is_page else by_service(read_access(None, None), where)
    async with contextlib.AsyncExitStack() as stack:
        viewers = [await stack.enter_async_context(CountingViewer(invite, name)) for name in names]
        while not stopped.is_set():
            received = {each.name: dataclasses.asdict(await each.received()) for each in viewers}
            report = {"at": time.monotonic(), "received": received}
            print(json.dumps(report), flush=True)  # noqa: T201 - for the process that started it
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), REPORT_INTERVAL)


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], sys.argv[2:]))
