"""A client of the control plane and of signaling REST."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self, TypeVar

import aiohttp
import msgspec

from signaling.channel import DEFAULT_MESSAGE_TTL_SECONDS, Channel, ChannelArn
from signaling.control import Empty, Shape, encode_response
from signaling.control.access_keys import CreateKeyResponse, DeleteKeyRequest, ListKeysResponse
from signaling.control.channels import (
    MAX_PAGE,
    ChannelInfo,
    ChannelNameCondition,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DescribeRequest,
    DescribeResponse,
    ListRequest,
    ListResponse,
    SingleMasterConfiguration,
    UpdateRequest,
)
from signaling.control.endpoints import (
    DEFAULT_PROTOCOLS,
    EndpointConfiguration,
    EndpointRequest,
    EndpointResponse,
)
from signaling.control.ice_config import IceConfigRequest, IceConfigResponse
from signaling.control.tags import (
    ListTagsRequest,
    ListTagsResponse,
    Tag,
    TagRequest,
    UntagRequest,
)
from signaling.errors import ErrorName, ServiceError
from signaling.ice_servers import IceServerGrant
from signaling.routing import Role
from signaling.sigv4 import AccessKey, sign_headers

from .tls import ChannelUnreachable, trust

TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)
"""Seconds for a request in all, and for the connection: the C SDK waits as long."""

R = TypeVar("R", bound=Shape)


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelEndpoints:
    """Where one role reaches a channel."""

    wss: str
    https: str


@dataclasses.dataclass(frozen=True, slots=True)
class AccessKeyInfo:
    """A key that the service keeps, without its secret; ``created`` is Unix time."""

    id: str
    created: float


class ControlClient:
    """Calls the operations of a service, signed with an access key.

    Use as an asynchronous context manager. ``ca_bundle`` is a PEM file of authorities
    to trust beside the system's.

    Raises:
        ServiceError: from every call, the service refused; it has the error's name.
        ChannelUnreachable: from every call, nothing answers at the endpoint.
    """

    def __init__(
        self, endpoint_url: str, key: AccessKey, region: str, *, ca_bundle: str | None = None
    ) -> None:
        self._endpoint = endpoint_url.rstrip("/")
        self._key = key
        self._region = region
        self._ssl = trust(ca_bundle)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def create_channel(
        self,
        name: str,
        *,
        message_ttl_seconds: int | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> ChannelArn:
        """Make a channel."""
        request = CreateRequest(
            name,
            single_master_configuration=SingleMasterConfiguration(message_ttl_seconds),
            tags=_tags(tags or {}),
        )
        response = await self._call("/createSignalingChannel", request, CreateResponse)
        return ChannelArn.parse(response.channel_arn)

    async def describe_channel(
        self, name: str | None = None, *, arn: ChannelArn | None = None
    ) -> Channel:
        """One channel, by its name or its ARN; its tags are another call."""
        request = DescribeRequest(name, None if arn is None else str(arn))
        response = await self._call("/describeSignalingChannel", request, DescribeResponse)
        return _channel(response.channel_info)

    async def list_channels(self, *, prefix: str | None = None) -> list[Channel]:
        """All channels, or those whose names begin with ``prefix``, by name."""
        found: list[Channel] = []
        token = ""
        while True:
            request = ListRequest(MAX_PAGE, token, ChannelNameCondition(comparison_value=prefix))
            page = await self._call("/listSignalingChannels", request, ListResponse)
            found += [_channel(info) for info in page.channel_info_list]
            token = page.next_token
            if not token:
                return found

    async def update_channel(
        self, arn: ChannelArn, *, version: str, message_ttl_seconds: int
    ) -> None:
        """Change the TTL of the messages that will be sent, if the version is the latest."""
        configuration = SingleMasterConfiguration(message_ttl_seconds)
        request = UpdateRequest(str(arn), version, configuration)
        await self._call("/updateSignalingChannel", request, Empty)

    async def delete_channel(self, arn: ChannelArn, *, version: str | None = None) -> None:
        """Delete a channel: this version of it, or whichever it has."""
        await self._call("/deleteSignalingChannel", DeleteRequest(str(arn), version), Empty)

    async def tag_channel(self, arn: ChannelArn, tags: Mapping[str, str]) -> None:
        """Add tags, or give them new values."""
        await self._call("/TagResource", TagRequest(str(arn), _tags(tags)), Empty)

    async def untag_channel(self, arn: ChannelArn, keys: Sequence[str]) -> None:
        """Remove tags; those that are not there are no matter."""
        await self._call("/UntagResource", UntagRequest(str(arn), tuple(keys)), Empty)

    async def list_tags(self, arn: ChannelArn) -> dict[str, str]:
        """The tags of a channel."""
        request = ListTagsRequest(str(arn))
        return (await self._call("/ListTagsForResource", request, ListTagsResponse)).tags

    async def get_endpoints(self, arn: ChannelArn, role: Role) -> ChannelEndpoints:
        """Where ``role`` connects to a channel, and gets its ICE servers."""
        configuration = EndpointConfiguration(DEFAULT_PROTOCOLS, role)
        request = EndpointRequest(str(arn), configuration)
        response = await self._call("/getSignalingChannelEndpoint", request, EndpointResponse)
        found = {each.protocol: each.resource_endpoint for each in response.resource_endpoint_list}
        if not {"WSS", "HTTPS"} <= found.keys():
            raise ServiceError(ErrorName.INTERNAL_FAILURE, "the service left out an endpoint")
        return ChannelEndpoints(found["WSS"], found["HTTPS"])

    async def get_ice_servers(
        self, https_endpoint: str, arn: ChannelArn, client_id: str | None = None
    ) -> tuple[IceServerGrant, ...]:
        """Relays for one client of a channel, from the channel's HTTPS endpoint."""
        response = await self._call(
            "/v1/get-ice-server-config",
            IceConfigRequest(str(arn), client_id),
            IceConfigResponse,
            endpoint=https_endpoint.rstrip("/"),
        )
        return tuple(
            IceServerGrant(tuple(entry.uris), entry.username, entry.password, entry.ttl)
            for entry in response.ice_server_list
        )

    async def create_access_key(self) -> AccessKey:
        """Make an access key; its secret is told this once."""
        response = await self._call("/createAccessKey", Empty(), CreateKeyResponse)
        return AccessKey(response.access_key_id, response.secret_access_key)

    async def list_access_keys(self) -> list[AccessKeyInfo]:
        """The keys that the service keeps, the oldest first."""
        response = await self._call("/listAccessKeys", Empty(), ListKeysResponse)
        return [
            AccessKeyInfo(each.access_key_id, each.creation_time)
            for each in response.access_key_list
        ]

    async def revoke_access_key(self, key_id: str) -> None:
        """Revoke a key that the service keeps."""
        await self._call("/deleteAccessKey", DeleteKeyRequest(key_id), Empty)

    async def _call(
        self, path: str, request: Shape, shape: type[R], *, endpoint: str | None = None
    ) -> R:
        assert self._session is not None, "enter the client first"
        url = (endpoint or self._endpoint) + path
        body = encode_response(request)
        now = time.time()
        headers = sign_headers("POST", url, body, key=self._key, region=self._region, now=now)
        try:
            async with self._session.post(
                url, data=body, headers=headers, ssl=self._ssl, allow_redirects=False
            ) as response:
                answer = await response.read()
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
            raise ChannelUnreachable(f"no service answers at {url}: {error}") from error
        if response.status != 200:
            raise _refusal(response, answer)
        try:
            return msgspec.json.decode(answer, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ServiceError(
                ErrorName.INTERNAL_FAILURE, f"not an answer of the service: {error}"
            ) from error


class _Refusal(msgspec.Struct):
    """AWS writes the sentence either way."""

    upper: str = msgspec.field(name="Message", default="")
    lower: str = msgspec.field(name="message", default="")


def _refusal(response: aiohttp.ClientResponse, answer: bytes) -> ServiceError:
    code = response.headers.get("x-amzn-ErrorType", "").partition(":")[0]
    try:
        refusal = msgspec.json.decode(answer, type=_Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError):
        refusal = _Refusal()
    message = refusal.upper or refusal.lower
    name = ErrorName.find(code, response.status)
    if name is None:
        return ServiceError(
            ErrorName.INTERNAL_FAILURE, f"{code or 'no error name'} ({response.status}): {message}"
        )
    return ServiceError(name, message)


def _channel(info: ChannelInfo) -> Channel:
    ttl = info.single_master_configuration.message_ttl_seconds or DEFAULT_MESSAGE_TTL_SECONDS
    return Channel(ChannelArn.parse(info.channel_arn), info.version, ttl)


def _tags(tags: Mapping[str, str]) -> tuple[Tag, ...]:
    return tuple(Tag(key, value) for key, value in tags.items())
