"""GetSignalingChannelEndpoint: where a client of a channel connects to."""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec

from signaling.routing import Role

from .operation import Context, Operation, Outcome
from .validation import existing_channel
from .wire import ArnText, Shape, invalid


class EndpointProtocol(enum.Enum):
    WSS = "WSS"
    HTTPS = "HTTPS"
    WEBRTC = "WEBRTC"


DEFAULT_PROTOCOLS = (EndpointProtocol.WSS, EndpointProtocol.HTTPS)
DEFAULT_ROLE = Role.VIEWER
"""What is meant by a request that does not say: the role that may do less."""


class EndpointConfiguration(Shape, frozen=True):
    protocols: (
        Annotated[tuple[EndpointProtocol, ...], msgspec.Meta(min_length=1, max_length=5)] | None
    ) = None
    role: Role | None = None


class EndpointRequest(Shape, frozen=True):
    channel_arn: ArnText
    single_master_channel_endpoint_configuration: EndpointConfiguration = EndpointConfiguration()


class ResourceEndpoint(Shape, frozen=True):
    protocol: str
    resource_endpoint: str


class EndpointResponse(Shape, frozen=True):
    resource_endpoint_list: list[ResourceEndpoint]


def get_endpoint(request: EndpointRequest, context: Context) -> Outcome:
    """One endpoint for each protocol that was asked for."""
    existing_channel(request.channel_arn, context)
    wanted = request.single_master_channel_endpoint_configuration
    protocols = wanted.protocols or DEFAULT_PROTOCOLS
    if EndpointProtocol.WEBRTC in protocols:
        raise invalid("The WEBRTC protocol needs media storage, which the channel has not.")
    endpoints = context.reached.endpoints
    urls = {
        EndpointProtocol.WSS: endpoints.wss(wanted.role or DEFAULT_ROLE),
        EndpointProtocol.HTTPS: endpoints.https,
    }
    return Outcome(
        EndpointResponse(
            [
                ResourceEndpoint(protocol.value, urls[protocol])
                for protocol in dict.fromkeys(protocols)
            ]
        )
    )


ENDPOINT_OPERATIONS = (
    Operation(
        "GetSignalingChannelEndpoint",
        "/getSignalingChannelEndpoint",
        EndpointRequest,
        handle=get_endpoint,
    ),
)
