"""Media storage, which hairpin has not: its state is DISABLED, and stays so."""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec

from signaling.errors import ErrorName, ServiceError

from .operation import Context, Empty, Operation, Outcome
from .validation import existing_channel, named_channel
from .wire import ArnText, ChannelNameText, NextTokenText, Shape, invalid


class StorageStatus(enum.Enum):
    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


class MediaStorageConfiguration(Shape, frozen=True):
    status: StorageStatus
    stream_arn: ArnText | None = None


class DescribeStorageRequest(Shape, frozen=True):
    channel_name: ChannelNameText | None = None
    channel_arn: ArnText | None = None


class DescribeStorageResponse(Shape, frozen=True):
    media_storage_configuration: MediaStorageConfiguration


class UpdateStorageRequest(Shape, frozen=True):
    channel_arn: ArnText
    media_storage_configuration: MediaStorageConfiguration


class DescribeMappedRequest(Shape, frozen=True):
    stream_name: ChannelNameText | None = None
    stream_arn: ArnText | None = None
    max_results: Annotated[int, msgspec.Meta(ge=1, le=1)] = 1
    next_token: NextTokenText = ""


def describe_storage(request: DescribeStorageRequest, context: Context) -> Outcome:
    """DISABLED for every channel there is."""
    named_channel(request.channel_name, request.channel_arn, context)
    return Outcome(DescribeStorageResponse(MediaStorageConfiguration(StorageStatus.DISABLED)))


def update_storage(request: UpdateStorageRequest, context: Context) -> Outcome:
    """Refuse to enable it; to disable what is disabled is no change."""
    existing_channel(request.channel_arn, context)
    if request.media_storage_configuration.status is StorageStatus.ENABLED:
        raise invalid("This service stores no media: Status must be DISABLED.")
    return Outcome(Empty())


def describe_mapped(request: DescribeMappedRequest, context: Context) -> Outcome:
    """There are no streams that a channel could be mapped to."""
    if request.stream_name is None and request.stream_arn is None:
        raise invalid("Either StreamName or StreamARN must be given.")
    raise ServiceError(ErrorName.RESOURCE_NOT_FOUND, "The requested stream is not found.")


MEDIA_STORAGE_OPERATIONS = (
    Operation(
        "DescribeMediaStorageConfiguration",
        "/describeMediaStorageConfiguration",
        DescribeStorageRequest,
        handle=describe_storage,
    ),
    Operation(
        "UpdateMediaStorageConfiguration",
        "/updateMediaStorageConfiguration",
        UpdateStorageRequest,
        handle=update_storage,
    ),
    Operation(
        "DescribeMappedResourceConfiguration",
        "/describeMappedResourceConfiguration",
        DescribeMappedRequest,
        handle=describe_mapped,
    ),
)
