"""The service as one piece, for ``serve`` and ``demo``: store, hub, relay, HTTP."""

from __future__ import annotations

import dataclasses
import pathlib
import ssl
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from signaling import AccessKey
from signaling.aio import (
    ChannelHub,
    Naming,
    ServiceSettings,
    SqliteStore,
    StoreError,
    make_application,
)
from signaling.channel import DEFAULT_REGION
from signaling.ice_servers import IceServerIssuer
from transport import TransportAddress
from turn.aio import RelayServer

from .daemon import Life
from .errors import HairpinError
from .http import bind, local_address, serve
from .listening import expand, farthest_first
from .relay import OtherRelays, OwnRelay, start_relay

STORE_FILE = "hairpin.sqlite3"


@dataclasses.dataclass(frozen=True, slots=True)
class ServiceOptions:
    """What an operator decides.

    ``data`` is where channels and access keys are kept; ``fixed_keys`` are good beside
    those, by their id. ``public_url`` is how clients reach the service; by default each is
    told of the address that it reached. ``drain`` is how long, in seconds, the relay waits
    for its clients at the end.
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
    addresses: tuple[TransportAddress, ...]
    """Of this machine, where it listens, what reaches farthest first; a wildcard is none."""

    @property
    def url(self) -> str:
        """Where it can be reached: the public URL, or the address that reaches farthest."""
        return self.settings.public_url

    @property
    def urls(self) -> tuple[str, ...]:
        """All there are, the one that reaches farthest first."""
        urls = (self.settings.reached(each).endpoints.https for each in self.addresses)
        return tuple(dict.fromkeys(urls))


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
    addresses = _reachable(local_address(listening))
    settings = _settings(options, addresses[0])
    store = await _open_store(life, options.data)
    relay: RelayServer | None = None
    match options.relay:
        case OwnRelay():
            relay, issuer = await start_relay(
                life,
                options.relay,
                public_host=options.public_url and _host(options.public_url),
                drain=options.drain,
            )
        case OtherRelays():
            issuer = options.relay.issuer()
    hub = ChannelHub()
    app = make_application(
        settings, store=store, hub=hub, issuer=issuer, fixed_keys=options.fixed_keys
    )
    service = Service(settings, store, hub, issuer, relay, addresses)
    await prepare(app, service)
    await serve(life, app, listening, tls=options.tls)
    return service


def _reachable(listening: TransportAddress) -> tuple[TransportAddress, ...]:
    found = list(expand([listening]))
    if not found:
        raise HairpinError(f"{listening} stands for no address: no network interface is up")
    order = farthest_first(found)
    reaching = (each for each in found if each.ip in order)
    return tuple(sorted(reaching, key=lambda each: order.index(each.ip)))


def _settings(options: ServiceOptions, farthest: TransportAddress) -> ServiceSettings:
    if options.public_url is not None:
        return ServiceSettings(options.public_url, options.region)
    scheme = "https" if options.tls else "http"
    return ServiceSettings(f"{scheme}://{farthest}", options.region, naming=Naming.AS_REACHED)


def _host(url: str) -> str:
    """The host of a URL as it stands there: IPv6 in brackets."""
    host = urllib.parse.urlsplit(url).hostname or ""
    return f"[{host}]" if ":" in host else host


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
