"""The service as one piece, for ``serve`` and ``demo``: store, hub, relay, HTTP."""

from __future__ import annotations

import dataclasses
import pathlib
import ssl
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from signaling import AccessKey
from signaling.aio import ChannelHub, ServiceSettings, SqliteStore, StoreError, make_application
from signaling.channel import DEFAULT_REGION
from signaling.ice_servers import IceServerIssuer
from transport import TransportAddress
from turn.aio import RelayServer

from .daemon import Life
from .errors import HairpinError
from .http import bind, local_address, serve
from .relay import OtherRelays, OwnRelay, start_relay

STORE_FILE = "hairpin.sqlite3"


@dataclasses.dataclass(frozen=True, slots=True)
class ServiceOptions:
    """What an operator decides.

    ``data`` is where channels and access keys are kept; ``fixed_keys`` are good beside
    those, by their id. ``public_url`` is how clients reach the service, by default where
    it listens. ``drain`` is how long, in seconds, the relay waits for its clients at the end.
    """

    listen: TransportAddress
    data: pathlib.Path
    relay: OwnRelay | OtherRelays
    public_url: str | None = None
    region: str = DEFAULT_REGION
    fixed_keys: Mapping[str, AccessKey] = dataclasses.field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    drain: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class Service:
    """A service that is being brought up. ``relay`` is None where others relay."""

    settings: ServiceSettings
    store: SqliteStore
    hub: ChannelHub
    issuer: IceServerIssuer
    relay: RelayServer | None

    @property
    def url(self) -> str:
        return self.settings.public_url


async def _nothing(app: web.Application, service: Service) -> None:
    """The default for who adds nothing."""


async def start_service(
    life: Life,
    options: ServiceOptions,
    prepare: Callable[[web.Application, Service], Awaitable[None]] = _nothing,
) -> Service:
    """Serve until ``life`` ends. Every listener answers when this returns.

    ``prepare`` may fill the store, and add to the application, before it is served.

    Raises:
        HairpinError: an address, or the directory, cannot be used.
    """
    listening = bind(options.listen)
    life.callback(listening.close)
    scheme = "https" if options.tls else "http"
    public_url = options.public_url or f"{scheme}://{_tellable(local_address(listening))}"
    settings = ServiceSettings(public_url, options.region)
    store = await _open_store(life, options.data)
    relay: RelayServer | None = None
    match options.relay:
        case OwnRelay():
            relay, issuer = await start_relay(life, options.relay, drain=options.drain)
        case OtherRelays():
            issuer = options.relay.issuer()
    hub = ChannelHub()
    app = make_application(
        settings, store=store, hub=hub, issuer=issuer, fixed_keys=options.fixed_keys
    )
    service = Service(settings, store, hub, issuer, relay)
    await prepare(app, service)
    await serve(life, app, listening, tls=options.tls)
    return service


def _tellable(address: TransportAddress) -> TransportAddress:
    if address.ip.is_unspecified:
        raise HairpinError(
            f"clients cannot be told to connect to {address.ip}: listen on one address of this "
            "machine, or run hairpin serve with --public-url URL"
        )
    return address


async def _open_store(life: Life, directory: pathlib.Path) -> SqliteStore:
    _make_directory(directory)
    try:
        return await life.enter_async_context(SqliteStore.open(directory / STORE_FILE))
    except StoreError as error:
        raise HairpinError(f"--data {directory}: {error}") from error


def _make_directory(directory: pathlib.Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise HairpinError(f"--data {directory} is not a directory") from error
    except OSError as error:
        raise HairpinError(f"--data {directory}: {error.strerror}") from error
