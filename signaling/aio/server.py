"""The signaling service on one aiohttp application.

Control plane, signaling REST and WebSockets are one listener; clients learn where the
latter two are from GetSignalingChannelEndpoint. The role is carried by the endpoint.
"""

from __future__ import annotations

import dataclasses
import enum
import os
import time
from collections.abc import Mapping

from aiohttp import web

from signaling.channel import DEFAULT_ACCOUNT, DEFAULT_REGION, Channel, ChannelArn
from signaling.control import (
    OPERATION_PATHS,
    ROLE_PATHS,
    ChannelDeleted,
    ChannelNamespace,
    ChannelUpdated,
    ControlPlane,
    Endpoints,
    RateLimiter,
    Reached,
    ServiceQuotas,
    encode_response,
    parse_arn,
)
from signaling.errors import ErrorName, ServiceError
from signaling.ice_servers import IceServerIssuer
from signaling.routing import Role
from signaling.sigv4 import AccessKey
from transport import Event, TransportAddress

from .http import (
    MAX_BODY_BYTES,
    Clock,
    api_middleware,
    json_response,
    local_address,
    verify_request,
)
from .hub import ChannelHub
from .sqlite_store import SqliteStore
from .websocket import serve_websocket


class Naming(enum.Enum):
    """Where clients are told to come back to."""

    PUBLIC_URL = "public-url"
    """To one URL for all: a front may stand in between."""

    AS_REACHED = "as-reached"
    """To the local address of the client's own connection: it works for this client."""


@dataclasses.dataclass(frozen=True, slots=True)
class ServiceSettings:
    """How clients reach the service, and where it says it is.

    ``public_url`` is the scheme, host and port that clients use; signatures verify
    against its host as well as against the Host header. With ``Naming.AS_REACHED`` it is
    one of several that reach the service, and only its scheme stands for all.

    Raises:
        ValueError: the URL is not ``http(s)://host[:port]``.
    """

    public_url: str
    region: str = DEFAULT_REGION
    account: str = DEFAULT_ACCOUNT
    quotas: ServiceQuotas = dataclasses.field(default_factory=ServiceQuotas)
    naming: Naming = Naming.PUBLIC_URL

    def __post_init__(self) -> None:
        Endpoints(self.public_url)

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(self.public_url)

    @property
    def namespace(self) -> ChannelNamespace:
        return ChannelNamespace(self.account, self.region)

    def websocket_endpoint(self, role: Role) -> str:
        """Where a role connects to: ``wss`` where the public URL is ``https``."""
        return self.endpoints.wss(role)

    def reached(self, address: TransportAddress | None) -> Reached:
        """What a client is told that came to ``address``, None if that is not known."""
        if self.naming is Naming.PUBLIC_URL or address is None:
            return Reached(self.endpoints)
        return Reached(self.endpoints.at(address), address.ip)


class _Service:
    """The handlers of one application."""

    def __init__(
        self,
        settings: ServiceSettings,
        *,
        store: SqliteStore,
        hub: ChannelHub,
        issuer: IceServerIssuer,
        fixed_keys: Mapping[str, AccessKey],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._store = store
        self._hub = hub
        self._fixed_keys = fixed_keys
        self._clock = clock
        quotas = settings.quotas
        self._plane = ControlPlane(
            settings.namespace,
            settings.endpoints,
            issuer=issuer,
            random_bytes=os.urandom,
            quotas=quotas,
        )
        self._connects = RateLimiter("connections", quotas.connects, quotas.burst_seconds)

    async def operate(self, request: web.Request) -> web.StreamResponse:
        """Run an operation of the control plane or of signaling REST."""
        body = await self._verified(request)
        path, now = request.path, self._clock()
        reached = self._settings.reached(local_address(request))
        outcome = await self._store.run(
            lambda tables: self._plane.execute(path, body, tables=tables, now=now, reached=reached)
        )
        for event in outcome.events:
            self._apply(event)
        return json_response(encode_response(outcome.response))

    async def connect(self, request: web.Request, role: Role) -> web.StreamResponse:
        """ConnectAsMaster or ConnectAsViewer."""
        await self._verified(request)
        arn = parse_arn(request.query.get("X-Amz-ChannelARN", ""), self._settings.namespace)
        channel = await self._find(arn)
        self._connects.charge((arn, role), self._clock())
        return await serve_websocket(request, role, channel, hub=self._hub)

    async def close(self, _: web.Application) -> None:
        self._hub.close("the service is stopping")

    async def _find(self, arn: ChannelArn) -> Channel:
        space = self._settings.namespace
        channel = await self._store.run(lambda tables: tables.find_channel(space, arn.name))
        if channel is None or channel.arn != arn:
            raise ServiceError(
                ErrorName.RESOURCE_NOT_FOUND, "The requested channel is not found or not active."
            )
        return channel

    async def _verified(self, request: web.Request) -> bytes:
        return await verify_request(
            request,
            keys=self._key,
            region=self._settings.region,
            hosts=(self._settings.endpoints.host,),
            now=self._clock(),
        )

    def _key(self, key_id: str) -> AccessKey | None:
        return self._fixed_keys.get(key_id) or self._store.access_key(key_id)

    def _apply(self, event: Event) -> None:
        match event:
            case ChannelUpdated(channel):
                self._hub.update(channel)
            case ChannelDeleted(arn):
                self._hub.close_channel(arn, "the channel was deleted")


def make_application(
    settings: ServiceSettings,
    *,
    store: SqliteStore,
    hub: ChannelHub,
    issuer: IceServerIssuer,
    fixed_keys: Mapping[str, AccessKey] | None = None,
    clock: Clock = time.time,
) -> web.Application:
    """An application that serves signaling; more may be added to its router.

    ``fixed_keys`` are access keys, by id, beside those in the store. Every key may call
    every operation. ``clock`` is Unix time.
    """
    service = _Service(
        settings,
        store=store,
        hub=hub,
        issuer=issuer,
        fixed_keys=dict(fixed_keys or {}),
        clock=clock,
    )
    middleware = api_middleware((*OPERATION_PATHS, *ROLE_PATHS.values()))
    app = web.Application(middlewares=[middleware], client_max_size=MAX_BODY_BYTES)
    for path in OPERATION_PATHS:
        app.router.add_post(path, service.operate)
    for role, path in ROLE_PATHS.items():
        _add_websocket(app, service, role, path)
    app.on_shutdown.append(service.close)
    return app


def _add_websocket(app: web.Application, service: _Service, role: Role, path: str) -> None:
    async def connect(request: web.Request) -> web.StreamResponse:
        return await service.connect(request, role)

    app.router.add_get(path, connect)
