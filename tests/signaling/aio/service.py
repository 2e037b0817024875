"""A whole service on a free port of loopback."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

import aiohttp
from aiohttp import web

from signaling import AccessKey, sign_headers
from signaling.aio import (
    ChannelHub,
    ControlClient,
    ServiceQuotas,
    ServiceSettings,
    SqliteStore,
    make_application,
)
from signaling.ice_servers import IceServerIssuer
from tests.closed import closed_port
from turn.credentials import RelaySecret

KEY = AccessKey("AKIDTEST", "secret")
REGION = "us-west-2"
ISSUER = IceServerIssuer(("turn:127.0.0.1:3478?transport=udp",), RelaySecret(b"relay"))


@dataclasses.dataclass(frozen=True, slots=True)
class RunningService:
    """A service, its parts, and requests to it that are signed as the client signs them."""

    settings: ServiceSettings
    store: SqliteStore
    hub: ChannelHub
    local_url: str

    @property
    def url(self) -> str:
        return self.settings.public_url

    def client(self, key: AccessKey = KEY, region: str = REGION) -> ControlClient:
        return ControlClient(self.url, key, region)

    async def request(
        self, method: str, path: str, body: bytes = b"{}", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of an answer to a signed request."""
        url = self.url + path
        signed = sign_headers(method, url, body, key=KEY, region=REGION, now=time.time())
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method, url, data=body, headers={**signed, **(headers or {})}
            ) as response,
        ):
            return response.status, response.headers, await response.read()


@contextlib.contextmanager
def no_service() -> Iterator[str]:
    """The URL of a port where nobody listens, and nobody can begin to."""
    with closed_port() as nobody:
        yield f"http://{nobody}"


@contextlib.asynccontextmanager
async def running_service(
    *,
    path: str | pathlib.Path = ":memory:",
    keys: Mapping[str, AccessKey] | None = None,
    account: str = "000000000000",
    quotas: ServiceQuotas | None = None,
    public_url: str | None = None,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[RunningService]:
    """Serve until the context ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    local_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    settings = ServiceSettings(public_url or local_url, REGION, account, quotas or ServiceQuotas())
    async with SqliteStore.open(path) as store:
        hub = ChannelHub()
        fixed = {KEY.id: KEY} if keys is None else keys
        app = make_application(
            settings, store=store, hub=hub, issuer=ISSUER, fixed_keys=fixed, clock=clock
        )
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        try:
            yield RunningService(settings, store, hub, local_url)
        finally:
            await runner.cleanup()
