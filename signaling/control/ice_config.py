"""GetIceServerConfig: relays for one client of a channel, with credentials that expire."""

from __future__ import annotations

import enum

from .operation import Context, Operation, Outcome
from .validation import existing_channel
from .wire import ArnText, ClientIdText, Shape


class IceService(enum.Enum):
    TURN = "TURN"


class IceConfigRequest(Shape, frozen=True):
    channel_arn: ArnText
    client_id: ClientIdText | None = None
    service: IceService = IceService.TURN
    username: ClientIdText | None = None


class IceServerEntry(Shape, frozen=True):
    uris: list[str]
    username: str
    password: str
    ttl: int


class IceConfigResponse(Shape, frozen=True):
    ice_server_list: list[IceServerEntry]


def get_ice_config(request: IceConfigRequest, context: Context) -> Outcome:
    """A list of one entry; it is never empty, which the C SDK could not bear."""
    channel = existing_channel(request.channel_arn, context)
    service = context.service
    service.ice_config_requests.charge(channel.arn, context.now)
    client = request.client_id or request.username or ""
    reached = context.reached.ip
    grant = service.issuer.grant(channel.name, client, context.now, reached=reached)
    entry = IceServerEntry(list(grant.uris), grant.username, grant.password, grant.ttl_seconds)
    return Outcome(IceConfigResponse([entry]))


ICE_CONFIG_OPERATIONS = (
    Operation(
        "GetIceServerConfig", "/v1/get-ice-server-config", IceConfigRequest, handle=get_ice_config
    ),
)
