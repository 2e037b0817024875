"""TagResource, UntagResource and ListTagsForResource. The only resources are channels."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated

import msgspec

from .operation import Context, Empty, Operation, Outcome
from .validation import MAX_TAGS, check_tag_text, existing_channel, merge_tags
from .wire import ArnText, NextTokenText, Shape, invalid

TagKey = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
TagValue = Annotated[str, msgspec.Meta(max_length=256)]
TagList = msgspec.Meta(max_length=MAX_TAGS)
NonEmptyTagList = msgspec.Meta(min_length=1, max_length=MAX_TAGS)


class Tag(Shape, frozen=True):
    key: TagKey
    value: TagValue


class TagRequest(Shape, frozen=True):
    resource_arn: ArnText
    tags: Annotated[tuple[Tag, ...], NonEmptyTagList]


class UntagRequest(Shape, frozen=True):
    resource_arn: ArnText
    tag_key_list: Annotated[tuple[TagKey, ...], NonEmptyTagList]


class ListTagsRequest(Shape, frozen=True):
    resource_arn: ArnText
    next_token: NextTokenText = ""


class ListTagsResponse(Shape, frozen=True):
    tags: dict[str, str]


def checked_tags(tags: Sequence[Tag]) -> list[tuple[str, str]]:
    """Tags as pairs.

    Raises:
        ServiceError: a character that must not stand in a tag does.
    """
    for tag in tags:
        check_tag_text(tag.key, "Key")
        check_tag_text(tag.value, "Value")
    return [(tag.key, tag.value) for tag in tags]


def tag_resource(request: TagRequest, context: Context) -> Outcome:
    """Add tags; those of the same key get the new value."""
    newer = checked_tags(request.tags)
    channel = existing_channel(request.resource_arn, context)
    tags = merge_tags(dict(channel.tags), newer)
    context.tables.put_channel(dataclasses.replace(channel, tags=tags))
    return Outcome(Empty())


def untag_resource(request: UntagRequest, context: Context) -> Outcome:
    """Remove tags; keys that are not there are ignored."""
    for key in request.tag_key_list:
        check_tag_text(key, "TagKeyList")
    channel = existing_channel(request.resource_arn, context)
    gone = set(request.tag_key_list)
    tags = tuple(tag for tag in channel.tags if tag[0] not in gone)
    context.tables.put_channel(dataclasses.replace(channel, tags=tags))
    return Outcome(Empty())


def list_tags(request: ListTagsRequest, context: Context) -> Outcome:
    """All tags: there are so few that one page holds them, and no token is ever given."""
    channel = existing_channel(request.resource_arn, context)
    if request.next_token:
        raise invalid("NextToken is not valid.")
    return Outcome(ListTagsResponse(dict(channel.tags)))


TAG_OPERATIONS = (
    Operation("TagResource", "/TagResource", TagRequest, handle=tag_resource),
    Operation("UntagResource", "/UntagResource", UntagRequest, handle=untag_resource),
    Operation("ListTagsForResource", "/ListTagsForResource", ListTagsRequest, handle=list_tags),
)
