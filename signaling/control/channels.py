"""Create, Describe, List, Update and DeleteSignalingChannel.

All are synchronous here: a channel is ACTIVE when its creation is answered and gone
when its deletion is, which the API's documentation allows and no client minds.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from typing import Annotated

import msgspec

from signaling.channel import (
    DEFAULT_MESSAGE_TTL_SECONDS,
    MAX_MESSAGE_TTL_SECONDS,
    MIN_MESSAGE_TTL_SECONDS,
    Channel,
    ChannelArn,
)
from signaling.errors import ErrorName, ServiceError

from .operation import ChannelDeleted, ChannelUpdated, Context, Empty, Operation, Outcome
from .tables import ChannelNamespace, Tables
from .tags import Tag, TagList, checked_tags
from .tokens import make_token, read_token
from .validation import check_version, existing_channel, merge_tags, named_channel
from .wire import ArnText, ChannelNameText, NextTokenText, Shape, VersionText, invalid

DEFAULT_PAGE = 500
MAX_PAGE = 10_000
"""``MaxResults`` of ListSignalingChannels: what it is by itself, and at most."""

VERSION_LENGTH = 20
_VERSION_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789AB"


class ChannelType(enum.Enum):
    SINGLE_MASTER = "SINGLE_MASTER"
    FULL_MESH = "FULL_MESH"


class ComparisonOperator(enum.Enum):
    BEGINS_WITH = "BEGINS_WITH"


class SingleMasterConfiguration(Shape, frozen=True):
    message_ttl_seconds: (
        Annotated[int, msgspec.Meta(ge=MIN_MESSAGE_TTL_SECONDS, le=MAX_MESSAGE_TTL_SECONDS)] | None
    ) = None


class ChannelInfo(Shape, frozen=True):
    channel_name: str
    channel_arn: str
    channel_type: str
    channel_status: str
    creation_time: float
    single_master_configuration: SingleMasterConfiguration
    version: str


class CreateRequest(Shape, frozen=True):
    channel_name: ChannelNameText
    channel_type: ChannelType = ChannelType.SINGLE_MASTER
    single_master_configuration: SingleMasterConfiguration = SingleMasterConfiguration()
    tags: Annotated[tuple[Tag, ...], TagList] = ()


class CreateResponse(Shape, frozen=True):
    channel_arn: str


class DescribeRequest(Shape, frozen=True):
    channel_name: ChannelNameText | None = None
    channel_arn: ArnText | None = None


class DescribeResponse(Shape, frozen=True):
    channel_info: ChannelInfo


class ChannelNameCondition(Shape, frozen=True):
    comparison_operator: ComparisonOperator = ComparisonOperator.BEGINS_WITH
    comparison_value: ChannelNameText | None = None


class ListRequest(Shape, frozen=True):
    max_results: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE
    next_token: NextTokenText = ""
    channel_name_condition: ChannelNameCondition = ChannelNameCondition()


class ListResponse(Shape, frozen=True):
    channel_info_list: list[ChannelInfo]
    next_token: str = ""


class UpdateRequest(Shape, frozen=True):
    channel_arn: ArnText
    current_version: VersionText
    single_master_configuration: SingleMasterConfiguration = SingleMasterConfiguration()


class DeleteRequest(Shape, frozen=True):
    channel_arn: ArnText
    current_version: VersionText | None = None


def create_channel(request: CreateRequest, context: Context) -> Outcome:
    """Make a channel; its name must be free."""
    if request.channel_type is not ChannelType.SINGLE_MASTER:
        raise invalid("ChannelType must be SINGLE_MASTER; no other is supported.")
    service, tables = context.service, context.tables
    if tables.count_channels(service.space) >= service.quotas.channels:
        raise ServiceError(
            ErrorName.ACCOUNT_CHANNEL_LIMIT_EXCEEDED,
            f"The account has {service.quotas.channels} channels, which is its limit.",
        )
    ttl = request.single_master_configuration.message_ttl_seconds
    channel = add_channel(
        tables,
        service.space,
        request.channel_name,
        message_ttl_seconds=DEFAULT_MESSAGE_TTL_SECONDS if ttl is None else ttl,
        tags=merge_tags({}, checked_tags(request.tags)),
        now=context.now,
        random_bytes=service.random_bytes,
    )
    return Outcome(CreateResponse(str(channel.arn)))


def add_channel(
    tables: Tables,
    space: ChannelNamespace,
    name: str,
    *,
    message_ttl_seconds: int = DEFAULT_MESSAGE_TTL_SECONDS,
    tags: tuple[tuple[str, str], ...] = (),
    now: float,
    random_bytes: Callable[[int], bytes],
) -> Channel:
    """Make and keep a channel.

    Raises:
        ServiceError: ResourceInUseException, the name is taken.
    """
    if tables.find_channel(space, name) is not None:
        raise ServiceError(ErrorName.RESOURCE_IN_USE, f"A channel named {name} exists.")
    created_ms = tables.next_creation_ms(int(now * 1000))
    arn = ChannelArn(name, created_ms, space.region, space.account)
    channel = Channel(arn, new_version(random_bytes), message_ttl_seconds, tags)
    tables.put_channel(channel)
    return channel


def describe_channel(request: DescribeRequest, context: Context) -> Outcome:
    """What is known of one channel."""
    channel = named_channel(request.channel_name, request.channel_arn, context)
    return Outcome(DescribeResponse(_info(channel)))


def list_channels(request: ListRequest, context: Context) -> Outcome:
    """One page of channels, by name."""
    service, tables = context.service, context.tables
    prefix = request.channel_name_condition.comparison_value or ""
    key = tables.token_key()
    after = read_token(key, prefix, request.next_token) if request.next_token else ""
    found = tables.list_channels(
        service.space, prefix=prefix, after=after, limit=request.max_results + 1
    )
    page = found[: request.max_results]
    token = make_token(key, prefix, page[-1].name) if len(found) > len(page) else ""
    return Outcome(ListResponse([_info(channel) for channel in page], token))


def update_channel(request: UpdateRequest, context: Context) -> Outcome:
    """Change the message TTL; the version is new even if the TTL is not."""
    channel = existing_channel(request.channel_arn, context)
    check_version(channel, request.current_version)
    ttl = request.single_master_configuration.message_ttl_seconds
    changed = dataclasses.replace(
        channel,
        version=new_version(context.service.random_bytes),
        message_ttl_seconds=channel.message_ttl_seconds if ttl is None else ttl,
    )
    context.tables.put_channel(changed)
    return Outcome(Empty(), (ChannelUpdated(changed),))


def delete_channel(request: DeleteRequest, context: Context) -> Outcome:
    """Remove a channel; without a version, whichever it has."""
    channel = existing_channel(request.channel_arn, context)
    check_version(channel, request.current_version)
    context.tables.remove_channel(channel)
    return Outcome(Empty(), (ChannelDeleted(channel.arn),))


def new_version(random_bytes: Callable[[int], bytes]) -> str:
    """A version that no channel had before, but for an accident of 119 random bits."""
    return "".join(
        _VERSION_ALPHABET[byte % len(_VERSION_ALPHABET)] for byte in random_bytes(VERSION_LENGTH)
    )


def _info(channel: Channel) -> ChannelInfo:
    return ChannelInfo(
        channel.name,
        str(channel.arn),
        ChannelType.SINGLE_MASTER.value,
        "ACTIVE",
        channel.arn.created_ms / 1000,
        SingleMasterConfiguration(channel.message_ttl_seconds),
        channel.version,
    )


CHANNEL_OPERATIONS = (
    Operation(
        "CreateSignalingChannel", "/createSignalingChannel", CreateRequest, handle=create_channel
    ),
    Operation(
        "DescribeSignalingChannel",
        "/describeSignalingChannel",
        DescribeRequest,
        handle=describe_channel,
    ),
    Operation("ListSignalingChannels", "/listSignalingChannels", ListRequest, handle=list_channels),
    Operation(
        "UpdateSignalingChannel", "/updateSignalingChannel", UpdateRequest, handle=update_channel
    ),
    Operation(
        "DeleteSignalingChannel", "/deleteSignalingChannel", DeleteRequest, handle=delete_channel
    ),
)
